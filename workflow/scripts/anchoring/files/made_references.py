"""References that the workflow makes: archive images, the files between their steps, what their headers state."""

import logging
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from ..errors import AnchoringError
from ..images import headers
from ..images.archive_units import calibration
from ..images.field import Field, field_of, window_of
from ..images.units import Unit
from .atomic import atomic_write, hash_of
from .hdus import Image, native, opened, parsed, plane_axes, raise_refusal, require_plane
from .intermediates import read_grid
from .references import UNCERTAINTY, full_header, image_hdu, in_brightness

PREFIX = "REF"  # of all cards that the steps add
OF_TILE = {  # followed by the number of an archive image
    "REFFIL": "archive image",
    "REFSHA": "",  # no room for a comment: SHA-256 of the file
    "REFUNI": "its unit",
    "REFFAC": "[MJy/sr] of one such unit",
    "REFSRC": "",
}
BEAM = ("BMAJ", "BMIN", "BPA")
OUTSIDE = "REFOUT"  # of an archive image that does not cover the mosaics
# Light of extended sources of an image that is calibrated on stars, as a part of what the image has: Dale et al. 2009,
# ApJ 703, 517. A slope, not a zero: stated, not applied.
EXTENDED = {"irac1": 0.91, "irac2": 0.94, "irac3": 0.66, "irac4": 0.74}


def field_of_mosaics(paths, margin):
    """The `Field` of a target from the headers of its mosaics, and a margin, arcsec; those without a WCS do not count.

    AnchoringError if none has one.
    """
    grids, problems = [], []
    for path in paths:
        try:
            header, shape = read_grid(path)
            headers.celestial_wcs(header, path)
            grids.append((header, shape))
        except AnchoringError as error:
            problems.append(str(error))
    if not grids:
        raise AnchoringError("; ".join(problems))
    return field_of(grids, margin)


def read_archive_image(path, band, field, *, unit=None, number=1, uncertainty=None, extension=None):
    """The part of an archive image in a Field, MJy/sr (float32, NaN where unobserved), and its header.

    Only that part is read, so that memory does not depend on the size of the file, unless it is compressed.

    Parameters
    ----------
    path, band, unit
        As of `archive_units.calibration`.
    field : images.field.Field
    number : int
        Of this image among those of the reference.
    uncertainty, extension : path or str, optional
        The file of the uncertainty map on the same pixels, or the name of the extension of `path` that has it; in the
        unit of the image unless it states another.

    Returns
    -------
    `hdus.Image`; its data are None if the image does not cover the field, its error without an uncertainty map

    Raises
    ------
    AnchoringError
        If there is no image or no WCS, if its unit is not known, or if the map does not belong to it; the message names
        the file.
    """
    with opened(path) as hdus:
        raise_refusal(hdus)
        hdu = image_hdu(hdus, path)
        shape = require_plane(hdu, path)
        header = parsed(full_header(hdus, hdu), path)
        factor = calibration(header, band, unit=unit, path=path)
        window = window_of(field, headers.celestial_wcs(header, path), shape)
        data = None if window is None else _part(hdu, window)
    if data is not None and not (np.isfinite(data) & (data != 0)).any():
        data = None
    kept = pixel_cards(header)
    kept["BUNIT"] = "MJy/sr"
    values = (Path(path).name, hash_of(path), factor.unit, float(f"{factor.factor:.8g}"), factor.source)
    for (keyword, comment), value in zip(OF_TILE.items(), values, strict=True):
        text = value.encode("ascii", "replace").decode() if isinstance(value, str) else value
        kept[f"{keyword}{number}"] = (text, comment) if comment else text
    if data is None:
        logging.warning("%s has no pixel around RA %.4f, Dec %+.4f: it is left out", path, field.ra, field.dec)
        kept[OUTSIDE] = (True, "no pixel of it is around the mosaics")
        return Image(None, None, kept)
    logging.info("%s: %s, 1 = %.6g MJy/sr (%s)", path, factor.unit, factor.factor, factor.source)
    if factor.flags:
        logging.warning("%s: flags: %s", path, ", ".join(factor.flags))
        kept["REFFLAG"] = " ".join(factor.flags)
    for axis, start in ((1, window[1].start), (2, window[0].start)):
        kept[f"CRPIX{axis}"] = kept[f"CRPIX{axis}"] - start
    data, error = in_brightness(data, Unit(factor.unit, factor.factor), path), None
    if uncertainty or extension:
        source = uncertainty or path
        error = _read_map(source, extension, window, shape, header, band, unit)
        kept[f"REFUNC{number}"] = (Path(source).name if uncertainty else extension, "its uncertainty map")
    return Image(data, error, kept)


def _part(hdu, window):
    """The pixels of an image in a window, float32."""
    rows_and_columns, axes = iter(window), plane_axes(hdu.shape)
    index = tuple(next(rows_and_columns) if axis in axes else 0 for axis in range(len(hdu.shape)))
    return native(np.asarray(hdu.section[index])).astype(np.float32, copy=False)


def _read_map(path, extension, window, shape, header, band, unit):
    """The part of an uncertainty map in a window of the image (ny, nx) it belongs to, MJy/sr, NaN where unknown."""
    with opened(path) as hdus:
        if extension and extension not in hdus:
            raise AnchoringError(
                f"{path} has no extension {extension}; expected the uncertainty of its image: correct or remove "
                "'uncertainty' in 'references'"
            )
        hdu = hdus[extension] if extension else image_hdu(hdus, path, UNCERTAINTY)
        own = require_plane(hdu, path)
        if own != shape:
            raise AnchoringError(
                f"{path} has an uncertainty map of shape {own} and its image {shape}; expected the same pixels: "
                "correct or remove 'uncertainty' in 'references'"
            )
        stated = header.copy()
        stated.update({key: hdu.header[key] for key in ("BUNIT", "MAGZP") if key in hdu.header})
        factor = calibration(stated, band, unit=unit, path=path)
        error = _part(hdu, window)
        error[error < 0] = np.nan  # comparing with NaN is False
        return in_brightness(error, Unit(factor.unit, factor.factor), path)


def pixel_cards(header):
    """Copies of the cards of a header that describe pixels, and of those of the steps of a reference."""
    kept = [c for c in header.cards if headers.describes_pixels(c.keyword) or c.keyword.startswith(PREFIX)]
    return fits.Header(kept).copy()


def describe(header, field, band):
    """Add to a header where the mosaics are, and what is known of the calibration of a band."""
    header["REFBAND"] = (band, "band")
    for keyword, value, comment in (
        ("REFRA", field.ra, "[deg] centre of the mosaics"),
        ("REFDEC", field.dec, "[deg] centre of the mosaics"),
        ("REFRAD", field.radius, "[arcsec] radius around the mosaics"),
        ("REFHALF", field.half, "[arcsec] half a side of the field"),
    ):
        header[keyword] = (float(f"{value:.10g}"), comment)
    if band in EXTENDED:
        header["REFEXT"] = (EXTENDED[band], "of wide extended light, Dale+ 2009; not applied")


def files_in_words(header):
    """Names of the archive images that a header lists."""
    return ", ".join(header[key] for key in header if key.startswith("REFFIL"))


def refusal(what, reason, files=""):
    """Why a reference cannot be made, with its name and those of its files, each once."""
    named = reason if not files or any(f in reason for f in files.split(", ")) else f"{files}: {reason}"
    return named if named.startswith(what) else f"{what} cannot be made: {named}"


def state_sky(header, kind, sky):
    """Add to a header the sky that is subtracted (constant, plane or none): a `measuring.sky.Sky`, or None."""
    header["REFSKYM"] = (kind, "sky that was subtracted")
    if sky is None:
        return
    header["REFSKY"] = (float(f"{sky.level:.7g}"), "[MJy/sr] sky at the galaxy that was subtracted")
    header["REFZERR"] = (float(f"{sky.error:.4g}"), "[MJy/sr] error of the zero level")
    header["REFSKYN"] = (int(sky.used.sum()) * sky.step**2, "sky pixels")
    header["REFSKYF"] = (float(f"{sky.share:.4g}"), "share of sky pixels")
    for axis, slope in zip("XY", sky.gradient, strict=True):
        header[f"REFGRD{axis}"] = (float(f"{slope:.5g}"), "[MJy/sr] per pixel, of the plane")
    if sky.flags:
        header["REFFLAG"] = " ".join([*header.get("REFFLAG", "").split(), *sky.flags])


def stated_field(header):
    """The Field that `describe` stated."""
    return Field(*(header[key] for key in ("REFRA", "REFDEC", "REFRAD", "REFHALF")))


def write_step(path, image):
    """Write an image between two steps, or the reference: primary HDU, float32, MJy/sr; its error, if any, in ERR."""
    data, error = (None if a is None else a.astype(np.float32, copy=False) for a in (image.data, image.error))
    header = pixel_cards(image.header)
    header.update({key: (image.header[key], image.header.comments[key]) for key in BEAM if key in image.header})
    with atomic_write(path) as temporary:
        hdus = [fits.PrimaryHDU(data, header), *([] if error is None else [fits.ImageHDU(error, name="ERR")])]
        fits.HDUList(hdus).writeto(temporary, overwrite=True)


def read_step(path):
    """What `write_step` wrote; AnchoringError with the reason if it could not be made."""
    with opened(path) as hdus:
        raise_refusal(hdus)
        header = parsed(hdus[0].header, path)
        data = None if hdus[0].data is None else native(hdus[0].data)
        return Image(data, native(hdus["ERR"].data) if "ERR" in hdus else None, header)


class Origin(NamedTuple):
    """Where a reference is from, as its header states it."""

    files: tuple  # names
    units: tuple  # of each file: "unit = factor MJy/sr (source)"
    sky: str  # constant, plane or none
    level: float  # MJy/sr, subtracted
    zero_err: float  # MJy/sr; NaN if unknown
    share: float  # of the field that is sky
    kernel: str  # "" if none was needed
    flags: tuple


def read_origin(path):
    """The Origin of a reference; None of one that the workflow did not make. AnchoringError if it could not be made."""
    with opened(path) as hdus:
        raise_refusal(hdus)
        header = hdus[0].header
    if "REFSKYM" not in header:
        return None
    numbers = [key[len("REFFIL") :] for key in header if key.startswith("REFFIL")]
    units = (f"{header['REFUNI' + n]} = {header['REFFAC' + n]:.5g} MJy/sr ({header['REFSRC' + n]})" for n in numbers)
    return Origin(
        tuple(header[f"REFFIL{n}"] for n in numbers),
        tuple(dict.fromkeys(units)),
        header["REFSKYM"],
        header.get("REFSKY", 0.0),
        header.get("REFZERR", math.nan),
        header.get("REFSKYF", math.nan),
        header.get("REFKERN", ""),
        tuple(header.get("REFFLAG", "").split()),
    )
