"""Kernels from two PSFs, and how good they are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy  # which loads its parts when they are used

from ..errors import AnchoringError
from .kernel_quality import Quality
from .psf import PSF, GaussianPSF, circularised, radial_profile

if TYPE_CHECKING:
    from numpy.typing import NDArray

REGULARISATION = 1e-4  # of the Wiener filter, with its Laplacian penalty: the value of Boucaud et al. 2016
SAMPLES = 50  # pixels in the FWHM of the target, if the grid can have as many
LARGEST = 1201  # pixels of a side of the grid
WINGS = 3.0  # FWHM: 7 standard deviations of a Gaussian
ROOM = 1.25  # of the grid, times the wings: what a filter without it turns around the edge comes back on the other side
CUT, EDGE = 3e-4, 5e-4  # a kernel is trimmed to where less than CUT of sum |K| and EDGE of its peak are outside
MARGIN = (
    0.7  # arcsec on each side: resampling to an image leaves out 1.5 of its pixels there, those of JWST and some more
)
FINER = 1.02  # a target must be wider than its source by this factor


class Profiles(NamedTuple):
    """Means over all angles at some radii, arcsec, of source, target and convolved source; the target's peak is 1."""

    radius: NDArray[np.float64]
    source: NDArray[np.float64]
    target: NDArray[np.float64]
    convolved: NDArray[np.float64]


class MadeKernel(NamedTuple):
    """A kernel of sum 1, (n, n) array with n odd, its pixel scale (arcsec), Quality and Profiles."""

    data: NDArray[np.float64]
    scale: float
    quality: Quality
    profiles: Profiles


def make_kernel(source: PSF | GaussianPSF, target: PSF | GaussianPSF, *, circularise: bool = False) -> MadeKernel:
    """The kernel that convolves one PSF to another: a Wiener filter with a Laplacian penalty.

    With s, t, l the transforms of source, target and a discrete Laplacian and r = REGULARISATION, its transform is
    ``t s* / (|s|^2 + r |l|^2)`` (Boucaud et al. 2016, A&A 596, A63).

    Both PSFs come onto one grid, their centres in the middle of it, fine enough for the target and wide enough for the
    wings of both: frequencies that the target does not have need no finer one. Outside of its file a PSF is 0.

    Parameters
    ----------
    source, target : psf.PSF or psf.GaussianPSF
    circularise : bool
        Average both over all angles before.

    Returns
    -------
    MadeKernel

    Raises
    ------
    AnchoringError
        If the target is not wider than the source.
    """
    if not target.fwhm > FINER * source.fwhm:
        raise AnchoringError(
            f"the PSF to convolve to is {target.fwhm:.4g} arcsec wide (FWHM) and that of the band {source.fwhm:.4g}; "
            "expected it to be wider: choose a coarser resolution, or check the pixel scales of both"
        )
    scale, side = _grid(source, target)
    pixels = [psf.on_grid(scale, side) for psf in (source, target)]
    if circularise:
        pixels = [circularised(array) for array in pixels]
    s, t = (array / array.sum() for array in pixels)
    kernel, cut, edge = _trimmed(_wiener(s, t), math.ceil(MARGIN / scale))
    convolved = _convolved(s, kernel)
    quality = Quality(
        difference=float(np.abs(convolved - t).sum()),
        negative=float((np.abs(kernel).sum() - kernel.sum()) / 2),
        cut=cut,
        edge=edge,
        held=min((target.within(psf.reach) for psf in (source, target) if psf.is_cut), default=1.0),
        source_fwhm=source.fwhm,
        target_fwhm=target.fwhm,
    )
    return MadeKernel(kernel, scale, quality, _profiles(s, t, convolved, scale))


def _wiener(source, target):
    # Imported here: it takes two seconds, and only the making of kernels needs it.
    from photutils.psf_matching import make_wiener_kernel

    return make_wiener_kernel(source, target, regularization=REGULARISATION, penalty="laplacian")


def _grid(source, target):
    """Pixel scale, arcsec, and odd side of the grid of a kernel."""
    reach = max(psf.reach if math.isfinite(psf.reach) else WINGS * psf.fwhm for psf in (source, target))
    width = 2 * ROOM * reach
    scale = max(target.fwhm / SAMPLES, width / LARGEST)
    side = math.ceil(width / scale) | 1
    while scipy.fft.next_fast_len(side) != side:
        side += 2
    return scale, side


def _trimmed(kernel, margin):
    """The middle of a kernel, of sum 1, the share of sum |K| that is cut off, and the edge as a part of the peak."""
    middle, size = len(kernel) // 2, np.abs(kernel)
    across = np.abs(np.arange(len(kernel)) - middle)
    ring = np.maximum(across[:, None], across).ravel()
    outside = 1 - np.cumsum(np.bincount(ring, size.ravel())) / size.sum()
    highest = np.zeros(middle + 1)
    np.maximum.at(highest, ring, size.ravel())
    highest = np.maximum.accumulate(highest[::-1])[::-1] / size.max()
    enough = (outside <= CUT) & (highest <= EDGE)
    half = min(int(np.argmax(enough)) + margin, middle) if enough.any() else middle
    part = kernel[middle - half : middle + half + 1, middle - half : middle + half + 1]
    border = np.abs(np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])).max()
    return part / part.sum(), max(float(outside[half]), 0.0), float(border / size.max())


def _convolved(array, kernel):
    """An array (n, n) convolved with a kernel that is not larger; what leaves it on one side returns on the other."""
    middle = len(kernel) // 2
    padded = np.zeros_like(array)
    padded[: len(kernel), : len(kernel)] = kernel
    padded = np.roll(padded, (-middle, -middle), axis=(0, 1))
    return scipy.fft.irfft2(scipy.fft.rfft2(array) * scipy.fft.rfft2(padded), s=array.shape)


def _profiles(source, target, convolved, scale):
    (radii, s), (_, t), (_, c) = map(radial_profile, (source, target, convolved))
    return Profiles(radii * scale, s / t[0], t / t[0], c / t[0])
