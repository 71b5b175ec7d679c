"""The sky level of an image around a galaxy, and its error."""

import itertools
import math
import warnings
from typing import NamedTuple

import numpy as np
import scipy  # which loads its parts when they are used

from ..errors import AnchoringError
from ..images import galaxies, headers
from ..images.coverage import FWHM_PER_SIGMA
from .robust import robust_std
from .samples import block_reduce

MOST_PIXELS = 2**20  # on which the sky is measured: a larger image is averaged over squares
LEAST_BEAM = 2.0  # pixels
AROUND = 1.1  # radii of the mosaics that count as galaxy without a galaxy_table
ROWS = 256  # that a sky is subtracted from at a time
CLIP = 3.0  # robust standard deviations
PASSES = 10  # of a clip; it converges in fewer
THRESHOLD = 3.0  # robust standard deviations of the smoothed image above which something is a source
SCALES = (1.0, 4.0)  # FWHM of the smoothing, in beams: point sources, then faint wide ones
GROWN = 1.5  # beams by which sources are grown
FAINTEST = (3.5, 5.25)  # peaks, in the same units, of the faintest sources that are found completely
HIDDEN = 4.0  # factor in flux below these over which there may be as much light of others, in equal steps of log flux
BLOCKS = (12, 6)  # along the longer side, for the jackknife: the larger of both errors is stated
LEAST_BLOCKS = 8  # with sky in them
LEAST_SKY = 0.02  # of the observed pixels
LITTLE_SKY = 0.1  # of the observed pixels: stated as a flag


class Sky(NamedTuple):
    """The sky of an image: level + gradient . (x - x_c, y - y_c), in the image's unit, x in pixels.

    `error` is that of the level at (x_c, y_c); `used` are the sky pixels, (ny, nx) bool on squares of `step` pixels,
    `values` theirs in the order of the array, without the gradient, and `noise` their robust standard deviation.
    """

    level: float
    gradient: tuple
    error: float
    centre: tuple
    used: np.ndarray
    values: np.ndarray
    step: int
    noise: float
    blocks: int
    share: float  # of the observed squares

    @property
    def flags(self):
        return ("little_sky",) if self.share < LITTLE_SKY else ()

    def plane(self, start, stop, nx):
        """The sky of rows start to stop of an image of nx columns: (stop - start, nx) array."""
        y, x = np.arange(start, stop)[:, None] - self.centre[1], np.arange(nx)[None, :] - self.centre[0]
        return self.level + self.gradient[0] * x + self.gradient[1] * y

    def subtract_from(self, image):
        """Subtract the sky from an image, in place."""
        for start in range(0, len(image), ROWS):
            rows = image[start : start + ROWS]
            rows -= self.plane(start, start + len(rows), image.shape[1]).astype(image.dtype)


def sky_around(image, header, *, field, sky_radius, fwhm, galaxy=None, masked=None, plane=False):
    """Measure the sky of an image around a galaxy (`measure_sky`).

    Parameters
    ----------
    image : (ny, nx) array
        NaN where unobserved.
    header : fits.Header
        With its WCS.
    field : images.field.Field
        Of the mosaics: what is no sky without a galaxy.
    sky_radius : float
        Semi-major axis of the ellipse that is no sky, in units of the galaxy's size_reff.
    fwhm : float
        Of the PSF, arcsec; 0 if it is not known.
    galaxy : mapping, optional
        ra, dec, posang, inclination (degrees) and size_reff (arcsec).
    masked : (ny, nx) bool array, optional
        What is no sky in addition.
    plane : bool

    Returns
    -------
    Sky, at the centre of the galaxy or field

    Raises
    ------
    AnchoringError
        As of `measure_sky`.
    """
    wcs = headers.celestial_wcs(header)
    place = {"ra": field.ra, "dec": field.dec, "posang": 0.0, "inclination": 0.0}
    radius = AROUND * field.radius
    if galaxy:
        place, radius = {key: galaxy[key] for key in place}, sky_radius * galaxy["size_reff"]

    def excluded(step):
        squares = wcs.slice((slice(None, None, step),) * 2) if step > 1 else wcs
        out = galaxies.deprojected_radius(squares, tuple(n // step for n in image.shape), **place) <= radius
        return out if masked is None else out | block_reduce(masked, step, np.any)

    centre = galaxies.pixel_of(wcs, place["ra"], place["dec"])
    beam = max(fwhm / headers.pixel_scale(header), LEAST_BEAM)
    return measure_sky(image, excluded, beam=beam, centre=centre, plane=plane)


def measure_sky(image, excluded, *, beam, centre, plane=False):
    """Measure the sky of an image outside of what is excluded and of sources that are found.

    As in z0MGS (Leroy et al. 2019, ApJS 244, 24): pixels outside the galaxy, sources masked, clipped by their median
    absolute deviation, iterated; the mode, 3 median - 2 mean, is moved less by faint sources than either. Sources are
    found by `photutils.segmentation` above and, so that noise which is taken for one does not move the level, below the
    sky.

    Sources too faint to be found are on the sky and raise it. Their light h is estimated from the faintest that are
    found, l per logarithmic interval of flux, as if there were as much down to a flux HIDDEN times lower: h = l ln
    HIDDEN. They may end above that, or not: h / 2 is subtracted, and h / 2 is its error.

    The error of the level at `centre` is the quadrature sum of this; of a jackknife, which leaves out one block of the
    sky after another, with two sizes of blocks of which the larger error counts; and of what wide sources, such as the
    outskirts of the galaxy, do to the median before they are found and masked.

    Parameters
    ----------
    image : (ny, nx) array
        NaN where unobserved.
    excluded : callable
        excluded(step) is the bool array, on squares of `step` pixels, of what is no sky, such as the galaxy.
    beam : float
        FWHM, pixels.
    centre : (x, y)
        Pixel at which the level is needed, such as the galaxy's centre.
    plane : bool
        Fit a plane instead of a constant.

    Returns
    -------
    Sky

    Raises
    ------
    AnchoringError
        If there is too little sky.
    """
    step = max(math.ceil(math.sqrt(image.size / MOST_PIXELS)), 1)
    small = block_reduce(image, step, np.mean)
    observed = np.isfinite(small)
    usable = observed & ~excluded(step)
    middle = [(c - (step - 1) / 2) / step for c in centre]
    y, x = (np.arange(n, dtype=float) - m for n, m in zip(small.shape, reversed(middle), strict=True))
    used, hidden, wide = _sky_pixels(small, usable, x, y, beam / step, plane)
    blocks = [_block_numbers(small.shape, n)[used] for n in BLOCKS]
    share = used.sum() / max(observed.sum(), 1)
    there = len(np.unique(blocks[0]))
    if there < LEAST_BLOCKS or share < LEAST_SKY:
        raise AnchoringError(
            f"only {share:.1%} of the image, in {there} of its blocks, is sky; expected at least {LEAST_SKY:.0%} and "
            f"{LEAST_BLOCKS}: give a larger image or 'margin', a smaller 'sky_radius' or mask, or sky: none for one "
            "whose zero level is right"
        )
    values = small[used].astype(float)
    rows, columns = np.nonzero(used)
    basis = np.stack([x[columns], y[rows]]) if plane else np.zeros((0, values.size))
    level, slopes = _level(values, basis)
    level -= hidden / 2
    residual = values - (slopes @ basis if plane else 0.0)
    error = math.hypot(max(_jackknife(values, basis, numbers) for numbers in blocks), hidden / 2, wide)
    gradient = tuple(float(s) / step for s in slopes) if plane else (0.0, 0.0)
    noise, share = float(robust_std(residual)), float(share)
    return Sky(level, gradient, error, tuple(centre), used, residual, step, noise, there, share)


def _sky_pixels(image, usable, x, y, beam, plane):
    """Usable pixels without sources, clipped, bool array; the light of sources that are not found; of wide ones."""
    used, slopes = _clipped(image, usable, x, y, plane)
    hidden, medians = 0.0, []
    for scale in SCALES:
        flat = image - (slopes[0] * x[None, :] + slopes[1] * y[:, None]).astype(np.float32)
        if not used.any():
            break
        medians.append(np.median(flat[used]))
        smooth, noise = _smoothed(flat - medians[-1], used, usable, max(scale * beam, 1.0))
        if scale == SCALES[0]:
            hidden = _hidden_light(smooth / noise, usable, beam) * noise
        usable = usable & ~_sources(smooth / noise, usable, beam, scale)
        used, slopes = _clipped(image, usable, x, y, plane)
    wide = medians[-1] - np.median(flat[used]) if used.any() else 0.0
    return used, hidden, float(wide)


def _smoothed(image, sky, usable, fwhm):
    """An image smoothed to find sources of a FWHM, pixels, about 0, and the noise of its sky."""
    sigma = fwhm / FWHM_PER_SIGMA
    weight = scipy.ndimage.gaussian_filter(usable.astype(np.float32), sigma)
    smooth = scipy.ndimage.gaussian_filter(np.where(usable, image, 0).astype(np.float32), sigma)
    smooth /= np.maximum(weight, 1e-3)
    smooth -= np.median(smooth[sky])
    return smooth, robust_std(smooth[sky]) or 1.0


def _sources(smooth, usable, beam, scale):
    """Pixels of sources above or below 0 in a smoothed image, in units of its noise, grown by GROWN beams."""
    from photutils.segmentation import detect_sources
    from photutils.utils.exceptions import NoDetectionsWarning

    found = np.zeros(smooth.shape, dtype=bool)
    size = max(round(math.pi / 4 * (scale * beam) ** 2 / 2), 4)
    reach = scipy.ndimage.generate_binary_structure(2, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoDetectionsWarning)
        for sign in (1, -1):
            segments = detect_sources(sign * smooth, THRESHOLD, n_pixels=size, mask=~usable)
            if segments is not None:
                found |= segments.data > 0
    return scipy.ndimage.binary_dilation(found, reach, iterations=max(round(GROWN * beam), 1))


def _hidden_light(smooth, usable, beam):
    """The mean light of point sources too faint to be found, in units of the noise of the smoothed image.

    From that of peaks in FAINTEST, less as much below 0, which is noise. A point source that was smoothed has the area
    of its own width and that of the smoothing, in quadrature.
    """
    light = 0.0
    for sign in (1, -1):
        peaks = scipy.ndimage.maximum_filter(sign * smooth, size=2 * round(beam / 2) + 1)
        found = sign * smooth[usable & (sign * smooth == peaks)]
        light += sign * float(found[(found > FAINTEST[0]) & (found < FAINTEST[1])].sum())
    area = math.pi / (4 * math.log(2)) * (beam**2 + max(beam, 1.0) ** 2)
    per_interval = max(light, 0.0) * area / max(usable.sum(), 1) / math.log(FAINTEST[1] / FAINTEST[0])
    return per_interval * math.log(HIDDEN)


def _clipped(image, usable, x, y, plane):
    """Usable pixels within CLIP robust standard deviations of a plane or constant, and its slopes."""
    used, slopes = usable, np.zeros(2)
    rows, columns = np.nonzero(usable)
    values = image[usable].astype(float)
    basis = np.stack([x[columns], y[rows]])
    kept = np.ones(values.size, dtype=bool)
    for _ in range(PASSES):
        if kept.sum() < 10:
            break
        if plane:
            slopes = _level(values[kept], basis[:, kept])[1]
        flat = values - slopes @ basis
        centre = np.median(flat[kept])
        within = np.abs(flat - centre) <= CLIP * robust_std(flat[kept], centre)
        if (within == kept).all():
            break
        kept = within
    used = np.zeros(image.shape, dtype=bool)
    used[rows[kept], columns[kept]] = True
    return used, slopes


def _level(values, basis):
    """Mode of values less a least-squares plane in `basis`, (2, n), or of the values, (0, n); and the slopes."""
    slopes = _slopes(*_moments(values, basis))
    return _mode(values - slopes @ basis if len(basis) else values), slopes


def _moments(values, basis):
    """Matrix and right side of the normal equations of a plane."""
    design = np.vstack([np.ones(values.size), basis])
    return design @ design.T, design @ values


def _slopes(matrix, right):
    return np.linalg.lstsq(matrix, right, rcond=None)[0][1:]


def _mode(values):
    return float(3 * np.median(values) - 2 * values.mean())


def _block_numbers(shape, along):
    side = math.ceil(max(shape) / along)
    rows, columns = (np.arange(n) // side for n in shape)
    return rows[:, None] * (columns[-1] + 1) + columns[None, :]


def _jackknife(values, basis, numbers):
    """Standard error of the level: sqrt((n - 1) / n sum of (level without a block - their mean)^2)."""
    order = np.argsort(numbers, kind="stable")
    values, basis = values[order], basis[:, order]
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1, append=-1))
    blocks = [slice(start, stop) for start, stop in itertools.pairwise(starts)]
    matrix, right = _moments(values, basis)
    levels = []
    for block in blocks:
        flat = np.delete(values, block)
        if len(basis):
            own = _moments(values[block], basis[:, block])
            flat -= _slopes(matrix - own[0], right - own[1]) @ np.delete(basis, block, axis=1)
        levels.append(_mode(flat))
    n = len(levels)
    return math.sqrt((n - 1) * np.var(levels)) if n > 1 else math.nan
