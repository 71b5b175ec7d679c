"""The tiles that a large image is convolved in; without numpy, so that the memory of a convolution can be planned."""

import itertools
import math

TILE_PIXELS = 2**16  # of an FFT in the processor's inner cache
# An FFT's time per N log N, for powers of 2 of its pixels over that.
SLOWER = ((0, 2, 3, 4, 5.3, 6), (1.0, 1.06, 1.3, 1.5, 1.6, 2.3))
LARGE = 2**6  # over that, memory is dearer than time
TILE_OVERHEAD = 2**15  # what starting on a tile costs, in pixels
MOST_TILES = 64  # along an axis


def tile_shape(shape, kernel_shape):
    """Rows and columns of the tiles that an image is convolved in: those that take the least time.

    The FFTs of a tile are (tile + kernel - 1) wide: small tiles transform many pixels twice, large ones leave the
    processor's caches (the numbers are of a common one with 1 MB for a core and 32 MB for all).

    Parameters
    ----------
    shape, kernel_shape : (rows, columns)
    """
    counts = [range(1, min(n // k + 1, MOST_TILES) + 1) for n, k in zip(shape, kernel_shape, strict=True)]
    tiles = [{count: -(-n // count) for count in axis} for n, axis in zip(shape, counts, strict=True)]

    def time(down, across):
        size = float(math.prod(t[i] + k - 1 for t, i, k in zip(tiles, (down, across), kernel_shape, strict=True)))
        slower = _interpolated(math.log2(size / TILE_PIXELS)) * max(size / TILE_PIXELS / LARGE, 1)
        return down * across * (size + TILE_OVERHEAD) * math.log2(size) * slower

    _, down, across = min((time(down, across), down, across) for down in counts[0] for across in counts[1])
    return tiles[0][down], tiles[1][across]


def _interpolated(power):
    """SLOWER at a power of 2."""
    power = min(max(power, SLOWER[0][0]), SLOWER[0][-1])
    for (low, before), (high, after) in itertools.pairwise(zip(*SLOWER, strict=True)):
        if power <= high:
            return before + (after - before) / (high - low) * (power - low)
