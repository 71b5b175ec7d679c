"""Offsets follow from fits by their formulas, and references that disagree widen the error."""

import numpy as np
import pytest
from made import make_fit, make_image
from numpy.testing import assert_allclose

from anchoring.solving.offsets import internal_offset_error, solve_external, solve_internal


def fitted(label, intercept, slope=1.0, **more):
    known = {"slope_err": 0.1, "intercept_err": 0.05, "covariance": 0.002, "slope_sys": 0.02, "intercept_sys": 0.01,
             "covariance_sys": 0.0001, "n_pixels": 10}  # fmt: skip
    return make_fit(label, slope=slope, intercept=intercept, **{**known, **more})


def failed(label, status="failed"):
    return make_fit(label, status=status, reason="no pixels")


def anchored(offset):
    return make_image(status="anchored", offset=offset, offset_err=0.04, offset_sys=0.03)


def test_first_usable_reference_fixes_the_external_offset():
    solved = solve_external(make_image(failed("irac4"), fitted("w3", -0.2), fitted("w4", 7.0)))
    assert (solved.status, solved.reference, solved.chosen, solved.offset) == ("anchored", "w3", 1, 0.2)


def test_nothing_usable_is_failed_if_tried_and_skipped_if_not():
    assert solve_external(make_image(failed("x", "skipped"), failed("y"))).status == "failed"
    solved = solve_external(make_image(failed("x", "skipped")))
    assert (solved.status, solved.offset, solved.reason) == ("skipped", None, "x: no pixels")


def test_internal_offset_carries_the_offset_of_the_reference_band():
    # y = 2 x_true + 0.3 and x = x_true - 0.5: the fit sees y = 2 x + 1.3 and y needs -0.3.
    references = {("x1", "x1"): anchored(0.5)}
    solved = solve_internal(make_image(fitted("x1", 1.3, 2.0)), references)
    assert_allclose(solved.offset, -0.3)
    variance = 0.05**2 + (0.5 * 0.1) ** 2 + (2 * 0.04) ** 2 - 2 * 0.5 * 0.002
    assert_allclose(solved.offset_err, variance**0.5)
    variance = 0.01**2 + (0.5 * 0.02) ** 2 + (2 * 0.03) ** 2 - 2 * 0.5 * 0.0001
    assert_allclose(solved.offset_sys, variance**0.5)


def test_internal_offset_comes_from_the_anchored_mosaic_with_most_pixels():
    references = {
        ("x1", "x1"): anchored(0.0),
        ("x2", "x2"): anchored(0.0),
        ("x3", "x3"): make_image(status="failed", reason="no pixels"),
    }
    fits = [fitted("x1", 1.0, n_pixels=5), fitted("x2", 2.0, n_pixels=50), fitted("x3", 3.0, n_pixels=500)]
    solved = solve_internal(make_image(*fits), references)
    assert (solved.offset, solved.reference) == (-2.0, "x2")
    assert solved.fits[2].status == "failed"


def test_references_that_agree_leave_the_error_alone():
    fits = solve_external(make_image(fitted("irac4", -0.20), fitted("w3", -0.25))).fits
    sigma = (2 * (0.05**2 + 0.01**2)) ** 0.5
    assert_allclose([fit.tension for fit in fits], [-0.05 / sigma, 0.05 / sigma])
    assert [fit.offset_sys for fit in fits] == [0.01, 0.01]
    assert all("references_disagree" not in fit.flags for fit in fits)


def test_references_that_disagree_widen_the_error_and_say_so():
    solved = solve_external(make_image(fitted("irac4", -0.2), failed("x"), fitted("w3", -0.8)))
    # Half of what the difference of 0.6 has over both errors, in variance.
    between = ((0.6**2 - 2 * (0.05**2 + 0.01**2)) / 2) ** 0.5
    assert_allclose(solved.offset_sys, (0.01**2 + between**2) ** 0.5)
    assert solved.offset_err == 0.05
    assert solved.fits[0].flags == solved.fits[2].flags == ["references_disagree"]
    assert solved.fits[1].tension is None


@pytest.mark.parametrize("unknown", [None, np.nan])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_references_that_disagree_are_found_next_to_one_without_an_error(place, unknown):
    fits = [fitted("irac4", -0.2), fitted("w3", -0.8)]
    fits.insert(place, fitted("w4", -0.5, intercept_err=unknown))
    found = {fit.label: fit for fit in solve_external(make_image(*fits)).fits}
    alone = solve_external(make_image(fitted("irac4", -0.2), fitted("w3", -0.8))).fits
    for fit in alone:
        assert found[fit.label] == fit
        assert fit.flags == ["references_disagree"]
    assert found["w4"].tension is None
    assert not found["w4"].flags


def test_an_internal_offset_on_one_without_an_error_has_no_error():
    fit = fitted("x", 0.1)
    for unknown in (None, np.nan):
        assert np.isnan(internal_offset_error(fit, make_image(offset=0.1, offset_err=unknown)))


def test_a_single_reference_has_no_tension():
    (fit,) = solve_external(make_image(fitted("irac4", -0.2))).fits
    assert fit.tension is None
    assert fit.offset_sys == 0.01
