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


def on_band(band, intercept, slope=1.0, **more):
    """A fit on an image of the ref_band."""
    return fitted(band, intercept, slope, kind="internal", **more)


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
    solved = solve_internal(make_image(on_band("x1", 1.3, 2.0)), references)
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
    fits = [on_band("x1", 1.0, n_pixels=5), on_band("x2", 2.0, n_pixels=50), on_band("x3", 3.0, n_pixels=500)]
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


def test_a_band_with_references_of_its_own_has_every_path_as_a_row():
    references = {("x1", "x1"): anchored(0.5), ("x2", "x2"): anchored(0.4)}
    fits = [on_band("x1", 1.3, n_pixels=5), on_band("x2", 1.2, n_pixels=50), fitted("mips24", 0.1), failed("w4")]
    solved = solve_internal(make_image(*fits), references)
    # The order is that of the fits; of the images of the ref_band, the one with most pixels.
    assert (solved.reference, solved.chosen) == ("x2", 1)
    assert_allclose([fit.offset for fit in solved.fits[:3]], [-0.8, -0.8, -0.1])
    assert solved.fits[0].tension is None
    assert_allclose(solved.fits[1].tension, -solved.fits[2].tension)
    assert "references_disagree" in solved.flags
    alone = solve_internal(make_image(*fits[:2]), references)
    assert [fit.tension for fit in alone.fits] == [None, None]
    assert alone.offset_sys < solved.offset_sys  # references that disagree widen the error here, too


def test_the_smallest_error_is_preferred_if_that_is_asked_for():
    references = {("x1", "x1"): anchored(0.5)}
    fits = [on_band("x1", 0.0), fitted("w4", 0.4, intercept_err=np.nan), fitted("mips24", 0.1, intercept_err=0.02)]
    assert solve_internal(make_image(*fits), references).reference == "x1"
    solved = solve_internal(make_image(*fits), references, "smallest_error")
    assert (solved.reference, solved.offset, solved.offset_err) == ("mips24", -0.1, 0.02)
    only = solve_external(make_image(failed("x"), fits[1], fitted("w3", -0.3)), "smallest_error")
    assert only.reference == "w3"
    assert solve_external(make_image(fits[1]), "smallest_error").reference == "w4"


def test_the_smallest_error_is_that_of_a_path_alone():
    """A poor path disagrees with the best one first, and widens its error beyond that of others."""
    known = {"intercept_sys": 0.0}
    fits = [
        fitted(label, -offset, intercept_err=error, **known)
        for label, offset, error in (("irac4", 1.1, 0.3), ("w3", 0.2, 0.22), ("mips24", 0.1, 0.02))
    ]
    solved = solve_external(make_image(*fits), "smallest_error")
    assert [bool(fit.flags) for fit in solved.fits] == [True, False, True]
    assert solved.fits[1].offset_total < solved.fits[2].offset_total
    assert solved.reference == "mips24"


def test_the_error_of_a_zero_goes_through_the_slopes():
    """Also into an internal offset, once, and as a part that can be told from the rest."""
    external = solve_external(make_image(fitted("irac4", -0.5, 2.0, reference_zero_err=0.03)))
    assert (external.chosen_fit.zero_err, external.chosen_fit.zero_reference) == (0.06, "irac4")
    assert_allclose(external.offset_sys, np.hypot(0.01, 0.06))
    assert external.offset_err == 0.05
    without = solve_external(make_image(fitted("irac4", -0.5, 2.0)))
    assert (without.chosen_fit.zero_err, without.offset_sys) == (None, 0.01)
    internal, exact = (
        solve_internal(make_image(on_band("F770W", 0.1, 0.5)), {("F770W", "F770W"): reference})
        for reference in (external, without)
    )
    assert (internal.chosen_fit.zero_err, internal.chosen_fit.zero_reference) == (0.03, "irac4")
    assert_allclose(internal.offset_sys**2, exact.offset_sys**2 + 0.03**2)
    assert (internal.offset, internal.offset_err) == (exact.offset, exact.offset_err)


def test_an_offset_on_a_ref_band_that_rests_on_a_drawn_psf_says_so():
    external = solve_external(make_image(fitted("irac4", -0.5, flags=["gradient", "kernel_from_model"])))
    fit = on_band("F770W", 0.1, flags=["kernel_cut", "few_bins"])
    solved = solve_internal(make_image(fit), {("F770W", "F770W"): external})
    assert solved.flags == ["few_bins", "kernel_from_model", "kernel_cut"]  # not the gradient of another image


def test_errors_of_zeros_count_in_what_disagrees():
    fits = [fitted("irac4", -0.2, reference_zero_err=0.3), fitted("w3", -0.8)]
    assert all(not fit.flags for fit in solve_external(make_image(*fits)).fits)
