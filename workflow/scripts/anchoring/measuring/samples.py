"""The pixels of a pair as the estimators use them: a compact list, with the place of each."""

import math
from typing import NamedTuple

import numpy as np

ENOUGH = 20_000  # samples: from there on pixels are averaged, up to three quarters of a beam


class Samples(NamedTuple):
    """Averages over squares of pixels that lie wholly in the overlap.

    x, y : (n,) arrays, MJy/sr
        Reference and comparison image.
    row, column : (n,) int arrays
        Place, in squares.
    coverage : (n,) array
        Fraction of the beam on observed pixels.
    side : int
        Pixels along a square.
    beam : float
        FWHM, squares.
    """

    x: np.ndarray
    y: np.ndarray
    row: np.ndarray
    column: np.ndarray
    coverage: np.ndarray
    side: int
    beam: float


def sample_side(n_pixels, beam):
    """Pixels along a sample: as many as leave ENOUGH samples, at most 3/4 of a beam (FWHM, pixels)."""
    return max(1, min(math.floor(0.75 * beam), math.ceil(math.sqrt(n_pixels / ENOUGH))))


def sample_pair(x_image, y_image, inside, coverage, *, beam):
    """Samples of two images on one grid.

    Parameters
    ----------
    x_image, y_image : (ny, nx) arrays
        MJy/sr.
    inside : (ny, nx) bool array
        Pixels to use, observed in both and not masked.
    coverage : (ny, nx) array
        `selection.beam_coverage` of the pixels observed in both.
    beam : float
        FWHM, pixels.

    Returns
    -------
    Samples
    """
    side = sample_side(int(np.count_nonzero(inside)), beam)
    whole = squares(inside, side, np.all)
    row, column = np.nonzero(whole)
    x, y, coverage = (squares(image, side, np.mean)[whole] for image in (x_image, y_image, coverage))
    place = row.astype(np.int32), column.astype(np.int32)
    return Samples(x.astype(float), y.astype(float), *place, coverage.astype(np.float32), side, beam / side)


def squares(image, side, reduction):
    """`reduction` over squares of pixels; an incomplete last row or column of squares is dropped.

    Of a reduction that may be made along one axis after the other, as a mean.
    """
    if side == 1:
        return image
    ny, nx = (n // side for n in image.shape)
    rows = reduction(image[: ny * side].reshape(ny, side, -1), axis=1)
    return reduction(rows[:, : nx * side].reshape(ny, nx, side), axis=2)


def read_samples(path):
    """The samples in a file that `bin_pair` wrote."""
    with np.load(path) as stored:
        return Samples(*(stored[name] for name in Samples._fields[:-2]), int(stored["side"]), float(stored["beam"]))
