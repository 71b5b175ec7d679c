"""Mosaics, the images to anchor."""

import re

import numpy as np
from astropy.io import fits

from .errors import AnchoringError
from .hdus import Image, Seen, checksum_of, native, opened, parsed, plane_of
from .headers import require_brightness

BLOCK = 2**16  # pixels looked at at a time
LARGEST = 1e9  # MJy/sr: far above saturation; beside more, an FFT in float64 has no 1e-7 MJy/sr left
JWST_FILTER = re.compile(r"F\d{3,4}(W2|W|M|N|C)")
COMPARED = 64  # rows


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
        return Mosaic(path, data, error, parsed(hdus["SCI"].header), checksum_of(hdus["SCI"]))


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
    data, error = plane_of(hdus["SCI"], path), None
    if "ERR" in hdus and hdus["ERR"].data is not None:
        error = hdus["ERR"].data
        if error.shape != data.shape:
            raise AnchoringError(
                f"{path}: ERR has shape {error.shape} and SCI {data.shape}; expected the same: mend or remove ERR"
            )
    require_brightness(hdus["SCI"].header, path)
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


def offset_between(image, anchored):
    """Median difference, MJy/sr, of observed SCI pixels of an anchored file and its image, from some of their rows."""
    with opened(image) as before, opened(anchored) as after:
        rows = slice(None, None, max(before["SCI"].shape[0] // COMPARED, 1))
        old, new = (hdus["SCI"].section[rows].astype(float) for hdus in (before, after))
    observed = np.isfinite(old) & (old != 0)
    return float(np.median(new[observed] - old[observed]))
