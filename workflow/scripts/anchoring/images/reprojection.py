"""Reprojection of an image onto the grid of a reference."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..errors import AnchoringError
from .pixelmap import TOLERANCE, PixelMap, overlap_window

if TYPE_CHECKING:
    from astropy.wcs import WCS
    from numpy.typing import NDArray

SIDE = 128  # of a square of pixels interpolated at a time: what the processor's cache holds


def reproject_onto(
    data: NDArray[np.floating],
    wcs: WCS,
    wcs_reference: WCS,
    shape_reference: tuple[int, ...],
    *,
    method: Literal["interp", "adaptive", "exact"] = "interp",
) -> NDArray[np.floating]:
    """Reproject an image onto a reference's pixels; only where the two overlap is anything computed.

    Parameters
    ----------
    data : (ny, nx) array
        Not finite where unobserved.
    wcs, wcs_reference : astropy.wcs.WCS
    shape_reference : (ny, nx)
    method : {"interp", "adaptive", "exact"}
        Bilinear interpolation (values equal those of ``reproject.reproject_interp``), or
        ``reproject.reproject_adaptive`` or ``reproject.reproject_exact``.

    Returns
    -------
    array of shape_reference and data's float dtype, NaN outside the image's footprint.

    Raises
    ------
    AnchoringError
        If the image does not overlap the reference.
    """
    dtype = data.dtype.newbyteorder("=") if data.dtype.kind == "f" else np.dtype(float)
    window = common_window(wcs, data.shape, wcs_reference, shape_reference)
    out = np.full(shape_reference, np.nan, dtype=dtype)
    function = _interpolate if method == "interp" else _reproject_with_package
    function(data, wcs, wcs_reference, window, out[window], method)
    return out


def common_window(wcs, shape, wcs_reference, shape_reference):
    """Rows and columns of the reference inside which all of the image lies; AnchoringError if nothing does."""
    window = overlap_window(wcs, shape, wcs_reference, shape_reference)
    if window is None:
        raise AnchoringError("no overlap with the reference image; expected both to show the same field")
    return window


def _interpolate(data, wcs, wcs_reference, window, out, _method):
    positions = PixelMap(wcs_reference, wcs, window)
    border = _beside_holes(data)
    doubtful = []
    for row, column in itertools.product(*(range(0, n, SIDE) for n in out.shape)):
        block = slice(row, row + SIDE), slice(column, column + SIDE)
        x, y = positions.at_block(*block)
        if positions.step > 1:
            doubtful.append(np.add(_doubtful(x, y, border), [[row], [column]]))
        out[block] = _bilinear(data, x, y)
    rows, columns = np.concatenate(doubtful, axis=1) if doubtful else ([], [])
    if len(rows):
        out[rows, columns] = _bilinear(data, *positions.at_pixels(rows, columns))


def _beside_holes(data):
    """Pixels that hold a value and are beside one that does not, or the other way round; outside there is none."""
    ny, nx = data.shape
    border = np.empty(data.shape, dtype=bool)
    step = max(SIDE**2 // nx, 1)
    for start in range(0, ny, step):
        stop = min(start + step, ny)
        first, last = max(start - 1, 0), min(stop + 1, ny)
        hole = np.ones((stop - start + 2, nx + 2), dtype=np.uint8)
        hole[first - start + 1 : last - start + 1, 1:-1] = ~np.isfinite(data[first:last])
        across = hole[:, :-2] + hole[:, 1:-1] + hole[:, 2:]
        holes = across[:-2] + across[1:-1] + across[2:]
        border[start:stop] = (holes > 0) & (holes < 9)
    return border


def _doubtful(x, y, border):
    """Rows and columns where it depends on a position's last digits which side of a hole or an edge it is on."""
    ny, nx = border.shape
    with np.errstate(invalid="ignore"):
        low_y, high_y, low_x, high_x = np.rint((y.min(), y.max(), x.min(), x.max()))
        whole = np.isfinite([low_y, high_y, low_x, high_x]).all()
        if whole and low_y > 0 and low_x > 0 and high_y < ny - 1 and high_x < nx - 1:
            reach = slice(int(low_y), int(high_y) + 1), slice(int(low_x), int(high_x) + 1)
            if not border[reach].any():
                return np.empty((2, 0), dtype=int)
        close = np.zeros(x.shape, dtype=bool)
        for position in (x, y):
            # Values change sides at whole pixels, the image ends at half ones.
            close |= np.abs(2 * position - np.rint(2 * position)) < 4 * TOLERANCE
        rows, columns = np.nonzero(close)
        near_y, near_x = np.rint(y[rows, columns]), np.rint(x[rows, columns])
        inside = (near_y >= -1) & (near_y <= ny) & (near_x >= -1) & (near_x <= nx)
    rows, columns, near_y, near_x = (v[inside] for v in (rows, columns, near_y, near_x))
    near_y, near_x = (np.clip(v, 0, n - 1).astype(int) for v, n in ((near_y, ny), (near_x, nx)))
    at_border = border[near_y, near_x]
    return np.stack([rows[at_border], columns[at_border]])


def _bilinear(data, x, y):
    """Bilinear interpolation; in the outer half of a border pixel its value, beyond it NaN.

    As scipy.ndimage has it, a neighbour that is not finite counts even where its weight is 0.
    """
    ny, nx = data.shape
    pixels = data.ravel()
    with np.errstate(invalid="ignore"):
        if x.min() >= 0 and y.min() >= 0 and x.max() < nx - 1 and y.max() < ny - 1:
            left, below = x.astype(np.intp), y.astype(np.intp)
            x, y = x - left, y - below
            below *= nx
            below += left
            corners = (_taken(pixels[step:], below) for step in (0, 1, nx, nx + 1))
            return _mean_of_corners(corners, x, y)
        outside = ~((x >= -0.5) & (x <= nx - 0.5) & (y >= -0.5) & (y <= ny - 0.5))
        x[outside] = y[outside] = 0
        (left, right, to_x), (below, above, to_y) = (_neighbours(v, n) for v, n in ((x, nx), (y, ny)))
        places = (row * nx + column for row in (below, above) for column in (left, right))
        values = _mean_of_corners((_taken(pixels, place) for place in places), to_x, to_y)
    values[outside] = np.nan
    return values


def _mean_of_corners(corners, to_x, to_y):
    """Of the pixels below left, below right, above left and above right, weighted by the way to the next."""
    from_x = 1 - to_x
    low, high = (next(corners) * from_x + next(corners) * to_x for _ in (0, 1))
    return low * (1 - to_y) + high * to_y


def _taken(pixels, places):
    """Pixels at some places, in native byte order."""
    values = pixels.take(places)
    return values if values.dtype.isnative else values.byteswap(inplace=True).view(values.dtype.newbyteorder("="))


def _neighbours(position, n):
    """The two pixels on either side of positions along an axis of n pixels, and the distance from the first."""
    np.clip(position, 0, n - 1, out=position)
    first = position.astype(np.intp)
    return first, np.minimum(first + 1, n - 1), position - first


def _reproject_with_package(data, wcs, wcs_reference, window, out, method):
    import reproject

    function = {"adaptive": reproject.reproject_adaptive, "exact": reproject.reproject_exact}[method]
    native = data.astype(out.dtype, copy=False)
    out[...], footprint = function((native, wcs), wcs_reference[window], shape_out=out.shape)
    out[footprint == 0] = np.nan
