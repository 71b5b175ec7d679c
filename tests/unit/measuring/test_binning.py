"""Ranges and bins are those of the published step, and bins hold the pixels they should."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from anchoring.errors import AnchoringError
from anchoring.measuring.binning import (
    FaintRange,
    bin_medians,
    cells,
    dynamic_range,
    equal_edges,
    fixed_range,
    fixed_width_edges,
    range_and_edges,
)
from anchoring.measuring.density import pixel_density


def test_fixed_ranges_have_17_and_7_bins():
    assert fixed_range("irac4_atgauss4") == fixed_range("F770W") == (0.25, 2.0)
    assert fixed_range("W3_atgauss15") == (0.0, 0.8)
    assert_allclose(fixed_width_edges(0.25, 2.0), 0.25 + 0.1 * np.arange(18))
    assert_allclose(fixed_width_edges(0.0, 0.8), 0.1 * np.arange(8))


def test_the_faint_range_starts_at_the_zero_and_reaches_a_third_of_the_pixels(rng):
    assert fixed_range("w3_atgauss15", "errors_in_variables") == fixed_range("F770W", "errors_in_variables")
    x = rng.uniform(0, 6, (50, 50)).astype(">f4")
    inside = rng.random(x.shape) < 0.8
    for brightness, zero, expected in ((1.0, 0.0, 2.0), (1.0, -0.4, 2.4), (0.2, 0.3, 1.0)):
        (low, high), edges = range_and_edges(brightness * x, x, inside, FaintRange(), zero)
        assert_allclose((low, high - low), (zero, expected), atol=0.2 if expected > 1 else 1e-12)
        assert edges[0] == zero
        assert high - 0.2 < edges[-1] <= high


def test_a_range_narrower_than_two_widths_has_one_bin_or_none():
    assert len(fixed_width_edges(0.1, 0.25)) == 2
    assert len(fixed_width_edges(0.1, 0.2)) == 1


def test_bins_are_medians_and_percentiles_of_what_lies_in_them(rng):
    x, y = rng.uniform(-1, 3, 20_000), rng.normal(size=20_000)
    edges = fixed_width_edges(0.25, 2.0)
    bins = bin_medians(x, y, edges)
    for i in range(17):
        inside = (x >= edges[i]) & (x < edges[i + 1])
        assert bins.count[i] == inside.sum()
        assert_allclose([bins.median[i], bins.p16[i], bins.p84[i]], np.percentile(y[inside], (50, 16, 84)))
    assert_allclose(bins.x, 0.3 + 0.1 * np.arange(17))


# Around the number of bins that fits into 16 bits, and the largest.
@pytest.mark.parametrize(
    ("high", "low", "dtype"),
    [(3276.9, 0.0, float), (3e6 + 3, 3e6, float), (3e6 + 3, 3e6, np.float32), (9999.97, -0.02, np.float32)],
)
def test_bins_are_those_of_numpy_however_many_they_are_and_however_bright(rng, low, high, dtype):
    edges = fixed_width_edges(low, high)
    assert len(edges) == round((high - low) * 10)
    x = rng.uniform(low, high, 30_000).astype(dtype)
    bins = bin_medians(x, x.astype(float), edges)
    # A sum over cells as numpy counts them, each value compared in double precision.
    place = np.digitize(x.astype(float), edges)
    expected = np.bincount(place, minlength=len(edges) + 1)[1:-1]
    assert np.array_equal(bins.count, expected)
    filled = bins.count > 0
    assert np.all(np.abs(bins.median - bins.x)[filled] <= 0.051)


@pytest.mark.parametrize(("low", "high"), [(0.0, 10_001.0), (0.0, np.inf), (-1e300, 1e300)])
def test_a_range_of_more_bins_than_any_image_fills_is_refused(low, high):
    with pytest.raises(AnchoringError, match=r"more than 100,000 bins.*at most 10,000 MJy/sr"):
        fixed_width_edges(low, high)


def test_bins_of_images_as_they_lie_in_a_file_are_those_of_their_pixels(rng):
    x, y = rng.uniform(-1, 3, (2, 300, 401)).astype(np.float32)
    inside = rng.random(x.shape) > 0.3
    edges = fixed_width_edges(0.25, 2.0)
    x[~inside] = np.nan
    found = bin_medians(x.astype(">f4"), y.astype(">f4"), edges, inside)
    for values, expected in zip(found, bin_medians(x[inside].astype(float), y[inside], edges), strict=True):
        assert np.array_equal(values, expected)


def test_cells_are_those_that_digitize_finds(rng):
    values, edges = rng.normal(size=10_000), np.linspace(-1, 0.7, 31)
    assert np.array_equal(cells(values, edges), np.digitize(values, edges))
    assert cells(np.array([-np.inf, np.inf, 1e30]), edges).tolist() == [0, 31, 31]


def test_a_value_on_an_edge_belongs_to_the_bin_above():
    bins = bin_medians(np.array([0.0, 1.0, 2.0]), np.array([5.0, 6.0, 7.0]), np.array([0.0, 1.0, 2.0]))
    assert bins.count.tolist() == [1, 1]
    assert bins.median.tolist() == [5.0, 6.0]


def test_bins_without_data_are_nan():
    bins = bin_medians(np.array([0.05]), np.array([1.0]), equal_edges(0, 1, 4))
    assert bins.count.tolist() == [1, 0, 0, 0]
    assert np.isnan(bins.median[1:]).all()


def test_dynamic_range_is_percentiles_inside_the_radius():
    values = np.concatenate([np.linspace(1, 3, 101), [0, np.nan, 1e6]])
    radius = np.concatenate([np.full(103, 5.0), [50.0]])
    low, high = dynamic_range(values, radius, 10.0, (15, 60))
    assert_allclose((low, high), (1.3, 2.2))
    with pytest.raises(AnchoringError, match="galaxy_table"):
        dynamic_range(values, radius, 1.0, (15, 60))


def test_density_counts_every_pixel_within_its_edges(rng):
    x, y = rng.normal(size=(2, 50_000))
    counts, x_edges, y_edges = pixel_density(x, y)
    expected, *_ = np.histogram2d(y, x, bins=(y_edges, x_edges))
    assert np.abs(counts - expected).sum() <= 4  # round-off at an edge
    assert counts.sum() > 0.99 * x.size


def test_density_around_a_range_is_not_spread_over_a_bright_tail(rng):
    x = rng.lognormal(0, 2, 20_000)
    counts, x_edges, _ = pixel_density(x, x, limits=(0.25, 2.0))
    assert x_edges[0] > -0.7
    assert x_edges[-1] < 3
    assert counts.sum() > 0.95 * ((x >= 0) & (x <= 2.875)).sum()
    _, x_edges, _ = pixel_density(x, x, limits=(-9.0, -8.0))
    assert x_edges[-1] > 100
