"""Mosaics: the images to anchor."""

import logging
import re
from os import PathLike

import numpy as np
from astropy.io import fits

from ..errors import AnchoringError
from ..images.headers import plane_axes, require_brightness
from ..images.observed import find_fill, is_observed
from .hdus import (
    Image,
    ImageHeader,
    bytes_of,
    checksum_of,
    is_scaled,
    native,
    opened,
    parsed,
    pixels_of,
    plane_of,
    require_floating,
    require_plane,
)

BLOCK = 2**16  # pixels processed at a time: fits into the processor's cache
LARGEST = 1e9  # MJy/sr: far above saturation; above it, an FFT in float64 loses 1e-7 MJy/sr elsewhere
JWST_FILTER = re.compile(r"F\d{3,4}(W2|W|M|N|C)")
COMPARED = 64  # rows compared by `offset_between`
SEARCHED = 2**17  # pixels, in at least COMPARED rows, that are searched for fill values


def read_image(path: str | PathLike[str], *, band: str | None = None) -> Image:
    """A mosaic as an `hdus.Image`: SCI and, if present, ERR, MJy/sr; NaN in both where SCI is unobserved.

    Raises
    ------
    AnchoringError
        If it is not a 2-D floating-point image in MJy/sr with at least one observed pixel and none beyond LARGEST, if
        its header names another JWST filter than `band`, or if no anchored file can be written: it is already anchored,
        has several SCI, is scaled or compressed, or has an unknown ASDF extension. The message names the file.
    """
    mosaic = map_image(path, band=band)
    data, error = mosaic.rows(0, mosaic.shape[0])
    mosaic.require_observed()
    return Image(data, error, mosaic.header, source=mosaic.source)


def map_image(path, *, band=None, with_source=True, with_error=True):
    """A `Mosaic`, whose pixels are read on access; the same errors as `read_image`.

    Without `with_source` its `source` is "", and only a part of the pixels is read here. Without `with_error` it has no
    ERR.
    """
    with opened(path, scaled=False) as hdus:
        _require_mosaic(hdus, path, band)
        # Mapped pixels remain accessible after the file is closed.
        names = [name if with_error or name != "ERR" else None for name in _names(hdus, path)]
        planes = [_Plane(hdus[name], path) if name else None for name in names]
        source = checksum_of(hdus["SCI"]) if with_source else ""
        return Mosaic(path, planes, parsed(hdus["SCI"].header, path), source)


class Mosaic:
    """A mosaic that is read some rows at a time.

    Attributes
    ----------
    header : fits.Header
    shape : (ny, nx)
    dtype : numpy.dtype
        Native, of the pixels.
    has_error : bool
    source : str
        As `hdus.Image.source`.
    fill : `observed.Fill`
    """

    def __init__(self, path, planes, header, source):
        self._path, self._masked = path, None
        self._data, self._error, self._weight, self._quality = planes
        self.header, self.source = header, source
        self.shape, self.dtype = self._data.shape, self._data.dtype
        self.has_error = self._error is not None
        self._extreme = 0.0
        self.fill = find_fill(self._searched())
        for line in _describe_fill(self.fill):
            logging.info("%s: %s", path, line)

    def _searched(self):
        """Some evenly spread rows, NaN where WHT or DQ mark them as unobserved."""
        ny, nx = self.shape
        rows = slice(None, None, max(ny // max(COMPARED, SEARCHED // nx), 1))
        data = self._data.values(rows)
        data[~self._seen(data, rows)] = np.nan
        return data

    def _seen(self, data, rows, **fill):
        weight = None if self._weight is None else self._weight.values(rows)
        # Unscaled: bit 0 is right all the same, as BZERO of unsigned integers is even.
        quality = None if self._quality is None else self._quality.raw(rows)
        return is_observed(data, weight=weight, quality=quality, **fill)

    def observed(self, data, start):
        """The observed pixels of `data`, rows of SCI from row `start` on; bool array of its shape.

        They are finite, not 0 and no fill value and, if the file has these extensions in the shape of SCI, WHT is not 0
        and DQ is not DO_NOT_USE (`observed.is_observed`).
        """
        return self._seen(data, slice(start, start + len(data)), fill=self.fill)

    def mask(self, masked):
        """Make `rows` return NaN in masked pixels; masked(start, stop) is the bool array of some rows."""
        self._masked = masked

    def rows(self, start, stop):
        """Data and error (None without ERR) of some rows, NaN in unobserved pixels."""
        data = self._data.values(slice(start, stop))
        error = None if self._error is None else self._error.values(slice(start, stop))
        step = max(BLOCK // max(self.shape[1], 1), 1)
        for first in range(0, len(data), step):
            piece = slice(first, first + step)
            self._mark_unobserved(start + first, data[piece], None if error is None else error[piece])
        if self._masked is not None:
            masked = self._masked(start, stop)
            for plane in (data, error):
                if plane is not None:
                    plane[masked] = np.nan
        return data, error

    def _mark_unobserved(self, start, data, error):
        """Set unobserved pixels to NaN, in place."""
        seen = self.observed(data, start)
        data[~seen] = np.nan
        if error is not None:
            # Such an error stands for an unknown one.
            error[~seen | (np.abs(error) > LARGEST)] = np.nan
        low, high = (float(f(data, where=seen, initial=0)) for f in (np.min, np.max))
        self._extreme = max(self._extreme, low, high, key=abs)

    def require_observed(self):
        """AnchoringError if no pixel of the rows read was observed, or one was beyond LARGEST."""
        if self._extreme == 0:
            known = [name for name, plane in (("WHT", self._weight), ("DQ", self._quality)) if plane is not None]
            raise AnchoringError(
                f"{self._path}: all pixels of SCI are 0 or not finite"
                + (f", or unobserved according to {' or '.join(known)}" if known else "")
                + "; expected an observed image: replace the file"
            )
        if abs(self._extreme) > LARGEST:
            raise AnchoringError(
                f"{self._path}: SCI has pixels of {self._extreme:.4g} MJy/sr; expected less than {LARGEST:.0e}: "
                "set them to NaN"
            )


class _Plane:
    """An image (ny, nx) of an HDU that was opened without scaling; read on access."""

    def __init__(self, hdu, path):
        self._scale, self._zero = hdu.header.get("BSCALE", 1), hdu.header.get("BZERO", 0)
        self.shape = require_plane(hdu, path)
        self._pixels = pixels_of(hdu, path).reshape(self.shape)
        floating = self._pixels.dtype.kind == "f"
        self._blank = None if floating else hdu.header.get("BLANK")
        self.dtype = self._pixels.dtype.newbyteorder("=") if floating else np.dtype(float)

    def raw(self, rows):
        """Rows in the byte order of the file, unscaled."""
        return self._pixels[rows]

    def values(self, rows):
        """Rows as a new floating-point array."""
        raw = native(self._pixels[rows])
        values = raw.astype(self.dtype, copy=False)
        if (self._scale, self._zero) != (1, 0):
            values *= self._scale
            values += self._zero
        if self._blank is not None:
            values[raw == self._blank] = np.nan
        return values


def read_image_header(path, *, band=None):
    """The `hdus.ImageHeader` of `read_image`, without reading pixels; the same errors."""
    with opened(path, scaled=False) as hdus:
        _require_mosaic(hdus, path, band)
        header = parsed(hdus["SCI"].header, path)
        return ImageHeader(header, require_plane(hdus["SCI"], path), bool(_names(hdus, path)[1]))


def _require_mosaic(hdus, path, band):
    """AnchoringError unless the headers are those of a mosaic that can be anchored."""
    names = [hdu.name for hdu in hdus]
    if "SCI" not in names:
        raise AnchoringError(f"{path} has no SCI extension; expected a level-3 mosaic (i2d): check the file")
    if any("ANCHOFF" in hdu.header for hdu in hdus):
        raise AnchoringError(
            f"{path} is already anchored (ANCHOFF); expected the image before anchoring: put that in its place"
        )
    for name in ("SCI", "ASDF"):
        if names.count(name) > 1:
            raise AnchoringError(
                f"{path} has several {name} extensions; expected one, as in a level-3 mosaic (i2d): split the file"
            )
    _require_filter(hdus[0].header, band, path)
    sci = hdus["SCI"]
    if isinstance(sci, fits.CompImageHDU):
        raise AnchoringError(f"{path} has a tile-compressed SCI; expected an uncompressed mosaic: run funpack on it")
    if not sci.is_image:
        raise AnchoringError(f"{path} has a table in SCI; expected an image: write a level-3 mosaic (i2d)")
    if is_scaled(sci.header):
        raise AnchoringError(
            f"{path} has a scaled SCI (BSCALE, BZERO); expected MJy/sr without scaling: write it as float32"
        )
    require_plane(sci, path)
    require_floating(sci, path)
    _names(hdus, path)
    require_brightness(sci.header, path)
    if "ASDF" in names:
        _require_known_asdf(hdus["ASDF"], path)


def _names(hdus, path):
    """Names of the extensions SCI, ERR, WHT and DQ, None for each that is missing.

    WHT and DQ are used in the shape of SCI only; AnchoringError for an ERR of another shape.
    """
    shape, found = require_plane(hdus["SCI"], path), ["SCI"]
    for name in ("ERR", "WHT", "DQ"):
        hdu = hdus[name] if name in hdus and hdus[name].is_image and hdus[name].shape else None
        alike = hdu is not None and tuple(hdu.shape[axis] for axis in plane_axes(hdu.shape)) == shape
        if name == "ERR" and hdu is not None and not alike:
            raise AnchoringError(
                f"{path}: ERR has shape {hdu.shape} and SCI {shape}; expected the same: correct or remove ERR"
            )
        found.append(name if alike and not (name == "DQ" and hdu.header["BITPIX"] < 0) else None)
    return found


def _require_known_asdf(hdu, path):
    """AnchoringError unless an offset can be written into an ASDF extension."""
    from . import asdf_text

    try:
        asdf_text.size_keywords(hdu.header)
        asdf_text.anchored_asdf(bytes_of(hdu), 0.0, "", "")
    except AnchoringError as error:
        raise AnchoringError(f"{path} {error}") from error


def _describe_fill(fill):
    """Lines for the log about fill values."""
    for value, share in zip(fill.constants, fill.shares, strict=True):
        yield (
            f"{share:.1%} of the pixels of SCI are exactly {value:.9g}: taken as unobserved (was a sky subtracted from "
            "unobserved pixels?)"
        )
    if fill.small:
        yield f"{fill.small:.1%} of the pixels of SCI are within {fill.floor:.2g} MJy/sr of 0: taken as unobserved"


def _require_filter(header, band, path):
    """AnchoringError if the band of the folder and FILTER (or PUPIL, the other wheel) are different JWST filters."""
    stated = [str(header[key]).strip().upper() for key in ("FILTER", "PUPIL") if key in header]
    stated = [name for name in stated if JWST_FILTER.fullmatch(name)]
    if band and JWST_FILTER.fullmatch(band.upper()) and stated and band.upper() not in stated:
        raise AnchoringError(
            f"{path} is in the folder of {band} and its header has {' and '.join(stated)}; expected the same: move it "
            "to the folder of its band"
        )


def offset_between(image, anchored):
    """Median difference, MJy/sr, of the observed pixels of SCI in an anchored file and its mosaic, in some rows."""
    mosaic, differences = map_image(image, with_source=False), []
    with opened(anchored, scaled=False) as hdus:
        after = plane_of(hdus["SCI"], anchored)
        for row in range(0, len(after), max(len(after) // COMPARED, 1)):
            before, _ = mosaic.rows(row, row + 1)
            seen = np.isfinite(before)
            differences.append(after[row : row + 1][seen].astype(float) - before[seen])
    return float(np.median(np.concatenate(differences)))
