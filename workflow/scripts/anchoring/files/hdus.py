"""FITS files that a user brings: opening them, and what is common to all kinds."""

import errno
import gzip
import mmap
import warnings
import zlib
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning
from astropy.utils.exceptions import AstropyUserWarning

from ..errors import AnchoringError
from ..images.headers import describes_pixels, plane_axes, plane_header
from .atomic import Checksum

CHUNK = 2**20  # bytes read at a time
# What damage alone raises, wherever it is found.
DAMAGE = (OSError, EOFError, zlib.error, fits.VerifyError, AstropyUserWarning)
# What astropy besides raises on damaged files: bugs raise it as well.
UNREADABLE = (*DAMAGE, ValueError, TypeError, KeyError, IndexError, AttributeError)


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


class ImageHeader(NamedTuple):
    """What the headers of an image say: header of its pixels, shape (ny, nx), and whether it has an ERR extension."""

    header: fits.Header
    shape: tuple
    has_error: bool = False


@contextmanager
def opened(path, *, scaled=True):
    """Open a FITS file; what is wrong with it is an AnchoringError that names it.

    Headers are read to the last one, pixels when they are asked for: mapped if the file system can do that, and with
    BSCALE, BZERO and BLANK applied unless `scaled` is False. What is raised in the with-block passes, unless it is the
    sign of a damaged file.
    """
    with _refusing(path, DAMAGE), ExitStack() as stack:
        with _refusing(path, UNREADABLE):
            # astropy leaves a file open whose first header it does not like.
            file = stack.enter_context(open(path, "rb"))
            _require_sound_gzip(file)
            hdus = fits.open(file, memmap=None if _can_be_mapped(file) else False, do_not_scale_image_data=not scaled)
            stack.enter_context(hdus)
            _require_all(hdus)
        yield hdus


@contextmanager
def _refusing(path, errors):
    """Damage as an AnchoringError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VerifyWarning)
            warnings.filterwarnings("error", "File may have been truncated", AstropyUserWarning)
            yield
    except AnchoringError:
        raise
    except FileNotFoundError:
        raise AnchoringError(f"{path} does not exist; expected a FITS file") from None
    except errors as error:
        number = getattr(error, "errno", None)
        if number == errno.ENOMEM:  # of mapping the file
            raise MemoryError(f"{path}: {error}") from error
        if number is not None:
            raise AnchoringError(
                f"{path} cannot be read ({error.strerror}); expected a FITS file: check its permissions and its disk"
            ) from error
        raise damaged(path, error) from error


def _require_all(hdus):
    """EOFError, or what astropy has for it, if an HDU is not complete."""
    len(hdus)  # goes through all of them
    last = hdus[-1].fileinfo()
    last["file"].seek(last["datLoc"] + last["datSpan"])
    # astropy passes over a header without an end.
    if last["file"].read(8) == b"XTENSION":
        raise EOFError("its last header is not complete")


def _require_sound_gzip(file):
    """BadGzipFile, EOFError or zlib.error if a gzipped file is damaged, which astropy hides."""
    if file.peek(2)[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=file) as unzipped:
            while unzipped.read(CHUNK):
                pass
        file.seek(0)


def damaged(path, error):
    """The refusal of a file that is not what its headers promise, or no FITS at all."""
    words = " ".join(str(error).split()) or type(error).__name__
    return AnchoringError(
        f"{path} cannot be read as FITS: the file is truncated or corrupt ({words}); expected a complete FITS file: "
        "download it again"
    )


def _can_be_mapped(file):
    """Whether a file system can map a file into memory: some network and FUSE ones cannot."""
    try:
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ).close()
    except (OSError, ValueError) as error:  # an empty file
        return getattr(error, "errno", None) == errno.ENOMEM
    return True


def parsed(header, path="the image"):
    """A copy of a header, of the two axes of its plane, without cards that cannot be parsed.

    AnchoringError if one of these describes pixels.
    """
    cards = []
    for card in header.copy().cards:
        try:
            card.value, card.comment  # noqa: B018 (parsed when asked for)
            cards.append(card)
        except (ValueError, fits.VerifyError) as error:
            if describes_pixels(card.keyword):
                raise AnchoringError(
                    f"{path} has a card {card.keyword} that cannot be read ({' '.join(str(error).split())}); expected "
                    "a FITS card: correct its header"
                ) from error
    return plane_header(fits.Header(cards), path)


def native(data):
    """A native array of its own."""
    return data.astype(data.dtype.newbyteorder("="), copy=True)


def require_plane(shape, hdu, path):
    """Shape (ny, nx) of the image of an HDU without axes of length 1; AnchoringError unless it is 2-D then."""
    plane = tuple(shape[axis] for axis in plane_axes(shape))
    if len(plane) != 2:
        raise AnchoringError(
            f"{_named(hdu, path)} has shape {tuple(shape)}; expected a 2-D image: write one plane of it"
        )
    return plane


def _named(hdu, path):
    return f"{path} [{hdu.name or 0}]"


def pixels_of(hdu, path):
    """The pixels of an HDU, which are read now if the file cannot be mapped; AnchoringError if they are damaged."""
    with _refusing(path, UNREADABLE):
        return hdu.data


def plane_of(hdu, path):
    """The floating-point image (ny, nx) of an HDU as it lies in the file; BSCALE and BZERO may have made it so."""
    shape = require_plane(hdu.shape, hdu, path)
    if not is_scaled(hdu.header):
        require_floating(hdu, path)
    data = pixels_of(hdu, path)
    if data.dtype.kind != "f":
        data = data.astype(np.float32 if data.dtype.itemsize < 4 else float)
    return data.reshape(shape)


def require_floating(hdu, path):
    """AnchoringError unless the numbers of an image are floating-point ones."""
    bits = hdu.header["BITPIX"]
    if bits > 0:
        name = f"int{bits}" if bits > 8 else "uint8"
        raise AnchoringError(f"{_named(hdu, path)} holds {name} numbers; expected floating-point MJy/sr: convert it")


def is_scaled(header):
    """Whether the numbers of an image in its file are not the values of its pixels."""
    return (header.get("BSCALE", 1), header.get("BZERO", 0)) != (1, 0)


def first_image(hdus):
    """The first HDU that holds an image; the primary one if none does."""
    return next((hdu for hdu in hdus if hdu.is_image and hdu.header["NAXIS"]), hdus[0])


def checksum_of(hdu):
    """CRC-32 of the bytes of an HDU, as `anchored` takes it of what it reads."""
    place, checksum = hdu.fileinfo(), Checksum()
    for piece in _pieces(place, place["hdrLoc"], place["datLoc"] + place["datSpan"]):
        checksum.add(piece)
    return str(checksum)


def bytes_of(hdu):
    """The bytes of the data of an HDU."""
    place = hdu.fileinfo()
    return b"".join(_pieces(place, place["datLoc"], place["datLoc"] + hdu.size))


def _pieces(place, start, stop):
    place["file"].seek(start)
    while start < stop:
        piece = place["file"].read(min(stop - start, CHUNK))
        if not piece:
            raise EOFError(f"{stop - start} bytes are missing")
        start += len(piece)
        yield piece
