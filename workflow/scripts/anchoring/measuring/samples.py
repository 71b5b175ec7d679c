"""The pixels of a pair as the estimators use them: a compact list, with the place of each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

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

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    row: NDArray[np.integer]
    column: NDArray[np.integer]
    coverage: NDArray[np.floating]
    side: int
    beam: float

    def covered(self, coverage: float) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """x and y, (k,) arrays, of the samples with at least this beam coverage, and their mask, (n,) bool array."""
        mask = self.coverage >= coverage
        return self.x[mask], self.y[mask], mask


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
        `images.coverage.beam_coverage` of the pixels observed in both.
    beam : float
        FWHM, pixels.

    Returns
    -------
    Samples
    """
    side = sample_side(int(np.count_nonzero(inside)), beam)
    complete = block_reduce(inside, side, np.all)
    row, column = np.nonzero(complete)
    x, y, coverage = (block_reduce(image, side, np.mean)[complete] for image in (x_image, y_image, coverage))
    place = row.astype(np.int32), column.astype(np.int32)
    return Samples(x.astype(float), y.astype(float), *place, coverage.astype(np.float32), side, beam / side)


def block_reduce(image, side, reduction):
    """`reduction` over squares of side x side pixels; an incomplete last row or column of squares is dropped.

    As ``astropy.nddata.block_reduce``, which takes 1.3 to 3 times as long, for a reduction that may be made along one
    axis after the other, as a mean.

    Parameters
    ----------
    image : (ny, nx) array
    side : int
    reduction : callable
        With `axis`, such as numpy.mean or numpy.all.

    Returns
    -------
    (ny // side, nx // side) array
    """
    if side == 1:
        return image
    ny, nx = (n // side for n in image.shape)
    rows = reduction(image[: ny * side].reshape(ny, side, -1), axis=1)
    return reduction(rows[:, : nx * side].reshape(ny, nx, side), axis=2)
