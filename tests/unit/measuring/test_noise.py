"""The noise of a reference is what was put into it, whatever else is on the sky."""

import numpy as np
import pytest
from astropy.io import fits
from fuzz import header
from numpy.testing import assert_allclose

import measure_pair
from anchoring.errors import AnchoringError
from anchoring.files.intermediates import write_product
from anchoring.measuring.measurement import read_measurement
from anchoring.measuring.noise import Noise, noise_of_mean, reference_noise, sky_noise, stated_noise, zero_error
from anchoring.measuring.samples import block_reduce
from simulation.fields import correlated_noise

BEAM = 5.0


def sky(rng, shape=(220, 240), sigma=0.03):
    """Correlated noise, a gradient, a galaxy and stars; and the pixels beyond a footprint on the galaxy."""
    y, x = np.indices(shape) - np.array(shape).reshape(2, 1, 1) / 2
    image = correlated_noise(rng, shape, BEAM, sigma) + 0.001 * x + 4 * np.exp(-np.hypot(x, y) / 20)
    for _ in range(20):
        row, column = (rng.integers(0, n - 4) for n in shape)
        image[row : row + 4, column : column + 4] += rng.uniform(0.5, 5)
    return image, (np.abs(x) > 50) | (np.abs(y) > 50)


def test_blank_sky_gives_the_noise_of_correlated_pixels(rng):
    found = [sky_noise(*sky(rng), beam=BEAM) for _ in range(12)]
    assert_allclose(np.mean(found), 0.03, rtol=0.06)
    assert np.std(found) < 0.15 * 0.03


def test_pixel_noise_without_a_beam(rng):
    assert_allclose(sky_noise(rng.normal(0, 0.2, (80, 80)), np.ones((80, 80), dtype=bool), beam=0.0), 0.2, rtol=0.1)


def test_a_constant_added_to_the_reference_changes_nothing(rng):
    image, outside = sky(rng)
    assert_allclose(sky_noise(image + 100, outside, beam=BEAM), sky_noise(image, outside, beam=BEAM), rtol=1e-9)


def test_too_little_sky_is_not_measured():
    assert np.isnan(sky_noise(np.zeros((8, 8)), np.ones((8, 8), dtype=bool), beam=3.0))


def test_sources_in_order(rng):
    image, outside = sky(rng)
    uncertainty = np.full(image.shape, 0.5)
    given = {"beam": BEAM}
    stated = Noise(0.1, "config")
    assert reference_noise(image, outside, stated=stated, uncertainty=uncertainty, **given) == stated
    assert reference_noise(image, outside, uncertainty=uncertainty, **given) == (0.5, "map")
    assert reference_noise(image, outside, **given).source == "sky"
    assert reference_noise(image, np.zeros_like(outside), **given).source == "faint"
    empty = np.full_like(image, np.nan)
    assert reference_noise(image, outside, uncertainty=empty, **given).source == "sky"
    unknown = reference_noise(np.zeros((5, 5)), np.ones((5, 5), dtype=bool), beam=BEAM)
    assert np.isnan(unknown.sigma)
    assert unknown.source == "unknown"


@pytest.mark.parametrize("beam", [0.0, 2.0, 5.6])
@pytest.mark.parametrize("side", [1, 2, 4])
def test_noise_of_a_mean_of_pixels_that_are_correlated_over_a_beam(rng, side, beam):
    image = correlated_noise(rng, (1200, 1200), beam, 1.0) if beam else rng.normal(size=(1200, 1200))
    assert_allclose(noise_of_mean(side, beam), block_reduce(image, side, np.mean)[10:-10, 10:-10].std(), rtol=0.02)


SCALE = 0.5  # arcsec
SOURCES = ("config", "header", "map")


EXTERNAL = [("external", *where, source) for where in (("irac4_atgauss4", 8.0), ("irac1", 0.0)) for source in SOURCES]
INTERNAL = [("internal", "F770W", smoothed, source) for smoothed in (6.0, 0.0) for source in ("config", "own error")]


@pytest.mark.parametrize(("kind", "label", "smoothed", "source"), EXTERNAL + INTERNAL)
def test_noise_stated_of_pixels_is_used_of_samples(tmp_path, rng, kind, label, smoothed, source):
    """A pair of 400 x 400 pixels is averaged 3 x 3; the truth is the scatter of the samples of noise alone."""
    shape, sigma = (400, 400), 0.02
    noise = correlated_noise(rng, shape, smoothed, sigma) if smoothed else rng.normal(0, sigma, shape)
    head = header(shape, SCALE)
    head["SKYSIG"] = sigma
    # One standard deviation differs from pixel to pixel by 40 %: what counts is its rms.
    uneven = sigma * np.where(np.indices(shape).sum(axis=0) % 2, 0.6, (2 - 0.36) ** 0.5)
    image, reference, error = (str(tmp_path / f"{name}.fits") for name in ("image", "reference", "error"))
    write_product(image, noise + 1, head, fwhm=4.0)
    if kind == "external":
        fits.PrimaryHDU(noise + 1, head).writeto(reference)
        fits.PrimaryHDU(uneven, head).writeto(error)
    else:
        write_product(reference, noise + 1, head, uneven if source == "own error" else None, fwhm=smoothed * SCALE)
    options = {**measure_pair.OPTIONS, "noise": {"config": sigma, "header": "SKYSIG"}.get(source)}
    bins, pixels, view = (tmp_path / name for name in ("b.json", "p.npz", "v.npz"))
    given = {"kind": kind, "error": error if source == "map" else None}
    measure_pair.main(image, reference, bins, pixels, view, label, None, options, **given)
    found = read_measurement(bins, pixels)
    assert found.samples.side == 3
    assert found.noise.source == ("map" if source == "own error" else source)
    assert_allclose(found.noise.sigma, found.samples.x.std(), rtol=0.1)


def test_noise_is_stated_in_mjy_or_by_a_keyword_in_the_unit_of_the_image():
    assert stated_noise(0.1, {}, 5.0) == (0.1, "config")
    assert stated_noise("SKYSIG", {"SKYSIG": 0.07}, 2.0) == (0.14, "header")
    assert stated_noise(None, {}, 1.0) is None


@pytest.mark.parametrize("keyword", ["WORDS", "ABSENT"])
def test_a_keyword_that_is_no_noise_is_refused(keyword):
    with pytest.raises(AnchoringError, match=keyword):
        stated_noise(keyword, {"WORDS": "many"}, 1.0)


def test_the_error_of_a_zero_is_what_the_header_states():
    assert zero_error({}, "a.fits") is None
    assert zero_error({"REFZERR": 0.02}, "a.fits") == 0.02
    for wrong in (-0.1, "0.02", float("nan"), True):
        with pytest.raises(AnchoringError, match=r"a.fits has REFZERR = .*expected the error of its zero level"):
            zero_error({"REFZERR": wrong}, "a.fits")
