"""Reprojection of an image onto the grid of a reference."""

import numpy as np

from .errors import AnchoringError
from .pixelmap import TOLERANCE, PixelMap, overlap_window

BLOCK = 2_000_000  # output pixels interpolated at a time


def reproject_onto(data, wcs, wcs_reference, shape_reference, *, method="interp"):
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
    out[window] = function(data, wcs, wcs_reference, window, method)
    return out


def common_window(wcs, shape, wcs_reference, shape_reference):
    """Rows and columns of the reference inside which all of the image lies; AnchoringError if nothing does."""
    window = overlap_window(wcs, shape, wcs_reference, shape_reference)
    if window is None:
        raise AnchoringError("no overlap with the reference image; expected both to show the same field")
    return window


def _interpolate(data, wcs, wcs_reference, window, _method):
    from scipy.ndimage import map_coordinates

    positions = PixelMap(wcs_reference, wcs, window)
    data = np.ascontiguousarray(data, dtype=data.dtype.newbyteorder("="))
    border = _beside_holes(data)
    ny, nx = (s.stop - s.start for s in window)
    out = np.empty((ny, nx), dtype=data.dtype)
    block = max(BLOCK // nx, 1)
    for start in range(0, ny, block):
        x, y = positions.at_rows(start, min(start + block, ny))
        _settle_borders(x, y, border, positions, start)
        out[start : start + block] = _bilinear(map_coordinates, data, x, y)
    return out


def _beside_holes(data):
    """Pixels that are not finite, on the edge of the image, or beside such a one."""
    hole = ~np.isfinite(data)
    hole[[0, -1]] = hole[:, [0, -1]] = True
    for axis in (0, 1):
        before, after = (tuple(s if i == axis else slice(None) for i in (0, 1)) for s in (slice(1, None), slice(-1)))
        wider = hole.copy()
        wider[before] |= hole[after]
        wider[after] |= hole[before]
        hole = wider
    return hole


def _settle_borders(x, y, border, positions, start):
    """Take the exact position where the side of a hole or an edge that a pixel falls on hangs on the last digits."""
    if positions.step == 1:
        return
    with np.errstate(invalid="ignore"):
        close = np.zeros(x.shape, dtype=bool)
        for position in (x, y):
            # Values change sides at whole pixels, the image ends at half ones.
            close |= np.abs(2 * position - np.rint(2 * position)) < 4 * TOLERANCE
        rows, columns = np.nonzero(close)
        near_y, near_x = np.rint(y[rows, columns]), np.rint(x[rows, columns])
        inside = (near_y >= -1) & (near_y <= border.shape[0]) & (near_x >= -1) & (near_x <= border.shape[1])
    rows, columns, near_y, near_x = (v[inside] for v in (rows, columns, near_y, near_x))
    near_y, near_x = (np.clip(v, 0, n - 1).astype(int) for v, n in zip((near_y, near_x), border.shape, strict=True))
    doubtful = border[near_y, near_x]
    rows, columns = rows[doubtful], columns[doubtful]
    if rows.size:
        x[rows, columns], y[rows, columns] = positions.at_pixels(rows + start, columns)


def _bilinear(map_coordinates, data, x, y):
    """Bilinear interpolation; in the outer half of a border pixel its value, beyond it NaN."""
    ny, nx = data.shape
    outside = ~((x >= -0.5) & (x <= nx - 0.5) & (y >= -0.5) & (y <= ny - 0.5))
    x[outside] = y[outside] = 0
    position = np.stack([np.clip(y, 0, ny - 1), np.clip(x, 0, nx - 1)])
    values = map_coordinates(data, position, order=1, mode="constant", cval=np.nan, output=data.dtype)
    values[outside] = np.nan
    return values


def _reproject_with_package(data, wcs, wcs_reference, window, method):
    import reproject

    function = {"adaptive": reproject.reproject_adaptive, "exact": reproject.reproject_exact}[method]
    shape = tuple(s.stop - s.start for s in window)
    out, footprint = function((data, wcs), wcs_reference[window], shape_out=shape)
    out[footprint == 0] = np.nan
    return out
