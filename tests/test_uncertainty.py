"""Stated errors are the scatter of many realisations, with pixels that are correlated over a beam."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter

from anchoring.binning import bin_medians, fixed_width_edges
from anchoring.fitting import fit_line
from anchoring.uncertainty import block_sums, line_errors

EDGES = fixed_width_edges(0.25, 2.0)


def fit_with_errors(x_image, y_image, beam):
    inside = np.isfinite(y_image)
    x, y = x_image[inside], y_image[inside]
    bins = bin_medians(x, y, EDGES)
    line = fit_line(bins.x, bins.median)
    blocks = block_sums(x, y, inside, EDGES, bins, beam=beam)
    return line, line_errors(blocks, bins, line), blocks


def disk(shape, scale):
    y, x = np.indices(shape)
    return 2.6 * np.exp(-np.hypot(y - shape[0] / 2, x - shape[1] / 2) / scale)


@pytest.mark.parametrize("beam", [0.0, 6.0, 10.0])
def test_stated_errors_are_the_scatter_and_cover_the_truth(rng, beam):
    x = disk((130, 120), 35)
    found, stated = [], []
    for _ in range(80):
        noise = gaussian_filter(rng.normal(size=x.shape), beam / 2.355)
        y = 1.3 * x + 0.2 + 0.05 * (1 + x) * noise / noise.std()
        line, errors, _ = fit_with_errors(x, y, beam)
        found.append((line.slope, line.intercept))
        stated.append((errors.slope, errors.intercept, errors.covariance))
    found, stated = np.array(found), np.array(stated)
    assert np.all(np.abs(found.std(axis=0) / stated[:, :2].mean(axis=0) - 1) < 0.4)
    within = np.abs(found - (1.3, 0.2)) / stated[:, :2]
    assert np.all((within < 1).mean(axis=0) > 0.5)
    assert np.all((within < 2).mean(axis=0) > 0.8)
    assert_allclose(np.cov(found.T)[0, 1], stated[:, 2].mean(), rtol=0.7)


def test_counts_beams_not_pixels(rng):
    x = disk((128, 128), 35)
    noise = gaussian_filter(rng.normal(size=x.shape), 5)
    _, errors, _ = fit_with_errors(x, 1.3 * x + 0.1 * noise / noise.std(), 12.0)
    assert 10 < errors.n_independent < 200


def test_blocks_hold_every_pixel_in_range(rng):
    x = disk((100, 300), 35)
    y = x + rng.normal(size=x.shape)
    y[:10] = np.nan
    _, _, blocks = fit_with_errors(x, y, 2.0)
    inside = np.isfinite(y) & (x >= EDGES[0]) & (x < EDGES[-1])
    assert blocks.count.sum() == inside.sum()
    assert blocks.side == 3
    assert blocks.row.max() < 30
    assert blocks.column.max() < 100


def test_exact_line_has_no_error_to_speak_of():
    x = disk((64, 64), 20)
    line, errors, _ = fit_with_errors(x, np.round(x * 10 - 0.5 + 1e-9) / 10, 4.0)
    assert np.isfinite([line.slope, line.intercept]).all()
    assert not errors.intercept > 0.2


def test_too_few_independent_places_give_no_error_instead_of_a_wrong_one(rng):
    x = np.linspace(0.3, 1.9, 8).reshape(2, 4)
    _, errors, _ = fit_with_errors(x, x + 0.1 * rng.normal(size=x.shape), 50.0)
    assert np.isnan(errors.intercept)
