"""Convolution of images with holes to a coarser resolution."""

import math

import ducc0
import numpy as np

from .errors import AnchoringError


def resample_kernel(kernel, kernel_scale, image_scale):
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
        If the kernel is not a finite square, has no positive sum, or covers fewer than 3 image pixels.
    """
    kernel = np.asarray(kernel, dtype=float)
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1]:
        raise AnchoringError(f"the kernel has shape {kernel.shape}; expected a square image: make it square")
    if not np.isfinite(kernel).all():
        raise AnchoringError("the kernel has pixels that are not finite; expected finite numbers: make the kernel anew")
    n = kernel.shape[0]
    side = math.floor(n * kernel_scale / image_scale) - 2
    side -= side % 2 == 0
    if side < 3:
        raise AnchoringError(
            f"the kernel is {n} pixels of {kernel_scale:.4g} arcsec wide, less than 5 image pixels of "
            f"{image_scale:.4g} arcsec; expected a kernel that reaches over the image's pixels: check its pixel scale"
        )
    position = (np.arange(side) - (side - 1) / 2) * (image_scale / kernel_scale) + (n - 1) / 2
    weights = _bilinear_weights(position, n)
    resampled = weights @ kernel @ weights.T
    total = resampled.sum()
    if not total > 1e-6 * np.abs(resampled).sum():
        raise AnchoringError(f"the kernel's sum is {total:.4g}; expected a positive sum: make the kernel anew")
    return resampled / total


def kernel_fwhm(kernel):
    """Noise-equivalent FWHM of a kernel of sum 1, pixels: that of the Gaussian with the same sum of K^2.

    For a Gaussian sum(K^2) = 1 / (4 pi sigma^2).
    """
    return math.sqrt(8 * math.log(2) / (4 * math.pi * (kernel**2).sum()))


def _bilinear_weights(position, n):
    """Matrix (len(position), n) that interpolates n samples linearly at fractional positions, 0 outside them."""
    # A position that round-off puts a hair outside the grid is on its border.
    position = np.where(np.abs(position - np.round(position)) < 1e-9, np.round(position), position)
    inside = (position >= 0) & (position <= n - 1)
    low = np.clip(np.floor(position).astype(int), 0, max(n - 2, 0))
    fraction = position - low
    weights = np.zeros((len(position), n))
    rows = np.arange(len(position))
    weights[rows, low] = (1 - fraction) * inside
    weights[rows, np.minimum(low + 1, n - 1)] += fraction * inside
    return weights


def convolve_image(data, kernel, error=None, *, threads=1):
    """Convolve an image with holes, and its error image, to a coarser resolution.

    With K the kernel and m = 1 at finite pixels, 0 at others and outside the image::

        out       = K * (m data) / (K * m)
        out_error = sqrt(K^2 * (m error^2)) / (K * m)        (independent pixels)

    at finite pixels; the others stay NaN. `out` equals ``astropy.convolution.convolve_fft(data, kernel,
    boundary="fill", fill_value=nan, preserve_nan=True)``. Both are computed with real FFTs in float64.

    Where a kernel with negative lobes meets a large hole, K * m can come near 0 or below and the ratio has no
    meaning: with neg the sum of \\|K\\| over K < 0, pixels with K * m < 2 neg are NaN. As \\|K\\| * m <= K * m + 2 neg,
    what remains is amplified by a factor of 2 at most. A kernel without negative pixels loses none.

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
    data = np.asarray(data)
    dtype = data.dtype if data.dtype.kind == "f" else np.dtype(float)
    dtype = dtype.newbyteorder("=")
    good = np.isfinite(data)
    kernel = _crop_kernel(np.asarray(kernel, dtype=float), data.shape)
    shape = _fft_shape(data.shape, kernel.shape)
    transform = _kernel_transform(kernel, shape, threads)
    coverage = _convolve_padded(good, transform, shape, threads)
    negative = -kernel[kernel < 0].sum()
    floor = 2 * negative if negative > 0 else 0.0
    trusted = good & (coverage > floor)
    coverage[~trusted] = np.nan
    out = _convolve_padded(np.where(good, data, 0), transform, shape, threads)
    out /= coverage
    out = out.astype(dtype)
    if error is None:
        return out, None
    variance = np.where(good & np.isfinite(error), error, 0).astype(float)
    np.square(variance, out=variance)
    del transform
    transform = _kernel_transform(kernel**2, shape, threads)
    variance = _convolve_padded(variance, transform, shape, threads)
    # Round-off of an FFT can leave a zero variance a hair below 0.
    np.sqrt(np.maximum(variance, 0, out=variance), out=variance)
    variance /= coverage
    return out, variance.astype(dtype)


def _crop_kernel(kernel, shape):
    """Leave out kernel pixels that are farther from its centre than the image is wide: they never meet a pixel."""
    half = [min(k // 2, n - 1) for k, n in zip(kernel.shape, shape, strict=True)]
    cut = tuple(slice(k // 2 - h, k // 2 + h + 1) for k, h in zip(kernel.shape, half, strict=True))
    return kernel[cut]


def _fft_shape(image_shape, kernel_shape):
    """Good FFT lengths with enough zeros after the image that nothing wraps around into it."""
    return tuple(
        ducc0.fft.good_size(n + k // 2, axis == 1)
        for axis, (n, k) in enumerate(zip(image_shape, kernel_shape, strict=True))
    )


def _kernel_transform(kernel, shape, threads):
    """Real FFT of a kernel with its central pixel moved to the origin."""
    padded = np.zeros(shape)
    ky, kx = kernel.shape
    padded[:ky, :kx] = kernel
    return _forward(np.roll(padded, (-(ky // 2), -(kx // 2)), axis=(0, 1)), threads)


def _convolve_padded(image, transform, shape, threads):
    padded = np.zeros(shape)
    padded[: image.shape[0], : image.shape[1]] = image
    spectrum = _forward(padded, threads)
    del padded
    spectrum *= transform
    full = ducc0.fft.c2r(spectrum, axes=(0, 1), lastsize=shape[1], forward=False, inorm=2, nthreads=threads)
    return full[: image.shape[0], : image.shape[1]].copy()


def _forward(padded, threads):
    return ducc0.fft.r2c(padded, axes=(0, 1), nthreads=threads)
