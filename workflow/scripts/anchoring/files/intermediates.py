"""The workflow's own images between two steps: convolved or reprojected mosaics, or why there is none."""

import os
import warnings
from contextlib import contextmanager

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning

from ..errors import RUN_AGAIN, AnchoringError
from ..images.headers import beam_cards, describes_pixels
from .atomic import atomic_write
from .hdus import REFUSED, Image, native, opened, parsed, raise_refusal, require_plane
from .mosaics import read_image
from .references import image_hdu, read_reference

PRODUCT = "ANCHPROD"  # primary header keyword of all of them
FWHM = "KERNFWHM"  # width of the kernel that one was convolved with, arcsec
FLAGS = "KERNFLAG"  # flags that this kernel raises; also in its own header
SOURCE = "IMAGECRC"  # `Image.source` of the mosaic that one was made of
FITS_BLOCK = 2880  # bytes that headers and data fill up
PIECE = 2**18  # pixels turned to the file's byte order at a time: what the processor's cache holds


def write_product(path, data, header, error=None, *, fwhm=None, source="", kernel_flags=(), beam=None):
    """Write an intermediate image: extensions SCI and, if given, ERR, under the header of the image it came from.

    `fwhm` (arcsec) is the width of the kernel it was convolved with, if it was, and `kernel_flags` are its flags;
    `beam` (arcsec) is the FWHM of the PSF, if it is known; `source` is that of the mosaic.
    """
    given = {"fwhm": fwhm, "source": source, "kernel_flags": kernel_flags, "beam": beam}
    given["with_error"] = error is not None
    with opened_product(path, header, data.shape, data.dtype, **given) as write:
        write(0, data, error)


@contextmanager
def opened_product(path, header, shape, dtype, *, with_error=False, fwhm=None, source="", kernel_flags=(), beam=None):
    """As `write_product`, of an image that comes row by row: a function of a first row, data and error.

    The file stands under its name when the block has ended well.
    """
    primary = fits.Header({PRODUCT: True})
    primary[SOURCE] = (source, "CRC-32 of the mosaic's SCI extension")
    if fwhm is not None:
        primary[FWHM] = (fwhm, "[arcsec] noise-equivalent FWHM of the kernel")
    if kernel_flags:
        primary[FLAGS] = (" ".join(kernel_flags), "flags of the kernel")
    # No pixels: a header needs but their number and kind.
    pixels = np.broadcast_to(np.zeros((), dtype=np.dtype(dtype).newbyteorder("=")), shape)
    names = ("SCI", "ERR") if with_error else ("SCI",)
    described = _pixel_header(header)
    described.update({key: (value, comment) for key, value, comment in beam_cards(beam)})
    planes = (fits.ImageHDU(pixels, described, name=name) for name in names)
    hdus = fits.HDUList([fits.PrimaryHDU(header=primary), *planes])
    hdus.update_extend()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VerifyWarning)
        hdus.verify("silentfix")
    with atomic_write(path) as temporary, open(temporary, "r+b") as file:
        starts = []
        for hdu in hdus:
            file.write(hdu.header.tostring().encode("ascii"))
            starts.append(file.tell())
            file.seek(-(-hdu.size // FITS_BLOCK) * FITS_BLOCK, os.SEEK_CUR)
        file.truncate()

        def write(row, *planes):
            for start, plane in zip(starts[1:], planes, strict=False):
                file.seek(start + row * shape[1] * pixels.itemsize)
                _write_pixels(file, plane)

        yield write


def _write_pixels(file, plane):
    step = max(PIECE // plane.shape[1], 1)
    for start in range(0, len(plane), step):
        piece = plane[start : start + step]
        file.write(piece.astype(piece.dtype.newbyteorder(">")))


def _pixel_header(header):
    """What describes pixels: the WCS and the unit; not the structure or the history of the file it was in."""
    kept = fits.Header()
    for card in header.cards:
        if describes_pixels(card.keyword):
            kept.append(card)
    return kept


def write_refusal(path, reason):
    """In place of a product that could not be made: an empty FITS file that says why."""
    header = fits.Header()
    # Longer than one card: astropy continues it over several (the CONTINUE convention of FITS 4.0).
    header[REFUSED] = " ".join(reason.split()).encode("ascii", "replace").decode()
    with atomic_write(path) as temporary:
        fits.PrimaryHDU(header=header).writeto(temporary, overwrite=True)


def read_product(path, *, with_error=False, mapped=False):
    """An image written by `write_product`, with ERR if asked for; AnchoringError with the reason if there is none.

    Its pixels are native arrays of its own or, `mapped`, as they lie in the file, not to be changed.
    """
    with opened(path) as hdus:
        raise_refusal(hdus)
        planes = [hdus["SCI"].data, hdus["ERR"].data if with_error and "ERR" in hdus else None]
        if not mapped:
            planes = [None if plane is None else native(plane) for plane in planes]
        primary, header = hdus[0].header, parsed(hdus["SCI"].header)
        flags = tuple(primary.get(FLAGS, "").split())
        return Image(*planes, header, primary.get(FWHM, 0.0), primary.get(SOURCE, ""), flags)


def read_any(path, *, with_error=False, mapped=False, band=None):
    """An image to compare, whichever of the three it is: product of the workflow, external reference or mosaic."""
    with opened(path) as hdus:
        primary = hdus[0].header
        is_product = PRODUCT in primary or REFUSED in primary
        is_reference = not is_product and _is_reference(hdus, path)
    if is_product:
        return read_product(path, with_error=with_error, mapped=mapped)
    return read_reference(path) if is_reference else read_image(path, band=band)


def _is_reference(hdus, path):
    """Whether a file that is no product has an image that no mosaic has: a primary one, or one not named SCI."""
    try:
        hdu = image_hdu(hdus, path)
    except AnchoringError:  # what a mosaic without SCI is refused with says more
        return False
    return bool(hdu.header["NAXIS"]) and hdu.name != "SCI"


def require_one_grid(image, reference, image_path, reference_path):
    """AnchoringError if a reference is not, or no longer, what an image was reprojected onto."""
    (pixels, shape), (grid, size) = ((dict(_pixel_header(i.header).items()), i.data.shape) for i in (image, reference))
    for header in (pixels, grid):
        header.pop("BUNIT", None)  # the image's is MJy/sr, whatever the reference's
    if shape != size or pixels != grid:
        raise AnchoringError(
            f"{reference_path} was changed after {image_path} was reprojected onto it; expected the same pixels: "
            f"{RUN_AGAIN}"
        )


def read_grid(path):
    """Header and shape (ny, nx) of an image of any of the three kinds, without its pixels."""
    with opened(path) as hdus:
        raise_refusal(hdus)
        hdu = image_hdu(hdus, path)
        return parsed(hdu.header, path), require_plane(hdu, path)
