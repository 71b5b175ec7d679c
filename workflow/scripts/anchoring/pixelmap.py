"""Where the pixels of one image lie on the grid of another."""

import math

import numpy as np
from astropy.wcs.utils import pixel_to_pixel

TOLERANCE = 1e-4  # pixels; the largest error of an interpolated map that is accepted
FIRST_STEP = 64  # pixels between the nodes of the first, coarsest map tried


def exact_map(wcs_from, wcs_to, x, y):
    """Pixel positions (0-based) in `wcs_to` of the pixel positions x, y in `wcs_from`; NaN where there is none.

    By way of `astropy.wcs.utils.pixel_to_pixel`, as in `reproject`: to the last bit, so that a pixel that lies exactly
    beside a hole falls on the same side of it.
    """
    with np.errstate(invalid="ignore"):
        return pixel_to_pixel(wcs_from, wcs_to, x, y)


class PixelMap:
    """Positions in one image of the pixels of a window of another, interpolated where that is exact enough.

    The map between two celestial images is smooth, so that it is evaluated at nodes and interpolated bilinearly.
    The error of a bilinear interpolation is largest half-way between nodes: there it is compared with the exact map
    in every cell of the window, and the step between nodes is quartered until it is below `TOLERANCE` (1e-4 pixels);
    at a step of 1 the map is exact.

    Parameters
    ----------
    wcs_from, wcs_to : astropy.wcs.WCS
        Of the image whose pixels are asked for and the one in which they are located.
    window : (slice, slice)
        Rows and columns of the first image.

    Attributes
    ----------
    step : int
        Between nodes, pixels.
    error : float
        Largest deviation found from the exact map, pixels; 0 for an exact one.
    """

    def __init__(self, wcs_from, wcs_to, window):
        self.rows, self.columns = (np.arange(s.start, s.stop) for s in window)
        self._exact = lambda x, y: exact_map(wcs_from, wcs_to, x, y)
        self.step = FIRST_STEP
        while self.step > 1:
            self._build()
            self.error = self._largest_error()
            if self.error < TOLERANCE:
                return
            self.step //= 4
        self.step, self.error = 1, 0.0

    def _build(self):
        self._node_y = _nodes(self.rows, self.step)
        self._node_x = _nodes(self.columns, self.step)
        x, y = np.meshgrid(self._node_x, self._node_y)
        self._x, self._y = self._exact(x, y)

    def _largest_error(self):
        middle_y = (self._node_y[1:] + self._node_y[:-1]) / 2
        middle_x = (self._node_x[1:] + self._node_x[:-1]) / 2
        x, y = self._exact(*np.meshgrid(middle_x, middle_y))
        deviation = np.hypot(_cell_mean(self._x) - x, _cell_mean(self._y) - y)
        return math.inf if not np.isfinite(deviation).all() else float(deviation.max())

    def at_pixels(self, rows, columns):
        """Exact x and y of single pixels of the window, counted from its first."""
        positions = self._exact(self.columns[columns].astype(float), self.rows[rows].astype(float))
        return tuple(np.array(v) for v in positions)

    def at_block(self, rows, columns):
        """x and y, (rows, columns) arrays, of slices of the window, counted from its first pixel.

        The columns start at a multiple of FIRST_STEP.
        """
        row, column = self.rows[rows], self.columns[columns]
        if self.step == 1:
            # With distortions the package's own arrays cannot be written to.
            return tuple(np.array(v) for v in self._exact(*np.meshgrid(column.astype(float), row.astype(float))))
        cell = (row - self._node_y[0]) // self.step
        fraction = ((row - self._node_y[0]) / self.step - cell)[:, None]
        first = columns.start // self.step
        nodes = slice(first, first + (len(column) - 1) // self.step + 2)
        along = np.arange(self.step) / self.step
        positions = []
        for v in (self._x[:, nodes], self._y[:, nodes]):
            ends = v[cell] * (1 - fraction) + v[cell + 1] * fraction
            inside = np.diff(ends)[:, :, None] * along
            inside += ends[:, :-1, None]
            positions.append(inside.reshape(len(row), -1)[:, : len(column)])
        return tuple(positions)


def _nodes(pixels, step):
    """Nodes a step apart from the first pixel to one beyond the last."""
    return pixels[0] + step * np.arange((pixels[-1] - pixels[0]) // step + 2)


def _cell_mean(v):
    return (v[1:, 1:] + v[1:, :-1] + v[:-1, 1:] + v[:-1, :-1]) / 4


def overlap_window(wcs_from, shape_from, wcs_to, shape_to):
    """Rows and columns of the image `to` inside which all of the image `from` lies, or None if nothing does.

    The outline of a connected image bounds it, so only its border pixels are located, 1 pixel outside it.
    """
    ny, nx = shape_from
    along_x, along_y = np.arange(-1.0, nx + 1), np.arange(-1.0, ny + 1)
    x = np.concatenate([along_x, along_x, np.full(ny + 2, -1.0), np.full(ny + 2, float(nx))])
    y = np.concatenate([np.full(nx + 2, -1.0), np.full(nx + 2, float(ny)), along_y, along_y])
    x, y = exact_map(wcs_from, wcs_to, x, y)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return slice(0, shape_to[0]), slice(0, shape_to[1])
    window = []
    for position, n in ((y, shape_to[0]), (x, shape_to[1])):
        start, stop = max(math.floor(position.min()), 0), min(math.ceil(position.max()) + 1, n)
        if start >= stop:
            return None
        window.append(slice(start, stop))
    return tuple(window)
