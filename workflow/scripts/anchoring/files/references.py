"""External reference images, their uncertainty maps, and masks."""

import logging

import numpy as np

from ..errors import AnchoringError
from ..images.units import brightness_unit
from .hdus import Image, ImageHeader, native, opened, parsed, plane_of, require_plane
from .mosaics import LARGEST

# Names of extensions, the first found taken.
SIGNAL = ("SCI", "IMAGE", "SIGNAL")
UNCERTAINTY = ("ERR", "ERROR", "UNC", "SIGMA", "NOISE")
MASK = ("MASK",)
# What the pixels of an extension need of the primary header if it does not say it itself.
INHERITED = ("BUNIT", "BMAJ", "BMIN", "RESTWAV", "RESTFRQ")
REPEATED = 5  # pixels of exactly one value, far from all others, that no sky has
INNER = 16.0  # percentile from which the tail of a distribution is counted: 1 sigma of a normal one
STEPS = 10.0  # largest ratio of the values of an image of a few values only
MOST_SENTINELS = 4  # different ones looked for at either end of the values


def read_reference(path):
    """An external reference image in MJy/sr, converted from what its BUNIT says (`units.brightness_unit`).

    It is the primary HDU's or, where that is empty, the extension SCI, IMAGE or SIGNAL or else the only image of the
    file. Pixels that are exactly 0, as in a mosaic, or a sentinel (`sentinels`) are unobserved: NaN. The unit and the
    sentinels are reported in the log.

    Raises
    ------
    AnchoringError
        Naming the file, if it has no such image, or one in a unit that cannot be converted, or without any observed
        pixel.
    """
    with opened(path) as hdus:
        data, header = _reference(hdus, path)
        data = native(data)
    data = _in_brightness(data, brightness_unit(header, path), path)
    return Image(data, None, header)


def read_uncertainty(path, shape, header=None):
    """The uncertainty map (ny, nx), MJy/sr, of a reference of this shape; NaN where it is not known.

    It is the extension ERR, ERROR, UNC, SIGMA or NOISE, or else what `read_reference` takes. What is negative, 0 or a
    sentinel is not known. A map without BUNIT is in the unit of its reference, whose header is `header`.
    """
    with opened(path) as hdus:
        data, own = _reference(hdus, path, UNCERTAINTY)
        data = native(data)
    require_same_shape(data.shape, shape, path)
    data = _in_brightness(data, _unit_of_uncertainty(own, header, path), path)
    # Comparing with NaN is False.
    data[data < 0] = np.nan
    return data


def _unit_of_uncertainty(own, header, path):
    """The unit of an uncertainty map: what its own header does not say, and the pixels, are as in its reference's."""
    if header is not None:
        header = header.copy()
        header.update({key: own[key] for key in INHERITED if key in own})
    return brightness_unit(own if header is None else header, path)


def require_same_shape(shape, expected, path):
    """AnchoringError unless the shape of an uncertainty map is its reference's."""
    if shape != expected:
        raise AnchoringError(
            f"{path} has shape {shape} and its reference {expected}; expected the same: mend or remove the map"
        )


def read_reference_header(path):
    """What `read_reference` would read, without its pixels; AnchoringError in the same words."""
    with opened(path) as hdus:
        data, header = _reference(hdus, path)
        brightness_unit(header, path)
        return ImageHeader(header, data.shape)


def check_uncertainty(path, shape, header=None):
    """What speaks against an uncertainty map without its pixels: AnchoringError in the words of `read_uncertainty`."""
    with opened(path) as hdus:
        data, own = _reference(hdus, path, UNCERTAINTY)
    require_same_shape(data.shape, shape, path)
    _unit_of_uncertainty(own, header, path)


def _reference(hdus, path, names=SIGNAL):
    """The pixels of an image as they lie in the file, mapped and not read, and what describes them."""
    hdu = image_hdu(hdus, path, names)
    return plane_of(hdu, path), described_by(hdus, hdu)


def described_by(hdus, hdu):
    """A copy of the header of an HDU, with what it leaves to the primary one."""
    header, primary = parsed(hdu.header), parsed(hdus[0].header)
    for key in INHERITED:
        if key not in header and key in primary:
            header[key] = primary[key]
    return header


def image_hdu(hdus, path, names=SIGNAL):
    """The HDU of a file whose image is meant.

    A primary one with an image is that of a reference (SIGNAL); else it is the extension with the first of `names` that
    is there, then a primary one with an image, then the only 2-D image, unless it is called an uncertainty and none is
    wanted; the primary HDU of a file without any.

    Raises
    ------
    AnchoringError
        Naming the HDUs there are, if none of this decides.
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
        f"{path} has the images {there}; expected one, or one of the name {names[0]}: keep one, or name the one that"
        f" is meant {names[0]} (EXTNAME)"
    )


def read_mask(path):
    """A mask: data (ny, nx) as float, and header.

    It is the extension MASK or else the image that `read_reference` takes, of numbers of any kind.
    """
    with opened(path) as hdus:
        hdu, seen = _mask(hdus, path)
        return hdu.data.reshape(seen.shape).astype(np.float32), seen.header


def read_mask_header(path):
    """What `read_mask` would read, without its pixels; AnchoringError in the same words."""
    with opened(path) as hdus:
        return _mask(hdus, path)[1]


def _mask(hdus, path):
    """The HDU of a mask, and what its header says; an axis of length 1 is none."""
    hdu = image_hdu(hdus, path, MASK + SIGNAL)
    if not hdu.shape:
        raise AnchoringError(f"{path} holds no 2-D image; expected a mask, 1 = leave out")
    return hdu, ImageHeader(described_by(hdus, hdu), require_plane(hdu.shape, hdu, path))


# --- pixels that hold no sky ------------------------------------------------------------------------------------------


def _in_brightness(data, unit, path):
    """Pixels in MJy/sr, in place; what is 0 or a sentinel is NaN, and AnchoringError if that is all."""
    found = sentinels(data, LARGEST / unit.factor)
    for value, count in found.items():
        logging.info("%s: %d pixels of %.6g are no measurement: taken as unobserved", path, count, value)
        data[data == value] = np.nan
    huge = np.abs(data) > LARGEST / unit.factor  # infinite ones as well
    if huge.any():
        extreme = data[huge][np.argmax(np.abs(data[huge]))]
        words = "%s: %d pixels beyond %.0e MJy/sr (%.4g) are no measurement: taken as unobserved"
        logging.info(words, path, huge.sum(), LARGEST, extreme)
        data[huge] = np.nan
    data[data == 0] = np.nan
    if not np.isfinite(data).any():
        raise AnchoringError(f"{path}: no pixel is finite and not 0; expected an image")
    if unit.factor != 1:
        data *= unit.factor
    return data


def sentinels(data, largest=LARGEST):
    """Values that stand for pixels without a measurement, such as -999: {value: number of pixels}.

    Such a value is among the lowest or the highest of an image, is that of at least REPEATED pixels to the last digit,
    and is farther from the next value than this is from the percentile INNER (on the high side 100 - INNER): no
    distribution of sky and sources ends in a gap longer than its own tail and a pile beyond it. In an image of a few
    values only (an uncertainty by numbers of exposures) it is farther than STEPS times the largest other. What could be
    wrongly taken for one is a saturated star.

    Parameters
    ----------
    data : (ny, nx) array
        Pixels that are not finite, 0, or beyond +- largest do not count.
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
    """The lowest values, while each is that of REPEATED pixels: [(value, number of pixels)], and the others."""
    piles = []
    while values.size and len(piles) < MOST_SENTINELS:
        lowest = values.min()
        count = int(np.count_nonzero(values == lowest))
        if count < REPEATED:
            break
        piles.append((float(lowest), count))
        values = values[values > lowest]
    return piles, values
