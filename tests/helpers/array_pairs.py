"""Pairs of arrays, measured and fitted as the workflow does."""

from anchoring.fitting.drift import GENERAL
from anchoring.fitting.fit_pair import fit_pair
from anchoring.fitting.settings import Settings
from anchoring.measuring.measure import measure_pair
from anchoring.measuring.noise import Noise

LIMITS = (0.25, 2.0)


def fitted(x, y, *, settings=None, limits=LIMITS, beam=4.0, sigma_x=0.001, known=None, zero=None, drift=GENERAL):
    """A pair of images as it is measured, and its fit."""
    stated = Noise(sigma_x, "config")
    measured = measure_pair(x, y, beam=beam, intensity_range=limits, zero=zero, stated=stated, smoothed=beam)
    return measured, fit_pair(measured, settings or Settings(), known, drift)
