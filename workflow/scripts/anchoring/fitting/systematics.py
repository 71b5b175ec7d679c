"""How far a line is off by what is not noise: colours that drift, curves, planes and steps in the residuals."""

import math

import numpy as np

from ..measuring.robust import robust_std
from .jackknife import jackknife

# On a parabola the line is off by this times its change to the fainter half of the range, at 1/7 of the range below it.
PARABOLA = 5 / 3
UNLIKELY = 6.0  # chi-squared of 2 degrees of freedom that chance exceeds in 5 %
LEAST_PLANE_BLOCKS = 8
CONTRAST_ACROSS, CONTRAST_BEAMS = 8, 2.5  # blocks across the field, at most, and beams across a block, at least
LEAST_CONTRAST_BLOCKS = 9
GROUPS, PER_GROUP = 8, 40  # of samples along the relation, at most, and samples in one, at least


def change(line, other):
    """Change (slope, intercept) from a line to another, (2,) array."""
    return np.array([other.slope - line.slope, other.intercept - line.intercept])


def beyond_chance(line, replicates, other, others, within, least=2.0):
    """Change from a line to another, less what chance explains of it: all up to a chi-squared of `least`.

    It is d sqrt(1 - 2 / chi^2), chi^2 = d^T C^-1 d, with the jackknife's covariance C of the change d.

    Parameters
    ----------
    line, other : with slope and intercept
    replicates, others : (2, blocks) arrays
        Slope and intercept of both without each block.
    within : float
        `Blocks.within`.
    least : float

    Returns
    -------
    (2,) array; all of the change where its covariance is not known.
    """
    found = change(line, other)
    chance = jackknife(*(np.array(others) - replicates)) / within
    if not np.isfinite(chance).all() or not np.linalg.det(chance) > 0:
        return found
    significance = found @ np.linalg.solve(chance, found)
    return found * math.sqrt(1 - 2 / significance) if significance > least else np.zeros(2)


def curve_change(line, replicates, half, others, within):
    """How far a line is off by a curve, (2,) array, from its change to that of the fainter half of the range."""
    return PARABOLA * beyond_chance(line, replicates, half, others, within, least=UNLIKELY)


def drift_change(drift, slope, at_zero):
    """Change of a line, (2,) array, by a colour y / x of `slope` that drifts by `drift`: y = slope T^(1 + drift).

    To first order this is slope (T + drift T ln T), through which a line is slope drift `at_zero` at T = 0, where that
    through T ln T is `at_zero`; its slope there is a matter of the unit of T, and left alone.
    """
    return np.array([0.0, slope * drift * at_zero])


def plane_significance(residual, row, column, block, weights):
    """Chi-squared (2 degrees of freedom) of the slopes of a plane fitted to residuals, from a jackknife of blocks.

    Residuals are taken in units of their robust scatter, and to 3 of it from their median at most.

    Parameters
    ----------
    residual : (n,) array
        MJy/sr.
    row, column : (n,) arrays
    block : (n,) int array
    weights : (replicates, blocks) array

    Returns
    -------
    float; 0 with fewer than LEAST_PLANE_BLOCKS blocks, or where nothing tells a plane (all residuals 0, all samples in
    a row).
    """
    present = np.unique(block)
    n = present.size
    if n < LEAST_PLANE_BLOCKS:
        return 0.0
    middle = np.median(residual)
    scatter = robust_std(residual, middle)
    residual = np.clip(residual - middle, -3 * scatter, 3 * scatter) / max(scatter, np.finfo(float).tiny)
    u, v = ((c - c.mean()) / max(np.ptp(c), 1) for c in (row, column))
    design = np.stack([np.ones_like(u), u, v])
    products = [a * b for i, a in enumerate(design) for b in design[i:]] + [a * residual for a in design]
    sums = np.stack([np.bincount(block, weights=p, minlength=weights.shape[1]) for p in products])
    try:
        plane = _planes(sums.sum(axis=1)[:, None])[0]
        covariance = jackknife(*_planes(sums @ weights.T).T)
        significance = float(plane @ np.linalg.solve(covariance, plane))
    except np.linalg.LinAlgError:  # all residuals 0, or all samples on one line
        return 0.0
    # The inverse of a covariance of few blocks is too large by this (Hotelling's T^2).
    return significance * (n - 4) / (n - 3)


def block_contrast(residual, x, row, column, beam):
    """Scatter of residuals between blocks of the field in units of that in them, as in an analysis of variance.

    sqrt(sum (R - <R>)^2 / s^2 / (n - 1)) for n blocks of median R and scatter s = 1.4826 MAD, of which none is taken as
    less than half the median one; <R> is weighted by 1 / s^2. Noise averages out in a block, and a colour that varies
    on all scales does so between blocks about as much as in them: both stay near 1 or below. Steps between tiles leave
    plateaus, which have little scatter in them. What depends on the brightness alone, a curved relation, is taken off
    first: clipped means in groups along the relation, with straight lines between them.

    Parameters
    ----------
    residual, x : (n,) arrays
        MJy/sr; x is the brightness of the reference.
    row, column : (n,) int arrays
    beam : float
        FWHM, in units of rows.

    Returns
    -------
    float; 0 with fewer than LEAST_CONTRAST_BLOCKS blocks of which at least 3/10 are covered.
    """
    if residual.size < LEAST_CONTRAST_BLOCKS:
        return 0.0
    groups = np.array_split(np.argsort(x), min(max(x.size // PER_GROUP, 1), GROUPS))
    middle = np.median(residual)
    reach = 3 * robust_std(residual, middle)
    # Of two levels the median is either, by chance.
    clipped = np.clip(residual, middle - reach, middle + reach)
    residual = residual - np.interp(x, *([values[group].mean() for group in groups] for values in (x, clipped)))
    row, column = row - row.min(), column - column.min()
    longer = max(row.max(), column.max()) + 1
    side = max(math.ceil(CONTRAST_BEAMS * beam), math.ceil(longer / CONTRAST_ACROSS))
    _, block, count = np.unique(
        row // side * (longer // side + 1) + column // side, return_inverse=True, return_counts=True
    )
    blocks = np.split(residual[np.argsort(block, kind="stable")], np.cumsum(count)[:-1])
    blocks = [values for values in blocks if values.size >= max(0.3 * side**2, 8)]
    if len(blocks) < LEAST_CONTRAST_BLOCKS:
        return 0.0
    middle = np.array([np.median(values) for values in blocks])
    scatter = np.array([robust_std(values) for values in blocks])
    scatter = np.maximum(scatter, max(np.median(scatter) / 2, 1e-6 * np.ptp(x), np.finfo(float).tiny))
    deviation = (middle - np.average(middle, weights=scatter**-2)) / scatter
    return float(np.sqrt(np.sum(deviation**2) / (len(blocks) - 1)))


def _planes(sums):
    """(k, 2) slopes of planes from (9, k) sums of products."""
    one, u, v, uu, uv, vv, r, ru, rv = sums
    normal = np.stack([np.stack(c, axis=-1) for c in ((one, u, v), (u, uu, uv), (v, uv, vv))], axis=-2)
    return np.linalg.solve(normal, np.stack([r, ru, rv], axis=-1)[..., None])[:, 1:, 0]
