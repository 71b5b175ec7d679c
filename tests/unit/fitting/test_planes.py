"""A gradient across an image, fitted with its line, does not move the zero level and is reported."""

import numpy as np
import pytest
from array_pairs import fitted
from numpy.testing import assert_allclose

from anchoring.fitting.closure import closure
from anchoring.fitting.fit_pair import as_record
from anchoring.fitting.settings import Settings
from benchmarks.accuracy import ESTIMATORS
from simulation.fields import convolved

SHAPE, GRADIENT = (90, 100), np.array([0.10, -0.06])  # per 60 pixels along x and y: without a WCS, these are arcmin


def pair(rng, gradient=GRADIENT):
    """A disk away from the middle, and its image, of slope 1.2 and intercept 0.1 in the middle."""
    v, u = np.indices(SHAPE) - (np.array(SHAPE).reshape(2, 1, 1) - 1) / 2
    x = 3 * np.exp(-np.hypot(v - 12, u + 15) / 30)
    plane = (gradient[0] * u + gradient[1] * v) / 60
    return x, 1.2 * x + 0.1 + plane + 0.05 * convolved(rng.normal(size=SHAPE), 4) * 6


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_gradient_is_found_and_moves_nothing(estimator):
    errors, planes, lines = {"none": [], "nuisance": []}, [], []
    for seed in range(6):
        for gradient, found in errors.items():
            _, fit = fitted(*pair(np.random.default_rng(seed)), settings=Settings(estimator, gradient=gradient))
            found.append(fit.intercept - 0.1)
        record = as_record(fit)
        planes.append([record["gradient_east"], record["gradient_north"]])
        errors_of_plane = np.array([record["gradient_east_err"], record["gradient_north_err"]])
        lines.append(np.abs(planes[-1] - GRADIENT) / errors_of_plane)
        assert "gradient" in fit.flags
    rms = {name: np.sqrt(np.mean(np.square(found))) for name, found in errors.items()}
    assert rms["nuisance"] < rms["none"] / 3
    assert_allclose(np.mean(planes, axis=0), GRADIENT, atol=0.01)
    assert 0.4 < np.mean(np.array(lines) < 1) < 0.95


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_errors_of_the_line_hold_with_a_plane(estimator):
    ratios = []
    for seed in range(16):
        _, fit = fitted(*pair(np.random.default_rng(100 + seed)), settings=Settings(estimator, gradient="nuisance"))
        ratios.append(abs(fit.intercept - 0.1) / np.sqrt(fit.statistical[1, 1]))
    assert 0.45 < np.mean(np.array(ratios) < 1) < 0.92
    assert np.mean(np.array(ratios) < 2) > 0.85


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_plane_that_is_not_there_costs_little(rng, estimator):
    x, y = pair(rng, np.zeros(2))
    fits = [fitted(x, y, settings=Settings(estimator, gradient=choice))[1] for choice in ("none", "nuisance")]
    assert abs(fits[1].intercept - fits[0].intercept) < 0.005
    assert fits[0].plane is None
    assert "gradient" not in fits[1].flags
    assert "gradient_east" not in as_record(fits[0])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_fit_with_a_plane_closes(rng, estimator):
    settings = Settings(estimator, gradient="nuisance")
    measured, fit = fitted(*pair(rng), settings=settings)
    assert abs(closure(measured, settings, offset=-fit.intercept, reference_offset=0.0)) < 0.003
