"""The record of a fit says what was known of the pair, and an internal fit knows the zero of its reference."""

from dataclasses import replace

import numpy as np
import pytest
from array_pairs import LIMITS
from numpy.testing import assert_allclose

from anchoring.errors import AnchoringError
from anchoring.fitting.drift import KNOWN
from anchoring.fitting.settings import Settings
from anchoring.measuring.measure import measure_pair, refused
from anchoring.measuring.noise import Noise
from anchoring.solving.fits import fit_external, fit_record, with_closure
from anchoring.solving.offsets import solve_external
from anchoring.solving.records import ImageRecord
from simulation.fields import convolved

PAIR = {"reference": "a", "ref_filter": "a", "label": "irac4_atgauss4", "kind": "external", "resolution": "gauss4"}


@pytest.fixture
def measured(rng):
    """A disk of slope 1.2 and intercept 0.1 on a reference whose zero is not known."""
    v, u = np.indices((90, 100)) / 100 - 0.5
    x = 3 * np.exp(-np.hypot(v, u) * 100 / 30)
    y = 1.2 * x + 0.1 + 0.3 * convolved(rng.normal(size=x.shape), 4)
    return measure_pair(x, y, beam=4.0, intensity_range=LIMITS, zero=None, stated=Noise(0.01, "config"), smoothed=4.0)


def record_of(measured, estimator="errors_in_variables", band="F770W", **given):
    pair = {**PAIR, "problem": "", "drift": given.pop("drift", None), **given.pop("pair", {})}
    return fit_record(pair, measured, Settings(estimator), band, **given)


@pytest.mark.parametrize("estimator", ["binned", "errors_in_variables"])
def test_a_record_says_which_drift_was_known_before_the_fit(measured, estimator):
    known, other, given = (
        record_of(measured, estimator, **case) for case in ({}, {"band": "H"}, {"drift": [0.01, 0.02]})
    )
    assert (known.drift_mean, known.drift_scatter, known.drift_source) == (0.0, KNOWN["F770W", "IRAC4"], "known")
    assert other.drift_source == "general"
    assert (given.drift_mean, given.drift_scatter, given.drift_source) == (0.01, 0.02, "config")
    assert given.drift_err <= 0.02
    if estimator == "binned":
        assert {fit.intercept for fit in (known, other, given)} == {known.intercept}
        assert known.drift_offset == 0


def test_without_a_line_there_is_its_reason(measured):
    with pytest.raises(AnchoringError, match="no overlap with the reference"):
        fit_external(refused("no overlap with the reference", *np.full((2, 3, 3), np.nan)), "F770W", "irac4_atgauss4")
    outside = replace(measured, bins=measured.bins._replace(count=0 * measured.bins.count))
    with pytest.raises(AnchoringError, match="no pixels of the reference in"):
        fit_external(outside, "F770W", "irac4_atgauss4")


def test_the_offset_of_the_reference_places_the_zero_of_its_brightness(measured):
    """The farther the range is from the zero, the farther a drift moves the line there."""
    prior = {"drift": [0.0, 0.03]}
    near, far = (record_of(measured, "binned", **prior, zero=zero) for zero in (0.2, -1.0))
    assert far.intercept_sys > 1.5 * near.intercept_sys
    assert (far.slope, far.intercept) == (near.slope, near.intercept)
    # What the measurement knows comes first.
    known = record_of(replace(measured, zero=0.2), "binned", **prior, zero=-1.0)
    assert known.intercept_sys == near.intercept_sys


def test_a_corrected_fit_closes(measured):
    settings = Settings("errors_in_variables")
    measured = replace(measured, zero=0.0)
    fit = record_of(measured, drift=[0.1, 0.001])
    image = solve_external(ImageRecord(target="", band="", image="", name="", instrument="", fits=[fit]))
    closed = with_closure(image, measured, settings, reference_offset=0.0, range_follows=False)
    assert abs(fit.drift_offset) > 0.01
    assert_allclose(closed.chosen_fit.closure, 0, atol=1e-5)
