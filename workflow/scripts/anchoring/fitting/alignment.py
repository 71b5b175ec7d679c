"""Whether two images of a pair show one sky, and how far one is shifted against the other.

Both are compared in what is neither smooth nor noise: structure of NARROW to WIDE beams, each image in units of its own
local contrast, u and v. A constant, a slope, a gradient of the background or of the colour and the profile of the
galaxy, which a rotated image shares, are not in it, and no bright source rules it.

*Shift.* The cross-correlation sum u(r) v(r + d) has its maximum where the images lie on each other. By one step of
Newton, made symmetric in both images (total derivatives sum to 0),

    d = [sum sym(grad u grad v^T)]^-1 sum (u grad v - v grad u) / 2

Unlike a least-squares registration (Lucas & Kanade 1981, IJCAI 7, 674) it holds no square of one image, so that noise,
which is independent in the two, does not draw it towards 0. v is then interpolated at r + d and the step repeated. What
starts too far away starts from the maximum of the masked normalised cross-correlation (Padfield 2012, IEEE Trans. Image
Process. 21, 2706). Errors are a jackknife of blocks (`jackknife`): colours that differ from place to place are in it.

*Correlation.* r = sum u v / sqrt(sum u^2 sum v^2) with no shift. How large it can be depends on the noise: noise that
was white before the beam is hardly correlated over LAG beams, structure is, so that with the autocorrelations a_u, a_v
over LAG beams, and s(a) = (a - NOISE) / (STRUCTURE - NOISE) within 0 and 1, r is expected to be about
sqrt(s(a_u) s(a_v)).
"""

import math
from typing import NamedTuple

import numpy as np

from ..errors import AnchoringError
from ..images.coverage import SIGMA_PER_FWHM, beam_area, least_coverage
from ..measuring.robust import robust_std
from . import jackknife
from .flags import EDGE, PLANE

NARROW, WIDE = 1.0, 4.0  # FWHM of the Gaussians between which structure is compared, beams
CONTRAST = 4.0  # FWHM of the Gaussian over which the local contrast is measured, beams
LAG = 1.5  # beams
NOISE, STRUCTURE = 0.1, 0.4  # autocorrelation over LAG of noise, and of structure without noise (simulated skies, M83)
CELLS = 30_000  # from there on samples are averaged
FEWEST = 20  # beam areas: fewer hold too little structure for an answer
FINEST = 2.9  # cells per beam: finer ones cost time and tell nothing
FAR, CLEAR = 6.0, 0.6  # scatters of the correlation between all shifts, or a correlation, that chance does not reach
PASSES, CONVERGED = 12, 0.01  # steps, and that of the last, beams

SHIFT = 0.3  # beams from which on images are misaligned, if it is more than 3 sigma too
UNCORRELATED, SIGMAS = 0.6, 2.0  # of the expected correlation; errors by which it has to be below


class Alignment(NamedTuple):
    """How two images of a pair lie on each other.

    east, north : float
        Position of a feature in the image less that in the reference, arcsec; NaN if not known.
    covariance : (2, 2) array
        Of (east, north), arcsec^2.
    correlation, correlation_err : float
        Of structure where the images lie now; NaN if the overlap is too small.
    expected : float
        What the correlation of two images of one sky is with this noise, about.
    beam : float
        FWHM, arcsec.
    """

    east: float
    north: float
    covariance: np.ndarray
    correlation: float
    correlation_err: float
    expected: float
    beam: float

    @property
    def shift(self):
        """Distance of the images, arcsec."""
        return math.hypot(self.east, self.north)

    @property
    def shift_err(self):
        """Error of a shift in the direction in which it is known worst, arcsec."""
        if not np.isfinite(self.covariance).all():
            return math.nan
        return math.sqrt(max(np.linalg.eigvalsh(self.covariance)[-1], 0.0))

    @property
    def misaligned(self):
        """Shifted by more than SHIFT beams and by more than 3 sigma."""
        d = np.array([self.east, self.north])
        if not (self.shift > SHIFT * self.beam and np.isfinite(self.covariance).all()):
            return False
        return bool(d @ np.linalg.pinv(self.covariance) @ d > PLANE)

    @property
    def uncorrelated(self):
        """Less correlated than UNCORRELATED of what is expected, by more than SIGMAS errors."""
        return _too_low(self.correlation, self.correlation_err, self.expected)


def align(samples, axes):
    """How the two images of a pair lie on each other.

    Parameters
    ----------
    samples : Samples
    axes : (2, 2) array
        East and north, arcsec, of a step of one pixel along x (first column) and y (second column).

    Returns
    -------
    Alignment; of NaN where the overlap has fewer than FEWEST beams away from its edges.
    """
    axes = np.array(axes, dtype=float)
    u, v, seen, beam, side = _cells(samples)
    # The beam of images that no kernel was applied to is not known: 2 pixels at least.
    width = max(samples.beam * samples.side, 2.0) * math.sqrt(abs(np.linalg.det(axes)))
    nothing = Alignment(math.nan, math.nan, np.full((2, 2), math.nan), math.nan, math.nan, math.nan, width)
    if np.count_nonzero(seen) < FEWEST * beam_area(beam):
        return nothing
    u, v = (_structure(image, seen, beam) for image in (u, v))
    if not (u.any() and v.any()):
        return nothing
    correlation, error = _correlation(_moments(u, v, seen, (0, 0), beam))
    expected = math.sqrt(_signal(u, seen, beam) * _signal(v, seen, beam))
    found = nothing._replace(correlation=correlation, correlation_err=error, expected=expected)
    shift, moments = _registered(u, v, seen, (0.0, 0.0), beam)
    if shift is None or correlation < UNCORRELATED * expected or np.hypot(*shift) > beam:
        start, chance = _highest(u, v, seen)
        other, others = _registered(u, v, seen, start, beam)
        near = -1.0 if shift is None else _correlation(moments)[0]
        if other is not None and _correlation(others)[0] > max(near, min(FAR * chance, CLEAR)):
            shift, moments = other, others
    # A shift is that of something which both show.
    if shift is None or not _common(*_correlation(moments), expected):
        return found
    covariance = jackknife.stated_covariance(
        *_step(moments.sums @ jackknife.without_one(moments.blocks.number).T), within=moments.blocks.within
    )
    # From (y, x) in cells to (east, north).
    turned = axes[:, ::-1] * samples.side * side
    east, north = turned @ shift
    return found._replace(east=float(east), north=float(north), covariance=turned @ covariance @ turned.T)


def as_record(alignment):
    """The numbers of an Alignment as fields of a FitRecord (a mapping)."""
    return {
        "shift": alignment.shift,
        "shift_err": alignment.shift_err,
        "shift_east": alignment.east,
        "shift_north": alignment.north,
        "correlation": alignment.correlation,
    }


def flags_of(alignment):
    """The flags of a pair, of `flags.MEANING`."""
    return [word for word in ("misaligned", "uncorrelated") if getattr(alignment, word)]


def require_one_sky(alignment):
    """AnchoringError if two images are uncorrelated."""
    if alignment.uncorrelated:
        moved = ""
        if math.isfinite(alignment.shift):
            moved = (
                f"; it is {alignment.east:+.3g} arcsec east and {alignment.north:+.3g} arcsec north of where the "
                "reference has the same structure"
            )
        raise AnchoringError(
            "the image does not show the structure of the reference (correlation "
            f"{alignment.correlation:.2f}, expected about {alignment.expected:.2f}{moved}): check the WCS of both, and "
            "that both show this target, or leave this reference out"
        )


def _too_low(correlation, error, expected):
    return bool(correlation + SIGMAS * error < UNCORRELATED * expected)


def _common(correlation, error, expected):
    return correlation > max(UNCORRELATED * expected, SIGMAS * error)


# --- what is compared -------------------------------------------------------------------------------------------------


def _cells(samples):
    """Reference and image, (ny, nx) arrays of averages over squares of samples that are there and far from edges.

    Returns them, the mask of these, the beam in cells and the samples along a cell.
    """
    # Nearer to edges and holes than EDGE the images are averages over different parts of the sky.
    trusted = samples.coverage >= least_coverage(EDGE)
    n = np.count_nonzero(trusted)
    if not n:
        return *np.zeros((2, 1, 1)), np.zeros((1, 1), dtype=bool), 1.0, 1
    side = max(1, math.ceil(math.sqrt(n / CELLS)), math.floor(samples.beam / FINEST))
    row, column = (place[trusted] // side - place.min() // side for place in (samples.row, samples.column))
    shape = row.max() + 1, column.max() + 1
    place, size = row * shape[1] + column, shape[0] * shape[1]
    seen = np.bincount(place, minlength=size) == side**2
    images = (np.bincount(place, weights=values[trusted], minlength=size) for values in (samples.x, samples.y))
    x, y = (np.where(seen, image / side**2, 0).reshape(shape) for image in images)
    # Structure smaller than two cells is not there.
    return x, y, seen.reshape(shape), max(samples.beam / side, 2.0), side


def _structure(image, seen, beam):
    """Structure of an image in units of its local contrast; 0 where not seen."""
    narrow, wide, contrast = (_smoother(seen, fwhm * beam) for fwhm in (NARROW, WIDE, CONTRAST))
    smooth = narrow(image - image[seen].mean())
    structure = smooth - wide(smooth)
    power = np.maximum(contrast(structure**2), 0)
    typical = np.median(power[seen])
    # Where an image does not vary at all, round-off is not structure.
    if not typical > (1e-9 * np.abs(image[seen]).max()) ** 2:
        return np.zeros_like(image)
    return structure / np.sqrt(power + typical)


def _smoother(seen, fwhm):
    """Convolution with a Gaussian (FWHM, pixels) by the weights of the pixels seen; 0 at others."""
    sigma = fwhm * SIGMA_PER_FWHM
    shape = [n + math.ceil(3 * sigma) for n in seen.shape]
    ky, kx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    beam = np.exp(-2 * (math.pi * sigma) ** 2 * ky**2) * np.exp(-2 * (math.pi * sigma) ** 2 * kx**2)

    def convolved(image):
        return np.fft.irfft2(np.fft.rfft2(image, shape) * beam, shape)[: seen.shape[0], : seen.shape[1]]

    weight = np.where(seen, convolved(seen.astype(float)), 1)
    return lambda image: np.where(seen, convolved(np.where(seen, image, 0)) / weight, 0)


# --- correlation and shift --------------------------------------------------------------------------------------------


class _Moments(NamedTuple):
    """Sums per block of the products of two images: (8, blocks) array, and the Blocks."""

    sums: np.ndarray
    blocks: jackknife.Blocks


def _moments(u, v, seen, shift, beam):
    """Of u(r) and v(r + shift), (rows, columns), where both and their neighbours are seen."""
    moved, there = _interpolated(v, shift), _interpolated(seen.astype(float), shift)
    both = seen & (there > 1 - 1e-6)
    inner = np.zeros_like(both)
    inner[1:-1, 1:-1] = both[1:-1, 1:-1] & both[2:, 1:-1] & both[:-2, 1:-1] & both[1:-1, 2:] & both[1:-1, :-2]
    at = np.nonzero(inner)
    row, column = at
    a, b = u[at], moved[at]
    (ay, ax), (by, bx) = (
        ((i[row + 1, column] - i[row - 1, column]) / 2, (i[row, column + 1] - i[row, column - 1]) / 2)
        for i in (u, moved)
    )
    products = (
        ay * by, (ay * bx + ax * by) / 2, ax * bx, (a * by - b * ay) / 2, (a * bx - b * ax) / 2, a * b, a * a, b * b
    )  # fmt: skip
    blocks = jackknife.blocks_of(_Places(row, column, beam))
    sums = np.stack([np.bincount(blocks.index, weights=p, minlength=blocks.number) for p in products])
    return _Moments(sums, blocks)


class _Places(NamedTuple):
    row: np.ndarray
    column: np.ndarray
    beam: float


def _interpolated(image, shift):
    """image(r + shift), bilinear; 0 beyond it."""
    for axis, distance in enumerate(shift):
        first = math.floor(distance)
        part = distance - first
        image = (1 - part) * _moved(image, first, axis) + (part * _moved(image, first + 1, axis) if part else 0)
    return image


def _moved(image, steps, axis):
    """image(r + steps) along an axis; 0 beyond it."""
    if not steps:
        return image
    out, n = np.zeros_like(image), image.shape[axis]
    kept = [slice(max(s, 0), max(n + min(s, 0), 0)) for s in (-steps, steps)]
    out[(slice(None),) * axis + (kept[0],)] = image[(slice(None),) * axis + (kept[1],)]
    return out


def _step(sums):
    """The step of Newton, (2, k) array, from sums, (8, k); NaN where the cross-correlation is not convex."""
    yy, yx, xx, y, x, *_ = sums
    determinant = yy * xx - yx**2
    good = (determinant > 0) & (yy > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(good, np.stack([xx * y - yx * x, yy * x - yx * y]) / determinant, np.nan)


def _coefficient(sums):
    with np.errstate(divide="ignore", invalid="ignore"):
        return sums[5] / np.sqrt(sums[6] * sums[7])


def _correlation(moments):
    """Coefficient of correlation and its error."""
    replicates = _coefficient(moments.sums @ jackknife.without_one(moments.blocks.number).T)
    variance = jackknife.stated_covariance(replicates, within=moments.blocks.within)[0, 0]
    return float(_coefficient(moments.sums.sum(axis=1))), math.sqrt(variance)


def _registered(u, v, seen, start, beam):
    """The shift (rows, columns) of v against u, from a first one, and the moments there; None if there is none."""
    shift, farthest = np.array(start, dtype=float), max(seen.shape) / 2
    for _ in range(PASSES):
        moments = _moments(u, v, seen, shift, beam)
        if moments.blocks.number < jackknife.LEAST_BLOCKS:
            break
        step = _step(moments.sums.sum(axis=1)[:, None])[:, 0]
        if not np.isfinite(step).all():
            break
        step *= min(1.0, 0.5 * beam / max(np.hypot(*step), 1e-12))
        if np.hypot(*step) < CONVERGED * beam:
            return shift + step, moments
        shift = shift + step
        if np.abs(shift).max() > farthest:
            break
    return None, None


def _highest(u, v, seen):
    """The shift, in cells, of the highest masked normalised cross-correlation with half of the overlap left.

    And the scatter of the correlation between all such shifts: what chance makes of it.
    """
    shape = [2 * n for n in seen.shape]
    mask, a, b, aa, bb = (np.fft.rfft2(i, shape) for i in (seen.astype(float), u, v, u * u, v * v))

    def correlated(first, second):
        return np.fft.irfft2(np.conj(first) * second, shape)

    number = correlated(mask, mask)
    power = correlated(aa, mask) * correlated(mask, bb)
    enough = number > np.count_nonzero(seen) / 2
    height = np.where(enough, correlated(a, b) / np.sqrt(np.where(enough, power, 1)), -1)
    peak = np.unravel_index(np.argmax(height), height.shape)
    chance = robust_std(height[enough], 0.0)
    return [p - n if p > n // 2 else p for p, n in zip(peak, shape, strict=True)], chance


def _signal(image, seen, beam):
    """Part of the variance of an image that is structure, about: 0 to 1, from its autocorrelation over LAG beams."""
    steps = round(LAG * beam)
    products, squares = 0.0, 0.0
    for axis in (0, 1):
        other, both = _moved(image, steps, axis), seen & _moved(seen, steps, axis)
        products += np.sum(image[both] * other[both])
        squares += (np.sum(image[both] ** 2) + np.sum(other[both] ** 2)) / 2
    return float(np.clip((products / squares - NOISE) / (STRUCTURE - NOISE), 0, 1)) if squares > 0 else 0.0
