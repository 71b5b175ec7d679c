"""Files of PSFs, as STPSF writes them or any other."""

from os import PathLike
from pathlib import Path

from ..errors import AnchoringError
from ..images.psf import PSF, measured_psf
from .atomic import hash_of
from .hdus import opened, pixels_of, require_plane
from .kernels import stated_scale

# Extensions of STPSF, the best first: with the distortion and the effects of the detector, on fine pixels.
NAMES = ("OVERDIST", "OVERSAMP")


def read_psf(path: str | PathLike[str]) -> PSF:
    """The PSF in a file: in the extension OVERDIST or else OVERSAMP, or else the first image.

    The pixel scale is read as that of a kernel (`kernels.read_kernel`).

    Returns
    -------
    images.psf.PSF

    Raises
    ------
    AnchoringError
        If there is no 2-D image or no scale, or for what `psf.measured_psf` refuses; the message names the file.
    """
    with opened(path) as hdus:
        images = [hdu for hdu in hdus if hdu.is_image and hdu.header["NAXIS"]]
        named = {hdu.name: hdu for hdu in reversed(images)}
        hdu = next((named[name] for name in NAMES if name in named), images[0] if images else None)
        if hdu is None:
            raise AnchoringError(f"{path} has no image in any HDU; expected a PSF: check the file")
        shape, scale = require_plane(hdu, path), stated_scale(hdus, hdu, path)
        data = pixels_of(hdu, path).reshape(shape).astype(float)
    try:
        return measured_psf(data, scale)
    except AnchoringError as error:
        raise AnchoringError(f"{path}: {error}") from error


def source_of(path, name):
    """(file, SHA-256) that a PSF is from, for a header; what it is instead, and "", without a path."""
    return (Path(path).name, hash_of(path)) if path else (name, "")
