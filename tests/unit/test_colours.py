"""Real colours: bands from spectra, what is made of them, and skies whose zero they leave where it was."""

import csv
import sys
import types

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose

from simulation import colours, real_scenes, skies
from simulation import spaxels as script
from simulation.instruments import REFERENCES

WAVELENGTH = np.linspace(2.5, 30, 2000)


def filter_at(centre, width):
    at = np.linspace(centre - width, centre + width, 201)
    return at, np.exp(-(((at - centre) / width) ** 2) * 4)


def test_band_mean_is_that_of_the_photons():
    at, transmission = filter_at(8.0, 1.5)
    slope = np.stack([np.full(WAVELENGTH.size, 3.0), 2 * WAVELENGTH], axis=1)
    mean, part = script.band_mean(WAVELENGTH, slope, at, transmission)
    # f_nu of 2 wavelength over the photons of T is 2 int T / int T / wavelength.
    assert_allclose(mean, [3, 2 * np.trapezoid(transmission, at) / np.trapezoid(transmission / at, at)], rtol=1e-5)
    assert_allclose(part, 1, atol=1e-6)
    _, part = script.band_mean(WAVELENGTH[WAVELENGTH > 8], slope[WAVELENGTH > 8], at, transmission)
    assert_allclose(part, 0.5, atol=0.03)


def test_old_stars_are_taken_off_a_spectrum_that_shows_them():
    dust = np.where(WAVELENGTH > 2.9, 4.0, 0.0)[:, None]
    found = script.without_stars(WAVELENGTH, dust + 50 * (WAVELENGTH[:, None] < 5.2) / WAVELENGTH[:, None] ** 2)
    assert_allclose(found, dust, atol=1e-9)
    red = WAVELENGTH > 5.2
    assert_allclose(script.without_stars(WAVELENGTH[red], dust[red]), dust[red])


def test_the_table_is_made_from_cubes(tmp_path, monkeypatch, capsys):
    filters = [types.SimpleNamespace(wavelength=at * 1e4, transmission=t) for at, t in [filter_at(7.7, 1.0)]]
    monkeypatch.setitem(sys.modules, "sedpy.observate", types.SimpleNamespace(load_filters=lambda names: filters))
    monkeypatch.setitem(sys.modules, "sedpy", types.ModuleType("sedpy"))
    monkeypatch.setattr(script, "FILTERS", {"F770W": "jwst_f770w"})
    monkeypatch.setattr(script, "CUBES", {"m83": "m83.fits"})
    output = tmp_path / "table.csv"
    assert script.main([str(tmp_path), "--output", str(output)]) == 1
    assert "m83.fits" in capsys.readouterr().err
    cube = np.full((WAVELENGTH.size, 2, 3), 5.0)
    cube[4, 0, 1] = np.nan
    wave = WAVELENGTH + 3  # longer than stars
    fits.HDUList([fits.PrimaryHDU(cube), fits.ImageHDU(wave)]).writeto(tmp_path / "m83.fits")
    assert script.main([str(tmp_path), "--output", str(output)]) == 0
    rows = list(csv.DictReader(output.read_text().splitlines()))
    assert [(row["object"], row["x"], row["y"], row["F770W"]) for row in rows] == [
        ("m83", x, y, "5") for x, y in ("00", "20", "01", "11", "21")
    ]
    fits.HDUList([fits.PrimaryHDU(cube), fits.ImageHDU(wave[::-1].copy())]).writeto(tmp_path / "b.fits")
    with pytest.raises(ValueError, match=r"b\.fits.*rising"):
        script.read_cube(tmp_path / "b.fits")


def test_colours_of_the_objects_are_those_of_the_literature():
    """The 7.7 micron complex rules F770W and IRAC 4; silicate or dust continuum changes what is longer."""
    for name in colours.OBJECTS:
        level, ratios = colours.spaxels(name)
        assert level.size > 50
        on_irac4, on_w3 = (ratios["F770W"] - ratios[band] for band in ("IRAC4", "W3"))
        assert 1.05 < np.exp(np.median(on_irac4)) < 1.2
        assert on_irac4.std() < 0.03 < on_w3.std() < 0.3
        assert 0 < np.polyfit(level, on_irac4, 1)[0] < 0.02
    assert "F2100W" not in colours.spaxels("ngc7023")[1]
    level, ratios = colours.spaxels("m82", near=True)
    assert ratios["F335M"].mean() > ratios["F360M"].mean() > ratios["F300M"].mean()  # the 3.3 micron feature


LEVELS = np.exp(np.linspace(-8, 8, 60))


def drawn(name, band, seed=1, n=4000):
    """Ratios at LEVELS, (60, n patches), of colours with a known rng."""
    sky = colours.Colours(name, np.random.default_rng(seed), n)
    brightness, patch = np.broadcast_arrays(LEVELS[:, None], np.arange(n))
    return sky.ratio(band, brightness, patch)


def test_spaxels_keep_their_medians_their_scatter_and_an_end():
    _, ratios = colours.spaxels("m83")
    for name, factor in (("m83", 1.0), ("m83_phangs", 0.37 / np.exp(np.median(ratios["F1000W"])))):
        found = np.log(drawn(name, "F1000W") / factor)
        middle = np.median(found, axis=1)
        assert_allclose(middle[0], middle[1], atol=1e-12)  # no change beyond the faintest group
        assert_allclose(middle[-1], middle[-2], atol=1e-12)
        assert np.ptp(middle) > 0.05
        assert_allclose(np.median(middle[25:35]), np.median(ratios["F1000W"]), atol=0.1)
        assert_allclose(found[30].std(), ratios["F1000W"].std(), rtol=0.2)


def test_statistics_follow_one_line_with_the_covariance_of_spaxels():
    level, ratios = colours.spaxels("m82")
    found = {band: np.log(drawn("m82_statistics", band)) for band in ("F2100W", "MIPS24")}
    for band, values in found.items():
        slope = np.polyfit(np.log(LEVELS), values.mean(axis=1), 1)[0]
        assert_allclose(slope, np.polyfit(level, ratios[band], 1)[0], atol=1e-6)
    expected = [ratios[band] - np.polyval(np.polyfit(level, ratios[band], 1), level) for band in found]
    assert_allclose(np.cov([values[30] for values in found.values()]), np.cov(expected), rtol=0.1)


@pytest.mark.parametrize(
    ("name", "band", "words"),
    [
        ("m81", "F770W", "m81"),
        ("m83_spaxels", "F770W", "m83_spaxels"),
        ("ngc7023", "F2100W", "ngc7023 do not cover F2100W"),
        ("m83_phangs", "F1800W", "F1800W is not known"),
    ],
)
def test_unknown_names_are_refused(name, band, words):
    with pytest.raises(ValueError, match=words):
        drawn(name, band, n=1)


def test_patches_are_of_the_size_asked_for(rng):
    patch, number = colours.patches(rng, (60, 80), 8.0)
    assert number == 75
    assert patch.shape == (60, 80)
    assert np.unique(patch).size > 70


@pytest.mark.parametrize("scene", real_scenes.SCENES)
def test_scenes_show_one_sky_in_all_bands(scene):
    galaxy = real_scenes.Galaxy(3, scene)  # of M83
    again = real_scenes.Galaxy(3, scene)
    assert all(galaxy.shows(link) for link in real_scenes.LINKS)
    assert_allclose(galaxy.image("F770W"), galaxy.emission, rtol=1e-12 if "phangs" not in scene else 1e-9)
    for band in ("F2100W", "F335M", "F200W"):
        image = galaxy.image(band)
        assert (image >= 0).all()
        assert_allclose(again.image(band), image)
    # All shine where there is dust or stars, and nowhere else: the zeros of all bands are the same.
    assert_allclose(galaxy.image("F1000W")[galaxy.emission == 0], 0)
    pair = real_scenes.external_pair(galaxy, real_scenes.LINKS[0])
    good = np.isfinite(pair.x) & np.isfinite(pair.y) & (pair.x > 0.25) & (pair.x < 2)
    assert_allclose(np.median((pair.y[good] + pair.offset) / pair.x[good]), pair.slope, rtol=0.02)
    pair, o_x = real_scenes.internal_pair(galaxy, real_scenes.LINKS[5])
    good = np.isfinite(pair.x) & np.isfinite(pair.y) & (pair.x + o_x > 0.25)
    assert_allclose(np.median((pair.y[good] + pair.offset) / (pair.x[good] + o_x)), pair.slope, rtol=0.2)


def test_ngc7023_has_no_band_beyond_its_spectra():
    galaxy = real_scenes.Galaxy(1, "spaxels")
    names = [link.name for link in filter(galaxy.shows, real_scenes.LINKS)]
    assert not [name for name in names if "F2100W" in name]
    assert "F1130W on F770W" in names


def test_trees_with_real_colours_have_the_same_zero_in_all_bands():
    field = (60, 50)
    galaxy = skies.Galaxy("g", field, skies.Sky(colours="m83", stars=0.0, clumps=0.0), seed=2)
    reference = REFERENCES["irac4_atgauss4"]
    grid = skies.Grid((221, 221), 1.0, 0.0, (110, 110))
    on = galaxy.image("irac4_atgauss4", reference, grid)
    dark = on < 1e-4
    assert dark.sum() > 100
    for label, low, high in (("F770W", 1.08, 1.16), ("F2100W", 0.8, 4), ("mips24", 1, 6), ("F335M", 0.8, 1.1)):
        image = galaxy.image(label, reference._replace(kind="stars" if label == "F335M" else "dust"), grid)
        ratio = image[on > 0.2] / on[on > 0.2]
        assert low < np.median(ratio) < high
        assert np.abs(image[dark]).max() < 1e-3
    # Clumps have the colour of the place they are at, in all bands alike.
    clumpy = skies.Galaxy("g", field, skies.Sky(colours="m83", stars=0.0), seed=2)
    more = [
        clumpy.image(label, reference, grid) - galaxy.image(label, reference, grid)
        for label in ("F770W", "irac4_atgauss4")
    ]
    assert more[1].max() > 0.1
    assert_allclose(more[0][more[1] > 0.1] / more[1][more[1] > 0.1], 1.12, atol=0.05)
