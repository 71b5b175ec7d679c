"""An adjustment recovers true offsets, states their errors, and names the reference that is wrong."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from anchoring.solving.adjustment import Observations, adjust, anchored, at_true_zero, named, shrunk_covariance

BLOCKS = 20
OFFSETS = np.array([0.3, -0.2, 0.5])
BANDS, REFERENCES = np.array([1.0, 1.4, 0.6]), np.array([1.1, 0.9, 0.7, 0.5])  # brightness: a slope is their ratio
# Every band on every reference, and the bands on each other.
PAIRS = [(i, -1, r) for i in range(3) for r in range(4)] + [(1, 0, -1), (2, 0, -1), (1, 2, -1)]


def network(rng, *, zeros=(0, 0, 0, 0), noise=0.003, offsets=OFFSETS, pairs=PAIRS, drift=0.0, common=0.0):
    """Pairs with errors of their lines from blocks, those of `common` shared by all, and a systematic `drift`."""
    zeros = np.asarray(zeros, dtype=float)
    shared = rng.normal(0, common * np.sqrt(BLOCKS), BLOCKS)
    lines, replicates, changes = [], [], []
    for image, other, reference in pairs:
        x = BANDS[other] if other >= 0 else REFERENCES[reference]
        slope = BANDS[image] / x
        # x shows too little by its own offset, or too much by the zero of the reference.
        zero = -offsets[other] if other >= 0 else zeros[reference]
        of_blocks = rng.normal(0, noise * np.sqrt(BLOCKS), BLOCKS) + shared
        off = rng.normal(0, drift)
        intercept = -offsets[image] - slope * zero + of_blocks.mean() + off
        without = (of_blocks.sum() - of_blocks) / (BLOCKS - 1) - of_blocks.mean()
        lines.append((slope, intercept))
        replicates.append([np.full(BLOCKS, slope), intercept + without])
        changes.append(np.array([[0.0, drift]]) if drift else np.zeros((0, 2)))
    image, other, reference = np.array(pairs).T
    slope, intercept = np.array(lines).T
    return Observations(image, other, reference, slope, intercept, np.array(replicates), np.ones(len(pairs)), changes)


def test_offsets_and_zeros_that_fit_exactly_are_found_exactly(rng):
    found = adjust(network(rng, noise=0.0), 3, np.zeros(4))
    assert_allclose(found.offset, OFFSETS, atol=1e-12)
    assert_allclose(found.residual, 0, atol=1e-12)
    assert found.freedom == len(PAIRS) - 3
    # One zero that is off, and known to be uncertain: by the others it is what it is.
    found = adjust(network(rng, noise=0.0, zeros=(0, 0.1, 0, 0)), 3, [0, 1.0, 0, 0])
    assert_allclose(found.offset, OFFSETS, atol=1e-6)
    assert_allclose(found.zero[1], 0.1, atol=1e-6)


def test_a_network_of_one_pair_is_the_tree(rng):
    found = adjust(network(rng, pairs=[(0, -1, 1)], zeros=(0, 0.1, 0, 0)), 1, [0.0, 0.02, 0.0, 0.0])
    observed = network(np.random.default_rng(20250101), pairs=[(0, -1, 1)], zeros=(0, 0.1, 0, 0))
    assert_allclose(found.offset, -observed.intercept)
    assert_allclose(found.of_zeros[0], (observed.slope * 0.02) ** 2)
    assert np.isnan(found.w).all()  # nothing to test it by


@pytest.mark.parametrize("drift", [0.0, 0.004])
def test_stated_errors_hold_as_often_as_they_should(drift):
    ratios = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        found = adjust(network(rng, zeros=rng.normal(0, 0.02, 4), drift=drift, common=0.002), 3, np.full(4, 0.02))
        ratios.append((found.offset - OFFSETS) / np.sqrt(np.diag(found.covariance)))
    inside = np.abs(ratios)
    assert 0.6 < np.mean(inside < 1) < 0.85
    assert np.mean(inside < 2) > 0.92


def test_the_covariance_is_that_of_many_networks():
    found, stated = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        one = adjust(network(rng, zeros=rng.normal(0, 0.02, 4)), 3, np.full(4, 0.02))
        found.append(one.offset)
        stated.append(one.covariance)
    assert_allclose(np.mean(stated, axis=0), np.cov(np.array(found).T), rtol=0.25)


@pytest.mark.parametrize(("wrong", "size"), [(0, 0.15), (3, -0.15), (None, 0.0)])
def test_a_wrong_reference_is_named_and_no_other(wrong, size):
    names = []
    for seed in range(100):
        rng = np.random.default_rng(1000 + seed)
        zeros = rng.normal(0, 0.02, 4)
        zeros[wrong or 0] += size
        names.append(named(adjust(network(rng, zeros=zeros), 3, np.full(4, 0.02)).w, [True] * 4))
    assert set(names) <= {None, wrong}
    if wrong is not None:
        assert names.count(wrong) >= 90


def test_a_reference_is_named_under_the_rule_only():
    known = [True] * 4
    assert named(np.array([5.0, -1.0, 0.5, 0.0]), known) == 0
    assert named(np.array([3.2, -1.0, 0.5, 0.0]), known) is None  # by chance
    assert named(np.array([-5.0, 4.7, 0.5, 0.0]), known) is None  # the next is as bad
    assert named(np.array([5.0, -5.0, np.nan, np.nan]), known) is None  # of two, none
    assert named(np.array([5.0, -1.0, 0.5, 0.0]), [True, True, True, False]) is None  # an exact one among them


def test_an_image_without_a_path_to_a_reference_has_no_offset(rng):
    pairs = [(0, -1, 0), (1, 0, -1), (2, 3, -1)]
    observed = network(rng, pairs=pairs[:2])
    lonely = Observations(
        *(np.append(a, b) for a, b in zip(observed[:5], (2, 3, -1, 1.0, 0.1), strict=True)),
        np.concatenate([observed.replicates, observed.replicates[:1]]),
        np.ones(3),
        [*observed.changes, np.zeros((0, 2))],
    )
    assert anchored(lonely, 4).tolist() == [True, True, False, False]
    found = adjust(lonely, 4, np.zeros(1))
    assert np.isfinite(found.offset).tolist() == [True, True, False, False]
    assert np.isfinite(found.residual).tolist() == [True, True, False]
    nothing = adjust(network(rng, pairs=[(1, 0, -1)]), 2, np.zeros(0))
    assert np.isnan(nothing.offset).all()


def test_a_line_is_taken_where_the_other_image_is_0(rng):
    observed = network(rng, pairs=[(1, 0, -1)])
    observed.replicates[0, 0] += np.linspace(-0.01, 0.01, BLOCKS)
    observed = observed._replace(changes=[np.array([[0.01, 0.002], [0.0, 0.003]])])
    deviations, changes = at_true_zero(observed, np.array([0.4, 0.0]))
    lines = observed.replicates[0, 1] - 0.4 * observed.replicates[0, 0]
    assert_allclose(deviations[0], lines.mean() - lines)
    assert_allclose(changes[0], np.hypot(0.002 - 0.4 * 0.01, 0.003))


def test_correlations_are_shrunk_as_far_as_chance_makes_them(rng):
    independent = rng.normal(size=(30, BLOCKS))
    independent -= independent.mean(axis=1, keepdims=True)
    shrunk = shrunk_covariance(independent)
    correlation = shrunk / np.sqrt(np.outer(np.diag(shrunk), np.diag(shrunk)))
    outer = ~np.eye(30, dtype=bool)
    assert np.abs(correlation[outer]).max() < 0.15 < np.abs(np.corrcoef(independent)[outer]).max()
    assert_allclose(np.diag(shrunk), (independent**2).sum(axis=1) * (BLOCKS - 1) / BLOCKS)
    common = independent + 5 * rng.normal(size=BLOCKS)
    common -= common.mean(axis=1, keepdims=True)
    shrunk = shrunk_covariance(common)
    correlation = shrunk / np.sqrt(np.outer(np.diag(shrunk), np.diag(shrunk)))
    assert correlation[outer].min() > 0.7
    assert np.linalg.eigvalsh(shrunk).min() > 0
