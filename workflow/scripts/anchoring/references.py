"""External reference images, their uncertainty maps, and masks."""

import numpy as np

from .errors import AnchoringError
from .hdus import Image, Seen, first_image, native, opened, parsed, plane_of
from .headers import require_brightness


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
    hdu = first_image(hdus)
    data = plane_of(hdu, path)
    require_brightness(hdu.header, path)
    return hdu, data


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
    hdu = first_image(hdus)
    if hdu.data is None or hdu.data.ndim != 2:
        raise AnchoringError(f"{path} holds no 2-D image; expected a mask, 1 = leave out")
    return hdu
