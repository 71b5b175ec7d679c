"""Input FITS files: opening them, and checks common to mosaics, references, masks and kernels."""

from __future__ import annotations

import errno
import gzip
import mmap
import warnings
import zlib
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning
from astropy.utils.exceptions import AstropyUserWarning

from ..errors import AnchoringError
from ..images.headers import describes_pixels, plane_axes, plane_header
from .atomic import Checksum

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 2**20  # bytes read at a time
REFUSED = "REFUSED"  # of a file of the workflow in place of what could not be made; its value is the reason
# Raised by damaged files only.
DAMAGE = (OSError, EOFError, zlib.error, fits.VerifyError, AstropyUserWarning)
# Also raised by astropy on damaged files, but by bugs as well.
UNREADABLE = (*DAMAGE, ValueError, TypeError, KeyError, IndexError, AttributeError)


class Image(NamedTuple):
    """Data (ny, nx), error (ny, nx) or None, both in MJy/sr, and the header that describes the pixels.

    `fwhm` is the width of the kernel it was convolved with, arcsec; 0 if none or unknown. `source` identifies the
    mosaic it is or was made from: the CRC-32 of the SCI extension, header and pixels; "" if there is none.
    `kernel_flags` are those that its kernel raises.
    """

    data: NDArray[np.floating]
    error: NDArray[np.floating] | None
    header: fits.Header
    fwhm: float = 0.0
    source: str = ""
    kernel_flags: tuple[str, ...] = ()


class ImageHeader(NamedTuple):
    """Header that describes the pixels of an image, its shape (ny, nx), and whether it has an ERR extension."""

    header: fits.Header
    shape: tuple[int, int]
    has_error: bool = False


@contextmanager
def opened(path, *, scaled=True):
    """Open a FITS file for reading; a missing or damaged file is an AnchoringError that names it.

    All headers are read, pixels on access: memory-mapped if the file system allows it, and with BSCALE, BZERO and BLANK
    applied unless `scaled` is False. Exceptions of the with-block pass unchanged, except those of DAMAGE.
    """
    with _refusing(path, DAMAGE), ExitStack() as stack:
        with _refusing(path, UNREADABLE):
            # Opened here, as astropy does not close a file whose first header is bad.
            file = stack.enter_context(open(path, "rb"))
            _require_sound_gzip(file)
            hdus = fits.open(file, memmap=None if _can_be_mapped(file) else False, do_not_scale_image_data=not scaled)
            stack.enter_context(hdus)
            _require_all(hdus)
        yield hdus


@contextmanager
def _refusing(path, errors):
    """Turn exceptions of damaged files into AnchoringError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", VerifyWarning)
            warnings.filterwarnings("error", "File may have been truncated", AstropyUserWarning)
            yield
    except AnchoringError:
        raise
    except FileNotFoundError:
        raise AnchoringError(f"{path} does not exist; expected a FITS file: put it there") from None
    except errors as error:
        number = getattr(error, "errno", None)
        if number == errno.ENOMEM:  # of mapping the file
            raise MemoryError(f"{path}: {error}") from error
        if number is not None:
            raise AnchoringError(
                f"{path} cannot be read; expected a FITS file: check its permissions and its disk "
                f"(details: {error.strerror})"
            ) from error
        raise damaged(path, error) from error


def _require_all(hdus):
    """EOFError, or the exception of astropy, if an HDU is not complete."""
    len(hdus)  # reads all headers
    last = hdus[-1].fileinfo()
    last["file"].seek(last["datLoc"] + last["datSpan"])
    # astropy ignores a header without an end.
    if last["file"].read(8) == b"XTENSION":
        raise EOFError("its last header is not complete")


def _require_sound_gzip(file):
    """BadGzipFile, EOFError or zlib.error if a gzipped file is damaged, which astropy does not report."""
    if file.peek(2)[:2] == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=file) as unzipped:
            while unzipped.read(CHUNK):
                pass
        file.seek(0)


def damaged(path, error):
    """The AnchoringError of a file that is truncated, corrupt or not FITS."""
    return AnchoringError(
        f"{path} cannot be read as FITS: the file is truncated or corrupt; expected a complete FITS file: download it "
        f"again (details: {' '.join(str(error).split()) or type(error).__name__})"
    )


def _can_be_mapped(file):
    """Whether a file can be memory-mapped, which some network and FUSE file systems cannot."""
    try:
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ).close()
    except (OSError, ValueError) as error:  # an empty file
        return getattr(error, "errno", None) == errno.ENOMEM
    return True


def raise_refusal(hdus):
    """AnchoringError with the reason, if a file of the workflow is there in place of what could not be made."""
    if REFUSED in hdus[0].header:
        raise AnchoringError(hdus[0].header[REFUSED])


def parsed(header, path="the image"):
    """A copy of the header of an image plane (`headers.plane_header`) without cards that cannot be parsed.

    AnchoringError if such a card describes pixels.
    """
    cards = []
    for card in header.copy().cards:
        try:
            card.value, card.comment  # noqa: B018 (parsed on access)
            cards.append(card)
        except (ValueError, fits.VerifyError) as error:
            if describes_pixels(card.keyword):
                raise AnchoringError(
                    f"{path} has a card {card.keyword} that cannot be read; expected a FITS card: correct its header "
                    f"(details: {' '.join(str(error).split())})"
                ) from error
    return plane_header(fits.Header(cards), path)


def native(data):
    """A copy in native byte order."""
    return data.astype(data.dtype.newbyteorder("="), copy=True)


def require_plane(hdu, path):
    """Shape (ny, nx) of an image without axes of length 1; AnchoringError if it is not 2-D."""
    plane = tuple(hdu.shape[axis] for axis in plane_axes(hdu.shape))
    if len(plane) != 2:
        raise AnchoringError(f"{_named(hdu, path)} has shape {hdu.shape}; expected a 2-D image: write one plane of it")
    return plane


def _named(hdu, path):
    return f"{path} [{hdu.name or 0}]"


def pixels_of(hdu, path):
    """The pixels of an HDU, mapped or read; AnchoringError if they are damaged."""
    with _refusing(path, UNREADABLE):
        return hdu.data


def plane_of(hdu, path):
    """The image (ny, nx) of an HDU, in the byte order of the file; AnchoringError for unscaled integers."""
    shape = require_plane(hdu, path)
    if not is_scaled(hdu.header):
        require_floating(hdu, path)
    data = pixels_of(hdu, path)
    if data.dtype.kind != "f":
        data = data.astype(np.float32 if data.dtype.itemsize < 4 else float)
    return data.reshape(shape)


def require_floating(hdu, path):
    """AnchoringError unless the pixels of an image are floating-point numbers."""
    bits = hdu.header["BITPIX"]
    if bits > 0:
        name = f"int{bits}" if bits > 8 else "uint8"
        raise AnchoringError(f"{_named(hdu, path)} holds {name} numbers; expected floating-point numbers: convert it")


def is_scaled(header):
    """Whether BSCALE or BZERO change the numbers of an image."""
    return (header.get("BSCALE", 1), header.get("BZERO", 0)) != (1, 0)


def checksum_of(hdu):
    """CRC-32 of the bytes of an HDU, the same as `anchored` computes while it copies the file."""
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
