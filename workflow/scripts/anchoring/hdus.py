"""FITS files that a user brings: opening them, and what is common to all kinds."""

import errno
import warnings
import zlib
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning
from astropy.utils.exceptions import AstropyUserWarning

from .errors import AnchoringError
from .files import Checksum
from .headers import describes_pixels

CHUNK = 2**20  # bytes read at a time
# What astropy raises on damaged files, gzipped ones too.
UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    fits.VerifyError,
    AstropyUserWarning,
    EOFError,
    zlib.error,
)


class Image(NamedTuple):
    """Data (ny, nx), its error (ny, nx) or None, the header that describes its pixels.

    `fwhm` is the width, arcsec, of the kernel it was convolved with; 0 if none or unknown. `source` tells the mosaic it
    is or was made of from any other: the CRC-32 of the bytes of its SCI extension, header and pixels; "" if none.
    """

    data: np.ndarray
    error: np.ndarray | None
    header: fits.Header
    fwhm: float = 0.0
    source: str = ""


class Seen(NamedTuple):
    """What the headers of an image say: header of its pixels, shape (ny, nx), and whether it has an ERR extension."""

    header: fits.Header
    shape: tuple
    has_error: bool = False


@contextmanager
def opened(path):
    """Open a FITS file; whatever is wrong with it is an AnchoringError that names it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VerifyWarning)
            warnings.filterwarnings("error", "File may have been truncated", AstropyUserWarning)
            # astropy leaves a file open whose first header it does not like.
            with open(path, "rb") as file, fits.open(file, memmap=True) as hdus:
                yield hdus
    except AnchoringError:
        raise
    except FileNotFoundError:
        raise AnchoringError(f"{path} does not exist; expected a FITS file") from None
    except UNREADABLE as error:
        if getattr(error, "errno", None) == errno.ENOMEM:  # of mapping the file
            raise MemoryError(f"{path}: {error}") from error
        raise AnchoringError(
            f"{path} cannot be read as FITS ({error}); expected a whole file: fetch it anew"
        ) from error


def parsed(header):
    """A copy of a header without cards that cannot be parsed; VerifyError if one of them describes pixels."""
    cards = []
    for card in header.copy().cards:
        try:
            card.value, card.comment  # noqa: B018 (parsed when asked for)
            cards.append(card)
        except (ValueError, fits.VerifyError):
            if describes_pixels(card.keyword):
                raise
    return fits.Header(cards)


def native(data):
    """A native array of its own."""
    return data.astype(data.dtype.newbyteorder("="), copy=True)


def require_plane(shape, hdu, path):
    """AnchoringError unless an HDU has a 2-D image."""
    if len(shape) != 2:
        raise AnchoringError(f"{_named(hdu, path)} has shape {shape}; expected a 2-D image: write one plane of it")


def _named(hdu, path):
    return f"{path} [{hdu.name or 0}]"


def plane_of(hdu, path):
    """The image of an HDU as it lies in the file."""
    require_plane(hdu.shape, hdu, path)
    data = hdu.data
    where = _named(hdu, path)
    if data.dtype.kind != "f":
        raise AnchoringError(f"{where} holds {data.dtype.name} numbers; expected floating-point MJy/sr: convert it")
    return data


def first_image(hdus):
    """The first HDU that holds an image; the primary one if none does."""
    return next((hdu for hdu in hdus if hdu.is_image and hdu.header["NAXIS"]), hdus[0])


def checksum_of(hdu):
    """CRC-32 of the bytes of an HDU, as `anchored` takes it of what it reads."""
    place, checksum = hdu.fileinfo(), Checksum()
    place["file"].seek(place["hdrLoc"])
    left = place["datLoc"] + place["datSpan"] - place["hdrLoc"]
    while left > 0:
        piece = place["file"].read(min(left, CHUNK))
        if not piece:
            raise OSError(f"{left} bytes of SCI are missing")
        checksum.add(piece)
        left -= len(piece)
    return str(checksum)
