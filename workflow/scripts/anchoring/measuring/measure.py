"""Measure a pair of images on one grid: medians in bins, samples, the noise of the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import AnchoringError
from ..images.chunks import value_range
from ..images.coverage import beam_area, beam_coverage
from .binning import FaintRange, GalaxyRange, bin_medians, range_and_edges
from .density import pixel_density
from .measurement import Measurement
from .noise import Noise, noise_of_mean, reference_noise
from .samples import block_reduce, sample_pair

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from numpy.typing import NDArray


def measure_pair(
    x: NDArray[np.floating],
    y: NDArray[np.floating],
    *,
    beam: float,
    intensity_range: tuple[float, float] | FaintRange | GalaxyRange,
    zero: float | None = 0.0,
    mask: NDArray[np.bool_] | None = None,
    least_coverage: float = 0.0,
    stated: Noise | None = None,
    uncertainty: NDArray[np.floating] | None = None,
    smoothed: float = 0.0,
    wcs: WCS | None = None,
    names: str = "image and reference",
) -> Measurement:
    """Measure a comparison image y against a reference x.

    Bins hold the pixels observed in both images that are not masked and whose beam lies on observed pixels by at least
    `least_coverage`. Samples hold all that are not masked, with their coverage.

    Parameters
    ----------
    x, y : (ny, nx) arrays
        Reference and image, MJy/sr, of any byte order; NaN where not observed.
    beam : float
        FWHM of their resolution, pixels; 0 if nothing is known of it.
    intensity_range : (low, high), FaintRange or GalaxyRange
        Where the line is fitted. Numbers are MJy/sr of the reference above its `zero` (above 0 if that is not known).
    zero : float or None
        Value of x where there is no light, MJy/sr; None if not known.
    mask : (ny, nx) bool array, optional
        Pixels to leave out.
    least_coverage : float
        0 to 1, see `images.coverage.least_coverage`.
    stated : Noise, optional
        Of a pixel of x, MJy/sr, instead of all that follows.
    uncertainty : (ny, nx) array, optional
        One standard deviation of each pixel of x, MJy/sr. Without either the noise is measured on the sky.
    smoothed : float
        FWHM, pixels, of what smoothed the noise of x since its pixels were independent.
    wcs : astropy.wcs.WCS, optional
        Celestial, of the grid. Without it shifts are in pixels, not arcsec.
    names : str
        The two images, for messages.

    Returns
    -------
    Measurement

    Raises
    ------
    AnchoringError
        Without pixels in common, or with fewer than in a beam; if no range can be found.
    """
    observed = np.isfinite(x) & np.isfinite(y)
    if not observed.any():
        raise AnchoringError(f"{names} have no observed pixel in common")
    _require_a_beam(observed, beam, names)
    coverage = beam_coverage(observed, beam)
    usable = observed if mask is None else observed & ~mask
    binned = usable & (coverage >= least_coverage)
    if not binned.any():
        raise AnchoringError(
            f"all pixels that {names} have in common are masked or within erode_fwhm of an edge; expected some: use a "
            "smaller erode_fwhm or another mask"
        )
    _require_a_beam(binned, beam, names)
    limits, edges = range_and_edges(x, y, binned, intensity_range, zero or 0.0)
    samples = sample_pair(x, y, usable, coverage, beam=beam)
    side = samples.side
    if uncertainty is not None:
        uncertainty = np.sqrt(block_reduce(np.square(uncertainty, dtype=float), side, np.mean))
    noise = reference_noise(
        block_reduce(x, side, np.mean),
        block_reduce(~np.isfinite(y), side, np.all),
        beam=samples.beam,
        stated=stated,
        uncertainty=uncertainty,
        averaged=noise_of_mean(side, smoothed),
    )
    return Measurement(
        density=pixel_density(x, y, binned, limits=limits),
        bins=bin_medians(x, y, edges, binned),
        samples=samples,
        limits=limits,
        edges=edges,
        span=value_range(x, binned),
        zero=zero,
        axes=np.eye(2) if wcs is None else grid_axes(wcs, samples),
        centre=None if wcs is None else grid_centre(wcs, samples),
        noise=noise,
    )


def refused(reason, x, y):
    """The Measurement of a pair that cannot be measured, for a reason; its density is that of all pixels in common."""
    return Measurement(refused=reason, density=pixel_density(x, y, np.isfinite(x) & np.isfinite(y)))


def grid_axes(wcs, samples):
    """East and north of a step of one pixel, in the middle of samples.

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Celestial, of the grid of the pixels; east and north are those of its frame.
    samples : Samples

    Returns
    -------
    (2, 2) array
        arcsec; first column for a step along x, second along y.
    """
    x, y = _middle(samples)
    world = wcs.all_pix2world([[x, y], [x + 1, y], [x, y + 1]], 0)[:, [wcs.wcs.lng, wcs.wcs.lat]]
    longitude, latitude = (world[1:] - world[0]).T
    cosine = np.cos(np.radians(world[0, 1]))
    return 3600 * np.stack([((longitude + 180) % 360 - 180) * cosine, latitude])


def grid_centre(wcs, samples):
    """Longitude and latitude, degrees in the frame of the WCS, of the middle of samples: of their mean place."""
    world = wcs.all_pix2world([_middle(samples)], 0)[0]
    return float(world[wcs.wcs.lng]), float(world[wcs.wcs.lat])


def _middle(samples):
    """Pixel (x, y) of the mean place of samples."""
    middle = ((place.mean() if place.size else 0.0) for place in (samples.column, samples.row))
    return [(place + 0.5) * samples.side - 0.5 for place in middle]


def _require_a_beam(pixels, beam, names):
    """AnchoringError unless pixels in common cover a beam: fewer are all edge, and one measurement at most."""
    n, least = np.count_nonzero(pixels), beam_area(beam)
    if n < least:
        raise AnchoringError(
            f"{names} have {n} pixels in common, less than the {least:.0f} of one beam; expected a larger overlap"
        )
