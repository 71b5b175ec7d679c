"""Kernel files."""

from .errors import AnchoringError
from .hdus import opened
from .headers import pixel_scale, positive_scale, require_square


def read_kernel(path):
    """A convolution kernel.

    Returns
    -------
    kernel : (N, N) array; scale : float
        Pixel scale in arcsec, from XPIXSIZE or PIXELSCL (arcsec) or else CDELT, CD or PC (degrees).
    """
    with opened(path) as hdus:
        return _kernel(hdus, path).astype(float), _kernel_scale(hdus[0].header, path)


def see_kernel(path):
    """Shape and pixel scale (arcsec) of a kernel, without its pixels; AnchoringError in the words of `read_kernel`."""
    with opened(path) as hdus:
        return _kernel(hdus, path).shape, _kernel_scale(hdus[0].header, path)


def _kernel(hdus, path):
    if hdus[0].data is None:
        raise AnchoringError(f"{path} has no image in its primary HDU; expected a convolution kernel")
    return hdus[0].data


def _kernel_scale(header, path):
    for keyword in ("XPIXSIZE", "PIXELSCL"):
        if keyword in header:
            return positive_scale(header[keyword], path)
    require_square(header, path)
    return pixel_scale(header, path)
