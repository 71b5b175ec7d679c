"""What the steps of a pair cost, roughly, from sizes alone: to know before the run, not to bill by.

The constants were measured on a common 2-core virtual machine (mosaics of 4 and 20 million pixels, kernels of 401 to
3001): times there came out within a factor of 2, memory within 30%. Fast disks and full nodes differ.
"""

import math
from typing import NamedTuple

from ..images.convolution import tile_shape

PROCESS = 0.12e9  # bytes of a process that has done nothing but its imports
STARTS = 1.2  # CPU seconds of a pair's figures and of starting its jobs
PER_TRANSFORM = 0.35e-9  # CPU seconds per pixel and log2(pixels) of an FFT


class Cost(NamedTuple):
    """CPU time, seconds, and the most memory held at once, bytes."""

    seconds: float
    memory: float


def together(costs):
    """Of steps one after the other."""
    costs = list(costs)
    return Cost(sum(cost.seconds for cost in costs), max((cost.memory for cost in costs), default=0.0))


def of_convolution(shape, side, *, with_error=True, threads=1):
    """Of convolving an image (ny, nx) with a kernel of `side` of its pixels.

    Time: two FFTs of every tile each for the image, its holes and its error, N log2 N for N pixels. Memory (float32):
    image and error as they are mapped, and the rows of a band of tiles before and after; of a tile's size (float64) the
    transforms of the kernel and of its square, and three and a half arrays for every thread.
    """
    kernel = tuple(min(side, 2 * n - 1) for n in shape)
    tile = tile_shape(shape, kernel)
    size = math.prod(t + k - 1 for t, k in zip(tile, kernel, strict=True))
    tiles = math.prod(-(-n // t) for n, t in zip(shape, tile, strict=True))
    transforms = 6 if with_error else 4
    seconds = PER_TRANSFORM * transforms * tiles * size * math.log2(size)
    rows = shape[0] + 2 * tile[0] + kernel[0]
    held = (8 if with_error else 4) * rows * shape[1]
    return Cost(seconds, PROCESS + held + 8 * size * (2 + 3.5 * threads))


def of_reprojection(shape, window, grid):
    """Of reprojecting an image (ny, nx) onto a window (ny, nx) of a reference's grid (ny, nx)."""
    image, pixels = math.prod(shape), math.prod(window)
    return Cost(0.005e-6 * image + 0.05e-6 * pixels, PROCESS + 10 * image + 28 * pixels + 8 * math.prod(grid))


def of_fit(window):
    """Of the bins, the fit with its errors and the figures of a pair with a window (ny, nx) in common."""
    return Cost(STARTS + 0.08e-6 * math.prod(window), PROCESS + 70 * math.prod(window))
