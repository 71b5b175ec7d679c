"""The fit of a pair: its errors hold the truth, its flags mean what they say, and it closes."""

import numpy as np
import pytest
from array_pairs import fitted
from numpy.testing import assert_allclose
from test_systematics import tiles

from anchoring.files.made_kernels import FROM_MODEL
from anchoring.fitting import flags
from anchoring.fitting.closure import closure
from anchoring.fitting.drift import Drift
from anchoring.fitting.settings import Settings
from anchoring.images.kernel_quality import LIMITS
from anchoring.solving import offsets
from benchmarks.accuracy import ESTIMATORS, outcomes_of
from simulation import scenes
from simulation.fields import convolved, correlated_noise

W3 = scenes.REFERENCES[1]


@pytest.fixture(scope="module")
def w3():
    """(error, offset_err, offset_sys) of 16 galaxies on W3, at its noise and at three times that: (16, 3) arrays."""
    found = {}
    for factor in (1, 3):
        pairs = [scenes.external_pair(700 + i, W3, noise=factor) for i in range(16)]
        for estimator in ESTIMATORS:
            # Of a band whose drift on W3 is not known: these colours are invented, and do not drift on average.
            found[factor, estimator] = np.array([outcomes_of(p, W3.label, estimator, "F560W")[:3] for p in pairs])
    return found


def test_errors_in_variables_is_at_least_twice_as_accurate_on_w3(w3):
    rms = {estimator: np.sqrt(np.mean(w3[1, estimator][:, 0] ** 2)) for estimator in ESTIMATORS}
    assert rms["errors_in_variables"] < rms["binned"] / 2


def test_noise_does_not_bias_errors_in_variables(w3):
    bias = {estimator: w3[3, estimator][:, 0].mean() for estimator in ESTIMATORS}
    chance = w3[3, "errors_in_variables"][:, 0].std() / np.sqrt(16)
    assert abs(bias["errors_in_variables"]) < max(abs(bias["binned"]) / 4, 2 * chance)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_truth_is_within_the_stated_error(w3, estimator):
    pull = np.abs(w3[1, estimator][:, 0]) / np.hypot(*w3[1, estimator][:, 1:].T)
    # Of 16 galaxies: 60 to 80 % and 92 %, give or take two standard deviations.
    assert 0.4 <= np.mean(pull < 1) <= 0.95
    assert np.mean(pull < 2) >= 0.8


def pair(rng, *, curve=0.0, plane=0.0, shape=(90, 100), scale=30.0):
    """A disk and its image, of slope 1.2 and intercept 0.1, with 5 % of noise."""
    v, u = np.indices(shape) / 100 - 0.5
    x = 3 * np.exp(-np.hypot(v, u) * 100 / scale)
    return x, 1.2 * x + 0.1 + curve * x**2 + plane * u + 0.05 * convolved(rng.normal(size=shape), 4) * 6


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_curved_relation_has_a_systematic_error_and_a_straight_one_little(rng, estimator):
    given = {"settings": Settings(estimator), "drift": Drift(0.0, 0.0)}  # a drift would be taken off
    straight, curved = (fitted(*pair(rng, curve=c), **given)[1] for c in (0.0, 0.2))
    assert abs(straight.intercept - 0.1) < 3 * np.sqrt(straight.statistical[1, 1] + straight.systematic[1, 1])
    error = abs(curved.intercept - 0.1)
    assert error > 5 * np.sqrt(curved.statistical[1, 1])
    assert error < 3 * np.sqrt(curved.systematic[1, 1])


def coloured(rng, scatter, drift=0.0, shape=(90, 100)):
    """A disk and its image, of slope 1.2 and intercept 0.1, whose colour scatters and drifts with brightness."""
    v, u = np.indices(shape) - np.array(shape).reshape(2, 1, 1) / 2
    x = 3 * np.exp(-np.hypot(v, u) / 30)
    patches = correlated_noise(rng, shape, 8.0, scatter)
    return x, 1.2 * x * (1 + patches + drift * np.log(x)) + 0.1 + correlated_noise(rng, shape, 4.0, 0.01)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_colour_that_drifts_unseen_is_in_the_systematic_error(rng, estimator):
    pulls = []
    for drift in (-0.015, -0.01, 0.01, 0.015):
        known = Drift(0.0, 0.0125)
        _, found = fitted(*coloured(rng, 0.05, drift), settings=Settings(estimator), drift=known)
        pulls.append((found.intercept - 0.1) / np.sqrt(found.systematic[1, 1] + found.statistical[1, 1]))
    assert np.sqrt(np.mean(np.square(pulls))) < 1.6


def test_a_drift_that_is_known_is_taken_off_by_errors_in_variables_only(rng):
    errors = {}
    for estimator in ESTIMATORS:
        for known in (Drift(0.0, 0.0), Drift(0.05, 0.002)):
            _, found = fitted(
                *coloured(np.random.default_rng(1), 0.02, 0.05), settings=Settings(estimator), drift=known
            )
            errors[estimator, known.mean] = abs(found.intercept - 0.1)
    assert errors["errors_in_variables", 0.05] < 0.3 * errors["errors_in_variables", 0.0]
    assert errors["binned", 0.05] == errors["binned", 0.0] > 0.02  # published


def test_colours_that_do_not_vary_show_that_they_do_not_drift(rng):
    settings = Settings("errors_in_variables")
    varied, pale = (fitted(*coloured(rng, s), settings=settings)[1].exponent for s in (0.1, 0.005))
    assert pale.error < varied.error / 2
    assert abs(pale.mean) < 3 * pale.error


def test_systematic_errors_do_not_change_with_the_zero_of_the_reference(rng):
    x, y = coloured(rng, 0.05)
    for estimator in ESTIMATORS:
        given = {"settings": Settings(estimator)}
        found = [fitted(x + shift, y, limits=(0.25 + shift, 2.0 + shift), **given)[1] for shift in (0.0, 20.0)]
        at_zero = [
            np.array([shift, 1.0]) @ f.systematic @ [shift, 1.0] for f, shift in zip(found, (0, 20), strict=True)
        ]
        assert_allclose(at_zero[1], at_zero[0], rtol=1e-3)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_anchored_pair_closes(rng, estimator):
    x, y = pair(rng)
    settings = Settings(estimator)
    measured, found = fitted(x - 0.3, y, settings=settings)
    offset = offsets.internal_offset(found.slope, found.intercept, 0.3)
    same = {"drift_offset": found.drift_offset}
    left = closure(measured, settings, offset=offset, reference_offset=0.3, **same)
    variance = found.statistical + found.systematic
    assert abs(left) < 3 * np.sqrt(variance[1, 1] + 0.09 * variance[0, 0] - 0.6 * variance[0, 1])
    missed = closure(measured, settings, offset=offset - 0.5, reference_offset=0.3, **same)
    assert_allclose(missed - left, 0.5, rtol=1e-9)
    assert_allclose(closure(measured, settings, offset=-found.intercept, reference_offset=0.0, **same), 0, atol=1e-6)


def test_clean_pair_has_no_flags(rng):
    assert fitted(*pair(rng), known=(1.0, 1.3))[1].flags == ()


def test_each_flag_is_raised_by_what_it_means(rng):
    x, y = pair(rng)
    raised = {
        "few_bins": fitted(x, y, limits=(0.5, 0.95))[1],
        "range_outside_data": fitted(x, y, limits=(1.8, 5.5))[1],
        "slope_unusual": fitted(x, y, known=(0.5, 0.9))[1],
        "gradient": fitted(*pair(rng, plane=0.5))[1],
        "edge_dominated": fitted(x, y, beam=60.0)[1],
        "noise_unknown": fitted(x, y, sigma_x=np.nan, settings=Settings("errors_in_variables"))[1],
        "error_unknown": fitted(*2 * [np.linspace(0.3, 0.8, 12)[None]], beam=2.0)[1],
        "not_converged": few_pixels(18),
        "structured_residuals": fitted(x, y + tiles(x.shape, 2, 0.5, [0.3, 0, 0, 0.3]))[1],
    }
    for word, found in raised.items():
        assert word in found.flags, word
    # In test_offsets.py, test_alignment.py, test_network.py.
    elsewhere = {"references_disagree", "misaligned", "uncorrelated", "reference_suspect", "not_adjusted"}
    of_kernels = {*LIMITS, FROM_MODEL, "kernel_narrow"}  # test_kernel_making.py, test_make_kernel.py
    assert set(raised) | elsewhere | of_kernels == set(flags.MEANING)


def few_pixels(seed, size=16):
    """The fit of so few noisy pixels that with many seeds the iteration finds no one set of pixels in the range."""
    rng = np.random.default_rng(seed)
    v, u = np.indices((size, size)) - size / 2
    sky = 3 * np.exp(-np.hypot(v, u) / (size / 3))
    y = 1.2 * sky * (1 + 0.1 * rng.normal(size=sky.shape)) + 0.1 + 0.05 * rng.normal(size=sky.shape)
    x = sky + 0.15 * rng.normal(size=sky.shape)
    return fitted(x, y, settings=Settings("errors_in_variables", erode_fwhm=0.0), sigma_x=0.15, beam=2.0)[1]


def test_a_fit_that_converges_is_not_flagged():
    assert sum("not_converged" in few_pixels(seed, 50).flags for seed in range(6)) <= 1


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_noise_of_the_reference_that_is_not_known_is_flagged(rng, estimator):
    x, y = pair(rng)
    assert "noise_unknown" in fitted(x, y, sigma_x=np.nan, settings=Settings(estimator))[1].flags
    assert "noise_unknown" not in fitted(x, y, sigma_x=0.0, settings=Settings(estimator))[1].flags


def test_bins_are_flagged_where_what_noise_does_to_them_cannot_be_told(rng):
    """One row of pixels: enough for bins, too few samples for errors_in_variables."""
    x = np.linspace(0.3, 0.8, 18)[None] * np.ones((1, 1))
    y = 1.2 * x + 0.1 + 0.001 * rng.normal(size=x.shape)
    found = fitted(x, y, beam=2.0)[1]
    assert "noise_unknown" in found.flags
    assert "noise_unknown" not in fitted(x, y, beam=2.0, sigma_x=0.0)[1].flags


def test_slopes_are_known_by_band_and_reference():
    assert flags.known_slopes("F770W", "irac4_atgauss4") == (0.85, 1.10)
    assert flags.known_slopes("f300m", "W2_atgauss7p5") == (1.26, 2.03)
    low, high = flags.known_slopes("F1130W", "F770W")
    assert low < 1.36 < high
    assert flags.known_slopes("F560W", "irac4") is None
    assert not flags.slope_is_unusual(9.0, 0.1, None)
    assert not flags.slope_is_unusual(1.2, 0.06, (0.85, 1.10))
    assert flags.slope_is_unusual(1.2, np.nan, (0.85, 1.10))


def test_eroding_and_masking_take_pixels_from_both_estimators(rng):
    x, y = pair(rng)
    y[:, :6] += 5  # a bad edge
    for estimator in ESTIMATORS:
        settings = Settings(estimator, erode_fwhm=3.0)
        measured, _ = fitted(x, y, settings=settings)
        assert_allclose(closure(measured, settings, offset=0.0, reference_offset=0.0), -0.1, atol=0.05)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_drift_of_unknown_sign_moves_no_offset_but_is_in_its_error(rng, estimator):
    x, y = coloured(rng, 0.02, 0.05)
    certain, open_ = (
        fitted(x, y, settings=Settings(estimator), drift=Drift(0.0, scatter))[1] for scatter in (0.0, 0.1)
    )
    assert (open_.intercept, open_.drift_offset) == (certain.intercept, 0.0)
    # What samples tell of d counts as much as what they leave open.
    grown = np.sqrt(open_.systematic[1, 1] - certain.systematic[1, 1])
    assert open_.exponent.mean > 0.02
    assert grown > 0.5 * open_.slope * open_.exponent.rms > 0.5 * open_.slope * open_.exponent.error
