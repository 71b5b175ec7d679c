"""References, uncertainty maps and masks as archives write them: which image, which unit, which pixels."""

import gzip
import logging
import shutil

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_allclose, assert_array_equal
from runs import SMALL, Project, set_cards
from steps import convolve, fit_pair

from anchoring.errors import AnchoringError
from anchoring.files import intermediates, references
from simulation.skies import IDEAL
from simulation.trees import simulate_tree

WCS = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 24.0, "CRVAL2": 15.0, "CRPIX1": 5.5, "CRPIX2": 5.5,
       "CDELT1": -1 / 3600, "CDELT2": 1 / 3600}  # fmt: skip
JY_PER_PIXEL = (180 / np.pi * 3600) ** 2 / 1e6  # MJy/sr of 1 Jy per square arcsec


@pytest.fixture
def images(rng):
    """Images that differ: what is read shows which it was."""
    return dict(zip(("signal", "error", "weight"), rng.uniform(1, 2, (3, 30, 40)).astype("f4"), strict=True))


@pytest.fixture
def write(tmp_path):
    """Writes a file of images, the first in the primary HDU, and gives its path; None is an HDU without one."""

    def file(*images, name="a.fits"):
        made = [(fits.ImageHDU if i else fits.PrimaryHDU)(data, header=fits.Header({**WCS, **cards}))
                for i, (data, cards) in enumerate(images)]  # fmt: skip
        fits.HDUList(made).writeto(tmp_path / name, overwrite=True)
        return str(tmp_path / name)

    return file


EMPTY = (None, {})


def named(data, name, **cards):
    return data, {"EXTNAME": name, **cards}


@pytest.mark.parametrize("name", ["SCI", "IMAGE", "SIGNAL", "signal"])
def test_a_reference_is_taken_by_its_name(write, images, name):
    path = write(EMPTY, named(images["error"], "ERROR"), named(images["signal"], name), named(images["weight"], "WHT"))
    assert_array_equal(references.read_reference(path).data, images["signal"])


def test_a_primary_image_is_the_reference_and_the_only_one_needs_no_name(write, images):
    path = write((images["signal"], {}), named(images["error"], "ERR"), named(images["weight"], "SCI"))
    assert_array_equal(references.read_reference(path).data, images["signal"])
    assert_array_equal(references.read_reference(write(EMPTY, named(images["signal"], "W1"))).data, images["signal"])


@pytest.mark.parametrize("names", [("ERR", "FLUX"), ("", ""), ("SCI", "SCI"), ("UNC",)])
def test_a_file_that_does_not_say_which_image_is_meant_is_refused(write, images, names):
    path = write(EMPTY, *(named(images["signal"], name) for name in names))
    with pytest.raises(AnchoringError, match=r"a\.fits has the images \[1\].*\(30, 40\).*expected one.*SCI") as run:
        references.read_reference(path)
    with pytest.raises(AnchoringError) as check:
        references.read_reference_header(path)
    assert str(check.value) == str(run.value)
    assert all(name in str(run.value) for name in names)


def test_the_grid_is_that_of_the_image_that_is_read(write, images):
    error = images["error"], {"EXTNAME": "ERR", "CRVAL1": 80.0}
    for hdu_list in ((EMPTY, error, named(images["signal"], "IMAGE")), ((images["signal"], {}), error)):
        path = write(*hdu_list)
        header, shape = intermediates.read_grid(path)
        assert (header["CRVAL1"], shape) == (24.0, (30, 40))
        assert_array_equal(intermediates.read_any(path).data, images["signal"])
        assert references.read_reference_header(path).header["CRVAL1"] == 24.0


@pytest.mark.parametrize("name", ["ERR", "ERROR", "UNC", "SIGMA", "NOISE", ""])
def test_an_uncertainty_map_is_taken_by_its_name_or_as_the_only_image(write, images, name):
    path = write(EMPTY, named(images["error"], name))
    assert_array_equal(references.read_uncertainty(path, (30, 40)), images["error"])
    if name:
        path = write((images["signal"], {}), named(images["error"], name))
        assert_array_equal(references.read_uncertainty(path, (30, 40)), images["error"])


def packed(path):
    """The ways in which a file is stored smaller, with the same pixels."""
    with open(path, "rb") as plain, gzip.open(f"{path}.gz", "wb") as small:
        shutil.copyfileobj(plain, small)
    with fits.open(path) as stored:
        image = next(hdu for hdu in stored if hdu.header["NAXIS"])
        lossless = {"compression_type": "RICE_1" if image.data.dtype.kind in "iu" else "GZIP_2", "quantize_level": 0}
        tiles = fits.CompImageHDU(image.data, image.header, **lossless)
        fits.HDUList([fits.PrimaryHDU(), tiles]).writeto(f"{path}.fz")
    return f"{path}.gz", f"{path}.fz"


def test_references_maps_and_masks_may_be_compressed(write, images):
    mask = (images["weight"] > 1.5).astype("i2")
    for path in packed(write((images["signal"], {}))):
        assert_array_equal(references.read_reference(path).data, images["signal"])
        assert references.read_reference_header(path).shape == intermediates.read_grid(path)[1] == (30, 40)
    for path in packed(write((images["error"], {}), name="err.fits")):
        assert_array_equal(references.read_uncertainty(path, (30, 40)), images["error"])
    for path in packed(write((mask, {}), name="mask.fits")):
        assert_array_equal(references.read_mask(path)[0], mask)


@pytest.mark.parametrize(
    "kind",
    ["u1", "i2", "i4", "f4", "f8", "u2", "u4"],
)
def test_masks_of_all_kinds_of_numbers(write, images, kind):
    mask = (images["weight"] > 1.5).astype(kind)
    for path in (write((mask, {})), write((mask[None], {})), write(EMPTY, named(images["signal"], "SCI"),
                                                                  named(mask, "MASK"))):  # fmt: skip
        found, header = references.read_mask(path)
        assert_array_equal(found, mask)
        assert references.read_mask_header(path).shape == found.shape == (30, 40)
        assert header["CRVAL1"] == 24.0


# --- unobserved pixels --------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [-999, -9999, -32768, -99, 3.3e38, 1e30, -1e20, 9999, np.inf])
@pytest.mark.parametrize("share", [0.01, 0.4])
def test_sentinels_are_unobserved_and_reported(write, images, caplog, rng, value, share):
    data = images["signal"]
    blank = rng.random(data.shape) < share
    path = write((np.where(blank, value, data).astype("f4"), {}))
    with caplog.at_level(logging.INFO):
        read = references.read_reference(path).data
    assert_array_equal(np.isnan(read), blank)
    assert_array_equal(read[~blank], data[~blank])
    assert f"{blank.sum()} pixels" in caplog.text
    assert f"{value:.4g}" in caplog.text or f"{value:.6g}" in caplog.text


def test_several_sentinels_next_to_a_clipped_sky(rng):
    data = np.maximum(rng.normal(0, 1, (100, 100)), -1.0)
    data[:3], data[3], data[4, :9] = -999, -9999, 1e6
    assert references.sentinels(data) == {-999.0: 300, -9999.0: 100, 1e6: 9}


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: rng.normal(size=(100, 100)),
        lambda rng: np.clip(rng.normal(size=(100, 100)), -0.5, 2),
        lambda rng: rng.poisson(2, (100, 100)).astype(float),
        lambda rng: rng.poisson(1000, (100, 100)) / 7,
        lambda rng: np.full((100, 100), 0.3),
        lambda rng: rng.choice([0.01, 0.05], (100, 100)),
        lambda rng: rng.choice([0.01, 0.012, 0.015, 0.02, 0.03, 0.05], (100, 100)),
        lambda rng: np.minimum(rng.pareto(1, (100, 100)), 500),
    ],
)
def test_a_sky_a_clipped_one_counts_and_levels_have_no_sentinels(rng, make):
    assert references.sentinels(make(rng).astype("f4")) == {}


def test_an_uncertainty_that_is_negative_0_or_a_sentinel_is_not_known(write, images):
    data = images["error"].copy()
    data[0], data[1], data[2], data[3] = -1, 0, -999, 1e30
    read = references.read_uncertainty(write((data, {})), data.shape)
    assert np.isnan(read[:4]).all()
    assert_array_equal(read[4:], data[4:])


# --- units ------------------------------------------------------------------------------------------------------------


def test_references_and_maps_come_in_megajansky_per_steradian(write, images):
    path = write((images["signal"], {"BUNIT": "Jy/pixel"}))
    assert_allclose(references.read_reference(path).data, images["signal"] * JY_PER_PIXEL, rtol=1e-6)
    header = references.read_reference_header(path).header
    for cards, factor in (({}, JY_PER_PIXEL), ({"BUNIT": "mJy/pixel"}, JY_PER_PIXEL / 1e3), ({"BUNIT": "MJy/sr"}, 1)):
        found = references.read_uncertainty(write((images["error"], cards)), (30, 40), header)
        assert_allclose(found, images["error"] * factor, rtol=1e-6)


def test_a_unit_in_the_primary_header_counts(write, images):
    path = write((None, {"BUNIT": "kJy/sr"}), named(images["signal"], "SCI"))
    assert_allclose(references.read_reference(path).data, images["signal"] / 1e3, rtol=1e-6)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(
        tmp_path_factory.mktemp("units"),
        targets=["plain", "pixels", "extensions"],
        sky=IDEAL,
        bands=("F770W",),
        references=("irac4_atgauss4",),
        config={"instruments": {"miri": {"external_bands": ["irac4_atgauss4"]}}, "reference_noise": {"irac4": "RMS"}},
    )
    folder = project.folder / "data"
    for other in ("pixels", "extensions"):
        shutil.copy(folder / "ref/plain_irac4_atgauss4.fits", folder / f"ref/{other}_irac4_atgauss4.fits")
        shutil.copy(project.image("plain", "F770W"), project.image(other, "F770W"))
    set_cards(folder / "ref/plain_irac4_atgauss4.fits", 0, {"RMS": 0.01, "REFZERR": 0.02})
    path = folder / "ref/pixels_irac4_atgauss4.fits"
    with fits.open(path) as stored:
        data, header = stored[0].data.copy(), stored[0].header.copy()
    factor = JY_PER_PIXEL / (header["CDELT2"] * 3600) ** 2
    header["BUNIT"], header["RMS"] = "Jy/pixel", 0.01 / factor
    small = (data / factor).astype("f8")
    small[:5] = -999
    fits.PrimaryHDU(small, header).writeto(path, overwrite=True)
    header["BUNIT"], header["RMS"] = "MJy/sr", 0.01
    planes = [fits.ImageHDU(np.full_like(data, 7), header, name="ERR"), fits.ImageHDU(data, header, name="IMAGE")]
    fits.HDUList([fits.PrimaryHDU(), *planes]).writeto(folder / "ref/extensions_irac4_atgauss4.fits", overwrite=True)
    tables = (f"results/{target}/{target}_anchor_tab.csv" for target in ("plain", "pixels"))
    project.check = project.run("check", "results/anchor_summary.csv", *tables).stdout
    return project


def test_one_sky_in_another_unit_or_extension_gives_the_same_offset(project):
    rows = project.summary()
    offsets = {row["target"]: float(row["offset"]) for row in rows.values()}
    truth = next(row["offset"] for row in project.truth if row["target"] == "plain")
    assert abs(offsets["plain"] - truth) < 5e-3
    assert_allclose([offsets["pixels"], offsets["extensions"]], offsets["plain"], atol=1e-6)


def test_the_conversion_is_in_the_log_and_the_table(project):
    (plain,), (pixels,) = (project.rows(target) for target in ("plain", "pixels"))
    assert plain["reference_unit"] == "MJy/sr"
    assert pixels["reference_unit"].startswith("Jy/pixel = ")
    assert_allclose(float(pixels["reference_unit"].split()[2]), JY_PER_PIXEL / 0.75**2, rtol=1e-5)
    assert_allclose(float(pixels["sigma_x"]), float(plain["sigma_x"]), rtol=1e-5)
    (log,) = (project.folder / "results/pixels/logs/measure_pair").glob("*.log")
    assert pixels["reference_unit"] in log.read_text()
    assert "pixels of exactly -999 are taken as unobserved" in log.read_text()


def test_the_error_of_a_zero_in_a_header_is_part_of_the_systematic_error(project):
    (plain,), (pixels,) = (project.rows(target) for target in ("plain", "pixels"))
    assert (plain["reference_zero_err"], plain["zero_reference"]) == ("0.02", "irac4_atgauss4")
    assert_allclose(float(plain["zero_err"]), 0.02 * float(plain["slope"]))
    variance = float(pixels["offset_sys"]) ** 2 + float(plain["zero_err"]) ** 2
    assert_allclose(float(plain["offset_sys"]) ** 2, variance, rtol=1e-3)
    assert (pixels["reference_zero_err"], pixels["zero_err"]) == ("", "")


@pytest.mark.parametrize("turned", [False, True])
def test_a_reference_need_not_have_square_pixels(tmp_path, turned):
    """Every second column of a reference is one of the same sky, also where CROTA2 says how it lies."""
    tree = {"bands": ("F770W",), "references": ("irac4_atgauss4",), "sky": IDEAL, **SMALL}
    (truth,) = simulate_tree(tmp_path, ["ngc0628"], **tree)
    path = tmp_path / "ref/ngc0628_irac4_atgauss4.fits"
    with fits.open(path) as stored:
        data, header = stored[0].data[:, ::2].copy(), stored[0].header.copy()
    header["CRPIX1"] = (header["CRPIX1"] - 1) / 2 + 1
    header["CDELT1"] *= 2 * header["PC1_1"]
    for key in ("PC1_1", "PC1_2", "PC2_1", "PC2_2"):
        del header[key]
    if turned:  # by half a turn: both axes the other way
        data = data[::-1, ::-1].copy()
        header["CROTA2"] = 180.0
        for key, n in zip(("CRPIX2", "CRPIX1"), data.shape, strict=True):
            header[key] = n + 1 - header[key]
    fits.PrimaryHDU(data, header).writeto(path, overwrite=True)
    image = tmp_path / "ngc0628/F770W/lv3" / truth["image"]
    image = convolve(image, tmp_path / "kernels/f770w_to_gauss4.fits", tmp_path)
    fit = fit_pair(image, path, "irac4_atgauss4", "F770W", tmp_path)
    assert abs(-fit.intercept - truth["offset"]) < 5e-3


def test_check_reports_the_conversion(project):
    (row,) = project.rows("pixels")
    assert row["reference_unit"] in project.check
    assert project.check.count("Jy/pixel") == 1
    assert "The zero level of irac4_atgauss4 is taken as exact, which none is" in project.check
