"""Point-spread functions: their centre and width, and how they come onto another grid of pixels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy  # which loads its parts when they are used

from ..errors import AnchoringError
from .coverage import FWHM_PER_SIGMA

if TYPE_CHECKING:
    from numpy.typing import NDArray

FINER = 5  # samples of a pixel on which a width is measured
LEAST_SUM = 0.1  # of a PSF, as a part of the sum of its absolute values
LEAST_SAMPLING = 1.5  # pixels in a FWHM: with fewer, the shape of a PSF is that of its pixel
OFF_CENTRE = 0.125  # of the side: farther from the middle, one side has lost too much of the wings
WIDEST = 0.5  # of the side: a wider peak is no PSF
DARK = 1e-3
ANGLES = 360


class PSF(NamedTuple):
    """A PSF of sum 1 about a centre.

    data : (ny, nx) array
        What pixels hold of the light of a point source.
    scale : float
        Pixel scale, arcsec.
    centre : (y, x)
        Pixels.
    fwhm : float
        arcsec: 2 sqrt(A / pi), A the area above half of the peak.
    """

    data: NDArray[np.float64]
    scale: float
    centre: tuple[float, float]
    fwhm: float

    @property
    def reach(self) -> float:
        """Distance, arcsec, from the centre to the nearest edge of the array."""
        return self.scale * min(min(c, n - 1 - c) + 0.5 for c, n in zip(self.centre, self.data.shape, strict=True))

    @property
    def is_cut(self) -> bool:
        """Whether its wings go on at the edge of the array: outside there is more than a part DARK of the light.

        Wings of a telescope fall with the third power of the radius: a quarter of what is outside of it lies in the
        outer fifth of the array.
        """
        return 4 * (1 - self.within(0.8 * self.reach)) > DARK

    def on_grid(self, scale: float, side: int) -> NDArray[np.float64]:
        """What the pixels of another grid hold, (side, side) array, the centre in the middle of it."""
        edges = (np.arange(side + 1) - side / 2) * scale / self.scale
        rows = _integrated(self.data, edges + self.centre[0] + 0.5)
        return np.ascontiguousarray(_integrated(rows.T, edges + self.centre[1] + 0.5).T)

    def within(self, half: float) -> float:
        """The share of the light in a square about the centre, `half` (arcsec) its half side."""
        return float(self.on_grid(2 * half, 1)[0, 0])


class GaussianPSF(NamedTuple):
    """A Gaussian of a FWHM, arcsec, as a PSF."""

    fwhm: float

    @property
    def reach(self) -> float:
        return math.inf

    @property
    def is_cut(self) -> bool:
        return False

    def on_grid(self, scale: float, side: int) -> NDArray[np.float64]:
        edges = (np.arange(side + 1) - side / 2) * scale
        profile = np.diff(scipy.special.erf(edges * FWHM_PER_SIGMA / self.fwhm / math.sqrt(2))) / 2
        return np.multiply.outer(profile, profile)

    def within(self, half: float) -> float:
        return float(self.on_grid(2 * half, 1)[0, 0])


def measured_psf(data, scale):
    """A PSF from an array.

    The centre is the centroid in a round Gaussian window of the width of the PSF (Bertin & Arnouts 1996, XWIN), which
    neither a wing nor the noise far out moves. A PSF that lies between pixels, as in arrays of even sides, stays there.

    Parameters
    ----------
    data : (ny, nx) array
        Any normalisation.
    scale : float
        Pixel scale, arcsec.

    Returns
    -------
    PSF

    Raises
    ------
    AnchoringError
        If pixels are not finite, the sum is not positive, or the peak is at an edge, too narrow for its pixels, or as
        wide as the array.
    """
    data = np.asarray(data, dtype=float)
    if data.ndim != 2 or min(data.shape) < 5:
        raise AnchoringError(f"the PSF has shape {data.shape}; expected a 2-D image of 5 x 5 pixels at least")
    if not np.isfinite(data).all():
        bad = np.count_nonzero(~np.isfinite(data))
        raise AnchoringError(f"the PSF has {bad} pixels that are not finite; expected finite numbers: make it again")
    total, size = data.sum(), np.abs(data).sum()
    if not total > LEAST_SUM * size:
        raise AnchoringError(
            f"the sum of the PSF is {total:.4g}, and {size:.4g} without the signs; expected a positive sum, more than "
            f"{LEAST_SUM:.0%} of that: make it again"
        )
    data = data / total
    peak = np.unravel_index(data.argmax(), data.shape)
    width = _width(data, peak)
    _require_a_peak(data, peak, width)
    centre = _centroid(data, peak, width)
    _require_centred(data, centre)
    if width < LEAST_SAMPLING:
        raise AnchoringError(
            f"the PSF is {width:.3g} of its pixels of {scale:.4g} arcsec wide (FWHM); expected {LEAST_SAMPLING} pixels "
            "at least: make it with an oversampling"
        )
    return PSF(data, float(scale), centre, width * scale)


def _require_a_peak(data, peak, width):
    if not width < WIDEST * min(data.shape):
        raise AnchoringError(
            f"the PSF is {width:.3g} pixels wide (FWHM) in an image of {data.shape[1]} x {data.shape[0]}; expected a "
            "peak narrower than half of the image: make a larger image of it"
        )
    sides = [min(c, n - 1 - c) for c, n in zip(peak, data.shape, strict=True)]
    if min(sides) < 1:
        raise AnchoringError(
            f"the peak of the PSF is at the edge of its {data.shape[1]} x {data.shape[0]} pixels; expected it in the "
            "middle: make the image again"
        )


def _require_centred(data, centre):
    shift = [c - (n - 1) / 2 for c, n in zip(centre, data.shape, strict=True)]
    farthest = max(abs(s) / n for s, n in zip(shift, data.shape, strict=True))
    if farthest > OFF_CENTRE:
        raise AnchoringError(
            f"the centre of the PSF is {math.hypot(*shift):.3g} pixels from the middle of its {data.shape[1]} x "
            f"{data.shape[0]} pixels; expected it within {OFF_CENTRE:.1%} of the side, as its wings are cut on one "
            "side: cut the image around the peak"
        )


def _width(data, peak):
    """FWHM, pixels, of what surrounds a peak: 2 sqrt(A / pi), A the area above half of it, on pixels FINER times."""
    half = 4
    while True:
        edges = [np.arange(max(p - half, 0), min(p + half, n - 1) + 1) for p, n in zip(peak, data.shape, strict=True)]
        near = data[np.ix_(*edges)]
        border = np.concatenate([near[0], near[-1], near[:, 0], near[:, -1]]).max()
        if border < near.max() / 2 or half > max(data.shape):
            break
        half *= 2
    rows, columns = (np.arange(0, n - 1 + 1e-9, 1 / FINER) for n in near.shape)
    fine = scipy.ndimage.map_coordinates(near, np.meshgrid(rows, columns, indexing="ij"), order=3, mode="nearest")
    above = fine > fine.max() / 2
    return 2 * math.sqrt(np.count_nonzero(above) / math.pi) / FINER


def _centroid(data, peak, width):
    """(y, x) in pixels: twice the step to the windowed centroid, until that is where the window is."""
    sigma = max(width, 1.5) / FWHM_PER_SIGMA
    centre = np.array(peak, dtype=float)
    for _ in range(50):
        low = np.maximum(np.floor(centre - 4 * sigma).astype(int), 0)
        high = np.minimum(np.ceil(centre + 4 * sigma).astype(int) + 1, data.shape)
        axes = [np.arange(*limits) for limits in zip(low, high, strict=True)]
        window = [np.exp(-0.5 * ((axis - c) / sigma) ** 2) for axis, c in zip(axes, centre, strict=True)]
        weighted = data[np.ix_(*axes)] * np.multiply.outer(*window)
        total = weighted.sum()
        if not total > 0:
            break
        step = [2 * ((weighted.sum(axis=1 - i) * (axes[i] - centre[i])).sum() / total) for i in (0, 1)]
        centre += np.clip(step, -width, width)
        if np.hypot(*step) < 1e-4:
            break
    return tuple(float(np.clip(c, 0, n - 1)) for c, n in zip(centre, data.shape, strict=True))


def _integrated(rows, edges):
    """Integrals of rows (n, m) along their first axis between edges, in pixels from the border: (len(edges) - 1, m).

    A cubic spline through the sums up to each pixel's border: it keeps every pixel's light, on finer and coarser grids.
    """
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    spline = scipy.interpolate.make_interp_spline(np.arange(len(sums)), sums, k=3)
    return np.diff(spline(np.clip(edges, 0, len(rows))), axis=0)


def radial_profile(array, step=0.5):
    """Radii, pixels, and means over all angles about the middle of an array, (n, n) with n odd."""
    n = len(array)
    radii = np.arange(0, n // 2 + step / 2, step)
    angles = np.linspace(0, 2 * math.pi, ANGLES, endpoint=False)
    profile = np.empty(len(radii))
    for start in range(0, len(radii), ANGLES):
        r = radii[start : start + ANGLES, None]
        place = n // 2 + np.stack([r * np.sin(angles), r * np.cos(angles)])
        profile[start : start + ANGLES] = scipy.ndimage.map_coordinates(array, place, order=1).mean(axis=1)
    return radii, profile


def circularised(array):
    """An array about its middle, (n, n) with n odd, averaged over all angles: of the same sum, 0 in its corners."""
    radii, profile = radial_profile(array)
    y, x = np.ogrid[: len(array), : len(array)]
    result = np.interp(np.hypot(y - len(array) // 2, x - len(array) // 2), radii, profile, right=0.0)
    return result * (array.sum() / result.sum())
