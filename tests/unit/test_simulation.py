"""The simulated trees hold what their truth file says, and a comparison with it can fail."""

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose
from runs import shipped
from scipy.ndimage import binary_erosion, gaussian_filter

from anchoring.files.kernels import read_kernel
from anchoring.files.mosaics import read_image
from anchoring.files.psfs import read_psf
from anchoring.files.references import read_reference
from anchoring.fitting.binned import fit_line
from anchoring.images.convolution import convolve_image, kernel_fwhm, resample_kernel
from anchoring.images.galaxies import deprojected_radius
from anchoring.images.headers import celestial_wcs, pixel_scale
from anchoring.images.reprojection import reproject_onto
from anchoring.measuring.binning import bin_medians, fixed_range, fixed_width_edges
from anchoring.planning import plan as planning
from anchoring.solving.offsets import internal_offset
from simulation import __main__ as command
from simulation import compare, fields, instruments, skies, trees

TARGET = "ngc0628"
# Disk, arms, bar, filaments and clumps, but nothing that one band has and another has not.
QUIET = skies.Sky(clump_colour=0.0, gradient=0.0, stars=0.0, noise=0.0, reference_noise=0.0)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """A tree without noise or colours and its truth, by band."""
    folder = tmp_path_factory.mktemp("quiet")
    rows = trees.simulate_tree(
        folder, [TARGET], field=(90, 80), bands=("F300M", "F770W", "F1000W"), coarsen=1.5, sky=QUIET,
        references=("irac1_atgauss4", "irac4_atgauss4", "w1_atgauss7p5"),
    )  # fmt: skip
    return folder, {row["band"]: row for row in rows}


def mosaic(folder, row):
    return read_image(folder / row["target"] / row["band"] / "lv3" / row["image"])


def convolved(folder, image, band, resolution):
    """An image at a resolution, by the library."""
    kernel, scale = read_kernel(folder / "kernels" / f"{band.lower()}_to_{resolution}.fits")
    data, _ = convolve_image(image.data, resample_kernel(kernel, scale, pixel_scale(image.header)))
    return data


def met(folder, truth, band, reference):
    """Values of a reference and of a band on its pixels, at one resolution; slope and intercept they should have."""
    image, pedestal, row = mosaic(folder, truth[band]), 0.0, truth[band]
    resolution = reference.partition("_at")[2] or "f2100w"
    if reference in truth:
        other = mosaic(folder, truth[reference])
        x, pedestal = convolved(folder, other, reference, resolution), -truth[reference]["offset"]
    else:
        other = read_reference(folder / "ref" / f"{TARGET}_{reference}.fits")
        x = other.data
    y = convolved(folder, image, band, resolution)
    y = reproject_onto(y, celestial_wcs(image.header), celestial_wcs(other.header), x.shape)
    slope = instruments.slope(band, reference)
    return x, y, slope, -row["offset"] - slope * pedestal


def far_from_edges(x, y, distance):
    """Pixels both have, more than a distance (pixels) from any they have not."""
    return binary_erosion(np.isfinite(x) & np.isfinite(y), iterations=math.ceil(distance))


# --- the tree obeys its truth -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("band", "reference", "fwhm", "scale"),
    [
        ("F300M", "irac1_atgauss4", 4.0, 0.75),
        ("F770W", "irac4_atgauss4", 4.0, 0.75),
        ("F300M", "w1_atgauss7p5", 7.5, 2.75),
        ("F1000W", "F770W", 0.674, 0.165),
    ],
)
def test_at_one_resolution_every_pixel_is_on_the_known_line(quiet, band, reference, fwhm, scale):
    x, y, slope, intercept = met(*quiet, band, reference)
    inside = far_from_edges(x, y, 2.5 * fwhm / scale)
    assert inside.sum() > 30
    assert np.ptp(x[inside]) > 1
    residual = y[inside] - (slope * x[inside] + intercept)
    # What is left is bilinear interpolation of the mosaic where clumps are curved.
    assert np.abs(residual).max() < 3e-3
    assert abs(residual.mean()) < 1e-4


@pytest.mark.parametrize(("band", "reference"), [("F300M", "irac1_atgauss4"), ("F770W", "irac4_atgauss4")])
def test_a_kernel_for_another_band_would_be_noticed(quiet, band, reference):
    folder, truth = quiet
    kernel, scale = fields.gaussian_kernel(instruments.BANDS[band].fwhm, 4.2)
    image, other = mosaic(folder, truth[band]), read_reference(folder / "ref" / f"{TARGET}_{reference}.fits")
    wide, _ = convolve_image(image.data, resample_kernel(kernel, scale, pixel_scale(image.header)))
    y = reproject_onto(wide, celestial_wcs(image.header), celestial_wcs(other.header), other.data.shape)
    residual = y + truth[band]["offset"] - instruments.slope(band, reference) * other.data
    assert np.abs(residual[far_from_edges(other.data, y, 14)]).max() > 1e-2


def test_default_arithmetic_recovers_the_offsets_of_the_ideal_sky(tmp_path):
    rows = trees.simulate_tree(
        tmp_path, [TARGET], bands=("F300M", "F360M"), references=("irac1_atgauss4",), coarsen=3, sky=skies.IDEAL
    )
    truth = {row["band"]: row for row in rows}
    found = {}
    for band, reference in (("F300M", "irac1_atgauss4"), ("F360M", "F300M")):
        x, y, slope, _ = met(tmp_path, truth, band, reference)
        both = np.isfinite(x) & np.isfinite(y)
        bins = bin_medians(x[both], y[both], fixed_width_edges(*fixed_range(reference)))
        line = fit_line(bins.x, bins.median)
        assert_allclose(line.slope, slope, atol=2e-3)
        found[band] = internal_offset(line.slope, line.intercept, found.get(reference, 0.0))
        assert_allclose(found[band], truth[band]["offset"], atol=1e-3)


def test_truth_file_says_what_was_injected(quiet):
    folder, truth = quiet
    rows = compare.read_rows(folder / "truth.csv")
    assert {row["band"]: float(row["offset"]) for row in rows} == {b: row["offset"] for b, row in truth.items()}
    assert all(0.05 <= abs(row["offset"]) <= 0.8 for row in truth.values())
    assert {row["band"]: (row["reference"], float(row["slope"])) for row in rows} == {
        "F300M": ("irac1_atgauss4", 0.9), "F770W": ("irac4_atgauss4", 1.0), "F1000W": ("F770W", 0.37),
    }  # fmt: skip
    assert all((folder / TARGET / row["band"] / "lv3" / row["image"]).is_file() for row in rows)


def test_offsets_can_be_given(tmp_path):
    rows = trees.simulate_tree(
        tmp_path, ["a_b"], field=(12, 10), bands=("F380M", "F770W"), references=(), coarsen=3, offsets={"F380M": -2.5},
        offset_range=(0.1, 0.1), positive=0.0,
    )  # fmt: skip
    assert [(row["band"], row["offset"], row["reference"], row["slope"]) for row in rows] == [
        ("F380M", -2.5, "", ""), ("F770W", -0.1, "", ""),
    ]  # fmt: skip
    assert np.nanmin(mosaic(tmp_path, rows[0]).data) > 2.4


def test_what_cannot_be_simulated_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"F999X.*expected"):
        trees.simulate_tree(tmp_path, bands=("F770W", "F999X"))
    with pytest.raises(ValueError, match="F77OW"):
        trees.simulate_tree(tmp_path, bands=("F770W",), tiles={"F77OW": ("east", "west")})
    with pytest.raises(ValueError, match="exponential or paraboloid"):
        trees.simulate_tree(tmp_path, bands=("F770W",), sky=skies.Sky(profile="flat"))
    with pytest.raises(ValueError, match="one kind"):
        instruments.slope("F300M", "irac4_atgauss4")


# --- it looks like what it stands for ---------------------------------------------------------------------------------


def test_the_plan_of_a_run_finds_everything(tmp_path):
    bands = ("F200W", "F300M", "F770W", "F2100W", "F380M")
    rows = trees.simulate_tree(
        tmp_path, ["ngc0628", "x_y"], field=(14, 12), bands=bands, tiles={"F770W": ("east", "west")}, coarsen=3
    )
    config = shipped()
    config |= {"in_dir": str(tmp_path), "ref_dir": str(tmp_path / "ref"), "kernel_dir": str(tmp_path / "kernels")}
    config |= {"out_dir": str(tmp_path / "results"), "galaxy_table": str(tmp_path / "galaxies.csv")}
    plan = planning.make_plan(config)
    assert plan.targets == ["ngc0628", "x_y"]
    assert {Path(image.path).name for image in plan.images.values()} == {row["image"] for row in rows}
    assert not plan.skipped
    assert not [pair.problem for pairs in plan.pairs.values() for pair in pairs if pair.problem]
    # Four references for F300M and F380M, two for each F770W, F2100W on either F770W, F200W on F300M.
    assert len(plan.pairs) == len(rows) == 12
    assert len([pair for image in plan.of_target("x_y") for pair in plan.fitted_pairs(image)]) == 4 + 4 + 2 * 2 + 2 + 1


def test_mosaics_are_like_those_of_the_pipeline(tmp_path):
    trees.simulate_tree(tmp_path, [TARGET], field=(20, 16), bands=("F300M", "F770W"), references=(), coarsen=2)
    for band, instrument in (("F300M", "nircam"), ("F770W", "miri")):
        path = tmp_path / TARGET / band / "lv3" / f"{TARGET}_{instrument}_lv3_{band.lower()}_i2d_align.fits"
        with fits.open(path) as hdus:
            names = [hdu.name for hdu in hdus]
            assert names == ["PRIMARY", "SCI", "ERR", "CON", "WHT", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT"]
            primary, sci, err = hdus[0].header, hdus["SCI"], hdus["ERR"]
            assert (primary["TELESCOP"], primary["INSTRUME"], primary["FILTER"]) == ("JWST", instrument.upper(), band)
            assert sci.data.dtype == err.data.dtype == np.dtype(">f4")
            assert sci.header["BUNIT"] == "MJy/sr"
            assert_allclose(pixel_scale(sci.header), instruments.BANDS[band].scale * 2)
            assert_allclose(np.array(sci.shape) * pixel_scale(sci.header), (16, 20), atol=0.2)
            corner = sci.data[0, -1], err.data[0, -1]
            assert_allclose(corner, 0.0 if instrument == "nircam" else np.nan)
            seen = np.isfinite(sci.data) & (sci.data != 0)
            assert 0.8 < seen.mean() < 1
            assert (err.data[seen] > 0).all()
            x, y = (round(float(v)) for v in celestial_wcs(sci.header).all_world2pix(*trees.PLACES[TARGET][:2], 0))
            assert seen[y, x] == (instrument == "nircam")  # MIRI is saturated there


def test_tiles_show_one_sky_where_they_overlap(tmp_path):
    only = {"field": (24, 14), "bands": ("F770W",), "references": (), "coarsen": 1}
    rows = trees.simulate_tree(tmp_path, [TARGET], **only, tiles={"F770W": ("east", "west")}, sky=QUIET)
    assert [row["image"] for row in rows] == [f"{TARGET}_miri_lv3_f770w_{t}_i2d_align.fits" for t in ("east", "west")]
    assert rows[0]["offset"] != rows[1]["offset"]
    east, west = (mosaic(tmp_path, row) for row in rows)
    shift = round(east.header["CRPIX1"] - west.header["CRPIX1"])
    common = east.data.shape[1] - shift
    assert 8 <= common < 0.2 * east.data.shape[1]
    a = east.data[:, shift:] + rows[0]["offset"]
    b = west.data[:, :common] + rows[1]["offset"]
    assert np.isfinite(a).sum() > 300
    assert_allclose(a, b, atol=1e-5)


def test_the_galaxy_lies_as_the_galaxy_table_says(tmp_path):
    sky = dataclasses.replace(skies.IDEAL, inclination=50.0)
    trees.simulate_tree(tmp_path, ["g"], field=(60, 50), bands=(), references=("irac4_atgauss4",), sky=sky)
    [row] = compare.read_rows(tmp_path / "galaxies.csv")
    place = {name: float(row[name]) for name in ("ra", "dec", "posang", "inclination")}
    image = read_reference(tmp_path / "ref" / "g_irac4_atgauss4.fits")
    radius = deprojected_radius(celestial_wcs(image.header), image.data.shape, **place)
    inside = radius < 40
    # A paraboloid, and a beam takes the same from it everywhere.
    length = sky.scale_length * math.hypot(60, 50) / 2
    lowered = image.data[inside] - sky.peak * (1 - (radius[inside] / length) ** 2)
    assert lowered.mean() < 0
    assert np.ptp(lowered) < 1e-3


def test_default_sky_fills_the_range_of_the_fits_and_leaves_no_blank_sky_in_the_mosaics():
    field = (140, 120)
    galaxy = skies.Galaxy(TARGET, field, seed=1, posang=20.7)
    for label, filled in (("irac1_atgauss4", 17), ("irac4_atgauss4", 17), ("w3_atgauss15", 6)):
        band = instruments.REFERENCES[label]
        half = math.ceil(galaxy.size / band.scale)
        grid = skies.Grid((2 * half + 1, 2 * half + 1), band.scale, 30.0, (half, half))
        image = galaxy.image(label, band, grid)
        seen = image[trees.covered(grid, field, 3.0)]
        counts, _ = np.histogram(seen, fixed_width_edges(*fixed_range(label)))
        assert (counts > 10).sum() >= filled
        assert seen.min() > 0.05 * band.brightness


def test_noise_of_mosaics_is_what_their_errors_say(tmp_path):
    common = {"field": (40, 34), "bands": ("F770W",), "references": ()}
    row = trees.simulate_tree(tmp_path / "noisy", [TARGET], **common)[0]
    noisy = mosaic(tmp_path / "noisy", row)
    trees.simulate_tree(tmp_path / "still", [TARGET], **common, sky=skies.Sky(noise=0.0))
    pull = (noisy.data - mosaic(tmp_path / "still", row).data) / noisy.error
    pull = pull[np.isfinite(pull)]
    assert_allclose((pull.mean(), pull.std()), (0, 1), atol=4 / math.sqrt(pull.size))


def test_noise_of_references_is_correlated_over_the_beam(rng):
    fwhm = 5.0
    noise = fields.correlated_noise(rng, (400, 300), fwhm, 0.03)
    assert_allclose(noise.std(), 0.03, rtol=0.05)
    # Smoothed once more by its own beam, its variance halves.
    smoothed = gaussian_filter(noise, fwhm / fields.FWHM_PER_SIGMA, truncate=6)
    assert_allclose(smoothed.std(), 0.03 / math.sqrt(2), rtol=0.05)


@pytest.mark.parametrize("pixel", [0.031, 0.063, 0.11])
def test_kernels_widen_by_the_difference_of_squares_on_any_pixels(pixel):
    kernel, scale = fields.gaussian_kernel(0.269, 4.0)
    resampled = resample_kernel(kernel, scale, pixel)
    assert_allclose(kernel_fwhm(resampled) * pixel, math.sqrt(4.0**2 - 0.269**2), rtol=1e-3)
    assert resampled[0].max() < 1e-5 * resampled.max()


def test_psfs_instead_of_kernels_are_those_of_the_bands(tmp_path):
    tree = {"field": (14, 12), "coarsen": 3, "bands": ("F300M", "F770W"), "references": ()}
    trees.simulate_tree(tmp_path, ["q"], psfs=True, **tree)
    assert not (tmp_path / "kernels").exists()
    widths = {path.stem: read_psf(path).fwhm for path in (tmp_path / "psfs").iterdir()}
    assert set(widths) == {"f300m", "f770w", "f2100w"}
    for name, width in widths.items():
        assert_allclose(width, instruments.BANDS[name.upper()].fwhm, rtol=0.02)


# --- determinism ------------------------------------------------------------------------------------------------------


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_same_seed_same_bytes_whatever_else_is_made(tmp_path):
    more = {"bands": ("F300M", "F770W"), "references": ("irac1_atgauss4", "w3_atgauss15")}
    less = {"bands": ("F770W",), "references": ("w3_atgauss15",)}
    for name, targets, tree in (
        ("a", "pq", more),
        ("b", "pq", more),
        ("c", "q", less),
        ("d", "q", {**less, "seed": 2}),
    ):
        trees.simulate_tree(tmp_path / name, targets, field=(14, 12), coarsen=3, **tree)
    a, b, c, d = (contents(tmp_path / name) for name in "abcd")
    assert a == b
    images = [name for name in c if name.endswith(".fits")]
    assert len(images) == 1 + 1 + 4
    assert all(c[name] == a[name] for name in images)
    assert [name for name in images if d[name] != c[name]] == [name for name in images if "kernels" not in name]


def test_command_line(tmp_path, capsys):
    arguments = "--targets g1 --field 12 10 --bands F300M F770W --tiles F770W=n,s --coarsen 3 --seed 7 --references"
    command.main([str(tmp_path), *arguments.split(), "irac1_atgauss4", "--sky", "noise=0", "stars=0", "hole=0"])
    assert "3 mosaics" in capsys.readouterr().out
    rows = compare.read_rows(tmp_path / "truth.csv")
    assert [row["image"][:-15] for row in rows] == ["g1_nircam_lv3_f300m", "g1_miri_lv3_f770w_n", "g1_miri_lv3_f770w_s"]
    assert [path.name for path in (tmp_path / "ref").iterdir()] == ["g1_irac1_atgauss4.fits"]
    assert command.parse([str(tmp_path), "--ideal", "--sky", "peak=5"]).sky == dataclasses.replace(skies.IDEAL, peak=5)
    with pytest.raises(SystemExit):
        command.parse([str(tmp_path), "--sky", "starz=0"])
    assert "starz" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.parse([str(tmp_path), "--sky", "stars=many"])
    assert "number" in capsys.readouterr().err


# --- comparison with the truth ----------------------------------------------------------------------------------------

TRUTH = [
    {"target": "g", "band": "F770W", "image": "g_miri_lv3_f770w_i2d_align.fits", "offset": "0.3000"},
    {"target": "g", "band": "F300M", "image": "g_nircam_lv3_f300m_i2d_align.fits", "offset": "-0.1000"},
]


def summary(**changes):
    """What a run that recovers TRUTH states, with changes to the first image."""
    rows = [
        {**{k: row[k] for k in ("target", "band", "image")}, "offset": str(float(row["offset"]) + 0.002)}
        | {"offset_err": "0.001", "status": "anchored", "reason": "", "reference": "irac4_atgauss4"}
        for row in TRUTH
    ]
    rows[0] |= changes
    return rows


def test_recovered_offsets_pass():
    results = compare.compare(TRUTH, summary())
    assert [result["failure"] for result in results] == ["", ""]
    assert_allclose([result["deviation"] for result in results], 0.002)
    assert_allclose([result["sigmas"] for result in results], 2.0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"offset": "0.3031"}, "off by 3.1 stated errors"),
        ({"offset": "0.2969"}, "off by 3.1 stated errors"),
        ({"offset": "-0.3000"}, "off by 600.0 stated errors"),
        ({"offset": "nan"}, "finite offset"),
        ({"offset": ""}, "finite offset"),
        ({"offset_err": "nan"}, "no finite, positive error"),
        ({"offset_err": ""}, "no finite, positive error"),
        ({"offset_err": "inf"}, "no finite, positive error"),
        ({"offset_err": "0"}, "no finite, positive error"),
        ({"offset_err": "-0.001"}, "no finite, positive error"),
        ({"offset_sys": "nan"}, "no finite, positive error"),
        ({"status": "failed", "reason": "no kernel"}, "failed: no kernel"),
        ({"image": "another.fits"}, "not in the run's summary"),
        ({"target": "h"}, "not in the run's summary"),
    ],
)
def test_what_is_missing_wrong_or_without_error_fails(changes, words):
    wrong, right = compare.compare(TRUTH, summary(**changes))
    assert words in wrong["failure"]
    assert right["failure"] == ""


def test_a_stated_systematic_error_counts():
    [result, _] = compare.compare(TRUTH, summary(offset="0.3125", offset_err="0.003", offset_sys="0.004"))
    assert_allclose(result["sigmas"], 2.5)
    assert result["failure"] == ""


def run_compare(folder, rows):
    for name, table in (("anchor_summary.csv", rows), ("truth.csv", TRUTH)):
        columns = list(dict.fromkeys(key for row in table for key in row)) or ["target"]
        with open(folder / name, "w", newline="") as file:
            writer = csv.DictWriter(file, columns)
            writer.writeheader()
            writer.writerows(table)
    return compare.main([str(folder), str(folder / "truth.csv")])


def test_exit_status_and_words_of_a_comparison(tmp_path, capsys):
    assert run_compare(tmp_path, summary()) == 0
    out = capsys.readouterr().out
    assert "2 of 2 images recovered" in out
    assert "3 x hypot(offset_err, offset_sys)" in out
    lines = out.splitlines()
    assert len({len(line) for line in lines[:4]}) == 1  # aligned
    assert "+0.3000" in lines[2]
    assert run_compare(tmp_path, summary(offset="0.5")) == 1
    out = capsys.readouterr().out
    assert "1 of 2 images recovered" in out
    assert "g F770W g_miri_lv3_f770w_i2d_align.fits: off by 200.0 stated errors" in out
    assert run_compare(tmp_path, summary(offset_err="")) == 1
    assert run_compare(tmp_path, summary()[1:]) == 1
    assert "not in the run's summary" in capsys.readouterr().out


def test_a_comparison_without_results_or_images_fails(tmp_path, capsys, monkeypatch):
    assert compare.main([str(tmp_path), str(tmp_path / "truth.csv")]) == 1
    assert "does not exist" in capsys.readouterr().err
    monkeypatch.setattr("test_simulation.TRUTH", [])
    assert run_compare(tmp_path, []) == 1
    assert "names no image" in capsys.readouterr().err
