"""Masks of pixels to leave out, on the pixels of an image."""

import numpy as np

from ..errors import AnchoringError
from ..images import coverage, headers
from ..images.pixelmap import FIRST_STEP, PixelMap
from ..images.reprojection import reproject_onto
from . import references

SIDE = 2 * FIRST_STEP  # of a square of pixels located at a time


def left_out(path, header, shape):
    """The pixels of a grid that a mask leaves out: by the majority of the mask's pixels in each.

    Where the mask is coarser than the grid, a pixel without any goes by the mask at its centre.

    Parameters
    ----------
    path : path
        Of the mask, on any grid: 1 = leave out, 0 = keep; beyond it pixels are kept.
    header : fits.Header
        With the WCS of the grid.
    shape : (ny, nx)

    Returns
    -------
    bool array of `shape`

    Raises
    ------
    AnchoringError
        Naming the mask, if it is no mask or shows another field.
    """
    bad, wcs = _read(path)
    grid = headers.celestial_wcs(header)
    try:
        out = reproject_onto(bad.astype(np.float32), wcs, grid, shape) > 0.5
    except AnchoringError as refusal:
        words = str(refusal)
        raise AnchoringError(words if str(path) in words else f"{path}: {words}") from refusal
    number, masked = (_counted(chosen, wcs, grid, shape) for chosen in (np.ones_like(bad), bad))
    return np.where(number > 0, 2 * masked > number, out)


def _counted(chosen, wcs, grid, shape):
    """How many of the chosen pixels of an image have their centre in each pixel of a grid: int array of `shape`."""
    counts = np.zeros(shape, dtype=np.int64)
    positions = PixelMap(wcs, grid, tuple(slice(0, n) for n in chosen.shape))
    for row in range(0, chosen.shape[0], SIDE):
        for column in range(0, chosen.shape[1], SIDE):
            block = slice(row, row + SIDE), slice(column, column + SIDE)
            x, y = (position[chosen[block]] for position in positions.at_block(*block))
            with np.errstate(invalid="ignore"):
                inside = (x > -0.5) & (x < shape[1] - 0.5) & (y > -0.5) & (y < shape[0] - 0.5)
            np.add.at(counts, (np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int)), 1)
    return counts


def masked_rows(path, header, shape):
    """As `left_out`, of a grid as fine as the mask's or finer, some rows at a time; it may show another field.

    Returns
    -------
    masked : callable
        masked(start, stop) is the bool array of these rows: whether the mask's pixel at the centre of each is masked.
    """
    bad, wcs = _read(path)
    grid = headers.celestial_wcs(header)
    ny, nx = bad.shape

    def masked(start, stop):
        out = np.zeros((stop - start, shape[1]), dtype=bool)
        positions = PixelMap(grid, wcs, (slice(start, stop), slice(0, shape[1])))
        for row in range(0, out.shape[0], SIDE):
            for column in range(0, out.shape[1], SIDE):
                block = slice(row, row + SIDE), slice(column, column + SIDE)
                x, y = positions.at_block(*block)
                with np.errstate(invalid="ignore"):
                    inside = (x > -0.5) & (x < nx - 0.5) & (y > -0.5) & (y < ny - 0.5)
                out[block][inside] = bad[np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int)]
        return out

    return masked


def _read(path):
    """The masked pixels of a file, and its WCS."""
    mask, header = references.read_mask(path)
    try:
        return coverage.masked_pixels(mask), headers.celestial_wcs(header, path)
    except AnchoringError as refusal:
        words = str(refusal)
        raise AnchoringError(words if str(path) in words else f"{path}: {words}") from refusal
