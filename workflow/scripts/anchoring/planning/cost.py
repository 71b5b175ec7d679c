"""What the steps of a pair cost, from the sizes of their files alone: what jobs request and what `check` lists.

Memory is what a job must be given: the peak of its process, with a quarter more than was measured. Time is rough, to a
factor of 2. The constants were measured on a common 2-core virtual machine, memory with mosaics of 0.02 to 11 million
pixels (tests/workflow/test_memory.py), time with 4 and 20 million and kernels of 401 to 3001. Plain Python: Snakemake
asks for every job of a run.
"""

import functools
import math
from typing import NamedTuple

from ..images.tiles import tile_shape

PROCESS = 0.13e9  # bytes of a script with the libraries it imports
PER_TRANSFORM = 0.35e-9  # CPU seconds per pixel and log2(pixels) of an FFT
# By method, CPU seconds and bytes per pixel of the image and of the window that it is reprojected onto.
REPROJECTION = {
    "interp": ((0.005e-6, 0.05e-6), (6, 4)),
    "adaptive": ((0, 4e-6), (20, 160)),
    "exact": ((2.5e-6, 6e-6), (125, 45)),
}


class Cost(NamedTuple):
    """CPU time, seconds, and the most memory held at once, bytes."""

    seconds: float
    memory: float


def together(costs):
    """Of steps one after the other."""
    costs = list(costs)
    return Cost(sum(cost.seconds for cost in costs), max((cost.memory for cost in costs), default=0.0))


@functools.cache
def of_convolution(shape, side, with_error=True, *, threads=1):
    """Of convolving an image (ny, nx) with a kernel of `side` of its pixels.

    Time: two FFTs of every tile each for the image, its holes and its error, N log2 N for N pixels. Memory: the image
    and its error (float32) as far as they are mapped, the rows of a band of tiles before and after; of a tile's size
    (float64) the transforms of the kernel and of its square, and three and a half arrays for every thread.
    """
    shape = tuple(max(n, 1) for n in shape)
    kernel = tuple(min(side, 2 * n - 1) for n in shape)
    tile = tile_shape(shape, kernel)
    size = math.prod(t + k - 1 for t, k in zip(tile, kernel, strict=True))
    tiles = math.prod(-(-n // t) for n, t in zip(shape, tile, strict=True))
    transforms = 6 if with_error else 4
    seconds = PER_TRANSFORM * transforms * tiles * size * math.log2(size)
    rows = shape[0] + 2 * tile[0] + kernel[0]
    held = (10 if with_error else 5) * rows * shape[1]
    return Cost(seconds, PROCESS + held + 10 * size * (2 + 3.5 * threads))


def of_kernel():
    """Of making a kernel, on the largest grid that there is for it (`images.kernel_making.LARGEST`)."""
    return Cost(3.0, 0.45e9)


# Of the steps of a reference: `field` is (ny, nx), `planes` 2 with uncertainty maps and else 1.


def of_calibration(archive, field, planes=1):
    """Of the part of an archive image in a field; `archive` (ny, nx) is read as well if it is compressed."""
    held = PROCESS + 8 * math.prod(archive) + (20 + 20 * planes) * math.prod(field)
    return Cost(1.0 + 0.1e-6 * planes * math.prod(field), held)


def of_mosaic(field, tiles, planes=1):
    """Of one image of so many tiles, each as large as the field at most."""
    pixels = math.prod(field)
    return Cost(1.0 + 1e-6 * planes * tiles * pixels, PROCESS + 0.1e9 + (35 + 12 * tiles * planes) * pixels)


def of_sky(field, planes=1):
    """Of the sky of an image, measured on about a million squares of it."""
    return Cost(5.0, PROCESS + 0.4e9 + (12 + 8 * planes) * math.prod(field))


def of_reference(field, side, planes=1):
    """Of convolving a reference with a kernel of `side` of its pixels, and its noise."""
    seconds, memory = of_convolution(field, side, with_error=planes > 1)
    return Cost(seconds, memory + 0.1e9 + (10 + 20 * planes) * math.prod(field))


def of_reprojection(shape, window, grid, method="interp"):
    """Of reprojecting an image (ny, nx) onto a window (ny, nx) of a reference's grid (ny, nx)."""
    image, pixels = math.prod(shape), math.prod(window)
    seconds, held = (of_image * image + of_window * pixels for of_image, of_window in REPROJECTION[method])
    process = PROCESS if method == "interp" else PROCESS + 0.05e9  # of the package reproject
    return Cost(seconds, process + held + 5 * math.prod(grid))


def of_bins(grid, in_galaxy=False):
    """Of the bins and samples of a pair on a reference's grid (ny, nx); `in_galaxy` for a range from percentiles."""
    pixels = math.prod(grid)
    return Cost(0.4 + 0.08e-6 * pixels, PROCESS + (0.1e9 + 125 * pixels if in_galaxy else 38 * pixels))


def of_fit(grid):
    """Of the lines of the pairs that are solved together, each on a grid (ny, nx) as large as this."""
    return Cost(0.2, 0.1e9 + 2 * math.prod(grid))


def of_network(grids):
    """Of the lines of all pairs of an instrument, on grids (ny, nx), whose samples are held at once."""
    # No more than 5e4 samples of 40 bytes each: what is larger is averaged.
    held = sum(min(math.prod(grid), 100_000) for grid in grids)
    return Cost(0.3 + 0.15 * len(grids), 0.13e9 + 2 * max(map(math.prod, grids), default=0) + 60 * held)


def of_figures():
    """Of the figures of an image."""
    return Cost(1.0, 0.17e9)


def of_writing(shape):
    """Of the anchored image of an image (ny, nx)."""
    return Cost(0.2 + 0.02e-6 * math.prod(shape), PROCESS + 5 * math.prod(shape))
