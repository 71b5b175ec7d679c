"""Pixels of images inside a mask, a chunk at a time."""

import math

import numpy as np

CHUNK = 2**16  # pixels: what the processor's cache holds


def chunks(inside, *images):
    """The pixels of some images that are inside a mask, in order and so many at a time.

    Parameters
    ----------
    inside : bool array
    *images : arrays of that shape
        Of any byte order, such as mapped from a FITS file.

    Yields
    ------
    list of 1-D arrays in native byte order, one of each image.
    """
    inside, *images = (array.ravel() for array in (inside, *images))
    for start in range(0, inside.size, CHUNK):
        chunk = slice(start, start + CHUNK)
        chosen = inside[chunk]
        values = [image[chunk][chosen] for image in images]
        yield [v.astype(v.dtype.newbyteorder("="), copy=False) for v in values]


def value_range(image, inside):
    """[lowest, highest] value of an image inside a mask, which has at least one pixel."""
    found = [(v.min(), v.max()) for (v,) in chunks(inside, image) if v.size]
    return [float(min(low for low, _ in found)), float(max(high for _, high in found))]


def subsample(image, inside, n=200_000):
    """About n evenly spread pixels of an image inside a mask (all if there are fewer): enough for percentiles."""
    step = max(np.count_nonzero(inside) // n, 1)
    row = math.isqrt(step)
    return np.concatenate([values[:: step // row] for (values,) in chunks(inside[::row], image[::row])])
