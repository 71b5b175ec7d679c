"""The PSF of JWST that is drawn from its pupil."""

import numpy as np
import pytest

from anchoring.bands import FWHM, can_be_modelled, wavelength
from anchoring.images.kernel_making import make_kernel
from anchoring.images.psf import GaussianPSF
from anchoring.images.pupil import jwst_psf


@pytest.mark.parametrize("band", ["f115w", "f300m", "f560w", "f2550w"])
def test_its_width_is_that_measured_in_flight_to_7_percent(band):
    assert abs(jwst_psf(wavelength(band)).fwhm / FWHM[band][0] - 1) < 0.07


def test_it_has_the_six_spikes_and_the_symmetry_of_the_pupil():
    data = jwst_psf(3.0).data
    assert np.allclose(data, data[:, ::-1], atol=1e-6 * data.max())
    middle, radius = len(data) // 2, 90  # pixels: 18 FWHM
    angles = np.radians(np.arange(0, 360, 2))
    ring = data[
        np.round(middle + radius * np.sin(angles)).astype(int), np.round(middle + radius * np.cos(angles)).astype(int)
    ]
    bright = {int(a) % 60 for a in np.degrees(angles)[ring > 5 * np.median(ring)].round()}
    assert bright
    assert all(min(a % 30, 30 - a % 30) <= 6 for a in bright)


def test_a_kernel_of_it_to_4_arcsec_is_good():
    quality = make_kernel(jwst_psf(7.7), GaussianPSF(4.0)).quality
    assert quality.difference < 0.005
    assert quality.negative < 0.3
    assert quality.flags == ()


@pytest.mark.parametrize(
    ("band", "resolution", "possible"),
    [
        ("F770W", "gauss4", True), ("f300m", "GAUSS7.5", True), ("F150W2", "gauss4", True), ("F770W", "mips24", True),
        ("F2100W", "gauss4", False), ("F2100W", "gauss7p5", True), ("F770W", "gauss2", False),
        ("F200W", "F2100W", False), ("F070W", "gauss0.6", False), ("irac4", "gauss20", False), ("F770W", "x", False),
    ],
)  # fmt: skip
def test_where_it_is_good_enough(band, resolution, possible):
    assert can_be_modelled(band, resolution) == possible
