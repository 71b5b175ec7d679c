"""Binned medians of a comparison image against a reference image, and the range they are taken in."""

import itertools
import math
from typing import NamedTuple

import numpy as np

from .errors import AnchoringError

WIDTH = 0.1  # MJy/sr, of a bin in a fixed range
RANGE = (0.25, 2.0)  # MJy/sr on the reference axis
RANGE_W3 = (0.0, 0.8)  # WISE 3 is sky-subtracted and faint
RANGE_W3_WEIGHTED = (0.0, 2.0)
BLOCK = 2**16  # pixels sorted or counted at a time: what the processor's cache holds


class Bins(NamedTuple):
    """Medians per bin: arrays of one value per bin (x, median, p16, p84 in MJy/sr; NaN without data)."""

    x: np.ndarray
    median: np.ndarray
    p16: np.ndarray
    p84: np.ndarray
    count: np.ndarray


def fixed_range(reference, estimator="binned"):
    """Default range, MJy/sr, on the axis of a reference of this name: [0, 0.8] for WISE 3, else [0.25, 2].

    For errors_in_variables it is [0, 2] for WISE 3: a field has few beams of 15 arcsec, and bright ones, whose weights
    are as their scatter, halve the error of the line's zero.
    """
    if "w3" not in reference.lower():
        return RANGE
    return RANGE_W3 if estimator == "binned" else RANGE_W3_WEIGHTED


def dynamic_range(values, radius, max_radius, percentiles):
    """Range between two percentiles of an image inside a galactocentric radius.

    Parameters
    ----------
    values : array
        Image, MJy/sr; pixels that are 0 or not finite are left out.
    radius : array of the same shape
        Deprojected radius, arcsec.
    max_radius : float
        arcsec.
    percentiles : (low, high)

    Returns
    -------
    (low, high) in MJy/sr.

    Raises
    ------
    AnchoringError
        If no pixel is inside the radius, or all have one value.
    """
    inside = values[(radius <= max_radius) & np.isfinite(values) & (values != 0)]
    if inside.size == 0:
        raise AnchoringError(
            f"no pixels within {max_radius:.4g} arcsec of the galaxy's centre; expected the galaxy in the image: "
            "check its row in galaxy_table"
        )
    low, high = np.percentile(inside, percentiles)
    if not high > low:
        raise AnchoringError(f"the pixels within {max_radius:.4g} arcsec of the galaxy's centre all equal {low:.4g}")
    return float(low), float(high)


def fixed_width_edges(low, high, width=WIDTH):
    """Edges of bins of a fixed width: ceil((high - low - width) / width) bins from `low` on.

    Returns
    -------
    (n + 1,) array, n >= 0.
    """
    # The quotient is rounded first: (0.8 - 0.1) / 0.1 is 7 bins, not 8 by round-off.
    n = max(math.ceil(round((high - low - width) / width, 9)), 0)
    return low + width * np.arange(n + 1)


def equal_edges(low, high, n):
    """Edges of n bins of equal width that span [low, high]."""
    return np.linspace(low, high, n + 1)


def bin_medians(x, y, edges):
    """Median and 16th and 84th percentiles of y in bins of x.

    Parameters
    ----------
    x, y : 1-D arrays of equal length
        Finite pixel values, MJy/sr.
    edges : (n + 1,) array
        Evenly spaced. Bin i is edges[i] <= x < edges[i + 1].

    Returns
    -------
    Bins
    """
    n = max(len(edges) - 1, 0)
    centre = (edges[:-1] + edges[1:]) / 2
    statistics = np.full((3, n), np.nan)
    count = np.zeros(n, dtype=int)
    if n:
        for i, members in enumerate(_groups(x, y, edges)):
            count[i] = members.size
            if members.size:
                statistics[:, i] = np.percentile(members, (50, 16, 84))
    return Bins(centre, *statistics, count)


def _groups(x, y, edges):
    """The y of each bin."""
    n = len(edges) - 1
    width = (edges[-1] - edges[0]) / n
    parts = [[] for _ in range(n)]
    for start in range(0, x.size, BLOCK):
        x_block, y_block = x[start : start + BLOCK], y[start : start + BLOCK]
        inside = (x_block >= edges[0]) & (x_block < edges[-1])
        x_block, y_block = x_block[inside], y_block[inside]
        index = np.minimum((x_block - edges[0]) / width, n - 1).astype(np.int16)
        # Round-off puts what is beside an edge on its other side.
        index -= x_block < edges[index]
        index += x_block >= edges[index + 1]
        order = np.argsort(index, kind="stable")
        starts = np.searchsorted(index[order], np.arange(n + 1))
        y_block = y_block[order]
        for part, (first, last) in zip(parts, itertools.pairwise(starts), strict=True):
            part.append(y_block[first:last])
    return [np.concatenate(part).astype(float) if part else np.empty(0) for part in parts]


def pixel_density(x, y, limits=None, size=(160, 160)):
    """Two-dimensional histogram of pixels, for the eye: within the 0.1 and 99.9 percentiles of either axis.

    With `limits`, a range on the x axis, only of pixels in it and half its width around it, if there are any.

    Returns
    -------
    counts : (ny, nx) int64 array; x_edges : (nx + 1,) array; y_edges : (ny + 1,) array.
    """
    if limits is not None:
        margin = (limits[1] - limits[0]) / 2
        near = (x >= limits[0] - margin) & (x <= limits[1] + margin)
        if near.any():
            x, y = x[near], y[near]
    if x.size == 0:
        return np.zeros((0, 0), dtype=np.int64), np.zeros(1), np.zeros(1)
    ny, nx = size
    x_edges, y_edges = _axis_edges(x, nx), _axis_edges(y, ny)
    counts = np.zeros(ny * nx, dtype=np.int64)
    for start in range(0, x.size, BLOCK):
        block = slice(start, start + BLOCK)
        ix, inside_x = _cell(x[block], x_edges)
        iy, inside_y = _cell(y[block], y_edges)
        inside = inside_x & inside_y
        counts += np.bincount(iy[inside] * nx + ix[inside], minlength=ny * nx)
    return counts.reshape(ny, nx), x_edges, y_edges


def _axis_edges(values, n):
    # A subsample is enough for the limits of a picture.
    low, high = np.percentile(values[:: max(values.size // 200_000, 1)], (0.1, 99.9))
    if not high > low:
        low, high = low - 0.5, high + 0.5
    pad = 0.02 * (high - low)
    return np.linspace(low - pad, high + pad, n + 1)


def _cell(values, edges):
    n = len(edges) - 1
    position = (values - edges[0]) * (n / (edges[-1] - edges[0]))
    inside = (position >= 0) & (position < n)
    return np.where(inside, position, 0).astype(np.int32), inside
