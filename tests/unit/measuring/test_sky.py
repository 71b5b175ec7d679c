"""The sky of an image: known levels, gradients, sources, and the stated error."""

import numpy as np
import pytest
from scipy import ndimage

from anchoring.errors import AnchoringError
from anchoring.images.coverage import FWHM_PER_SIGMA
from anchoring.measuring.samples import block_reduce
from anchoring.measuring.sky import measure_sky
from simulation.fields import correlated_noise

SHAPE, BEAM, CENTRE = (400, 420), 3.0, (205.0, 190.0)


def around(radius):
    """What excludes a disk about the centre."""

    def excluded(step):
        y, x = np.indices([n // step for n in SHAPE]) * step
        return np.hypot(x - CENTRE[0], y - CENTRE[1]) < radius

    return excluded


def field(rng, *, level=5.0, gradient=(0.0, 0.0), stars=300, galaxy=8.0, noise=0.1):
    y, x = np.indices(SHAPE)
    image = level + correlated_noise(rng, SHAPE, BEAM, noise)
    image += gradient[0] * (x - CENTRE[0]) + gradient[1] * (y - CENTRE[1])
    image += galaxy * np.exp(-np.hypot(x - CENTRE[0], y - CENTRE[1]) / 15)
    for x0, y0, peak in zip(*rng.uniform(0, SHAPE[0], (2, stars)), rng.pareto(1.0, stars).clip(max=300), strict=True):
        image += peak * np.exp(-4 * np.log(2) * ((x - x0) ** 2 + (y - y0) ** 2) / BEAM**2)
    return image.astype(np.float32)


def test_the_level_under_a_galaxy_among_stars_is_recovered(rng):
    sky = measure_sky(field(rng), around(110), beam=BEAM, centre=CENTRE)
    assert abs(sky.level - 5.0) < min(3 * sky.error, 0.01)
    assert 0.09 < sky.noise < 0.11
    assert sky.flags == ()


def test_a_plane_is_recovered_at_the_centre_and_everywhere(rng):
    gradient = (4e-4, -7e-4)
    image = field(rng, gradient=gradient)
    sky = measure_sky(image, around(110), beam=BEAM, centre=CENTRE, plane=True)
    assert abs(sky.level - 5.0) < min(3 * sky.error, 0.01)
    assert np.allclose(sky.gradient, gradient, atol=5e-5)
    y, x = np.indices(SHAPE)
    truth = 5.0 + gradient[0] * (x - CENTRE[0]) + gradient[1] * (y - CENTRE[1])
    assert np.abs(sky.plane(0, SHAPE[0], SHAPE[1]) - truth).max() < 0.03


def test_the_stated_error_is_that_of_many_skies(rng):
    skies = [measure_sky(field(rng, stars=0), around(110), beam=BEAM, centre=CENTRE) for _ in range(12)]
    pulls = [(sky.level - 5.0) / sky.error for sky in skies]
    assert 0.5 < np.sqrt(np.mean(np.square(pulls))) < 1.6


def test_light_of_stars_that_are_too_faint_to_be_found_is_subtracted_with_an_error(rng):
    impulses = np.zeros(SHAPE)
    peaks = 0.05 * rng.random(2500) ** (-1 / 0.8)  # half of the noise at least
    np.add.at(impulses, tuple(rng.integers(0, SHAPE[0], (2, 2500))), peaks.clip(max=30))
    sigma = BEAM / FWHM_PER_SIGMA
    stars = ndimage.gaussian_filter(impulses, sigma) * 2 * np.pi * sigma**2
    sky = measure_sky(field(rng, stars=0) + stars.astype(np.float32), around(110), beam=BEAM, centre=CENTRE)
    mode = 3 * np.median(sky.values) - 2 * sky.values.mean()
    assert abs(sky.level - 5.0) < 0.8 * (mode - 5.0)
    assert abs(sky.level - 5.0) < 2 * sky.error
    assert sky.error < mode - 5.0


def test_a_large_image_is_averaged(rng, monkeypatch):
    monkeypatch.setattr("anchoring.measuring.sky.MOST_PIXELS", 50_000)
    sky = measure_sky(field(rng, gradient=(4e-4, 0)), around(110), beam=BEAM, centre=CENTRE, plane=True)
    assert sky.step == 2
    assert abs(sky.level - 5.0) < min(4 * sky.error, 0.015)
    assert np.allclose(sky.gradient, (4e-4, 0), atol=5e-5)


def test_too_little_sky_is_refused_and_little_is_a_flag(rng):
    image = field(rng)
    with pytest.raises(AnchoringError, match="is sky; expected at least"):
        measure_sky(image, around(400), beam=BEAM, centre=CENTRE)
    image = field(rng, stars=0)
    sky = measure_sky(image, around(238), beam=BEAM, centre=CENTRE)
    assert sky.flags == ("little_sky",)


def test_means_of_squares_are_nan_beside_unobserved_pixels():
    image = np.arange(20.0).reshape(4, 5)
    image[0, 0] = np.nan
    assert np.array_equal(block_reduce(image, 2, np.mean), [[np.nan, 5.0], [13.0, 15.0]], equal_nan=True)
