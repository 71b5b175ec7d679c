"""How the pixels of a pair are distributed over both brightnesses, for its figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..images.chunks import chunks, subsample
from .binning import cells

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Density(NamedTuple):
    """Two-dimensional histogram of the pixels of a pair, for its figure.

    counts : (ny, nx) int array; (0, 0) without pixels
    x_edges, y_edges : (nx + 1,) and (ny + 1,) arrays, evenly spaced, MJy/sr
    """

    counts: NDArray[np.int64]
    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]


def pixel_density(x, y, inside=None, *, limits=None, size=(160, 160)):
    """The Density of pixels: within the 0.1 and 99.9 percentiles of either axis.

    With `limits`, a range on the x axis, only of pixels in it and half its width around it, if there are any.

    Parameters
    ----------
    x, y, inside
        As for `binning.bin_medians`.
    limits : (low, high), optional
    size : (ny, nx)

    Returns
    -------
    Density
    """
    inside = np.broadcast_to(True, np.shape(x)) if inside is None else inside
    if limits is not None:
        margin = (limits[1] - limits[0]) / 2
        near = inside & (x >= limits[0] - margin) & (x <= limits[1] + margin)
        if near.any():
            inside = near
    if not inside.any():
        return Density(np.zeros((0, 0), dtype=np.int64), np.zeros(1), np.zeros(1))
    ny, nx = size
    x_edges, y_edges = (_axis_edges(v, inside, n) for v, n in ((x, nx), (y, ny)))
    counts = np.zeros((ny + 2) * (nx + 2), dtype=np.int64)
    for x_chunk, y_chunk in chunks(inside, x, y):
        index = cells(y_chunk, y_edges) * (nx + 2) + cells(x_chunk, x_edges)
        counts += np.bincount(index, minlength=counts.size)
    return Density(counts.reshape(ny + 2, nx + 2)[1:-1, 1:-1], x_edges, y_edges)


def _axis_edges(image, inside, n):
    low, high = shown_limits(image, inside, (0.1, 99.9))
    pad = 0.02 * (high - low)
    return np.linspace(low - pad, high + pad, n + 1)


def shown_limits(image, inside, percentiles):
    """(low, high), about two percentiles of the pixels of an image inside a mask, and never the same number."""
    low, high = np.percentile(subsample(image, inside), percentiles)
    return (low, high) if high > low else (low - 0.5, high + 0.5)
