"""The FITS files that a user brings: mosaics, references, masks and kernels."""

import errno
import math
import re
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

CHUNK = 2**20  # bytes read at a time
BLOCK = 2**16  # pixels looked at at a time
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
LARGEST = 1e9  # MJy/sr: far above saturation; beside more, an FFT in float64 has no 1e-7 MJy/sr left
WHERE_IN_C = re.compile(r"ERROR \d+ in \w+\(\) at line \d+ of file [^:]*:")
SQUARE = 1.1  # largest ratio of a pixel's extents that a kernel for square ones is right for
JWST_FILTER = re.compile(r"F\d{3,4}(W2|W|M|N|C)")
SIP = re.compile(r"(A|B|AP|BP)_(ORDER|DMAX|\d+_\d+)")
UNITS = {"mjy/sr", "mjysr-1", "mjy.sr-1", "mjy*sr-1", "mjysr^-1", "mjysr**-1", "mjy*sr**-1", "10**6jy/sr", "1e6jy/sr"}
COMPARED = 64  # rows


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


class Seen(NamedTuple):
    """What the headers of an image say: header of its pixels, shape (ny, nx), and whether it has an ERR extension."""

    header: fits.Header
    shape: tuple
    has_error: bool = False


def read_image(path, *, band=None):
    """A mosaic: extensions SCI and, if there is one, ERR. Pixels of SCI that are exactly 0 are unobserved: NaN in both.

    Raises
    ------
    AnchoringError
        Naming the file, if it is not a 2-D floating-point image in MJy/sr with at least one observed pixel, none beyond
        LARGEST, or if its header says that it is of another JWST filter than `band`.
    """
    mosaic = map_image(path, band=band)
    data, error = mosaic.rows(0, mosaic.shape[0])
    mosaic.require_observed()
    return Image(data, error, mosaic.header, source=mosaic.source)


def map_image(path, *, band=None):
    """A `Mosaic`, whose pixels are read when they are asked for; AnchoringError in the words of `read_image`."""
    with opened(path) as hdus:
        # What is mapped stays so when the file is closed.
        data, error = _mosaic(hdus, path, band)
        return Mosaic(path, data, error, parsed(hdus["SCI"].header), _checksum(hdus["SCI"]))


class Mosaic:
    """A mosaic that is read row by row.

    Attributes
    ----------
    header : fits.Header, shape : (ny, nx), dtype : of its pixels, has_error : bool
    source : str
        As `Image.source`.
    """

    def __init__(self, path, data, error, header, source):
        self._path, self._data, self._error = path, data, error
        self.header, self.source = header, source
        self.shape, self.dtype = data.shape, data.dtype.newbyteorder("=")
        self.has_error = error is not None
        self._extreme = 0.0

    def rows(self, start, stop):
        """Data and error (None if it has none) of some rows; what is unobserved is NaN in both."""
        data, error = (None if plane is None else native(plane[start:stop]) for plane in (self._data, self._error))
        self._extreme = max(self._extreme, _mark_unobserved(data, error), key=abs)
        return data, error

    def require_observed(self):
        """AnchoringError unless there were observed pixels in all rows read, none of them beyond LARGEST."""
        if self._extreme == 0:
            raise AnchoringError(f"{self._path}: all pixels of SCI are 0 or not finite; expected an observed image")
        if abs(self._extreme) > LARGEST:
            raise AnchoringError(
                f"{self._path}: SCI has pixels of {self._extreme:.4g} MJy/sr; expected less than {LARGEST:.0e}: "
                "fetch it anew, or make them NaN"
            )


def _mark_unobserved(data, error):
    """Make pixels that are exactly 0 NaN, in place; the finite one that is farthest from 0, or 0 without any."""
    step = max(BLOCK // max(data.shape[1], 1), 1)
    extreme = 0.0
    # In pieces that stay in the processor's cache.
    for start in range(0, data.shape[0], step):
        piece = data[start : start + step]
        unobserved = piece == 0
        piece[unobserved] = np.nan
        if error is not None:
            piece_error = error[start : start + step]
            # No error is that large: it is not known.
            piece_error[unobserved | (np.abs(piece_error) > LARGEST)] = np.nan
        observed = np.isfinite(piece)
        low, high = (float(f(piece, where=observed, initial=0)) for f in (np.min, np.max))
        extreme = max(extreme, low, high, key=abs)
    return extreme


def _checksum(hdu):
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


def see_image(path, *, band=None):
    """What `read_image` would read, without its pixels; AnchoringError in the same words."""
    with opened(path) as hdus:
        data, error = _mosaic(hdus, path, band)
        return Seen(parsed(hdus["SCI"].header), data.shape, error is not None)


def _mosaic(hdus, path, band):
    """SCI and ERR (or None) of a mosaic as they lie in the file, mapped and not read."""
    len(hdus)  # goes through all of them: what is cut short is not to be found out when all else is done
    if "SCI" not in hdus:
        raise AnchoringError(f"{path} has no SCI extension; expected a level-3 mosaic (i2d)")
    if any("ANCHOFF" in hdu.header for hdu in (hdus[0], hdus["SCI"])):
        raise AnchoringError(f"{path} is already anchored (ANCHOFF); expected the image before anchoring")
    _require_filter(hdus[0].header, band, path)
    header = hdus["SCI"].header
    if isinstance(hdus["SCI"], fits.CompImageHDU):
        raise AnchoringError(f"{path} has a tile-compressed SCI; expected an uncompressed one: run funpack on it")
    if (header.get("BSCALE", 1), header.get("BZERO", 0)) != (1, 0):
        raise AnchoringError(
            f"{path} has a scaled SCI (BSCALE, BZERO); expected numbers in MJy/sr themselves: write it anew"
        )
    data, error = _plane(hdus["SCI"], path), None
    if "ERR" in hdus and hdus["ERR"].data is not None:
        error = hdus["ERR"].data
        if error.shape != data.shape:
            raise AnchoringError(
                f"{path}: ERR has shape {error.shape} and SCI {data.shape}; expected the same: mend or remove ERR"
            )
    _require_brightness(hdus["SCI"].header, path)
    return data, error


def _require_filter(header, band, path):
    """That a band named like a JWST filter is that of the header: FILTER or, in the other wheel, PUPIL."""
    stated = [str(header[key]).strip().upper() for key in ("FILTER", "PUPIL") if key in header]
    stated = [name for name in stated if JWST_FILTER.fullmatch(name)]
    if band and JWST_FILTER.fullmatch(band.upper()) and stated and band.upper() not in stated:
        raise AnchoringError(
            f"{path} lies in the folder of {band} and its header says {' and '.join(stated)}; expected one and the "
            "same: move it to the folder of its band"
        )


def read_reference(path):
    """An external reference image: the primary HDU (or the only image of the file), MJy/sr.

    Pixels that are exactly 0 are unobserved, as in a mosaic: NaN.
    """
    with opened(path) as hdus:
        hdu, data = _reference(hdus, path)
        data, header = native(data), parsed(hdu.header)
    data[data == 0] = np.nan
    if not np.isfinite(data).any():
        raise AnchoringError(f"{path}: no pixel is finite and not 0; expected an image")
    return Image(data, None, header)


def read_uncertainty(path, shape):
    """The uncertainty map (ny, nx), MJy/sr, of a reference of this shape; NaN where it is not known."""
    data = read_reference(path).data
    require_same_shape(data.shape, shape, path)
    return data


def require_same_shape(shape, expected, path):
    """AnchoringError unless the shape of an uncertainty map is its reference's."""
    if shape != expected:
        raise AnchoringError(
            f"{path} has shape {shape} and its reference {expected}; expected the same: mend or remove the map"
        )


def see_reference(path):
    """What `read_reference` would read, without its pixels; AnchoringError in the same words."""
    with opened(path) as hdus:
        hdu, data = _reference(hdus, path)
        return Seen(parsed(hdu.header), data.shape)


def _reference(hdus, path):
    """The HDU of a reference image and its pixels as they lie in the file, mapped and not read."""
    hdu = _first_image(hdus)
    data = _plane(hdu, path)
    _require_brightness(hdu.header, path)
    return hdu, data


def _first_image(hdus):
    """The first HDU that holds an image; the primary one if none does."""
    return next((hdu for hdu in hdus if hdu.is_image and hdu.header["NAXIS"]), hdus[0])


def _plane(hdu, path):
    """The image of an HDU as it lies in the file."""
    require_plane(hdu.shape, hdu, path)
    data = hdu.data
    where = _named(hdu, path)
    if data.dtype.kind != "f":
        raise AnchoringError(f"{where} holds {data.dtype.name} numbers; expected floating-point MJy/sr: convert it")
    return data


def require_plane(shape, hdu, path):
    """AnchoringError unless an HDU has a 2-D image."""
    if len(shape) != 2:
        raise AnchoringError(f"{_named(hdu, path)} has shape {shape}; expected a 2-D image: write one plane of it")


def _named(hdu, path):
    return f"{path} [{hdu.name or 0}]"


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


def _require_brightness(header, path):
    unit = header.get("BUNIT")
    bare = str(unit or "").replace(" ", "")
    # In any case of letters but that of milli.
    if bare and (bare.lower() not in UNITS or bare.startswith("mJy")):
        raise AnchoringError(f"{path} has BUNIT {unit!r}; expected MJy/sr: convert the image")


def read_mask(path):
    """A mask: data (ny, nx) as float, and header, of the file's first image."""
    with opened(path) as hdus:
        hdu = _mask(hdus, path)
        return hdu.data.astype(np.float32), parsed(hdu.header)


def see_mask(path):
    """What `read_mask` would read, without its pixels; AnchoringError in the same words."""
    with opened(path) as hdus:
        hdu = _mask(hdus, path)
        return Seen(parsed(hdu.header), hdu.shape)


def _mask(hdus, path):
    hdu = _first_image(hdus)
    if hdu.data is None or hdu.data.ndim != 2:
        raise AnchoringError(f"{path} holds no 2-D image; expected a mask, 1 = leave out")
    return hdu


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
            return _positive_scale(header[keyword], path)
    return pixel_scale(header, path)


def pixel_scale(header, path="the image"):
    """Pixel scale, arcsec: the side of a square of a pixel's area, from the CD or the PC and CDELT keywords.

    AnchoringError without them, and for pixels that are not square.
    """
    names = [f"{name}{i}" for name in ("CDELT", "CD1_", "CD2_", "PC1_", "PC2_") for i in (1, 2)]
    wrong = [name for name in names if name in header and not _is_number(header[name])]
    if wrong:
        raise AnchoringError(f"{path} has {wrong[0]} = {header[wrong[0]]!r}; expected a number: mend its header")
    if any(f"CD{i}_{j}" in header for i in (1, 2) for j in (1, 2)):
        matrix = [[header.get(f"CD{i}_{j}", 0.0) for j in (1, 2)] for i in (1, 2)]
    else:
        if "CDELT1" not in header and "PC1_1" not in header:
            raise AnchoringError(f"{path} has no pixel scale (CDELT, CD or PC); expected one: add it to the header")
        matrix = [
            [header.get(f"CDELT{i}", 1.0) * header.get(f"PC{i}_{j}", float(i == j)) for j in (1, 2)] for i in (1, 2)
        ]
    (a, b), (c, d) = matrix
    area = abs(a * d - b * c)
    scale = _positive_scale(math.sqrt(area) * 3600, path)
    # With s and t the longest and shortest extent of a pixel: (s^2 + t^2) / (s t).
    if (a**2 + b**2 + c**2 + d**2) / area > SQUARE + 1 / SQUARE:
        raise AnchoringError(
            f"{path} has pixels of {math.hypot(a, c) * 3600:.4g} x {math.hypot(b, d) * 3600:.4g} arcsec, and they are "
            "not square; expected square ones: mend its header (CDELT, CD, PC) or resample it"
        )
    return scale


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _positive_scale(value, path):
    if not (_is_number(value) and value > 0):
        raise AnchoringError(f"{path} has a pixel scale of {value!r}; expected a positive number of arcsec")
    return float(value)


def celestial_wcs(header, path="the image"):
    """The WCS of a header; AnchoringError if it has no celestial one.

    SIP coefficients count if CTYPE ends in -SIP (Shupe et al. 2005, ASPC 347, 491): others are left over from before
    the image was resampled.
    """
    from astropy.wcs import WCS, FITSFixedWarning

    if not any(str(header.get(f"CTYPE{i}", "")).strip().endswith("-SIP") for i in (1, 2)):
        header = fits.Header([card for card in header.cards if not SIP.fullmatch(card.keyword)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            wcs = WCS(header, naxis=2)
            celestial = wcs.has_celestial
        except Exception as error:  # wcslib's errors have no common base but Exception
            words = " ".join(WHERE_IN_C.sub("", str(error)).split())
            raise AnchoringError(f"{path} has a WCS that cannot be read ({words}); expected a celestial one") from error
    if not celestial:
        raise AnchoringError(f"{path} has no celestial WCS; expected CTYPE such as RA---TAN, DEC--TAN")
    missing = [key for key in ("CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2") if not _is_number(header.get(key))]
    if missing:
        # wcslib takes 0 for them, where no image of ours is.
        raise AnchoringError(
            f"{path} has a WCS without numbers in {', '.join(missing)}; expected a whole one: mend its header"
        )
    return wcs


def describes_pixels(keyword):
    """Whether a keyword is of the WCS or the unit."""
    return keyword in PIXEL_KEYWORDS or keyword.startswith(PIXEL_PREFIXES)


PIXEL_KEYWORDS = {"BUNIT", "RADESYS", "EQUINOX", "LONPOLE", "LATPOLE", "WCSAXES", "WCSNAME", "PHOTMJSR", "PIXAR_SR"}
PIXEL_PREFIXES = ("CTYPE", "CUNIT", "CRVAL", "CRPIX", "CDELT", "CROTA", "CD1_", "CD2_", "PC1_", "PC2_", "PV1_", "PV2_",
                  "A_", "B_", "AP_", "BP_")  # fmt: skip


def offset_between(image, anchored):
    """Median difference, MJy/sr, of observed SCI pixels of an anchored file and its image, from some of their rows."""
    with opened(image) as before, opened(anchored) as after:
        rows = slice(None, None, max(before["SCI"].shape[0] // COMPARED, 1))
        old, new = (hdus["SCI"].section[rows].astype(float) for hdus in (before, after))
    observed = np.isfinite(old) & (old != 0)
    return float(np.median(new[observed] - old[observed]))
