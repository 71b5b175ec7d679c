"""Which pixels of a mosaic are observed: what is read, and what the offset is added to, are the same."""

import logging

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal

from anchoring.errors import AnchoringError
from anchoring.files import mosaics
from anchoring.files.anchored import write_anchored
from anchoring.images.observed import FLOOR, NO_FILL, find_fill, is_observed

SHAPE = (150, 140)
HOW = {"offset": 0.25, "reference": "irac4", "slope": 1.0, "resolution": "gauss4", "version": "1"}


@pytest.fixture
def sky(rng):
    """A noisy sky around 0, and where it is not observed."""
    y, x = np.indices(SHAPE)
    return rng.normal(0.05, 0.1, SHAPE).astype("f4"), (x + 2 * y < 90) | (y > 140)


def written(folder, data, *others):
    path = folder / "image.fits"
    sci = fits.ImageHDU(data, fits.Header({"BUNIT": "MJy/sr"}), name="SCI")
    fits.HDUList([fits.PrimaryHDU(), sci, *others]).writeto(path, overwrite=True)
    return path


def assert_unobserved(path, outside):
    """What is read is NaN there; what is written has the offset elsewhere and its old value there."""
    before = fits.getdata(path, "SCI")
    assert_array_equal(np.isnan(mosaics.read_image(path).data), outside)
    anchored = path.with_name("anchored.fits")
    write_anchored(path, anchored, **HOW)
    after = fits.getdata(anchored, "SCI")
    assert_array_equal(after[outside], before[outside])
    assert_array_equal(after[~outside], (before[~outside].astype(float) + HOW["offset"]).astype("f4"))
    assert abs(mosaics.offset_between(path, anchored) - HOW["offset"]) < 1e-6


# ---- extensions


@pytest.mark.parametrize("dtype", ["f4", "f8", "i2"])
def test_no_weight_is_no_observation(tmp_path, sky, dtype):
    data, outside = sky
    weight = np.where(outside, 0, 700).astype(dtype)
    assert_unobserved(written(tmp_path, data, fits.ImageHDU(weight, name="WHT")), outside)


@pytest.mark.parametrize("dtype", ["u4", "i4", "u2", "u1"])
@pytest.mark.parametrize("kind", [fits.ImageHDU, fits.CompImageHDU])
def test_pixels_not_to_be_used_are_not_observed(tmp_path, sky, dtype, kind):
    data, outside = sky
    quality = np.where(outside, 1 + 4, 2 + 4 + 16).astype(dtype)
    path = written(tmp_path, data, kind(quality, name="DQ"))
    assert_unobserved(path, outside)
    with fits.open(path) as hdus:
        assert_array_equal(hdus["DQ"].data, quality)


def test_extensions_of_another_shape_or_kind_say_nothing(tmp_path, sky):
    data, _ = sky
    small, floating = np.zeros((8, 8), "f4"), np.ones(SHAPE, "f4")
    others = fits.ImageHDU(small, name="WHT"), fits.ImageHDU(floating, name="DQ")
    assert_unobserved(written(tmp_path, data, *others), np.zeros(SHAPE, bool))


def test_weights_of_0_throughout_are_named(tmp_path, sky):
    path = written(tmp_path, sky[0], fits.ImageHDU(np.zeros(SHAPE, "f4"), name="WHT"))
    with pytest.raises(AnchoringError, match=r"image\.fits: all pixels of SCI .*according to WHT"):
        mosaics.read_image(path)


# ---- fill values


@pytest.mark.parametrize("value", [-0.35, 0.06, 17.0, -999.0, 1e-20, 1e-9, 1e-7])
def test_one_value_outside_is_no_sky(tmp_path, sky, caplog, value):
    data, outside = sky
    data[outside] = value
    with caplog.at_level(logging.INFO):
        assert_unobserved(written(tmp_path, data), outside)
    if abs(value) > FLOOR:
        assert f"{np.float32(value):.9g}" in caplog.text


@pytest.mark.parametrize("size", [1e-30, 1e-15, 1e-9])
def test_slivers_of_any_values_are_no_sky(tmp_path, sky, rng, size):
    data, outside = sky
    data[outside] = size * rng.normal(size=outside.sum())
    assert_unobserved(written(tmp_path, data), outside)


def test_scattered_pixels_and_several_values_are_found_too(tmp_path, sky, rng):
    data, outside = sky
    scattered = rng.random(SHAPE) < 0.03
    data[outside], data[scattered] = -0.35, -0.2
    assert_unobserved(written(tmp_path, data), outside | scattered)


def test_fill_in_float64_and_next_to_0_and_nan(tmp_path, sky):
    data, outside = (v.copy() for v in sky)
    data = data.astype(float)
    data[outside] = -1 / 3
    data[100:110], data[110:120] = 0, np.nan
    outside[100:120] = True
    assert_array_equal(np.isnan(mosaics.read_image(written(tmp_path, data)).data), outside)


@pytest.mark.parametrize("share", [0.4, 0.1, 0.015])
def test_any_share_above_the_stated_one_is_found(rng, share):
    data = rng.normal(0.3, 0.05, (400, 400)).astype("f4")
    data[: round(400 * share)] = -0.35
    (value,) = find_fill(data).constants
    assert value == np.float32(-0.35)


def test_what_is_found_does_not_depend_on_how_many_rows_are_read_at_once(tmp_path, sky):
    data, outside = sky
    data[outside] = -0.35
    mosaic = mosaics.map_image(written(tmp_path, data))
    pieces = [mosaic.rows(row, row + 7)[0] for row in range(0, SHAPE[0], 7)]
    assert_array_equal(np.concatenate(pieces), mosaics.read_image(tmp_path / "image.fits").data)


def test_a_large_mosaic_is_judged_by_a_part_of_it(tmp_path, rng, monkeypatch):
    monkeypatch.setattr(mosaics, "SEARCHED", 2**14)
    data = rng.normal(0.3, 0.05, (1300, 200)).astype("f4")
    y, x = np.indices(data.shape)
    data[(y + x < 300) | (y > 1250)] = -0.35
    seen = []
    monkeypatch.setattr(mosaics, "find_fill", lambda rows: seen.append(rows.shape) or find_fill(rows))
    assert mosaics.map_image(written(tmp_path, data)).fill.constants == (np.float32(-0.35),)
    assert seen[0][0] < 100


# ---- what is sky, unusual as it is


Y, X = np.indices((300, 300)) - 150.0
GALAXY = np.exp(-(X**2 + Y**2) / (2 * 20.0**2))
NOISE = np.random.default_rng(1).normal(0.3, 0.05, X.shape)
SKIES = {
    "noise": NOISE,
    "integers": np.rint(200 * NOISE + 1000 * GALAXY),
    "few integers": np.rint(10 + 4 * (NOISE - 0.3) + 1000 * GALAXY),
    "counts": np.random.default_rng(1).poisson(1 + 20 * GALAXY),
    "one digit": np.round(NOISE + GALAXY, 1),
    "two digits": np.round(NOISE + GALAXY, 2),
    "saturated core": np.minimum(NOISE + 9 * GALAXY, 5),
    "no noise": GALAXY,
    "no noise on a pedestal": GALAXY + 0.3,
    "an exponential without noise": np.exp(-np.hypot(X, Y) / 4) + 0.3,
    "stars without noise on a pedestal": 0.3 + np.exp(-((X % 40) ** 2 + (Y % 50) ** 2) / 4),
    "a constant": np.full(X.shape, 0.3),
    "two constants": np.where(X < 0, 0.1, 0.2),
    "a ramp": X / 100 + 7,
    "bright": 5700 + 100 * NOISE,
    "sky subtracted": NOISE.astype("f4") - np.float32(0.3),
}


@pytest.mark.parametrize("name", SKIES)
def test_a_sky_is_not_taken_for_fill_values(name):
    for dtype in ("f4", "f8"):
        assert find_fill(SKIES[name].astype(dtype)) == NO_FILL


def test_rounded_numbers_do_not_hide_a_fill_value_far_from_them():
    data = SKIES["two digits"].copy()
    data[:60] = -0.35
    assert find_fill(data).constants == (-0.35,)


def test_a_pixel_close_to_0_by_chance_is_observed():
    assert is_observed(np.array([1e-8, -1e-8, 1e-11, 1e-13, 0.0, np.nan, np.inf], "f4")).tolist() == (
        [True, True, True, False, False, False, False]
    )
