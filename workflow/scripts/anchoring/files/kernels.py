"""Kernel files: pixels, pixel scale, and a check of the width against the file name."""

from __future__ import annotations

import logging
import math
import re
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..bands import FWHM, single_width, width_of
from ..errors import AnchoringError
from ..images.convolution import LEAST_SUM, resample_kernel
from ..images.coverage import FWHM_PER_SIGMA
from ..images.headers import is_number, pixel_scale, positive_scale, require_square
from .hdus import opened, raise_refusal, require_plane

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Keywords of a pixel scale in arcsec; the first one found is used, the others must agree.
SCALES = ("XPIXSIZE", "PIXELSCL", "PIXSCALE", "PIXSCALX", "SECPIX", "SECPIX1", "PIXSCAL1", "PXSCAL1",
          "YPIXSIZE", "PIXSCALY", "SECPIX2", "PIXSCAL2", "PXSCAL2")  # fmt: skip
MATRIX = re.compile(r"CDELT[12]|(CD|PC)[12]_[12]")
AGREEMENT = 0.01  # relative difference up to which two pixel scales agree
LARGEST_DEGREES = 1e-3  # the same number in PIXELSCL and CDELT is in degrees below this (3.6"), in arcsec above
NOTED, REFUSED = 1.1, 1.25  # ratio of the resulting resolution to the one in the file name
SAMPLES = 129  # along a side of the grid on which the resulting resolution is measured


def read_kernel(path: str | PathLike[str]) -> tuple[NDArray[np.float64], float]:
    """A convolution kernel: the first image of a file.

    Returns
    -------
    kernel : (N, N) float array
    scale : float
        Pixel scale, arcsec, from one of SCALES (arcsec) or else from CDELT, CD or PC and CUNIT (degrees by default), in
        the header of the image or else in the primary one.

    Raises
    ------
    AnchoringError
        If there is no 2-D image or no scale, or if keywords contradict each other; the message names the file.
    """
    with opened(path) as hdus:
        hdu, shape, scale = _kernel(hdus, path)
        return hdu.data.reshape(shape).astype(float), scale


def read_kernel_header(path):
    """Shape and pixel scale (arcsec) of a kernel, without reading pixels; the same errors as `read_kernel`."""
    with opened(path) as hdus:
        return _kernel(hdus, path)[1:]


def resampled_kernel(path, scale):
    """The kernel of a file on pixels of a scale, arcsec (`convolution.resample_kernel`); an odd width is logged.

    AnchoringError, with the name of the file, for what `read_kernel`, `resample_kernel` and `require_width` refuse.
    """
    data, kernel_scale = read_kernel(path)
    try:
        resampled = resample_kernel(data, kernel_scale, scale)
    except AnchoringError as error:
        raise AnchoringError(f"{path}: {error}") from error
    odd = require_width(path, data, kernel_scale)
    if odd:
        logging.warning("%s %s", path, odd)
    return resampled


def _kernel(hdus, path):
    raise_refusal(hdus)
    hdu = next((hdu for hdu in hdus if hdu.is_image and hdu.header["NAXIS"]), None)
    if hdu is None:
        raise AnchoringError(f"{path} has no image in any HDU; expected a convolution kernel: check the file")
    return hdu, require_plane(hdu, path), stated_scale(hdus, hdu, path)


# --- the pixel scale --------------------------------------------------------------------------------------------------


def stated_scale(hdus, hdu, path):
    """The pixel scale, arcsec, in the header of a kernel or PSF or else in the primary header.

    AnchoringError if there is none or if keywords contradict each other.
    """
    header = hdu.header.copy()
    for key in SCALES:
        if key not in header and key in hdus[0].header:
            header[key] = hdus[0].header[key]
    stated = _stated(header, path)
    (first, scale), *others = stated.items()
    for name, other in others:
        if abs(other - scale) > AGREEMENT * scale:
            raise AnchoringError(
                f"{path} has a pixel scale of {scale:.6g} arcsec by {first} and of {other:.6g} by {name}; expected the "
                "same: remove the wrong one from its header"
            )
    return scale


def _stated(header, path):
    """{keyword: pixel scale, arcsec} of all keywords of a header that state it."""
    stated = {name: positive_scale(header[name], path) for name in SCALES if name in header}
    matrix = [key for key in header if MATRIX.fullmatch(key)]
    if stated and all(is_number(header[key]) and abs(header[key]) in (0, 1) for key in matrix):
        return stated  # CDELT = 1 is a default that nobody has filled in
    name = "CD" if any(key.startswith("CD") and "_" in key for key in matrix) else "CDELT"
    require_square(header, path)
    by_matrix = pixel_scale(header, path)
    if not stated:
        return {name: by_matrix}
    scale = next(iter(stated.values()))
    # The same number in both is in the same unit; only one of the two units gives a possible scale.
    if abs(by_matrix / 3600 - scale) <= AGREEMENT * scale:
        return {name: by_matrix} if scale < LARGEST_DEGREES else stated
    return {**stated, name: by_matrix}


# --- the width --------------------------------------------------------------------------------------------------------


def require_width(path, kernel, scale):
    """Check that a kernel convolves its band to the resolution in its file name, `{band}_to_{resolution}.fits`.

    Parameters
    ----------
    path : path
        Band and resolution are names of FWHM; a resolution can also be a Gaussian, such as `gauss4` or `gauss7p5`.
    kernel : (N, N) array, scale : float
        As from `read_kernel`.

    Returns
    -------
    str
        A note if the resolution is off by more than a factor NOTED; "" if not, or if band or resolution is unknown.

    Raises
    ------
    AnchoringError
        If the resolution is off by more than a factor REFUSED.
    """
    band, expected = _expected(path)
    if expected is None:
        return ""
    found = resolution_made(kernel, scale, band)
    if not math.isfinite(found):
        return ""  # `convolution.resample_kernel` reports what is wrong with it
    low, high = expected
    ratio = found / high if found > high else found / low if found < low else 1.0
    note = (
        f"convolves a band of {band:.3g} arcsec (FWHM) to {found:.3g}; expected {low if ratio < 1 else high:.3g} by "
        "its name: check its pixel scale and its name"
    )
    if not 1 / REFUSED < ratio < REFUSED:
        raise AnchoringError(f"{path} {note}")
    return "" if 1 / NOTED < ratio < NOTED else note


def resolution_of(path):
    """FWHM, arcsec, of the resolution in the name of a kernel; None if it is not known, or more values are in use."""
    parts = _names(path)
    return single_width(parts[1]) if len(parts) == 2 else None


def _names(path):
    return re.split(r"\.fits?\b", Path(path).name.lower())[0].split("_to_")


def _expected(path):
    """FWHM, arcsec, of the band of a kernel and (narrowest, widest) of its resolution; None where unknown."""
    parts = _names(path)
    if len(parts) != 2 or parts[0] not in FWHM:
        return None, None
    return math.sqrt(math.prod(FWHM[parts[0]])), width_of(parts[1])


def resolution_made(kernel, scale, fwhm):
    """FWHM, arcsec, of a Gaussian after the convolution with a kernel: 2 sqrt(A / pi), A the area above half the peak.

    For a Gaussian kernel it is the quadrature sum of the two FWHM. Unlike a second moment or sum(K^2), it does not
    depend on lobes, wings and the size of the array, in which kernels between real PSFs differ most. The PSF of the
    band is approximated by a Gaussian.

    Parameters
    ----------
    kernel : (N, N) array
    scale : float
        Pixel scale of the kernel, arcsec.
    fwhm : float
        Of the Gaussian, arcsec.

    Returns
    -------
    float; NaN for a kernel that is not 2-D or not finite or has no positive sum
    """
    kernel = np.asarray(kernel, dtype=float)
    if kernel.ndim != 2 or not (np.isfinite(kernel).all() and kernel.sum() > LEAST_SUM * np.abs(kernel).sum()):
        return math.nan
    # Interpolation between the pixels of the kernel adds a FWHM of one pixel.
    beam = math.hypot(fwhm / scale, 1.0) / FWHM_PER_SIGMA
    core = np.argwhere(kernel > kernel.max() / 2)
    middle, reach = core.mean(axis=0), max(np.ptp(core, axis=0).max(), 4 * beam)
    while True:
        steps = np.linspace(-reach, reach, SAMPLES)
        down, across = (_beams(m + steps, n, beam) for m, n in zip(middle, kernel.shape, strict=True))
        made = down @ kernel @ across.T
        above = made > made.max() / 2
        border = np.concatenate([above[0], above[-1], above[:, 0], above[:, -1]])
        if not border.any() or reach > 2 * max(kernel.shape):
            break
        reach *= 2
    return 2 * math.sqrt(np.count_nonzero(above) / math.pi) * (steps[1] - steps[0]) * scale


def _beams(centres, n, sigma):
    """Gaussians about some centres on an axis of n pixels, normalised on an infinite axis: (centres, n)."""
    pad = math.ceil(4 * sigma)
    nearest = np.round(centres[:, None])
    near = np.arange(-pad, pad + 1)
    total = np.exp(-0.5 * ((nearest + near - centres[:, None]) / sigma) ** 2).sum(axis=1)
    return np.exp(-0.5 * ((np.arange(n) - centres[:, None]) / sigma) ** 2) / total[:, None]
