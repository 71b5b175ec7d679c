"""Binned medians of a comparison image against a reference image, and the range they are taken in."""

import itertools
import math
from typing import NamedTuple

import numpy as np

from ..errors import AnchoringError
from ..images.coverage import blocks, subsample

WIDTH = 0.1  # MJy/sr, of a bin in a fixed range
RANGE = (0.25, 2.0)  # MJy/sr on the reference axis
RANGE_W3 = (0.0, 0.8)  # WISE 3 is sky-subtracted and faint
RANGE_W3_WEIGHTED = (0.0, 2.0)
MOST_BINS = 100_000


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

    Raises
    ------
    AnchoringError
        If they are more than MOST_BINS.
    """
    if not (high - low) / width <= MOST_BINS:
        raise AnchoringError(
            f"the range [{low:.4g}, {high:.4g}] MJy/sr has more than {MOST_BINS:,} bins of {width:g} MJy/sr; expected "
            f"it to be at most {MOST_BINS * width:,.0f} MJy/sr wide: give a narrower intensity_range"
        )
    # The quotient is rounded first: (0.8 - 0.1) / 0.1 is 7 bins, not 8 by round-off.
    n = max(math.ceil(round((high - low - width) / width, 9)), 0)
    return low + width * np.arange(n + 1)


def equal_edges(low, high, n):
    """Edges of n bins of equal width that span [low, high]."""
    return np.linspace(low, high, n + 1)


def bin_medians(x, y, edges, inside=None):
    """Median and 16th and 84th percentiles of y in bins of x.

    Parameters
    ----------
    x, y : arrays of one shape
        Pixel values, MJy/sr.
    edges : (n + 1,) array
        Evenly spaced. Bin i is edges[i] <= x < edges[i + 1].
    inside : bool array of that shape, optional
        Pixels to use, all of them finite; without it, all. (With it x and y may be as they lie in a file.)

    Returns
    -------
    Bins
    """
    n = max(len(edges) - 1, 0)
    centre = (edges[:-1] + edges[1:]) / 2
    statistics = np.full((3, n), np.nan)
    count = np.zeros(n, dtype=int)
    if n:
        for i, members in enumerate(_groups(x, y, edges, _used(x, inside))):
            count[i] = members.size
            if members.size:
                statistics[:, i] = np.percentile(members, (50, 16, 84))
    return Bins(centre, *statistics, count)


def _used(x, inside):
    return np.broadcast_to(True, np.shape(x)) if inside is None else inside


def _groups(x, y, edges, inside):
    """The y of each bin, one after the other."""
    parts = [[] for _ in range(len(edges) - 1)]
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])
    # Sorting takes most of the time, and is fastest for 16 bits.
    narrow = np.int16 if bounds.size <= np.iinfo(np.int16).max else np.int32
    for x_block, y_block in blocks(inside, x, y):
        within = (x_block >= edges[0]) & (x_block < edges[-1])
        x_block, y_block = x_block[within], y_block[within]
        # In double precision, as the edges are: in single precision a cell can be several off.
        index = cells(x_block.astype(float), edges).astype(narrow)
        # Round-off puts what is beside an edge on its other side.
        index -= x_block < bounds.take(index)
        index += x_block >= bounds.take(index + 1)
        order = np.argsort(index, kind="stable")
        starts = np.searchsorted(index[order], np.arange(1, len(edges) + 1))
        for part, (first, last) in zip(parts, itertools.pairwise(starts), strict=True):
            part.append(y_block[order[first:last]])
    for part in parts:
        yield np.concatenate(part).astype(float) if part else np.empty(0)
        part.clear()


def pixel_density(x, y, inside=None, *, limits=None, size=(160, 160)):
    """Two-dimensional histogram of pixels, for the eye: within the 0.1 and 99.9 percentiles of either axis.

    With `limits`, a range on the x axis, only of pixels in it and half its width around it, if there are any.

    Parameters
    ----------
    x, y, inside
        As for `bin_medians`.
    limits : (low, high), optional
    size : (ny, nx)

    Returns
    -------
    counts : (ny, nx) int64 array; x_edges : (nx + 1,) array; y_edges : (ny + 1,) array.
    """
    inside = _used(x, inside)
    if limits is not None:
        margin = (limits[1] - limits[0]) / 2
        near = inside & (x >= limits[0] - margin) & (x <= limits[1] + margin)
        if near.any():
            inside = near
    if not inside.any():
        return np.zeros((0, 0), dtype=np.int64), np.zeros(1), np.zeros(1)
    ny, nx = size
    x_edges, y_edges = (_axis_edges(v, inside, n) for v, n in ((x, nx), (y, ny)))
    counts = np.zeros((ny + 2) * (nx + 2), dtype=np.int64)
    for x_block, y_block in blocks(inside, x, y):
        index = cells(y_block, y_edges) * (nx + 2) + cells(x_block, x_edges)
        counts += np.bincount(index, minlength=counts.size)
    return counts.reshape(ny + 2, nx + 2)[1:-1, 1:-1], x_edges, y_edges


def _axis_edges(image, inside, n):
    low, high = shown_limits(image, inside, (0.1, 99.9))
    pad = 0.02 * (high - low)
    return np.linspace(low - pad, high + pad, n + 1)


def shown_limits(image, inside, percentiles):
    """About two percentiles of the pixels of an image inside a mask, for a picture: never one number twice."""
    low, high = np.percentile(subsample(image, inside), percentiles)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def cells(values, edges):
    """Which of the n cells between evenly spaced edges finite values are in: 1 to n, 0 below and n + 1 above them.

    As ``numpy.digitize``, but for round-off at an edge, and faster.
    """
    n = len(edges) - 1
    per_unit = n / (edges[-1] - edges[0])
    # Python's floats leave single precision what it is.
    position = (values - float(edges[0] - 1 / per_unit)) * float(per_unit)
    return np.clip(position, 0, n + 1, out=position).astype(np.intp)
