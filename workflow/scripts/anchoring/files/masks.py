"""Masks on the pixels of an image."""

from __future__ import annotations

from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING

import numpy as np
from astropy.io import fits

from ..errors import AnchoringError
from ..images import coverage, headers
from ..images.pixelmap import FIRST_STEP, PixelMap
from ..images.reprojection import reproject_onto
from . import references

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 2 * FIRST_STEP  # pixels along a side of the squares that are located at a time


def masked_pixels(path: str | PathLike[str], header: fits.Header, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """The pixels of a grid that a mask excludes: those in which most pixels of the mask are masked.

    Where the mask is coarser than the grid, a pixel without any goes by the mask at its centre.

    Parameters
    ----------
    path : path
        Mask on any grid: 1 = masked, 0 = keep. Pixels of the grid outside the mask are kept.
    header : fits.Header
        With the WCS of the grid.
    shape : (ny, nx)
        Of the grid.

    Returns
    -------
    bool array of `shape`

    Raises
    ------
    AnchoringError
        If the file is no mask or does not overlap the grid; the message names the file.
    """
    bad, wcs = _read(path)
    grid = headers.celestial_wcs(header)
    with _naming(path):
        out = reproject_onto(bad.astype(np.float32), wcs, grid, shape) > 0.5
    number, masked = np.zeros((2, *shape), dtype=np.int64)
    for block, inside, pixels in _nearest(wcs, grid, tuple(slice(0, n) for n in bad.shape), shape):
        np.add.at(number, pixels, 1)
        np.add.at(masked, pixels, bad[block][inside])
    return np.where(number > 0, 2 * masked > number, out)


def masked_rows(path, header, shape):
    """As `masked_pixels`, for a grid at least as fine as the mask, some rows at a time; no overlap is no error.

    Returns
    -------
    masked : callable
        masked(start, stop) is the bool array of these rows: the mask at the centre of each pixel.
    """
    bad, wcs = _read(path)
    grid = headers.celestial_wcs(header)

    def masked(start, stop):
        out = np.zeros((stop - start, shape[1]), dtype=bool)
        for block, inside, pixels in _nearest(grid, wcs, (slice(start, stop), slice(0, shape[1])), bad.shape):
            out[block][inside] = bad[pixels]
        return out

    return masked


def _nearest(wcs, grid, window, shape):
    """The pixel of a grid of `shape` in which the centre of each pixel of an image lies, in squares of a window.

    Yields
    ------
    block : (slice, slice)
        In the window.
    inside : bool array
        The pixels of the block that lie on the grid.
    pixels : (rows, columns)
        Integer indices of these on the grid.
    """
    positions = PixelMap(wcs, grid, window)
    ny, nx = (axis.stop - axis.start for axis in window)
    for row in range(0, ny, SIDE):
        for column in range(0, nx, SIDE):
            block = slice(row, row + SIDE), slice(column, column + SIDE)
            x, y = positions.at_block(*block)
            with np.errstate(invalid="ignore"):
                inside = (x > -0.5) & (x < shape[1] - 0.5) & (y > -0.5) & (y < shape[0] - 0.5)
            yield block, inside, (np.rint(y[inside]).astype(int), np.rint(x[inside]).astype(int))


def _read(path):
    """The masked pixels of a file, and its WCS."""
    mask, header = references.read_mask(path)
    with _naming(path):
        return coverage.masked_pixels(mask), headers.celestial_wcs(header, path)


@contextmanager
def _naming(path):
    """Put the name of the mask before an AnchoringError that does not have it."""
    try:
        yield
    except AnchoringError as error:
        if str(path) in str(error):
            raise
        raise AnchoringError(f"{path}: {error}") from error
