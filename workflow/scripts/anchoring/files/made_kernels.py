"""Kernels that the workflow makes: files with their quality in the header."""

from typing import NamedTuple

import numpy as np
from astropy.io import fits

from ..images.kernel_quality import Quality
from .atomic import atomic_write
from .hdus import opened, raise_refusal
from .intermediates import FLAGS

MODEL = "model of the pupil"  # instead of the file of a PSF
FROM_MODEL = "kernel_from_model"  # flag
CARDS = {  # of a Quality
    "difference": ("KERND", "D = sum |PSF * K - target|, Aniano+ 2011 eq. 20"),
    "negative": ("KERNWNEG", "W- = (sum |K| - sum K) / 2, eq. 21"),
    "cut": ("KERNCUT", "share of sum |K| that trimming cut off"),
    "edge": ("KERNEDGE", "largest |K| at the edge, of the peak"),
    "held": ("KERNHELD", "share of the target in files that cut wings"),
    "source_fwhm": ("FWHMFROM", "[arcsec] FWHM of the PSF convolved from"),
    "target_fwhm": ("FWHMTO", "[arcsec] FWHM of the PSF convolved to"),
}


class Origin(NamedTuple):
    """How a kernel was made: its Quality, what its PSFs are from, its flags.

    `source` and `target` are (file name, SHA-256), or what was taken instead of a file and "".
    """

    quality: Quality
    source: tuple
    target: tuple
    circularised: bool
    flags: tuple


def origin(made, source, target, circularised):
    """The Origin of a `kernel_making.MadeKernel` from two `psfs.source_of`."""
    flags = ((FROM_MODEL,) if source[0] == MODEL else ()) + made.quality.flags
    return Origin(made.quality, source, target, circularised, flags)


def write_kernel(path, made, origin):
    """Write a `kernel_making.MadeKernel` with its Origin."""
    header = fits.Header()
    header["PIXELSCL"] = (made.scale, "[arcsec] pixel scale")
    for name, (keyword, comment) in CARDS.items():
        header[keyword] = (float(f"{getattr(origin.quality, name):.5g}"), comment)
    for which, (name, digest) in (("FROM", origin.source), ("TO", origin.target)):
        # Without comments, for which there is no room: a PSF and the SHA-256 of its file.
        header[f"PSF{which}"] = name.encode("ascii", "replace").decode()
        header[f"SHA{which}"] = digest
    header["CIRCULAR"] = (origin.circularised, "PSFs were averaged over all angles")
    header[FLAGS] = " ".join(origin.flags)
    with atomic_write(path) as temporary:
        fits.PrimaryHDU(made.data.astype(np.float32), header).writeto(temporary, overwrite=True)


def read_origin(path):
    """The Origin of a kernel, without reading its pixels; None if the workflow did not make it.

    AnchoringError with the reason if it could not be made.
    """
    with opened(path) as hdus:
        raise_refusal(hdus)
        header = hdus[0].header
    if any(keyword not in header for keyword, _ in CARDS.values()):
        return None
    return Origin(
        Quality(*(header[CARDS[name][0]] for name in Quality._fields)),
        (header["PSFFROM"], header["SHAFROM"]),
        (header["PSFTO"], header["SHATO"]),
        header["CIRCULAR"],
        tuple(header[FLAGS].split()),
    )
