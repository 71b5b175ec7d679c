"""Convolution of images with holes to a coarser resolution."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import ducc0
import numpy as np

from ..errors import AnchoringError
from .tiles import tile_shape

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_PIXELS = 2**15  # of a side of a kernel on an image's pixels: 1000" at 0.03", 9 GB
LEAST_SUM = 0.1  # of a kernel, as a part of the sum of |K|: with less, lobes cancel what it would keep
OFF_CENTRE = 0.1  # FWHM of a kernel: at a shift by this, two images of one sky correlate to 1.4 % from 1 at worst


def resample_kernel(kernel: ArrayLike, kernel_scale: float, image_scale: float) -> NDArray[np.float64]:
    """Resample a convolution kernel to an image's pixels and normalise it to a sum of 1.

    The kernel is interpolated bilinearly about its central pixel, on an odd square of side
    ``floor(N * kernel_scale / image_scale) - 2`` (one less if that is even), and is 0 outside its own grid.

    Parameters
    ----------
    kernel : (N, N) array
        Any normalisation; real kernels come normalised to their peak.
    kernel_scale, image_scale : float
        Pixel scales, arcsec.

    Returns
    -------
    (M, M) float64 array, M odd, of sum 1.

    Raises
    ------
    AnchoringError
        If the kernel is not a finite square, is not centred, has no positive sum, covers fewer than 3 image pixels or
        more than can be meant.
    """
    kernel = np.asarray(kernel, dtype=float)
    side, n = resampled_side(kernel.shape, kernel_scale, image_scale), len(kernel)
    if not np.isfinite(kernel).all():
        raise AnchoringError(
            "the kernel has pixels that are not finite; expected finite numbers: make the kernel again"
        )
    _require_positive_sum(kernel)
    position = (np.arange(side) - (side - 1) / 2) * (image_scale / kernel_scale) + (n - 1) / 2
    resampled = np.ascontiguousarray(_interpolated(_interpolated(kernel, position).T, position).T)
    _require_positive_sum(resampled)
    resampled /= resampled.sum()
    _require_centred(kernel, kernel_fwhm(resampled) * image_scale / kernel_scale)
    return resampled


def _require_positive_sum(kernel):
    total, size = kernel.sum(), np.abs(kernel).sum()
    if not total > LEAST_SUM * size:
        raise AnchoringError(
            f"the kernel's sum is {total:.4g}, and {size:.4g} without the signs; expected a positive sum, more than "
            f"{LEAST_SUM:.0%} of that: make the kernel again"
        )


def _require_centred(kernel, fwhm):
    """That what is above half of a kernel's peak lies about its middle; of an even side also about the pixel beside."""
    core = np.argwhere(kernel > kernel.max() / 2)
    shift = math.hypot(*(core.mean(axis=0) - (len(kernel) - 1) / 2))
    if shift > max(OFF_CENTRE * fwhm, 0.75):
        raise AnchoringError(
            f"the kernel's peak is {shift:.3g} pixels from the centre of its {len(kernel)} x {len(kernel)} pixels, and "
            f"{fwhm:.3g} wide; expected it at the centre, as it would shift the image: centre the kernel"
        )


def resampled_side(shape, kernel_scale, image_scale):
    """Side, image pixels, that a kernel of a shape is resampled to; AnchoringError if it is no square or too small."""
    if len(shape) != 2 or shape[0] != shape[1]:
        raise AnchoringError(f"the kernel has shape {shape}; expected a square image: make it square")
    side = math.floor(shape[0] * kernel_scale / image_scale) - 2
    side -= side % 2 == 0
    if side > MOST_PIXELS:
        raise AnchoringError(
            f"the kernel is {shape[0]} pixels of {kernel_scale:.4g} arcsec wide, {side} image pixels of "
            f"{image_scale:.4g} arcsec; expected at most {MOST_PIXELS}: check the pixel scales of both"
        )
    if side < 3:
        raise AnchoringError(
            f"the kernel is {shape[0]} pixels of {kernel_scale:.4g} arcsec wide, less than 5 image pixels of "
            f"{image_scale:.4g} arcsec; expected a kernel that reaches over the image's pixels: check its pixel scale"
        )
    return side


def kernel_fwhm(kernel: NDArray[np.floating]) -> float:
    """Noise-equivalent FWHM of a kernel of sum 1, pixels: that of the Gaussian with the same sum of K^2.

    For a Gaussian sum(K^2) = 1 / (4 pi sigma^2).
    """
    return math.sqrt(8 * math.log(2) / (4 * math.pi * (kernel**2).sum()))


def _interpolated(rows, position):
    """Rows (n, m) interpolated linearly at fractional positions, 0 outside: (len(position), m) array.

    No product of matrices, whose last digits depend on the number of threads.
    """
    n = len(rows)
    # A position that round-off puts a hair outside the grid is on its border.
    position = np.where(np.abs(position - np.round(position)) < 1e-9, np.round(position), position)
    inside = ((position >= 0) & (position <= n - 1))[:, None]
    low = np.clip(np.floor(position).astype(int), 0, max(n - 2, 0))
    fraction = (position - low)[:, None]
    return rows[low] * ((1 - fraction) * inside) + rows[np.minimum(low + 1, n - 1)] * (fraction * inside)


def convolve_image(
    data: NDArray[np.floating],
    kernel: NDArray[np.floating],
    error: NDArray[np.floating] | None = None,
    *,
    threads: int = 1,
) -> tuple[NDArray[np.floating], NDArray[np.floating] | None]:
    """Convolve an image with holes, and its error image, to a coarser resolution.

    With K the kernel and m = 1 at finite pixels, 0 at others and outside the image::

        out       = K * (m data) / (K * m)
        out_error = sqrt(K^2 * (m error^2)) / (K * m)        (independent pixels)

    at finite pixels; the others stay NaN. `out` equals ``astropy.convolution.convolve_fft(data, kernel,
    boundary="fill", fill_value=nan, preserve_nan=True)``. Both are computed with real FFTs in float64, tile by tile
    (overlap-save: Oppenheim & Schafer, Discrete-Time Signal Processing, 8.7.3), so that memory stays bounded and tiles
    without holes need no K * m, which is 1 there.

    Where a kernel with negative lobes meets a large hole, K * m can come near 0 or below and the ratio has no
    meaning: with neg the sum of ``|K|`` over K < 0, pixels with K * m <= 2 neg are NaN (K * m <= 0.999 if that is less:
    a pixel that sees no hole stays). As ``|K|`` * m <= K * m + 2 neg, what remains is amplified by a factor of 2 at
    most.
    A kernel without negative pixels loses none.

    Parameters
    ----------
    data : (ny, nx) array
        Image; not finite where unobserved.
    kernel : (M, M) array
        On the image's pixels, M odd, as `resample_kernel` gives it.
    error : (ny, nx) array, optional
        Standard deviation per pixel, in the image's unit; pixels where it is not finite add no variance.
    threads : int
        For the FFTs; the result does not depend on it.

    Returns
    -------
    out, out_error : (ny, nx) arrays of data's float dtype; out_error is None without `error`.
    """
    image = _InMemory(np.asarray(data), error)
    out = np.empty((2 if image.has_error else 1, *image.shape), dtype=image.dtype)
    for start, *planes in convolve_rows(image, kernel, threads=threads):
        for whole, rows in zip(out, planes, strict=False):
            whole[start : start + len(rows)] = rows
    return out[0], out[1] if image.has_error else None


class _InMemory:
    """An image as `convolve_rows` reads it."""

    def __init__(self, data, error):
        self._data, self._error = data, error
        self.shape, self.has_error = data.shape, error is not None
        self.dtype = data.dtype.newbyteorder("=") if data.dtype.kind == "f" else np.dtype(float)

    def rows(self, start, stop):
        return self._data[start:stop], self._error[start:stop] if self.has_error else None


def convolve_rows(image, kernel, *, threads=1):
    """As `convolve_image`, of an image that is read and given back row by row: it need not fit into memory.

    Parameters
    ----------
    image : `mosaics.Mosaic`, or what has like it `shape`, `dtype`, `has_error` and `rows(start, stop)`
    kernel, threads
        As for `convolve_image`.

    Yields
    ------
    first row, data and error (None if the image has none) of some rows; the arrays are used again for the next.
    """
    kernel = np.asarray(kernel, dtype=float)
    # Below 1, so that a pixel that sees no hole stays.
    floor = min(-2 * kernel[kernel < 0].sum(), 0.999)
    kernel = _crop_kernel(kernel, image.shape)
    tile = tile_shape(image.shape, kernel.shape)
    plan = _Plan(kernel, tile, floor=floor, with_error=image.has_error)
    rows, columns = (
        [_window(start, t, k, n) for start in range(0, n, t)]
        for t, k, n in zip(tile, kernel.shape, image.shape, strict=True)
    )
    band = np.empty((2 if image.has_error else 1, tile[0], image.shape[1]), dtype=image.dtype)
    with ThreadPoolExecutor(threads) as pool:
        for inner, outer, core in rows:
            data, error = image.rows(outer.start, outer.stop)
            out = band[:, : inner.stop - inner.start]

            def fill(column, data=data, error=error, core=core, out=out):
                inner, outer, across = column
                errors = (None, None) if error is None else (error[:, outer], out[1, :, inner])
                plan.convolve(data[:, outer], errors[0], (core, across), out[0, :, inner], errors[1])

            list(pool.map(fill, columns))
            yield inner.start, out[0], out[1] if image.has_error else None


class _Plan:
    """What the convolutions of all tiles of an image share: the transforms of the kernel and of its square."""

    def __init__(self, kernel, tile, *, floor, with_error):
        self._margin = [k - 1 for k in kernel.shape]
        self._shape = tuple(
            ducc0.fft.good_size(t + margin, axis == 1)
            for axis, (t, margin) in enumerate(zip(tile, self._margin, strict=True))
        )
        self._local = threading.local()
        self._kernel = self._transform(kernel)
        self._square = self._transform(kernel**2) if with_error else None
        self._whole = abs(kernel.sum() - 1) < 1e-12  # and not cropped
        self._floor = floor

    def convolve(self, data, error, core, out, out_error):
        """Write the convolved data and error of `core`, a window of the pixels given, to `out` and `out_error`."""
        good = np.isfinite(data)
        if not good[core].any():
            out[...] = np.nan
            if error is not None:
                out_error[...] = np.nan
            return
        coverage = self._coverage(good, core)
        _put(self._input(data.shape), data, good)
        _divide(self._convolved(self._kernel)[core], coverage, out)
        if error is None:
            return
        good &= np.isfinite(error)
        variance = self._input(error.shape)
        _put(variance, error, good)
        np.square(variance, out=variance)
        _divide(self._convolved(self._square)[core], None if coverage is None else coverage**2, out_error)
        # Round-off of an FFT can leave a zero variance a hair below 0. In float32 it holds for errors of 1e-19 to 1e19.
        np.sqrt(np.maximum(out_error, 0, out=out_error), out=out_error)

    def _coverage(self, good, core):
        """K * m, and NaN where the convolved image has no value; None where it is 1 throughout."""
        surrounded = all(
            n == c.stop - c.start + margin for n, c, margin in zip(good.shape, core, self._margin, strict=True)
        )
        if surrounded and self._whole and good.all():
            return None
        np.copyto(self._input(good.shape), good)
        coverage = self._convolved(self._kernel)[core].copy()
        coverage[~good[core] | (coverage <= self._floor)] = np.nan
        return coverage

    def _transform(self, kernel):
        """Real FFT of a kernel with its central pixel moved to the origin."""
        padded = np.zeros(self._shape)
        ky, kx = kernel.shape
        padded[:ky, :kx] = kernel
        return ducc0.fft.r2c(np.roll(padded, (-(ky // 2), -(kx // 2)), axis=(0, 1)), axes=(0, 1))

    def _input(self, shape):
        """Where the pixels of a shape go on the FFT grid: all of it is 0."""
        padded, _ = self._workspace()
        padded[...] = 0
        return padded[: shape[0], : shape[1]]

    def _convolved(self, transform):
        """The convolution of what is on the FFT grid, in its place."""
        padded, spectrum = self._workspace()
        ducc0.fft.r2c(padded, axes=(0, 1), out=spectrum)
        spectrum *= transform
        return ducc0.fft.c2r(spectrum, axes=(0, 1), lastsize=self._shape[1], forward=False, inorm=2, out=padded)

    def _workspace(self):
        # A fresh large array costs as much as filling it: the system hands its pages out zeroed, one by one.
        if not hasattr(self._local, "arrays"):
            rows, columns = self._shape
            self._local.arrays = np.empty(self._shape), np.empty((rows, columns // 2 + 1), dtype=complex)
        return self._local.arrays


def _put(grid, pixels, good):
    """Pixels that are good on a grid of zeros."""
    if good.all():
        np.copyto(grid, pixels)  # twice as fast
    else:
        np.copyto(grid, pixels, where=good)


def _divide(values, coverage, out):
    if coverage is None:
        np.copyto(out, values, casting="same_kind")
    else:
        np.divide(values, coverage, out=out, casting="same_kind")


def _window(start, tile, kernel, n):
    """A tile's pixels along an axis of n, those with what surrounds it, and the tile inside these."""
    stop = min(start + tile, n)
    first, last = max(start - kernel // 2, 0), min(stop + kernel // 2, n)
    return slice(start, stop), slice(first, last), slice(start - first, stop - first)


def _crop_kernel(kernel, shape):
    """Leave out kernel pixels that are farther from its centre than the image is wide: they never meet a pixel."""
    half = [min(k // 2, n - 1) for k, n in zip(kernel.shape, shape, strict=True)]
    cut = tuple(slice(k // 2 - h, k // 2 + h + 1) for k, h in zip(kernel.shape, half, strict=True))
    return kernel[cut]
