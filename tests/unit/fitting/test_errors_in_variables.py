"""The errors-in-variables line is the true line where least squares is not."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import nnls

from anchoring.errors import AnchoringError
from anchoring.fitting.errors_in_variables import _least_squares_not_below_zero, errors_in_variables

LIMITS = (0.0, 0.8)


def cloud(rng, n=8_000, *, slope=1.7, intercept=-0.3, sigma_x=0.1, sigma_y=0.02, colour=0.0):
    """Pixels of an exponential disk: many faint, few bright."""
    true = rng.exponential(0.4, n)
    x = true + sigma_x * rng.normal(size=n)
    y = slope * true * (1 + colour * rng.normal(size=n)) + intercept + sigma_y * rng.normal(size=n)
    return x, y


@pytest.mark.parametrize(
    ("sigma_x", "sigma_y", "colour"), [(0.1, 0.02, 0.0), (0.1, 0.17, 0.0), (0.03, 0.02, 0.1), (0.0, 0.1, 0.1)]
)
def test_line_is_recovered_whatever_the_noise_of_either(rng, sigma_x, sigma_y, colour):
    found = []
    for _ in range(10):
        x, y = cloud(rng, sigma_x=sigma_x, sigma_y=sigma_y, colour=colour)
        relation = errors_in_variables(x, y, limits=LIMITS, sigma_x=sigma_x)
        found.append((relation.slope, relation.intercept))
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(9)
    assert np.all(np.abs(mean - (1.7, -0.3)) < 4 * error + (0.005, 0.002))


def test_least_squares_in_the_same_range_is_far_off(rng):
    x, y = cloud(rng)
    inside = (x > LIMITS[0]) & (x < LIMITS[1])
    assert abs(np.polyfit(x[inside], y[inside], 1)[1] + 0.3) > 0.02


def test_bright_outliers_do_not_count(rng):
    x, y = cloud(rng)
    y[::50] += rng.exponential(5, y[::50].size)
    assert_allclose(errors_in_variables(x, y, limits=LIMITS, sigma_x=0.1).intercept, -0.3, atol=0.02)


def test_a_constant_moves_the_answer_by_itself(rng):
    x, y = cloud(rng, 3000)
    here = errors_in_variables(x, y, limits=LIMITS, sigma_x=0.1)
    for added in (0.37, 15.0, -1234.5):
        there = errors_in_variables(x, y + added, limits=LIMITS, sigma_x=0.1)
        assert_allclose(there.intercept - added, here.intercept, atol=1e-9 * abs(added))
        assert_allclose(there.slope, here.slope, rtol=1e-9)
        moved = errors_in_variables(x + added, y, limits=(added, added + 0.8), sigma_x=0.1)
        assert_allclose(moved.intercept + moved.slope * added, here.intercept, atol=1e-9 * abs(added))


def test_no_more_noise_is_believed_than_there_is_scatter(rng):
    x, y = cloud(rng, sigma_x=0.02, sigma_y=0.0)
    relation = errors_in_variables(x, y, limits=LIMITS, sigma_x=0.5)
    assert_allclose(relation.slope, 1.7, rtol=0.03)


def test_where_the_iteration_alternates_the_answer_is_half_way_and_what_is_open_is_said(rng):
    left_open = 0
    for _ in range(40):
        x, y = cloud(rng, 300, sigma_x=0.15, sigma_y=0.1)
        found = errors_in_variables(x, y, limits=LIMITS, sigma_x=0.15)
        longer = errors_in_variables(x, y, limits=LIMITS, sigma_x=0.15, passes=100)
        if found.change == (0.0, 0.0):
            assert longer[:2] == found[:2]
        else:
            left_open += 1
            # From either side of the answer the iteration comes back to about it.
            for side in (-1, 1):
                start = found.slope + side * found.change[0], found.intercept - side * found.change[1]
                again = errors_in_variables(x, y, limits=LIMITS, sigma_x=0.15, start=start)
                assert abs(again.intercept - found.intercept) < 0.02
    assert 0 < left_open < 40


def test_exact_line_is_exact():
    x = np.linspace(0, 1, 500)
    relation = errors_in_variables(x, 1.7 * x - 0.3, limits=LIMITS, sigma_x=0.0)
    assert_allclose((relation.slope, relation.intercept), (1.7, -0.3), rtol=1e-9)


def test_what_cannot_be_fitted_says_what_to_do(rng):
    x, y = cloud(rng, 1000)
    with pytest.raises(AnchoringError, match=r"0 samples of the reference in \[5, 6\].*intensity_range"):
        errors_in_variables(x, y, limits=(5.0, 6.0), sigma_x=0.1)
    with pytest.raises(AnchoringError, match="does not rise"):
        errors_in_variables(x, -y, limits=LIMITS, sigma_x=0.1)
    with pytest.raises(AnchoringError, match=r"all samples .* are 0\.5; expected different ones"):
        errors_in_variables(np.full(100, 0.5), y[:100], limits=LIMITS, sigma_x=0.1)


def test_bounded_least_squares_is_scipys(rng):
    for _ in range(500):
        t, error, (v0, v1) = rng.uniform(0, 2, 12), rng.uniform(0.1, 3, 12), rng.normal(size=2)
        design = np.stack([np.ones(12), t**2], axis=1) / error[:, None]
        values = (v0 + v1 * t**2 + rng.normal(size=12)) / error
        assert_allclose(_least_squares_not_below_zero(design, values), nnls(design, values)[0], atol=1e-10)
    assert_allclose(_least_squares_not_below_zero(np.array([[1.0, 0], [1, 0]]), np.array([2.0, 4])), (3, 0))
