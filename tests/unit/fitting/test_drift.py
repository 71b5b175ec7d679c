"""Drifts of colours: what is known of them, what samples say of them, and what they do to a line."""

import numpy as np
import pytest
from array_pairs import fitted
from numpy.testing import assert_allclose

from anchoring.fitting import jackknife
from anchoring.fitting.drift import GENERAL, KNOWN, Drift, drift_of
from anchoring.fitting.errors_in_variables import errors_in_variables
from anchoring.fitting.power_law import at_zero, drifting, exponent_of
from anchoring.fitting.settings import Settings
from simulation import drifts
from simulation.fields import correlated_noise

LIMITS = (0.25, 2.0)
FLAT = Drift(0.0, 10.0)  # nothing is known


def test_known_drifts_are_found_by_band_and_label():
    mean, scatter, source = drift_of("f770w", "IRAC4_atgauss4")
    assert (mean, scatter, source) == (0.0, KNOWN["F770W", "IRAC4"], "known")
    assert drift_of("F1000W", "F770W").scatter == KNOWN["F1000W", "F770W"]
    assert drift_of("F770W", "spire250") is GENERAL
    assert drift_of("F770W", "irac4", [0.01, 0.02]) == (0.01, 0.02, "config")


def test_known_drifts_are_those_of_the_table_of_spaxels(capsys):
    """The library holds what its script prints, to the last digit."""
    drifts.main([])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert {(y, x): float(scatter) for y, x, scatter, *_ in lines[:-1]} == KNOWN
    assert (0.0, float(lines[-1][1])) == GENERAL[:2]


def test_what_is_expected_of_another_object():
    assert_allclose(drifts.expected([-0.02, 0.04, 0.06]), np.sqrt(56e-4 / 3) * 1.197, rtol=1e-3)
    assert_allclose(drifts.expected([0.02, 0.04]), np.sqrt(10e-4) * 1.321, rtol=1e-3)


def field(rng, d, *, zero=0.0, noise=0.01, sigma_x=0.02, shape=(90, 100)):
    """Samples of a disk, y = 1.2 T^(1 + d) + 0.1 with T = x - zero; (x, y, blocks)."""
    v, u = np.indices(shape) - np.array(shape).reshape(2, 1, 1) / 2
    true = 3 * np.exp(-np.hypot(v, u) / 30) * np.exp(0.2 * correlated_noise(rng, shape, 6.0, 1.0))
    y = 1.2 * true ** (1 + d) + 0.1 + noise * rng.standard_normal(shape)
    x = true + zero + sigma_x * rng.standard_normal(shape)
    side = 15
    index = (np.indices(shape)[0] // side * 10 + np.indices(shape)[1] // side).ravel()
    index = np.unique(index, return_inverse=True)[1]
    return x.ravel(), y.ravel(), jackknife.Blocks(index, index.max() + 1, 1.0)


def exponent(rng, d, prior, zero=0.0, **given):
    x, y, blocks = field(rng, d, zero=zero, **given)
    limits = LIMITS[0] + zero, LIMITS[1] + zero
    relation = errors_in_variables(x, y, limits=limits, sigma_x=given.get("sigma_x", 0.02))
    return exponent_of(relation, x, y, zero, blocks, prior), relation


@pytest.mark.parametrize(("d", "zero"), [(0.0, 0.0), (0.05, 0.0), (-0.05, 0.0), (0.05, 20.0)])
def test_the_exponent_is_recovered_and_its_error_is_true(rng, d, zero):
    found = [exponent(rng, d, FLAT, zero)[0] for _ in range(8)]
    pulls = [(e.found - d) / e.found_err for e in found]
    assert np.sqrt(np.mean(np.square(pulls))) < 1.8
    assert np.mean([e.found_err for e in found]) < 0.03
    assert all(e.gain > 0.99 and abs(e.mean - e.found) < 1e-3 for e in found)


def test_samples_that_tell_little_leave_what_was_known(rng):
    prior = Drift(0.05, 0.02)
    sharp, blurred = (exponent(rng, -0.1, prior, noise=noise)[0] for noise in (0.002, 3.0))
    assert abs(sharp.mean + 0.1) < 0.03 < 0.1 < abs(sharp.mean - prior.mean)
    assert sharp.error < prior.scatter / 2
    assert_allclose((blurred.mean, blurred.error), (0.05, 0.02), atol=2e-3)
    certain, _ = exponent(rng, -0.1, Drift(0.05, 0.0))
    assert (certain.mean, certain.error, certain.gain) == (0.05, 0.0, 0.0)


def test_where_samples_cannot_tell_a_drift_the_prior_stays(rng):
    x = np.repeat([0.5, 1.5], 100)
    y = 1.2 * x + 0.1 + 0.01 * rng.standard_normal(200)
    relation = errors_in_variables(x, y, limits=LIMITS, sigma_x=0.0)
    blocks = jackknife.Blocks(np.arange(200) % 9, 9, 1.0)
    found = exponent_of(relation, x, y, 0.0, blocks, Drift(0.03, 0.02))
    assert (found.mean, found.error, found.gain) == (0.03, 0.02, 0.0)


def test_a_line_is_off_by_what_is_said_of_it():
    """To first order in d; in any unit of brightness."""
    for unit in (1.0, 40.0):
        brightness = unit * np.linspace(0.25, 2.0, 1000)
        weight = np.ones(1000)
        line = np.polyfit(brightness, 1.2 * unit * (brightness / unit) ** 1.01, 1)
        assert_allclose(line[1], 1.2 * 0.01 * at_zero(brightness, weight), rtol=0.02)
    assert_allclose(drifting(np.array([-1.0, 0.0, 1.0])), 0, atol=1e-300)


@pytest.mark.parametrize("estimator", ["binned", "errors_in_variables"])
def test_errors_grow_with_what_may_drift(rng, estimator):
    x, y, _ = field(rng, 0.0, noise=0.3)
    x, y = x.reshape(90, 100), y.reshape(90, 100)
    narrow, wide = (
        fitted(x, y, settings=Settings(estimator), sigma_x=0.02, drift=Drift(0.0, scatter))[1]
        for scatter in (0.001, 0.05)
    )
    assert wide.systematic[1, 1] > narrow.systematic[1, 1] + (0.01 * wide.slope) ** 2
    if estimator == "binned":
        assert (wide.slope, wide.intercept) == (narrow.slope, narrow.intercept)  # published
