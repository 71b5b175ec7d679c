"""Kernel files: pixels, pixel scale, and a check of the width against the file name."""

import math
import re
from pathlib import Path

import numpy as np

from ..errors import AnchoringError
from ..images.convolution import LEAST_SUM
from ..images.headers import is_number, pixel_scale, positive_scale, require_square
from ..labels import gaussian_fwhm
from .hdus import opened, require_plane

# Keywords of a pixel scale in arcsec; the first one found is used, the others must agree.
SCALES = ("XPIXSIZE", "PIXELSCL", "PIXSCALE", "PIXSCALX", "SECPIX", "SECPIX1", "PIXSCAL1", "PXSCAL1",
          "YPIXSIZE", "PIXSCALY", "SECPIX2", "PIXSCAL2", "PXSCAL2")  # fmt: skip
MATRIX = re.compile(r"CDELT[12]|(CD|PC)[12]_[12]")
AGREEMENT = 0.01  # relative difference up to which two pixel scales agree
LARGEST_DEGREES = 1e-3  # the same number in PIXELSCL and CDELT is in degrees below this (3.6"), in arcsec above
NOTED, REFUSED = 1.1, 1.25  # ratio of the resulting resolution to the one in the file name
SAMPLES = 129  # along a side of the grid on which the resulting resolution is measured
FWHM_PER_SIGMA = math.sqrt(8 * math.log(2))

# FWHM of point sources, arcsec, the narrowest and the widest value in use. JWST: User Documentation, "NIRCam Point
# Spread Functions" and "MIRI Point Spread Functions", measured in flight; F380M is NIRISS. Model PSFs (STPSF) agree to
# 3 % in the seven of these bands that were compared, to 7 % in F770W. IRAC: in-flight point response functions, and the
# wider PSFs of Aniano et al. 2011, PASP 123, 1218. WISE, MIPS: Aniano et al., unWISE and the Explanatory Supplements.
FWHM = {
    **{name: (fwhm, fwhm) for name, fwhm in {
        "f070w": 0.029, "f090w": 0.033, "f115w": 0.040, "f140m": 0.048, "f150w": 0.050, "f162m": 0.055, "f164n": 0.056,
        "f182m": 0.062, "f187n": 0.064, "f200w": 0.066, "f210m": 0.071, "f212n": 0.072, "f250m": 0.085, "f277w": 0.092,
        "f300m": 0.100, "f323n": 0.108, "f335m": 0.111, "f356w": 0.116, "f360m": 0.120, "f380m": 0.130, "f405n": 0.136,
        "f410m": 0.137, "f430m": 0.145, "f444w": 0.145, "f460m": 0.155, "f466n": 0.158, "f470n": 0.160, "f480m": 0.164,
        "f560w": 0.207, "f770w": 0.269, "f1000w": 0.328, "f1130w": 0.375, "f1280w": 0.420, "f1500w": 0.488,
        "f1800w": 0.591, "f2100w": 0.674, "f2550w": 0.803,
    }.items()},
    "irac1": (1.40, 1.90), "irac2": (1.40, 1.81), "irac3": (1.63, 2.11), "irac4": (1.95, 2.82),
    "w1": (5.79, 6.08), "w2": (6.37, 6.84), "w3": (6.60, 7.36), "mips24": (6.0, 6.43),
}  # fmt: skip


def read_kernel(path):
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


def _kernel(hdus, path):
    hdu = next((hdu for hdu in hdus if hdu.is_image and hdu.header["NAXIS"]), None)
    if hdu is None:
        raise AnchoringError(f"{path} has no image in any HDU; expected a convolution kernel: check the file")
    return hdu, require_plane(hdu, path), _scale(hdus, hdu, path)


# --- the pixel scale --------------------------------------------------------------------------------------------------


def _scale(hdus, hdu, path):
    """The pixel scale, arcsec, in the header of a kernel or else in the primary header."""
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


def _expected(path):
    """FWHM, arcsec, of the band of a kernel and (narrowest, widest) of its resolution; None where unknown."""
    parts = re.split(r"\.fits?\b", Path(path).name.lower())[0].split("_to_")
    if len(parts) != 2 or parts[0] not in FWHM:
        return None, None
    band = math.sqrt(math.prod(FWHM[parts[0]]))
    width = gaussian_fwhm(parts[1])
    return band, (width, width) if width else FWHM.get(parts[1])


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
