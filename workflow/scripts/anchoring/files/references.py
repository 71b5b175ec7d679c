"""External reference images, their uncertainty maps, and masks."""

import logging
from os import PathLike

import numpy as np

from ..errors import AnchoringError
from ..images.units import brightness_unit
from .hdus import Image, ImageHeader, native, opened, parsed, plane_of, raise_refusal, require_plane
from .mosaics import LARGEST

# Names of extensions; the first one found is used.
SIGNAL = ("SCI", "IMAGE", "SIGNAL")
UNCERTAINTY = ("ERR", "ERROR", "UNC", "SIGMA", "NOISE")
MASK = ("MASK",)
# Keywords that an extension inherits from the primary header.
INHERITED = ("BUNIT", "BMAJ", "BMIN", "RESTWAV", "RESTFRQ", "REFZERR")
REPEATED = 5  # pixels with exactly the same value, far from all others, make it a sentinel
INNER = 16.0  # percentile at which the tail of a distribution begins: 1 sigma of a normal one
STEPS = 10.0  # largest ratio of values in an image of a few values only
MOST_SENTINELS = 4  # at either end of the values


def read_reference(path: str | PathLike[str]) -> Image:
    """An external reference image, an `hdus.Image` converted from BUNIT (`units.brightness_unit`) to MJy/sr.

    It is in the primary HDU or, if that is empty, in the extension SCI, IMAGE or SIGNAL or else the only image of the
    file. Pixels that are 0 or a sentinel (`sentinels`, reported in the log) are unobserved: NaN.

    Raises
    ------
    AnchoringError
        If there is no such image, its unit cannot be converted or no pixel is observed; the message names the file.
    """
    data, header = _image(path)
    return Image(in_brightness(native(data), brightness_unit(header, path), path), None, header)


def read_reference_header(path):
    """The `hdus.ImageHeader` of `read_reference`, without reading pixels; the same errors."""
    data, header = _image(path)
    brightness_unit(header, path)
    return ImageHeader(header, data.shape)


def read_uncertainty(path, shape, header=None):
    """The uncertainty map (ny, nx) of a reference, one standard deviation, MJy/sr; NaN where it is unknown.

    It is in the extension ERR, ERROR, UNC, SIGMA or NOISE, or else where `read_reference` finds an image. Pixels that
    are negative, 0 or a sentinel are unknown.

    Parameters
    ----------
    path : path
    shape : (ny, nx)
        Of the reference.
    header : fits.Header, optional
        Of the reference; its BUNIT is used for a map without one.

    Raises
    ------
    AnchoringError
        As in `read_reference`, and if the map has another shape.
    """
    data, unit = _uncertainty(path, shape, header)
    data = in_brightness(native(data), unit, path)
    # Comparing with NaN is False.
    data[data < 0] = np.nan
    return data


def check_uncertainty(path, shape, header=None):
    """Raise the errors of `read_uncertainty` that do not depend on pixels."""
    _uncertainty(path, shape, header)


def _uncertainty(path, shape, header):
    """The pixels of an uncertainty map, in the byte order of the file, and their unit."""
    data, own = _image(path, UNCERTAINTY)
    if data.shape != shape:
        raise AnchoringError(
            f"{path} has shape {data.shape} and its reference {shape}; expected the same: correct or remove the map"
        )
    if header is None:
        return data, brightness_unit(own, path)
    header = header.copy()
    header.update({key: own[key] for key in INHERITED if key in own})
    return data, brightness_unit(header, path)


def _image(path, names=SIGNAL):
    """The pixels of an image, in the byte order of the file and mapped if possible, and their header."""
    with opened(path) as hdus:
        raise_refusal(hdus)
        hdu = image_hdu(hdus, path, names)
        return plane_of(hdu, path), full_header(hdus, hdu)


def full_header(hdus, hdu):
    """A copy of the header of an HDU with the keywords it inherits from the primary header."""
    header, primary = parsed(hdu.header), parsed(hdus[0].header)
    for key in INHERITED:
        if key not in header and key in primary:
            header[key] = primary[key]
    return header


def image_hdu(hdus, path, names=SIGNAL):
    """The HDU of a file that holds the wanted image.

    For a reference (SIGNAL), the primary HDU if it has an image. Otherwise the extension with the first of `names` that
    exists, then a primary HDU with an image, then the only 2-D image (for a reference, unless its name is one of
    UNCERTAINTY). The primary HDU of a file without images.

    Raises
    ------
    AnchoringError
        If there is more than one candidate; the message lists the HDUs.
    """
    images = [hdu for hdu in hdus if hdu.is_image and hdu.header["NAXIS"]]
    if not images:
        return hdus[0]
    named = [[hdu for hdu in images[hdus[0] in images :] if hdu.name.upper() == name] for name in names]
    primary = [hdu for hdu in images if hdu is hdus[0]]
    planes = [hdu for hdu in images if sum(n > 1 for n in hdu.shape) == 2]
    for choice in ([primary, *named] if names == SIGNAL else [*named, primary]) + [planes, images]:
        if len(choice) == 1 and not (names == SIGNAL and choice[0].name in UNCERTAINTY):
            return choice[0]
        if choice:
            break
    there = ", ".join(
        f"[{i}] {hdu.name or 'without a name'} {hdu.shape}" for i, hdu in enumerate(hdus) if hdu in images
    )
    raise AnchoringError(
        f"{path} has the images {there}; expected one image, or one with the name {names[0]}: keep one, or set EXTNAME "
        f"of the right one to {names[0]}"
    )


def read_mask(path):
    """A mask, (ny, nx) float32 array, and its header; AnchoringError if there is no 2-D image.

    It is in the extension MASK or else where `read_reference` finds an image, and may be of any data type.
    """
    with opened(path) as hdus:
        hdu, (header, shape, _) = _mask(hdus, path)
        return hdu.data.reshape(shape).astype(np.float32), header


def read_mask_header(path):
    """The `hdus.ImageHeader` of `read_mask`, without reading pixels; the same errors."""
    with opened(path) as hdus:
        return _mask(hdus, path)[1]


def _mask(hdus, path):
    """The HDU of a mask and its `hdus.ImageHeader`."""
    hdu = image_hdu(hdus, path, MASK + SIGNAL)
    if not hdu.shape:
        raise AnchoringError(f"{path} has no 2-D image; expected a mask, 1 = masked, 0 = keep: check the file")
    return hdu, ImageHeader(full_header(hdus, hdu), require_plane(hdu, path))


# --- unobserved pixels ------------------------------------------------------------------------------------------


def in_brightness(data, unit, path):
    """Convert pixels to MJy/sr in place, 0 and sentinels to NaN; AnchoringError if no pixel is left."""
    found = sentinels(data, LARGEST / unit.factor)
    for value, count in found.items():
        logging.info("%s: %d pixels of exactly %.6g are taken as unobserved", path, count, value)
        data[data == value] = np.nan
    huge = np.abs(data) > LARGEST / unit.factor  # infinite ones as well
    if huge.any():
        extreme = data[huge][np.argmax(np.abs(data[huge]))]
        logging.info(
            "%s: %d pixels beyond %.0e MJy/sr (%.4g) are taken as unobserved", path, huge.sum(), LARGEST, extreme
        )
        data[huge] = np.nan
    data[data == 0] = np.nan
    if not np.isfinite(data).any():
        raise AnchoringError(f"{path}: all pixels are 0 or not finite; expected an observed image: replace the file")
    if unit.factor != 1:
        data *= unit.factor
    return data


def sentinels(data, largest=LARGEST):
    """Values that mark unobserved pixels, such as -999.

    A sentinel is among the lowest or highest values of an image, at least REPEATED pixels have it exactly, and the gap
    to the next value is longer than the tail of the distribution, from that value to its percentile INNER (100 - INNER
    on the high side). In an image of a few values only (uncertainties from numbers of exposures) it is more than STEPS
    times the largest other value away. A saturated star can be mistaken for one.

    Parameters
    ----------
    data : (ny, nx) array
        Pixels that are not finite, 0 or beyond +-largest are ignored.
    largest : float

    Returns
    -------
    dict {value: number of pixels}
    """
    known = data[np.isfinite(data) & (data != 0) & (np.abs(data) <= largest)]
    if not known.size:
        return {}
    found = {}
    for sign in (1, -1):
        piles, rest = _piles(sign * known)
        in_steps = len(piles) == MOST_SENTINELS or not rest.size
        while piles:
            gap = rest.min() - piles[-1][0] if rest.size else 0.0
            if gap > (STEPS * np.abs(rest).max(initial=0) if in_steps else np.percentile(rest, INNER) - rest.min()):
                found |= {sign * value: count for value, count in piles}
                break
            rest = np.append(rest, piles.pop()[0])
    return found


def _piles(values):
    """The lowest values that REPEATED pixels share, [(value, number of pixels)], and all higher values."""
    piles = []
    while values.size and len(piles) < MOST_SENTINELS:
        lowest = values.min()
        count = int(np.count_nonzero(values == lowest))
        if count < REPEATED:
            break
        piles.append((float(lowest), count))
        values = values[values > lowest]
    return piles, values
