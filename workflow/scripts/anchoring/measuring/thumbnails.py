"""Thumbnails of a pair of images, and histograms of their faint pixels, for the figures."""

from typing import NamedTuple

import numpy as np

from ..files.atomic import atomic_write
from ..images.chunks import chunks
from .binning import cells
from .density import shown_limits

SIDE = 256  # pixels of the longer side, at most
FAINT = 50.0  # percentile of the pixels up to which they are counted: the faint half
CELLS = 80


class Thumbnails(NamedTuple):
    """Two images at the size of a screen.

    x, y : (ny, nx) float32 arrays, MJy/sr, reference and image, means of square blocks; NaN without a pixel in common
    scale : arcsec, side of a block
    x_counts, y_counts : (CELLS,) int64 arrays, pixels in common, from the faintest to the FAINT percentile
    x_edges, y_edges : (CELLS + 1,) arrays, MJy/sr
    n_pixels : all pixels in common
    """

    x: np.ndarray
    y: np.ndarray
    scale: float
    x_counts: np.ndarray
    x_edges: np.ndarray
    y_counts: np.ndarray
    y_edges: np.ndarray
    n_pixels: int


def make_thumbnails(x_image, y_image, both, scale):
    """The Thumbnails of two images on one grid.

    Parameters
    ----------
    x_image, y_image : (ny, nx) arrays
        Reference and image, MJy/sr.
    both : (ny, nx) bool array
        Pixels that both images have.
    scale : float
        arcsec per pixel.
    """
    if not both.any():
        return empty_thumbnails()
    window = _bounding_box(both)
    inside = both[window]
    side = -(-max(inside.shape) // SIDE)
    counted = _block_sums(inside, inside, side)
    means = []
    for image in (x_image, y_image):
        total = _block_sums(image[window], inside, side)
        means.append(np.divide(total, counted, out=np.full(counted.shape, np.nan), where=counted > 0))
    x, y = (mean.astype(np.float32) for mean in means)
    faint = _faint_counts(x_image, both), _faint_counts(y_image, both)
    return Thumbnails(x, y, scale * side, *faint[0], *faint[1], int(inside.sum()))


def empty_thumbnails():
    """The Thumbnails of a pair that has no pixel in common."""
    nothing, counts, edges = np.zeros((0, 0), np.float32), np.zeros(CELLS, np.int64), np.linspace(0, 1, CELLS + 1)
    return Thumbnails(nothing, nothing, 1.0, counts, edges, counts, edges, 0)


def write_thumbnails(path, thumbnails):
    """Write Thumbnails as .npz."""
    with atomic_write(path) as temporary:
        np.savez(temporary, **thumbnails._asdict())


def read_thumbnails(path):
    """The Thumbnails in a file of `write_thumbnails`."""
    with np.load(path) as stored:
        return Thumbnails(*(stored[name] for name in Thumbnails._fields))


def _bounding_box(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _block_sums(image, inside, side):
    """Sums of the pixels inside, over square blocks; those at the last row and column may be cut."""
    ny, nx = image.shape
    blocks = (slice(start, start + side) for start in range(0, ny, side))
    rows = [np.where(inside[block], image[block], 0).sum(axis=0, dtype=float) for block in blocks]
    return np.add.reduceat(np.array(rows), np.arange(0, nx, side), axis=1)


def _faint_counts(image, both):
    counts, edges = (
        np.zeros(CELLS + 2, dtype=np.int64),
        np.linspace(*shown_limits(image, both, (0.1, FAINT)), CELLS + 1),
    )
    for (values,) in chunks(both, image):
        counts += np.bincount(cells(values, edges), minlength=CELLS + 2)
    return counts[1:-1], edges
