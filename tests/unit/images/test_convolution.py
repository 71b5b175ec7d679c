"""Convolution recovers what is known: astropy's answer, a constant, the flux, the scatter of noise."""

import math

import numpy as np
import pytest
from astropy.convolution import convolve_fft
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter

from anchoring.errors import AnchoringError
from anchoring.images import tiles
from anchoring.images.convolution import convolve_image, resample_kernel


def gaussian(sigma, side, angle_ratio=1.0):
    y, x = np.indices((side, side)) - side // 2
    return np.exp(-0.5 * ((x / sigma) ** 2 + (y / (sigma * angle_ratio)) ** 2))


def with_holes(rng, shape=(90, 111)):
    data = gaussian_filter(rng.normal(size=shape), 3) + 2
    data[:8, :30] = np.nan
    data[40:60, 50:70] = np.nan
    data[rng.random(shape) < 0.03] = np.nan
    return data


@pytest.mark.parametrize("side", [9, 31, 151])
def test_equals_astropy_with_holes_edges_and_a_kernel_larger_than_the_image(rng, side):
    data = with_holes(rng)
    kernel = gaussian(3.0, side, 2.0)
    kernel[side // 2 + 2 :, :] *= 0.3  # neither symmetric nor round
    kernel /= kernel.sum()
    expected = convolve_fft(
        data, kernel, boundary="fill", fill_value=np.nan, preserve_nan=True, allow_huge=True, normalize_kernel=True
    )
    out, _ = convolve_image(data, kernel)
    assert np.array_equal(np.isnan(out), np.isnan(data))
    assert_allclose(out, expected, rtol=1e-10, equal_nan=True)


@pytest.mark.parametrize("tile_pixels", [30, 100, 300])
def test_many_tiles_equal_astropy_too(rng, monkeypatch, tile_pixels):
    monkeypatch.setattr(tiles, "TILE_PIXELS", tile_pixels)
    monkeypatch.setattr(tiles, "TILE_OVERHEAD", 0)
    data = np.pad(with_holes(rng), ((0, 60), (0, 80)), constant_values=1.5)  # some tiles see no hole
    kernel = gaussian(3.0, 15, 2.0)
    kernel[9:, :] *= 0.3
    expected = convolve_fft(
        data, kernel, boundary="fill", fill_value=np.nan, preserve_nan=True, allow_huge=True, normalize_kernel=True
    )
    kernel /= kernel.sum()
    assert math.prod(tiles.tile_shape(data.shape, kernel.shape)) < data.size / 4
    out, error = convolve_image(data, kernel, np.ones_like(data), threads=2)
    assert_allclose(out, expected, rtol=1e-10, equal_nan=True)
    assert_allclose(error[130, 150], np.sqrt((kernel**2).sum()), rtol=1e-10)


def test_float32_image_is_float32_and_equals_astropy_to_1e6(rng):
    data = with_holes(rng).astype(">f4")
    kernel = gaussian(2.5, 25)
    expected = convolve_fft(data, kernel, boundary="fill", fill_value=np.nan, preserve_nan=True)
    out, _ = convolve_image(data, kernel / kernel.sum())
    assert out.dtype == np.float32
    assert_allclose(out, expected, rtol=1e-6, equal_nan=True)


def test_constant_stays_constant(rng):
    data = np.where(np.isfinite(with_holes(rng)), 3.7, np.nan)
    out, _ = convolve_image(data, gaussian(4, 41) / gaussian(4, 41).sum())
    assert_allclose(out[np.isfinite(data)], 3.7, rtol=1e-12)


def test_flux_of_a_source_away_from_edges_is_conserved():
    data = np.zeros((80, 81))
    data[40, 41] = 5.0
    kernel = gaussian(3, 31, 0.6)
    out, _ = convolve_image(data, kernel / kernel.sum())
    assert_allclose(out.sum(), 5.0, rtol=1e-12)
    assert_allclose(out[25:56, 26:57], 5 * kernel / kernel.sum(), atol=1e-15)


def test_result_does_not_depend_on_threads(rng):
    data, kernel = with_holes(rng), gaussian(4, 41) / gaussian(4, 41).sum()
    one, two = convolve_image(data, kernel, data, threads=1), convolve_image(data, kernel, data, threads=2)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, two, strict=True))


def test_error_is_the_scatter_of_convolved_noise_also_at_edges_and_holes(rng):
    error = np.where(np.isfinite(with_holes(rng, (40, 40))), 0.5, np.nan)
    error[:, 20:] *= 2
    kernel = gaussian(2, 15, 1.5)
    kernel /= kernel.sum()
    _, stated = convolve_image(error, kernel, error)
    draws = np.stack([convolve_image(error * rng.normal(size=error.shape), kernel)[0] for _ in range(1500)])
    seen = np.isfinite(error)
    ratio = draws.std(axis=0)[seen] / stated[seen]
    assert abs(ratio.mean() - 1) < 0.01
    assert ratio.min() > 0.9
    assert ratio.max() < 1.1


def test_negative_lobes_leave_nan_instead_of_wild_values_next_to_large_holes(rng):
    kernel = gaussian(3, 41) / gaussian(3, 41).sum() - 0.3 * gaussian(7, 41) / gaussian(7, 41).sum()
    kernel /= kernel.sum()
    data = np.full((80, 80), np.nan)
    data[30:50, 30:50] = 1 + 0.1 * rng.normal(size=(20, 20))
    data[5, 5] = 100.0  # alone: the negative lobes see nothing else
    data[70:72, 5:60] = 1.0
    out, _ = convolve_image(data, kernel)
    finite = out[np.isfinite(out)]
    assert finite.size > 100
    # |K| * m <= 2 K * m where a pixel is kept, so that no value can exceed 3 times the largest that enters.
    inside = out[32:48, 32:48]
    assert np.isfinite(inside).all()
    assert np.abs(inside - 1).max() < 0.3
    assert np.abs(finite).max() <= 3 * 100


def test_positive_kernel_keeps_an_isolated_pixel():
    data = np.full((60, 60), np.nan)
    data[30, 30] = 4.2
    kernel = gaussian(5, 31)
    out, _ = convolve_image(data, kernel / kernel.sum())
    assert_allclose(out[30, 30], 4.2, rtol=1e-9)


def test_resampled_kernel_is_not_transposed_and_has_the_stated_side():
    kernel = gaussian(4, 41, 2.5)  # taller than wide
    resampled = resample_kernel(kernel, 0.2, 0.25)
    assert resampled.shape == (29, 29)  # floor(41 * 0.2 / 0.25) - 2 = 30, made odd
    assert_allclose(resampled.sum(), 1)
    y, x = np.indices(resampled.shape) - 14
    # Linear interpolation of a Gaussian adds a little to its variance; taken out to +-14 pixels it loses a little.
    assert_allclose((resampled * x**2).sum() ** 0.5, 4 * 0.2 / 0.25, rtol=0.02)
    assert (resampled * y**2).sum() > 2 * (resampled * x**2).sum()


def test_resampling_to_the_same_scale_keeps_the_kernel():
    kernel = gaussian(2, 11) + 1e-4 * np.arange(121.0).reshape(11, 11)
    expected = kernel[1:-1, 1:-1] / kernel[1:-1, 1:-1].sum()
    assert_allclose(resample_kernel(kernel, 0.1, 0.1), expected)


@pytest.mark.parametrize(("side", "peak"), [(41, 20), (40, 19.5), (40, 20)])
def test_a_kernel_may_be_centred_next_to_the_middle_of_an_even_side(side, peak):
    y, x = np.indices((side, side)) - peak
    kernel = np.exp(-(y**2 + x**2) / (2 * 2.0**2))
    assert_allclose(resample_kernel(kernel, 1.0, 1.0).sum(), 1)


def test_a_kernel_of_absurd_width_is_refused_before_it_is_made():
    with pytest.raises(AnchoringError, match="check the pixel scales of both"):
        resample_kernel(gaussian(2, 41), 3600.0, 0.1)


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (np.ones((5, 7)), "square"),
        (np.full((9, 9), np.nan), "not finite"),
        (np.zeros((9, 9)), "sum"),
        (gaussian(2, 41) - gaussian(2, 41).mean(), "sum"),
        (np.roll(gaussian(2, 41), 3, axis=1), "peak is 3 pixels from the centre"),
        (-np.ones((9, 9)), "sum"),
    ],
)
def test_bad_kernels_are_refused_in_words(kernel, words):
    with pytest.raises(AnchoringError, match=words):
        resample_kernel(kernel, 1.0, 1.0)


def test_kernel_narrower_than_the_pixels_is_refused():
    with pytest.raises(AnchoringError, match="pixel scale"):
        resample_kernel(gaussian(1, 5), 0.1, 0.3)
