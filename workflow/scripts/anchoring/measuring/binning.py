"""Binned medians of a comparison image against a reference image, and the range they are taken in."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ..errors import AnchoringError
from ..images.chunks import chunks, subsample

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTH = 0.1  # MJy/sr, of a bin in a fixed range
RANGE = (0.25, 2.0)  # MJy/sr on the reference axis
RANGE_W3 = (0.0, 0.8)  # WISE 3 is sky-subtracted and faint
MOST_BINS = 100_000


class Bins(NamedTuple):
    """Medians per bin: arrays of one value per bin (x, median, p16, p84 in MJy/sr; NaN without data)."""

    x: NDArray[np.float64]
    median: NDArray[np.float64]
    p16: NDArray[np.float64]
    p84: NDArray[np.float64]
    count: NDArray[np.integer]


class FaintRange(NamedTuple):
    """The faint end of a reference, where colours that drift with its brightness matter least.

    From its zero to `top` above, MJy/sr; farther up, to `percentile` of the pixels, where so many are brighter.
    """

    top: float = 1.0
    percentile: float = 33.0


def fixed_range(
    reference: str, estimator: Literal["binned", "errors_in_variables"] = "binned"
) -> tuple[float, float] | FaintRange:
    """Default range on the axis of a reference of this name, MJy/sr: [0, 0.8] for WISE 3, else [0.25, 2], as published.

    For errors_in_variables it is a FaintRange on every reference: a colour that drifts by d moves the zero by d times
    the brightness of the range, and noise in x, which there is more of in faint pixels, does not bias that estimator.
    """
    if estimator != "binned":
        return FaintRange()
    return RANGE_W3 if "w3" in reference.lower() else RANGE


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


class GalaxyRange(NamedTuple):
    """A range between two percentiles of the pixels inside a galactocentric radius.

    radius : (ny, nx) array, deprojected radius of each pixel, arcsec
    max_radius : float, arcsec
    percentiles : (low, high)
    of : {"reference", "comparison"}, the image they are taken of (the published step's is the comparison image)
    n_bins : int, of equal width; of a comparison image they are WIDTH wide, as published
    """

    radius: NDArray[np.floating]
    max_radius: float
    percentiles: tuple[float, float]
    of: Literal["reference", "comparison"]
    n_bins: int


def range_and_edges(x, y, inside, intensity_range, zero):
    """The range of a pair and the edges of its bins.

    Parameters
    ----------
    x, y : (ny, nx) arrays
        Reference and image, MJy/sr.
    inside : (ny, nx) bool array
    intensity_range : (low, high), FaintRange or GalaxyRange
        Numbers are MJy/sr above `zero`.
    zero : float
        MJy/sr.

    Returns
    -------
    (low, high), MJy/sr; edges, (n + 1,) array

    Raises
    ------
    AnchoringError
        As `dynamic_range` and `fixed_width_edges`.
    """
    if isinstance(intensity_range, FaintRange):
        brighter = np.percentile(subsample(x, inside), intensity_range.percentile) - zero
        intensity_range = 0.0, max(intensity_range.top, float(brighter))
    if not isinstance(intensity_range, GalaxyRange):
        low, high = intensity_range
        # The number of bins must not depend on the last digit of the zero.
        return (low + zero, high + zero), fixed_width_edges(low, high) + zero
    galaxy = intensity_range
    values = x if galaxy.of == "reference" else y
    limits = dynamic_range(values[inside], galaxy.radius[inside], galaxy.max_radius, galaxy.percentiles)
    if galaxy.of == "comparison":
        return limits, fixed_width_edges(*limits)
    return limits, equal_edges(*limits, galaxy.n_bins)


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
    """Edges, (n + 1,) array, of n bins of equal width that span [low, high]."""
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
    inside = np.broadcast_to(True, np.shape(x)) if inside is None else inside
    n = max(len(edges) - 1, 0)
    centre = (edges[:-1] + edges[1:]) / 2
    statistics = np.full((3, n), np.nan)
    count = np.zeros(n, dtype=int)
    if n:
        for i, members in enumerate(_groups(x, y, edges, inside)):
            count[i] = members.size
            if members.size:
                statistics[:, i] = np.percentile(members, (50, 16, 84))
    return Bins(centre, *statistics, count)


def _groups(x, y, edges, inside):
    """The y of each bin, one after the other."""
    parts = [[] for _ in range(len(edges) - 1)]
    bounds = np.concatenate([[-np.inf], edges, [np.inf]])
    # Sorting takes most of the time, and is fastest for 16 bits.
    narrow = np.int16 if bounds.size <= np.iinfo(np.int16).max else np.int32
    for x_chunk, y_chunk in chunks(inside, x, y):
        within = (x_chunk >= edges[0]) & (x_chunk < edges[-1])
        x_chunk, y_chunk = x_chunk[within], y_chunk[within]
        # In double precision, as the edges are: in single precision a cell can be several off.
        index = cells(x_chunk.astype(float), edges).astype(narrow)
        # Round-off puts what is next to an edge on its other side.
        index -= x_chunk < bounds.take(index)
        index += x_chunk >= bounds.take(index + 1)
        order = np.argsort(index, kind="stable")
        starts = np.searchsorted(index[order], np.arange(1, len(edges) + 1))
        for part, (first, last) in zip(parts, itertools.pairwise(starts), strict=True):
            part.append(y_chunk[order[first:last]])
    for part in parts:
        yield np.concatenate(part).astype(float) if part else np.empty(0)
        part.clear()


def cells(values, edges):
    """Which of the n cells between evenly spaced edges finite values are in: 1 to n, 0 below and n + 1 above them.

    As ``numpy.digitize``, but for round-off at an edge, and faster.
    """
    n = len(edges) - 1
    per_unit = n / (edges[-1] - edges[0])
    # Python's floats leave single precision what it is.
    position = (values - float(edges[0] - 1 / per_unit)) * float(per_unit)
    return np.clip(position, 0, n + 1, out=position).astype(np.intp)
