"""Kernel files: their pixels, their pixel scale, and whether their width is what their name promises."""

import math
import re
from pathlib import Path

import numpy as np

from ..errors import AnchoringError
from ..images.convolution import LEAST_SUM
from ..images.headers import is_number, pixel_scale, positive_scale, require_square
from ..labels import gaussian_fwhm
from .hdus import first_image, opened

# Keywords of a pixel scale in arcsec, the first found taken; those of the second axis only have to agree.
SCALES = ("XPIXSIZE", "PIXELSCL", "PIXSCALE", "PIXSCALX", "SECPIX", "SECPIX1", "PIXSCAL1", "PXSCAL1",
          "YPIXSIZE", "PIXSCALY", "SECPIX2", "PIXSCAL2", "PXSCAL2")  # fmt: skip
MATRIX = re.compile(r"CDELT[12]|(CD|PC)[12]_[12]")
AGREEMENT = 0.01  # relative, of pixel scales that are the same one
LARGEST_DEGREES = 1e-3  # a scale given twice in one number is in degrees below it (3.6"), in arcsec above
NOTED, REFUSED = 1.1, 1.25  # ratios of the resolution that a kernel makes to that of its name
SAMPLES = 129  # along a side, on which that resolution is measured
FWHM_PER_SIGMA = math.sqrt(8 * math.log(2))

# FWHM of point sources, arcsec, the narrowest and the widest in use. JWST: User Documentation, "NIRCam Point Spread
# Functions" and "MIRI Imaging", empirical values (F380M: NIRISS). IRAC: in-flight point response functions, and Aniano
# et al. 2011, PASP 123, 1218, whose PSFs are wider; WISE and MIPS: Aniano et al. and the surveys' supplements.
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
    """A convolution kernel: the first image of its file.

    Returns
    -------
    kernel : (N, N) array; scale : float
        Pixel scale in arcsec, from one of SCALES (arcsec) or else CDELT, CD or PC with CUNIT (degrees by default), of
        the image's header or else the primary one.

    Raises
    ------
    AnchoringError
        Naming the file, if it has no image or no scale, or if its keywords contradict each other.
    """
    with opened(path) as hdus:
        hdu = _kernel(hdus, path)
        return _squeezed(hdu.data).astype(float), _scale(hdus, hdu, path)


def read_kernel_header(path):
    """Shape and pixel scale (arcsec) of a kernel, without its pixels; AnchoringError in the words of `read_kernel`."""
    with opened(path) as hdus:
        hdu = _kernel(hdus, path)
        return _squeezed(np.broadcast_to(0.0, hdu.shape)).shape, _scale(hdus, hdu, path)


def _kernel(hdus, path):
    hdu = first_image(hdus)
    if not (hdu.is_image and hdu.header["NAXIS"]):
        raise AnchoringError(f"{path} has no image in its primary HDU or an extension; expected a convolution kernel")
    return hdu


def _squeezed(data):
    """An image without leading axes of length 1."""
    while data.ndim > 2 and data.shape[0] == 1:
        data = data[0]
    return data


# --- the pixel scale --------------------------------------------------------------------------------------------------


def _scale(hdus, hdu, path):
    """The pixel scale, arcsec, that the header of a kernel states, or else the primary header."""
    header = hdu.header.copy()
    for key in SCALES:
        if key not in header and key in hdus[0].header:
            header[key] = hdus[0].header[key]
    stated = _stated(header, path)
    (first, scale), *others = stated.items()
    for name, other in others:
        if abs(other - scale) > AGREEMENT * scale:
            raise AnchoringError(
                f"{path} has a pixel scale of {scale:.6g} arcsec by {first} and of {other:.6g} by {name}; expected one "
                "and the same: remove the wrong one from its header"
            )
    return scale


def _stated(header, path):
    """{keyword: pixel scale, arcsec} of all that a header says of it."""
    stated = {name: positive_scale(header[name], path) for name in SCALES if name in header}
    matrix = [key for key in header if MATRIX.fullmatch(key)]
    if stated and all(is_number(header[key]) and abs(header[key]) in (0, 1) for key in matrix):
        return stated  # CDELT of 1 is what a header has where nobody has filled it in
    name = "CD" if any(key.startswith("CD") and "_" in key for key in matrix) else "CDELT"
    require_square(header, path)
    by_matrix = pixel_scale(header, path)
    if not stated:
        return {name: by_matrix}
    scale = next(iter(stated.values()))
    # One number under two keywords is in one unit, and one of the two units is absurd.
    if abs(by_matrix / 3600 - scale) <= AGREEMENT * scale:
        return {name: by_matrix} if scale < LARGEST_DEGREES else stated
    return {**stated, name: by_matrix}


# --- the width --------------------------------------------------------------------------------------------------------


def require_width(path, kernel, scale):
    """That a kernel makes of its band what its name, `{band}_to_{resolution}`, promises.

    Parameters
    ----------
    path : path
        Its name says which band it is for and which resolution it makes: `gauss4`, `gauss7p5` or a band of FWHM.
    kernel : (N, N) array, scale : float
        As from `read_kernel`.

    Returns
    -------
    str
        What is odd about its width, beyond a factor NOTED; "" if nothing is, or if band or resolution is unknown.

    Raises
    ------
    AnchoringError
        Beyond a factor REFUSED.
    """
    band, promised = _promised(path)
    if promised is None:
        return ""
    found = resolution_made(kernel, scale, band)
    if not math.isfinite(found):
        return ""  # `convolution.resample_kernel` says what is wrong with it
    low, high = promised
    ratio = found / high if found > high else found / low if found < low else 1.0
    words = (
        f"makes a resolution of {found:.3g} arcsec (FWHM) of a band of {band:.3g}; expected "
        f"{low if ratio < 1 else high:.3g} by its name: check its pixel scale and its name"
    )
    if not 1 / REFUSED < ratio < REFUSED:
        raise AnchoringError(f"{path} {words}")
    return "" if 1 / NOTED < ratio < NOTED else words


def _promised(path):
    """FWHM, arcsec, of the band of a kernel, and the lowest and highest one of its target; None if one is unknown."""
    parts = re.split(r"\.fits?\b", Path(path).name.lower())[0].split("_to_")
    if len(parts) != 2 or parts[0] not in FWHM:
        return None, None
    band = math.sqrt(math.prod(FWHM[parts[0]]))
    width = gaussian_fwhm(parts[1])
    return band, (width, width) if width else FWHM.get(parts[1])


def resolution_made(kernel, scale, fwhm):
    """FWHM, arcsec, that a kernel makes of a Gaussian of a FWHM: 2 sqrt(A / pi) of the area A above half its peak.

    For Gaussians it is the root of the sum of squares. Unlike a second moment or sum(K^2) it does not hang on lobes and
    wings, nor on where a kernel is cut off, which kernels between real PSFs differ in most. The band is taken as a
    Gaussian: its wings are what the kernel exchanges for those of its target.

    Parameters
    ----------
    kernel : (N, N) array
    scale : float
        Of its pixels, arcsec.
    fwhm : float
        Of the band, arcsec.

    Returns
    -------
    float; NaN for a kernel that is not finite or has no positive sum.
    """
    kernel = np.asarray(kernel, dtype=float)
    if kernel.ndim != 2 or not (np.isfinite(kernel).all() and kernel.sum() > LEAST_SUM * np.abs(kernel).sum()):
        return math.nan
    # A kernel is interpolated between its pixels: that has a FWHM of one pixel.
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


def _beams(places, n, sigma):
    """Weights of Gaussians about some places of an axis of n pixels, 1 in all with what falls outside: (places, n)."""
    pad = math.ceil(4 * sigma)
    nearest = np.round(places[:, None])
    near = np.arange(-pad, pad + 1)
    whole = np.exp(-0.5 * ((nearest + near - places[:, None]) / sigma) ** 2).sum(axis=1)
    return np.exp(-0.5 * ((np.arange(n) - places[:, None]) / sigma) ** 2) / whole[:, None]
