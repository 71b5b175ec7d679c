"""PSFs: their centre and width, on other grids, averaged over angles."""

import math

import numpy as np
import pytest
from point_sources import airy_like, gaussian

from anchoring.errors import AnchoringError
from anchoring.images.psf import GaussianPSF, circularised, measured_psf, radial_profile


@pytest.mark.parametrize("make", [gaussian, airy_like])
@pytest.mark.parametrize("side", [60, 61])
def test_centre_and_width_to_a_fraction_of_a_pixel(make, side):
    shift = 1.3, -2.6
    psf = measured_psf(7.5 * make(side, 5.0, shift=shift), 0.2)
    expected = [(side - 1) / 2 + s for s in shift]
    assert np.allclose(psf.centre, expected, atol=0.02)
    assert abs(psf.fwhm / 1.0 - 1) < 0.02
    assert abs(psf.data.sum() - 1) < 1e-12


def test_the_centre_is_that_of_the_peak_whatever_is_far_out():
    data = gaussian(81, 4.0, shift=(0.4, 0.0))
    data[5:15, 60:70] += 1e-4  # a hundredth of the light
    assert np.allclose(measured_psf(data, 1.0).centre, (40.4, 40.0), atol=0.01)


@pytest.mark.parametrize("side", [100, 101])
@pytest.mark.parametrize("scale", [0.07, 0.1, 0.43])
def test_on_another_grid_it_is_centred_and_has_the_same_light(side, scale):
    psf = measured_psf(gaussian(side, 12.0, shift=(1.3, -2.6)), 0.1)
    n = math.ceil(8 / scale) | 1
    found = psf.on_grid(scale, n)
    expected = GaussianPSF(1.2).on_grid(scale, n)
    assert abs(found.sum() - 1) < 1e-6
    assert np.abs(found - expected).max() < 0.002 * expected.max()


def test_light_within_a_square():
    expected = math.erf(3 / (4 / math.sqrt(8 * math.log(2)) * math.sqrt(2))) ** 2
    assert abs(GaussianPSF(4.0).within(3) - expected) < 1e-12
    assert abs(measured_psf(gaussian(200, 40.0, shift=(3, 0)), 0.1).within(3) - expected) < 1e-4


def test_reach_is_to_the_nearest_edge():
    assert abs(measured_psf(gaussian(101, 5.0, shift=(0, 8)), 0.1).reach - 0.1 * (50.5 - 8)) < 1e-3
    assert GaussianPSF(4.0).reach == math.inf


def test_circularised_has_the_same_light_everywhere_around():
    array = gaussian(121, 8.0, ratio=2.0)
    found = circularised(array)
    assert abs(found.sum() - array.sum()) < 1e-12
    assert np.allclose(found, found.T, atol=1e-12)
    radii, profile = radial_profile(array)
    assert np.allclose(found[60, 60:], profile[::2], rtol=0.02, atol=1e-7)
    # The second moment is the mean of those along both axes.
    y = np.arange(121) - 60
    moment = (array.sum(axis=1) @ y**2 + array.sum(axis=0) @ y**2) / 2
    assert abs(found.sum(axis=1) @ y**2 / moment - 1) < 0.02
    assert radii[2] == 1.0


def bad(change):
    data = gaussian(60, 5.0)
    return change(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (np.ones(9), "shape (9,)"),
        (np.ones((2, 30, 30)), "shape (2, 30, 30)"),
        (np.ones((3, 3)), "shape (3, 3)"),
        (np.full((30, 30), np.nan), "not finite"),
        (np.zeros((30, 30)), "sum of the PSF is 0"),
        (-gaussian(60, 5.0), "sum of the PSF is -1"),
        (gaussian(60, 5.0) - gaussian(60, 20.0), "sum of the PSF is"),
        (np.ones((30, 30)), "pixels wide (FWHM) in an image of 30 x 30"),
        (gaussian(60, 45.0), "expected a peak narrower than half"),
        (gaussian(60, 5.0, shift=(29.6, 0)), "at the edge"),
        (gaussian(60, 5.0, shift=(0, 12)), "12 pixels from the middle"),
        (gaussian(60, 0.1, shift=(0.5, 0.5)), "wide (FWHM); expected 1.5 pixels"),
    ],
)
def test_what_is_no_psf_is_refused(data, words):
    with pytest.raises(AnchoringError) as error:
        measured_psf(data, 0.1)
    assert words in str(error.value)
