"""Lines through bins recover a line that is known, and outliers leave it."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from anchoring.errors import AnchoringError
from anchoring.fitting.binned import fit_line


def test_line_is_recovered_exactly_and_collinear_points_all_stay():
    x = 0.3 + 0.1 * np.arange(17)
    fit = fit_line(x, 1.7 * x - 0.4)
    assert_allclose((fit.slope, fit.intercept), (1.7, -0.4), rtol=1e-12)
    assert fit.used.all()
    assert fit.rms < 1e-12


def test_two_bins_give_the_line_through_them():
    fit = fit_line([0.3, 0.4, 0.5], [1.0, np.nan, 1.4])
    assert_allclose((fit.slope, fit.intercept), (2.0, 0.4))
    assert fit.used.tolist() == [True, False, True]


@pytest.mark.parametrize("y", [[1.0, np.nan], [np.nan, np.nan], []])
def test_fewer_than_two_bins_are_refused_with_their_number(y):
    with pytest.raises(AnchoringError, match=f"{int(np.isfinite(y).sum())} bins"):
        fit_line(np.arange(len(y)), y)


def test_an_outlier_of_17_leaves_and_the_line_is_the_others():
    x = 0.3 + 0.1 * np.arange(17)
    y = 1.2 * x + 0.1
    y[8] += 3
    fit = fit_line(x, y)
    assert not fit.used[8]
    assert fit.used.sum() == 16
    assert_allclose((fit.slope, fit.intercept), (1.2, 0.1), rtol=1e-10)


def test_an_outlier_among_few_bins_is_clipped_by_the_mad_alone():
    x = 0.05 + 0.1 * np.arange(7)
    y = 1.7 * x + 0.1 + 0.001 * np.array([1, -1, 1, -1, 1, -1, 1])
    y[3] += 1
    assert fit_line(x, y).used.all()
    fit = fit_line(x, y, clip="mad")
    assert fit.used.tolist() == [True] * 3 + [False] + [True] * 3
    assert_allclose((fit.slope, fit.intercept), (1.7, 0.1), atol=0.01)


def test_weights_count_as_repeated_points(rng):
    x, y = rng.normal(size=(2, 6))
    counts = np.array([1, 3, 2, 1, 5, 2])
    weighted = fit_line(x, y, weights=counts, passes=1)
    repeated = fit_line(np.repeat(x, counts), np.repeat(y, counts), passes=1)
    assert_allclose((weighted.slope, weighted.intercept), (repeated.slope, repeated.intercept))
