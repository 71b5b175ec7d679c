"""Images of one sky are told from images of two, and the shift between them is the true one."""

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from numpy.testing import assert_allclose
from runs import Project, set_cards
from scipy import ndimage
from scipy.stats import kstest

from anchoring.errors import AnchoringError
from anchoring.fitting.alignment import SHIFT, align, as_record, flags_of, require_one_sky
from anchoring.images.coverage import beam_coverage
from anchoring.measuring.measure import grid_axes
from anchoring.measuring.samples import sample_pair
from anchoring.showing.text import rounded
from simulation import scenes
from simulation.skies import Grid
from simulation.trees import wcs_header

IRAC4, W3, IRAC1, W1 = scenes.REFERENCES
NORTH_UP = np.array([[-1.0, 0.0], [0.0, 1.0]])  # pixels of 1 arcsec
TURN = 46.0  # degrees


def sampled(x, y, beam):
    inside = np.isfinite(x) & np.isfinite(y)
    return sample_pair(x, y, inside, beam_coverage(inside, beam), beam=beam)


def aligned(x, y, beam, axes=NORTH_UP):
    return align(sampled(x, y, beam), axes)


def moved(image, row, column):
    """An image whose features lie so many pixels further."""
    return ndimage.shift(image, (row, column), order=5, mode="nearest")


def turned(image):
    return ndimage.rotate(image, TURN, reshape=False, order=3, mode="nearest")


def pair(seed, reference=IRAC4, **given):
    return scenes.external_pair(seed, reference, hole=False, **given)


def deviation(found, east, north):
    """Chi-squared of a shift against the true one."""
    d = np.array([found.east - east, found.north - north])
    return d @ np.linalg.solve(found.covariance, d)


@pytest.mark.parametrize(("row", "column"), [(0.0, 0.0), (0.37, -1.21), (-4.6, 3.3), (14.2, 9.7)])
def test_a_shift_is_recovered_to_a_part_of_a_pixel(row, column):
    one = pair(1, scene="spiral", colours=0.0)
    found = aligned(one.x, moved_sky(one, row, column), one.beam)
    assert found.shift_err < 0.05 * one.beam
    assert_allclose([found.east, found.north], [-column, row], atol=4 * found.shift_err)


def moved_sky(one, row, column):
    """The image of a pair whose sky is moved under its footprint."""
    whole = np.where(np.isfinite(one.y), one.slope * one.x - one.offset, np.nan)
    sky = moved(one.slope * one.x - one.offset, row, column)
    noise = np.random.default_rng(5).normal(0, 0.005, sky.shape)
    return np.where(np.isfinite(whole), sky + noise, np.nan)


def test_east_and_north_are_those_of_the_sky(rng):
    """Gaussians put on two grids of different orientation by astropy, with the image's moved on the sky."""
    beam, truth = 6.0, np.array([1.4, -0.9])  # pixels; arcsec
    for angle, flip in ((0.0, 1), (130.0, 1), (65.0, -1)):
        header = wcs_header(Grid((200, 210), 0.5, angle, (100.3, 97.1)), (359.9999, 61.2))
        for j in (1, 2):
            header[f"PC{j}_1"] *= flip
        wcs = WCS(header)
        east, north = rng.uniform(-45, 45, (2, 300))
        flux = rng.pareto(1.5, 300).clip(max=20)
        images = []
        for de, dn in (np.zeros(2), truth):
            ra = 359.9999 + (east + de) / 3600 / np.cos(np.radians(61.2))
            u, v = wcs.all_world2pix(np.stack([ra, 61.2 + (north + dn) / 3600], axis=1), 0).T
            rows, columns = np.ogrid[:200, :210]
            s = beam / 2.3548
            images.append(
                sum(
                    f * np.exp(-0.5 * ((rows - q) ** 2 + (columns - p) ** 2) / s**2)
                    for f, p, q in zip(flux, u, v, strict=True)
                )
            )
        samples = sampled(*images, beam)
        found = align(samples, grid_axes(wcs, samples))
        assert_allclose([found.east, found.north], truth, atol=0.02)
        assert_allclose(found.beam, 3.0, rtol=1e-6)


def test_errors_of_shifts_hold_the_truth():
    chi_squared = []
    for seed in range(24):
        name = list(scenes.SCENES)[seed % 4]
        one = pair(100 + seed, (IRAC4, W1)[seed % 2], scene=name, noise=3, colours=0.25)
        chi_squared.append(deviation(aligned(one.x, one.y, one.beam), 0, 0))
    # 2 degrees of freedom: medians of 1.39; errors that were half or twice as large would give 5.5 or 0.35.
    assert 0.6 < np.median(chi_squared) < 3
    assert np.mean(np.array(chi_squared) > 11.83) < 0.1
    assert kstest(chi_squared, "chi2", args=(2,)).pvalue > 1e-4


def test_neither_offset_nor_slope_nor_a_gradient_matters():
    one = pair(3)
    plain = aligned(one.x, one.y, one.beam)
    scaled = aligned(one.x - 12, 7.5 * one.y + 21.7, one.beam)
    assert_allclose(list(as_record(scaled).values()), list(as_record(plain).values()), rtol=1e-6, atol=1e-9)
    v, u = np.indices(one.y.shape) / one.y.shape[0]
    tilted = aligned(one.x, one.y + 0.3 * u - 0.2 * v, one.beam)
    assert_allclose(tilted.east, plain.east, atol=plain.shift_err)
    assert_allclose(tilted.correlation, plain.correlation, atol=0.02)


def test_a_source_in_one_image_alone_does_not_move_it(rng):
    one = pair(4, scene="textured", colours=0.25)
    v, u = np.indices(one.y.shape)
    middle = np.array(one.y.shape) / 2 + 5
    star = 300 * np.exp(-((v - middle[0]) ** 2 + (u - middle[1]) ** 2) / (2 * (one.beam / 2.3548) ** 2))
    found = aligned(one.x, one.y + star, one.beam)
    assert found.shift < 0.15 * one.beam
    assert not flags_of(found)


SKIES = [(name, reference, 3) for name in scenes.SCENES for reference in (IRAC4, W3, W1)]
SKIES = [sky for sky in SKIES if sky[:2] != ("regions", W3)]  # 5 x 5 beams are too few


@pytest.fixture(scope="module")
def right():
    """Pairs as they are, internal ones too, whose colours vary by tens of percent."""
    external = [pair(40 + i, r, scene=name, noise=n) for i, (name, r, n) in enumerate(SKIES)]
    return external + [scenes.internal_pair(90 + i, 0.57, scene=name)[0] for i, name in enumerate(scenes.SCENES)]


def test_right_pairs_carry_no_flag(right):
    found = [aligned(one.x, one.y, one.beam) for one in right]
    assert [flags_of(f) for f in found if flags_of(f)] == []


def test_shifts_of_half_a_beam_are_found(right, rng):
    found = []
    for one in right:
        angle = rng.uniform(0, 2 * np.pi)
        x = moved(np.nan_to_num(one.x), *(0.5 * one.beam * np.array([np.sin(angle), np.cos(angle)])))
        found.append(aligned(np.where(np.isfinite(one.x), x, np.nan), one.y, one.beam))
    assert np.mean([f.misaligned for f in found]) >= 0.95
    assert not any(f.uncorrelated for f in found)


def test_a_far_shift_is_found_and_refused():
    one = pair(5, scene="spiral")
    found = aligned(moved(one.x, 30.0, -20.0), one.y, one.beam)
    assert flags_of(found) == ["misaligned", "uncorrelated"]
    assert_allclose([found.east, found.north], [-20, -30], atol=4 * found.shift_err)
    with pytest.raises(AnchoringError, match=r"correlation .* expected about .* arcsec east .* check the WCS"):
        require_one_sky(found)


@pytest.mark.parametrize("kind", ["turned", "another"])
def test_images_of_two_skies_are_uncorrelated(kind):
    found = []
    for seed in range(3):
        for scene in ("disk", "textured", "spiral", "ringed"):
            one = pair(60 + seed, scene=scene, noise=3)
            x = turned(one.x) if kind == "turned" else pair(900 + seed, scene=scene).x
            found.append(aligned(x, one.y, one.beam))
    assert sum(f.uncorrelated for f in found) >= 10
    assert all(f.correlation < 0.6 for f in found)


def test_noise_alone_is_no_ground_to_refuse():
    rng = np.random.default_rng(8)
    for n in (60, 100, 100, 160, 240):
        x, y = (scenes.correlated_noise(rng, (n, n), 5.3, 0.02) for _ in range(2))
        found = aligned(x, y, 5.3)
        assert abs(found.correlation) < 4 * found.correlation_err
        assert not flags_of(found)


def test_faint_structure_in_noise_is_not_refused():
    for seed in range(6):
        one = pair(70 + seed, scene="disk", noise=20)
        assert not aligned(one.x, one.y, one.beam).uncorrelated


def test_what_holds_too_little_has_no_answer():
    one = pair(6)
    nothing = [
        aligned(one.x[200:215, 200:215], one.y[200:215, 200:215], one.beam),
        aligned(np.full((90, 90), 1.5), np.full((90, 90), 0.2), 5.0),
        aligned(np.full((90, 90), np.nan), np.ones((90, 90)), 5.0),
    ]
    for found in nothing:
        assert np.isnan(list(as_record(found).values())).all()
        assert not flags_of(found)
        require_one_sky(found)


def test_a_beam_that_is_not_known_is_two_pixels():
    one = pair(7, scene="ringed")
    assert aligned(one.x, one.y, 0.0).beam == 2.0
    assert aligned(moved(one.x, 0.0, 3 * SHIFT * 2), one.y, 0.0).misaligned


def test_a_wrong_reference_is_passed_over_and_a_shifted_one_is_flagged(tmp_path):
    references = ("irac1_atgauss4", "irac4_atgauss4", "w3_atgauss15")
    tree = {"bands": ("F300M", "F770W"), "references": references, "field": (110.0, 100.0)}
    project = Project(tmp_path, targets=("ngc0628",), **tree)
    folder = project.folder / "data" / "ref"
    wrong, shifted = (folder / f"ngc0628_{name}_atgauss4.fits" for name in ("irac4", "irac1"))
    header = fits.getheader(wrong)
    step = np.array([[header[f"PC{i}_{j}"] for j in (1, 2)] for i in (1, 2)])
    cos, sin = np.cos(np.radians(TURN)), np.sin(np.radians(TURN))
    step = step @ [[cos, -sin], [sin, cos]]
    set_cards(wrong, 0, {f"PC{i}_{j}": step[i - 1, j - 1] for i in (1, 2) for j in (1, 2)})
    set_cards(shifted, 0, {"CRVAL2": fits.getheader(shifted)["CRVAL2"] + 2.0 / 3600})
    tables = (f"results/ngc0628/ngc0628_anchor_tab.{ending}" for ending in ("csv", "fits"))
    project.run("results/index.html", *tables)
    rows = {row["ref_filter"].split("_")[-2]: row for row in project.rows("ngc0628") if row["kind"] == "external"}
    assert (rows["irac4"]["status"], rows["irac4"]["flags"]) == ("failed", "uncorrelated")
    assert "does not show the structure" in rows["irac4"]["reason"]
    assert float(rows["irac4"]["correlation"]) < 0.5
    assert rows["irac4"]["offset"] == ""
    assert (rows["w3"]["status"], rows["w3"]["flags"]) == ("anchored", "")
    assert rows["irac1"]["status"] == "anchored"
    assert "misaligned" in rows["irac1"]["flags"].split()
    error = float(rows["irac1"]["shift_err"])
    # The reference lies 2 arcsec too far north, so that the image is south of it.
    assert_allclose([float(rows["irac1"][f"shift_{to}"]) for to in ("east", "north")], [0, -2], atol=4 * error)
    with fits.open(tmp_path / "results/ngc0628/ngc0628_anchor_tab.fits") as hdus:
        units = {column.name: column.unit for column in hdus[1].columns}
    assert [units[name] for name in ("shift", "shift_err", "shift_north", "correlation")] == ["arcsec"] * 3 + [None]
    page = (tmp_path / "results" / "index.html").read_text()
    shift = rounded(float(rows["irac1"]["shift"]), error)
    for words in ("misaligned", "uncorrelated", f"shift {shift} arcsec"):
        assert words in page
