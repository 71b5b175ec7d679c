"""Stated errors are the scatter of many realisations, with pixels that are correlated over a beam."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from anchoring.fitting.binned import fit_line
from anchoring.fitting.errors_in_variables import errors_in_variables
from anchoring.fitting.jackknife import (
    blocks_of,
    freedom,
    jackknife,
    replicate_lines,
    replicate_medians,
    replicate_relation,
    stated_covariance,
    variance_within,
    without_one,
)
from anchoring.measuring.binning import bin_medians, fixed_width_edges
from anchoring.measuring.samples import sample_pair
from simulation.fields import correlated_noise

LIMITS = (0.25, 2.0)
EDGES = fixed_width_edges(*LIMITS)
SHAPE = (96, 90)


def disk(shape=SHAPE, scale=30):
    y, x = np.indices(shape)
    return 2.6 * np.exp(-np.hypot(y - shape[0] / 2, x - shape[1] / 2) / scale)


def sampled(x, y, beam):
    return sample_pair(x, y, np.isfinite(y), np.ones(x.shape), beam=beam)


def binned(samples):
    bins = bin_medians(samples.x, samples.y, EDGES)
    line = fit_line(bins.x, bins.median)
    block, n, within = blocks_of(samples)
    medians, weights = replicate_medians(samples.x, samples.y, EDGES, block, without_one(n))
    return line, stated_covariance(*replicate_lines(bins.x, medians, weights, line.used), within=within)


def along(samples):
    relation = errors_in_variables(samples.x, samples.y, limits=LIMITS, sigma_x=0.0)
    block, n, within = blocks_of(samples)
    replicates = replicate_relation(relation, samples.x, samples.y, block, without_one(n))
    return relation, stated_covariance(*replicates, within=within)


@pytest.mark.parametrize("fit", [binned, along])
@pytest.mark.parametrize("beam", [2.0, 6.0])
def test_stated_errors_are_the_scatter_and_cover_the_truth(rng, fit, beam):
    x = disk()
    found, stated = [], []
    for _ in range(60):
        y = 1.3 * x + 0.2 + (1 + x) * correlated_noise(rng, SHAPE, beam, 0.05)
        line, covariance = fit(sampled(x, y, beam))
        found.append((line.slope, line.intercept))
        stated.append(covariance)
    found, stated = np.array(found), np.array(stated)
    errors = np.sqrt(np.einsum("nii->ni", stated))
    assert np.all(np.abs(found.std(axis=0) / errors.mean(axis=0) - 1) < 0.4)
    # A bin's median is not at its mid-point, by up to 0.012 MJy/sr here: no statistical error.
    assert_allclose(found.mean(axis=0), (1.3, 0.2), atol=0.02)
    within = np.abs(found - found.mean(axis=0)) / errors
    assert np.all((within < 1).mean(axis=0) > 0.5)
    assert np.all((within < 2).mean(axis=0) > 0.85)
    assert np.all(stated[:, 0, 1] < 0)


def test_more_pixels_per_beam_are_not_more_information(rng):
    """The same noise on pixels half as wide: the error stays, and does not halve."""
    coarse = correlated_noise(rng, SHAPE, 6.0, 0.05)
    fine = np.kron(coarse, np.ones((2, 2)))
    x = disk()
    _, one = binned(sampled(x, x + coarse, 6.0))
    _, four = binned(sampled(np.kron(x, np.ones((2, 2))), np.kron(x, np.ones((2, 2))) + fine, 12.0))
    assert_allclose(np.sqrt(four[1, 1] / one[1, 1]), 1, atol=0.2)


def test_blocks_are_at_least_two_beams_and_a_sixth_of_the_field():
    samples = sampled(disk(), disk(), 3.0)
    block, n, _ = blocks_of(samples)
    assert n == 36
    assert np.bincount(block).max() == 16 * 16
    assert blocks_of(sampled(disk(), disk(), 20.0))[1] == 9


def test_jackknife_of_a_mean_is_its_textbook_variance(rng):
    values = rng.normal(size=40)
    means = without_one(40) @ values / 39
    assert_allclose(jackknife(means, 2 * means), values.var(ddof=1) / 40 * np.array([[1, 2], [2, 4]]))


def test_replicated_medians_with_equal_weights_are_the_medians(rng):
    x, y = rng.uniform(0.25, 2, 5000), rng.normal(size=5000)
    block = rng.integers(0, 5, 5000)
    medians, mean_weights = replicate_medians(x, y, EDGES, block, np.ones((3, 5)))
    assert_allclose(mean_weights, 1)
    assert_allclose(medians[1], bin_medians(x, y, EDGES).median, atol=0.02)


def test_a_bin_that_a_block_holds_alone_leaves_with_it(rng):
    x = np.repeat([0.3, 0.4, 0.5, 0.6], 50)
    y = 2 * x + rng.normal(0, 0.001, x.size)
    block = np.where(x > 0.55, 3, rng.integers(0, 3, x.size))
    medians, weights = replicate_medians(x, y, EDGES, block, without_one(4))
    assert weights[3, 3] == 0
    slope, _ = replicate_lines(EDGES[:-1] + 0.05, medians, weights, np.isfinite(medians).all(axis=0))
    assert_allclose(slope, 2, atol=0.01)


def test_too_few_blocks_give_no_error_instead_of_a_wrong_one(rng):
    x = np.tile(np.linspace(0.3, 1.9, 8), (4, 1))
    _, covariance = binned(sampled(x, x + 0.1 * rng.normal(size=x.shape), 50.0))
    assert np.isnan(covariance).all()


@pytest.mark.parametrize("side", [2.0, 3.0, 6.0])
def test_blocks_hold_the_stated_part_of_the_variance_of_beam_wide_noise(rng, side):
    beam, blocks = 4.0, 4
    width = int(side * beam)
    # More than is used, so that the noise does not end at the blocks' edge.
    n = blocks * width + 40
    found = [correlated_noise(rng, (n, n), beam, 1.0)[20:-20, 20:-20] for _ in range(400)]
    means = np.reshape(found, (400, blocks, width, blocks, width)).mean(axis=(2, 4)).reshape(400, -1)
    as_if_independent = means.var() / blocks**2
    # The whole, too, is a block, and loses a little across its own edge.
    expected = variance_within(side) / variance_within(blocks * side)
    assert_allclose(as_if_independent / means.mean(axis=1).var(), expected, rtol=0.2)


def test_degrees_of_freedom_count_the_blocks_that_matter(rng):
    even = np.mean([freedom(*rng.normal(size=(2, 30))) for _ in range(200)])
    assert_allclose(even, 30, rtol=0.15)
    ruled = np.mean([freedom(*(rng.normal(size=(2, 30)) * np.where(np.arange(30) < 5, 10, 1))) for _ in range(200)])
    assert 4 < ruled < 9


def test_few_degrees_of_freedom_widen_the_stated_error(rng):
    """The mean of k normal blocks: 1 stated error holds it 68 times in 100 also where k is small."""
    for k in (5, 40):
        values = rng.normal(size=(1500, k))
        inside = [
            abs(v.mean()) < np.sqrt(stated_covariance(without_one(k) @ v / (k - 1), within=1.0)[0, 0]) for v in values
        ]
        assert abs(np.mean(inside) - 0.683) < 0.035
