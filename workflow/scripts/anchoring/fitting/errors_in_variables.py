"""The straight line through pixels whose both coordinates have errors."""

from typing import NamedTuple

import numpy as np

from ..errors import AnchoringError
from ..measuring.robust import robust_std

PASSES = 40
STEPS = 8  # groups along the relation, at most, in which the scatter is measured
PER_STEP = 40  # samples, at least
COHERENT = 3.0  # beams over which a colour, unlike noise, stays the same
CLIP = 3.0  # standard deviations, these being 1.4826 MAD
LEAST = 20  # samples


class Relation(NamedTuple):
    """The line y = slope * x + intercept and the samples it was fitted to.

    slope : float
    intercept, scatter : float
        MJy/sr; scatter is 1.4826 MAD of the residuals in y.
    used : (n,) bool array
    x_true : (n used,) array
        Estimate of the true x of each used sample, MJy/sr.
    weight : (n used,) array
        Sum 1.
    change : (slope, intercept)
        By how much, either way, the iteration left them open; 0 where it converged.
    """

    slope: float
    intercept: float
    scatter: float
    used: np.ndarray
    x_true: np.ndarray
    weight: np.ndarray
    change: tuple


def errors_in_variables(x, y, *, limits, sigma_x, start=None, passes=PASSES):
    """Line y = m x + b where x has noise sigma_x and y scatters about the line by an unknown amount.

    The best estimate of a sample's true x (York et al. 2004, Am. J. Phys. 72, 367; Fuller 1987, Measurement Error
    Models, section 1.2.3) combines x and (y - b) / m by their inverse variances. With r = y - b - m x and v its
    variance, of which m^2 sigma_x^2 is due to x,

        t = x + (m sigma_x^2 / v) r

    Errors of t and r are uncorrelated, so a choice of samples by t, low <= t < high, leaves <r> = 0; a choice by x does
    not, and is what biases medians in bins of x. Then, with weights about 1 / v,

        m = cov(t, y) / cov(t, x),        b = <y> - m <x>

    which for one v is the moment-corrected slope cov(x, y) / (var(x) - sigma_x^2) (Akritas & Bershady 1996, ApJ 470,
    706), without its difference of two noisy numbers; for sigma_x = 0 it is weighted least squares. All of it is
    iterated. v, the scatter on the sky and not only noise, is measured: v = v0 + v1 (t - low)^2 (noise, and a colour
    that varies by a fraction of the brightness) from (1.4826 MAD)^2 in STEPS groups of t; samples beyond CLIP sqrt(v)
    from the median residual are left out. A colour stays the same over more than a beam and averages out more slowly
    than noise: in the weights, 1 / (v0 + COHERENT v1 (t - low)^2), its part counts more.

    A sample at a limit can be in with one line and out with the next, so that there is no fixed point but two lines
    that give each other. Half-way between them is then the answer.

    Parameters
    ----------
    x, y : (n,) arrays
        Finite, MJy/sr.
    limits : (low, high)
        MJy/sr, on the axis of x.
    sigma_x : float
        Noise of x, MJy/sr; no more than the scatter about the line can be explained by it.
    start : (slope, intercept), optional
        Where the iteration starts; by default the least-squares line of the samples with x in `limits`.
    passes : int
        Iterations, at most.

    Returns
    -------
    Relation

    Raises
    ------
    AnchoringError
        With fewer than LEAST samples along the range, if they have one x, or if y does not rise with x.
    """
    low, high = limits
    _require(x.size, limits)
    # From here on x is x - low and y is y - zero: what is added to an image then does not change the arithmetic.
    zero, top = np.median(y), high - low
    x, y = x - low, y - zero
    slope, intercept = _first_guess(x, y, limits) if start is None else (start[0], start[1] + start[0] * low - zero)
    fraction, before = 0.5, np.zeros(2)
    for iteration in range(passes):
        residual = y - intercept - slope * x
        x_true = x + fraction * residual / slope
        chosen = np.flatnonzero((x_true >= 0) & (x_true < top))
        _require(chosen.size, limits)
        r, t = residual[chosen], x_true[chosen]
        middle = np.median(r)
        v0, v1 = scatter_along(t, r - middle)
        v = _variance(t, v0, v1)
        kept = np.abs(r - middle) <= CLIP * np.sqrt(v)
        chosen, t = chosen[kept], t[kept]
        weight = 1 / _variance(t, v0, COHERENT * v1)
        _require(chosen.size, limits)
        _require_spread(x[chosen], limits)
        weight /= weight.sum()
        new_slope, new_intercept = moments_line(moments(t, x[chosen], y[chosen], weight).sum(axis=1))
        require_rise(new_slope, limits)
        change = np.array([new_slope - slope, new_intercept - intercept])
        converged = abs(change[1]) / top + abs(change[0]) < 1e-7 * slope
        # Later steps are halved, which ends many an alternation; in one that goes on each step takes back the last.
        alternates = iteration > 5 and np.allclose(change, -before, rtol=1e-6, atol=0)
        step = 1.0 if iteration < 5 else 0.25 if alternates and not converged else 0.5
        slope += step * change[0]
        intercept += step * change[1]
        if converged or alternates:
            change = change * (0 if converged else step)
            break
        before = change
        fraction = np.minimum((slope * sigma_x) ** 2 / _variance(x_true, v0, v1), 1)
    used = np.zeros(x.size, dtype=bool)
    used[chosen] = True
    scatter = robust_std(r, middle)
    left = abs(float(change[0])), abs(float(change[1] - change[0] * low))
    return Relation(float(slope), float(intercept + zero - slope * low), float(scatter), used, t + low, weight, left)


def moments(t, x, y, weight):
    """The six weighted products whose sums make a line: w, wt, wx, wy, wtx, wty; (6, n) array."""
    wt = weight * t
    return np.stack([weight, wt, weight * x, weight * y, wt * x, wt * y])


def moments_line(sums):
    """Slope cov(t, y) / cov(t, x) and intercept from sums (6, ...) of `moments`."""
    w, t, x, y, tx, ty = sums
    slope = (ty - t * y / w) / (tx - t * x / w)
    return slope, (y - slope * x) / w


def _first_guess(x, y, limits):
    inside = (x >= 0) & (x < limits[1] - limits[0])
    _require(np.count_nonzero(inside), limits)
    x, y = x[inside], y[inside]
    _require_spread(x, limits)
    slope, intercept = moments_line(moments(x, x, y, np.ones_like(x)).sum(axis=1))
    require_rise(slope, limits)
    return slope, intercept


def _require(number, limits):
    low, high = limits
    if number < LEAST:
        raise AnchoringError(
            f"{number} samples of the reference in [{low:.4g}, {high:.4g}] MJy/sr, away from edges and holes; expected "
            f"at least {LEAST}: give an intensity_range or a smaller erode_fwhm"
        )


def _require_spread(x, limits):
    low, high = limits
    # Closer together, round-off makes the slope.
    if not np.ptp(x) > 1e-6 * (high - low):
        raise AnchoringError(
            f"all samples of the reference in [{low:.4g}, {high:.4g}] MJy/sr are {low + np.median(x):.6g}; expected "
            "different ones, to fit a line: give an intensity_range or leave this reference out"
        )


def require_rise(slope, limits):
    """AnchoringError unless a line rises: of two images of one sky none falls where the other rises."""
    low, high = limits
    if not slope > 0:
        raise AnchoringError(
            f"the image does not rise with its reference in [{low:.4g}, {high:.4g}] MJy/sr (slope {slope:.3g}); "
            "expected a positive slope: give an intensity_range or leave this reference out"
        )


def _variance(t, v0, v1):
    return v0 + v1 * np.maximum(t, 0) ** 2


def scatter_along(t, residual):
    """v0 > 0, v1 >= 0 of var(residual) = v0 + v1 t^2, by least squares on robust variances in groups of t.

    v1 is 0 with fewer than 3 groups, or residuals that are mostly 0.
    """
    steps = min(max(t.size // PER_STEP, 1), STEPS)
    groups = np.array_split(np.argsort(t), steps)
    centre = t[[group[group.size // 2] for group in groups]]
    variance = np.array([robust_std(residual[group]) ** 2 for group in groups])
    typical = max(np.median(variance), np.finfo(float).tiny)
    if centre.size < 3 or not np.median(variance) > 0:
        return typical, 0.0
    # In units of the typical one, so that no square of a small one is 0.
    variance = variance / typical
    # A variance of few beams can be small by chance; it must not carry the fit.
    error = np.maximum(variance, 0.1)
    design = np.stack([np.ones_like(centre), np.maximum(centre, 0) ** 2], axis=1)
    v0, v1 = _least_squares_not_below_zero(design / error[:, None], variance / error)
    return typical * max(v0, 0.01), typical * v1


def _least_squares_not_below_zero(design, values):
    """The two coefficients >= 0 that minimise |design @ coefficients - values|; columns of design are >= 0.

    Where the minimum without bounds has a negative one, that one is 0 (the sum of squares is convex).
    """
    (aa, ab), (_, bb) = design.T @ design
    a, b = design.T @ values
    determinant = aa * bb - ab * ab
    if determinant > 1e-12 * aa * bb:
        first, second = (bb * a - ab * b) / determinant, (aa * b - ab * a) / determinant
        if second < 0:
            return max(a / aa, 0.0), 0.0
        if first >= 0:
            return first, second
        return 0.0, max(b / bb, 0.0)
    return max(a / aa, 0.0), 0.0
