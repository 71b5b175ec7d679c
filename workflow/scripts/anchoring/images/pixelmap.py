"""Where the pixels of one image lie on the grid of another."""

import math

import numpy as np
from astropy.wcs.utils import pixel_to_pixel

TOLERANCE = 1e-4  # pixels; the largest error of an interpolated map that is accepted
NODES = 17  # along each axis of an image, to see whether its outline bounds it
JUMP = 10.0  # median steps along an outline, from which on a step is none of a continuous map
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


def _outline(left, right, bottom, top):
    """x and y of points around a rectangle, in order and at most 1 apart, back to the first."""
    across, up = np.arange(left, right + 1), np.arange(bottom, top + 1)
    x = np.concatenate([across, np.full(up.size, right), across[::-1], np.full(up.size, left)])
    return x, np.concatenate([np.full(across.size, bottom), up, np.full(across.size, top), up[::-1]])


def _is_torn(outline, inside):
    """Whether positions along an outline, or those inside it, show that the map is not continuous there."""
    outline, inside = np.array(outline), np.array(inside)
    if not (np.isfinite(outline).all() and np.isfinite(inside).all()):
        return True
    step = np.hypot(*np.diff(outline))
    low, high = outline.min(axis=1) - 1, outline.max(axis=1) + 1
    beyond = (inside < low[:, None]) | (inside > high[:, None])
    return step.max() > JUMP * np.median(step) or bool(beyond.any())


def _located(wcs, shape, wcs_image, shape_image):
    """Rows and columns of a grid of this shape that hold pixels within 1 pixel of an image, each located; else None."""
    rows, columns = np.zeros(shape[0], dtype=bool), np.zeros(shape[1], dtype=bool)
    step = max(2**18 // shape[1], 1)
    for start in range(0, shape[0], step):
        block = slice(start, min(start + step, shape[0]))
        x, y = exact_map(wcs, wcs_image, *np.meshgrid(np.arange(shape[1]), np.arange(block.start, block.stop)))
        inside = (x > -1) & (x < shape_image[1]) & (y > -1) & (y < shape_image[0])
        rows[block] = inside.any(axis=1)
        columns |= inside.any(axis=0)
    if not rows.any():
        return None
    return tuple(slice(int(at[0]), int(at[-1]) + 1) for at in (np.flatnonzero(rows), np.flatnonzero(columns)))


def overlap_window(wcs_from, shape_from, wcs_to, shape_to):
    """Rows and columns of the image `to` inside which all of the image `from` lies, or None if nothing does.

    The outline of an image, 1 pixel outside it, bounds it where the map is continuous. Where it is not, all pixels of
    `to` are located in the image: if a point has no place in `to`, if the outline jumps (it crosses the seam of a map
    of the sky, or goes round a pole that is a line there), or if a point of the inside is beyond the outline (the
    inside holds what the map puts at its rim).
    """
    ny, nx = shape_from
    outline = exact_map(wcs_from, wcs_to, *_outline(-1.0, nx, -1.0, ny))
    inside = exact_map(wcs_from, wcs_to, *map(np.ravel, np.meshgrid(*(np.linspace(0, n - 1, NODES) for n in (nx, ny)))))
    if _is_torn(outline, inside):
        return _located(wcs_to, shape_to, wcs_from, shape_from)
    x, y = outline
    window = []
    for position, n in ((y, shape_to[0]), (x, shape_to[1])):
        start, stop = max(math.floor(position.min()), 0), min(math.ceil(position.max()) + 1, n)
        if start >= stop:
            return None
        window.append(slice(start, stop))
    return tuple(window)
