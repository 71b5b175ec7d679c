"""The plan: what is found, what is paired with what, and what is said to be missing."""

import gzip
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from anchoring.planning.plan import (
    PlanError,
    error_path,
    file_mb,
    image_mb,
    inspected,
    kernel_path,
    make_plan,
    mask_path,
    normalised,
    of_label,
    resolution_of,
)

INSTRUMENTS = {
    "nircam": {"ref_band": "F300M", "external_bands": ["irac1_atgauss4", "w1_atgauss7p5"]},
    "miri": {"ref_band": "F770W", "external_bands": "irac4_atgauss4"},
}


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.fixture
def tree(tmp_path):
    """Two targets with one band beside the ref_band of each instrument; references and kernels for all."""
    for target in ("ngc0001", "eso097_013"):
        for instrument, band in (("nircam", "F300M"), ("nircam", "F335M"), ("miri", "F770W"), ("miri", "F2100W")):
            name = f"{target}_{instrument}_lv3_{band.lower()}_i2d_align.fits"
            touch(tmp_path / "in" / target / band / "lv3" / name)
        for label in ("irac1_atgauss4", "w1_atgauss7p5", "irac4_atgauss4"):
            touch(tmp_path / "ref" / f"{target}_{label}.fits")
    for kernel in ("f300m_to_gauss4", "f300m_to_gauss7p5", "f770w_to_gauss4", "f300m_to_f2100w", "f335m_to_f2100w",
                   "f770w_to_f2100w"):  # fmt: skip
        touch(tmp_path / "kernels" / f"{kernel}.fits")
    return tmp_path


def config_of(tree, **changes):
    return {
        "in_dir": str(tree / "in"),
        "ref_dir": str(tree / "ref"),
        "kernel_dir": str(tree / "kernels"),
        "out_dir": str(tree / "out"),
        "in_step_ext": "i2d_align",
        "out_step_ext": "i2d_anchor",
        "in_subdir": "lv3",
        "instruments": INSTRUMENTS,
        "internal_conv_band": "F2100W",
        "galaxy_table": None,
        **changes,
    }


def image_named(plan, part):
    (image,) = [i for i in plan.images.values() if part in i.name]
    return image


def test_everything_is_found_and_paired_in_order_of_preference(tree):
    plan = make_plan(config_of(tree))
    assert plan.targets == ["eso097_013", "ngc0001"]
    assert len(plan.images) == 8
    assert not plan.skipped
    pairs = plan.pairs[image_named(plan, "ngc0001_nircam_lv3_f300m")]
    assert [(p.label, p.resolution, p.problem) for p in pairs] == [
        ("irac1_atgauss4", "gauss4", ""),
        ("w1_atgauss7p5", "gauss7p5", ""),
    ]
    (pair,) = plan.pairs[image_named(plan, "eso097_013_nircam_lv3_f335m")]
    assert (pair.label, pair.kind, pair.resolution) == ("F300M", "internal", "f2100w")
    assert pair.reference_image.target == "eso097_013"


def test_only_one_instrument_is_ordinary(tree):
    for target in ("ngc0001", "eso097_013"):
        for band in ("F300M", "F335M"):
            shutil.rmtree(tree / "in" / target / band)
    plan = make_plan(config_of(tree))
    assert {i.instrument for i in plan.images.values()} == {"miri"}
    assert not plan.skipped


def test_without_a_ref_band_every_band_of_the_instrument_is_listed_with_the_reason(tree):
    instruments = {**INSTRUMENTS, "nircam": {"ref_band": None, "external_bands": ["irac1_atgauss4"]}}
    plan = make_plan(config_of(tree, instruments=instruments))
    assert {i.band for i in plan.skipped} == {"F300M", "F335M"}
    assert all("ref_band" in reason for reason in plan.skipped.values())
    assert len(plan.possible_pairs()) == 4


def test_ref_band_image_missing_for_one_target_names_it(tree):
    shutil.rmtree(tree / "in" / "ngc0001" / "F770W")
    plan = make_plan(config_of(tree))
    ((image, reason),) = plan.skipped.items()
    assert (image.target, image.band) == ("ngc0001", "F2100W")
    assert "F770W" in reason


def test_missing_reference_and_kernel_are_named_and_spoil_nothing_else(tree):
    (tree / "ref" / "ngc0001_irac4_atgauss4.fits").unlink()
    (tree / "kernels" / "f335m_to_f2100w.fits").unlink()
    plan = make_plan(config_of(tree))
    (pair,) = plan.pairs[image_named(plan, "ngc0001_miri_lv3_f770w")]
    assert pair.problem == f"no reference image {tree}/ref/ngc0001_irac4_atgauss4.fits"
    (internal,) = plan.pairs[image_named(plan, "ngc0001_miri_lv3_f2100w")]
    assert "cannot be anchored" in internal.problem
    assert "ngc0001_irac4_atgauss4.fits" in internal.problem
    assert all("f335m_to_f2100w" in p.problem for p in plan.pairs[image_named(plan, "ngc0001_nircam_lv3_f335m")])
    assert {(p.image.target, p.image.band) for p in plan.possible_pairs()} == {
        ("ngc0001", "F300M"), ("eso097_013", "F300M"), ("eso097_013", "F770W"), ("eso097_013", "F2100W")
    }  # fmt: skip


def test_several_mosaics_of_a_band_are_ordinary(tree):
    folder = tree / "in" / "ngc0001"
    touch(folder / "F770W" / "lv3" / "ngc0001_west_miri_lv3_f770w_i2d_align.fits")
    touch(folder / "F2100W" / "lv3" / "ngc0001_west_miri_lv3_f2100w_i2d_align.fits")
    plan = make_plan(config_of(tree))
    assert [p.reference for p in plan.pairs[image_named(plan, "west_miri_lv3_f2100w")]] == [
        "ngc0001_miri_lv3_f770w", "ngc0001_west_miri_lv3_f770w"
    ]  # fmt: skip


def test_band_is_the_folder_and_names_such_as_f150w2_stay_whole(tree):
    touch(tree / "in" / "ngc0001" / "F150W2" / "lv3" / "ngc0001_nircam_lv3_f150w2_i2d_align.fits")
    assert image_named(make_plan(config_of(tree)), "f150w2").band == "F150W2"


def test_backgrounds_and_other_files_are_not_images(tree):
    folder = tree / "in" / "ngc0001" / "F770W" / "lv3"
    touch(folder / "ngc0001_bgr_miri_lv3_f770w_i2d_align.fits")
    touch(folder / "ngc0001_miri_lv3_f770w_i2d.fits")
    assert len(make_plan(config_of(tree)).images) == 8


def test_instrument_comes_from_the_header_where_the_name_is_silent(tree):
    path = touch(tree / "in" / "ngc0001" / "F1000W" / "lv3" / "mosaic_i2d_align.fits")
    cards = ["SIMPLE  =                    T", "INSTRUME= 'MIRI    '           / Instrument", "END"]
    path.write_bytes("".join(f"{card:80}" for card in cards).ljust(2880).encode())
    assert image_named(make_plan(config_of(tree)), "mosaic").instrument == "miri"


def test_unknown_instrument_is_skipped_with_what_to_do(tree):
    touch(tree / "in" / "ngc0001" / "H" / "lv3" / "ngc0001_wfc3_lv3_h_i2d_align.fits")
    ((image, reason),) = make_plan(config_of(tree)).skipped.items()
    assert image.band == "H"
    assert "instruments" in reason


def test_targets_and_bands_choose(tree):
    plan = make_plan(config_of(tree, targets=["ngc0001"], bands=["F770W", "f300m"]))
    assert plan.targets == ["ngc0001"]
    assert {i.band for i in plan.images.values()} == {"F770W", "F300M"}
    with pytest.raises(PlanError, match=r"ngc9999.*found there: eso097_013, ngc0001"):
        make_plan(config_of(tree, targets=["ngc9999"]))


def test_nothing_to_anchor_says_where_it_looked(tree):
    with pytest.raises(PlanError, match=r"lv3/\*_i2d_other.fits"):
        make_plan(config_of(tree, in_step_ext="i2d_other"))
    with pytest.raises(PlanError, match="not a folder"):
        make_plan(config_of(tree, in_dir=str(tree / "nowhere")))


def test_anchored_images_may_not_replace_their_inputs(tree):
    with pytest.raises(PlanError, match="replace their inputs"):
        make_plan(config_of(tree, out_dir=str(tree / "in"), out_step_ext="i2d_align"))


def test_resolutions_and_kernels():
    assert resolution_of("irac1_atgauss4") == "gauss4"
    assert resolution_of("irac1") == "irac1"
    assert kernel_path({"kernel_dir": "k"}, "F770W", "gauss4") == str(Path("k/f770w_to_gauss4.fits"))
    assert kernel_path({"kernel_dir": "k"}, "F2100W", "f2100w") is None


# --- bands without mosaics ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["F1000W/lv3/x_miri_i2d.fits"], ["F1000W/lv3 holds x_miri_i2d.fits; expected *_i2d_align.fits"]),
        (["F1000W/lv3/a_i2d.fits.gz", "F1000W/lv3/b.FITS"], ["holds a_i2d.fits.gz, b.FITS; expected *_i2d_align.fits"]),
        (["F1000W/lv3/notes.txt"], ["F1000W/lv3 holds no FITS file; expected *_i2d_align.fits"]),
        (["F1000W/lv3/a_bgr_i2d_align.fits"], ["holds a_bgr_i2d_align.fits"]),
        (["F1000W/x_i2d_align.fits"], ["F1000W has no folder lv3 and holds x_i2d_align.fits"]),
        (["f1000w/LV3/a_i2d_align.fits"], ["f1000w has no folder lv3 and holds LV3/a_i2d_align.fits"]),
        (["F150W2/notes.txt"], ["F150W2 has no folder lv3 and holds no FITS file"]),
        (["H_band/lv2/a.fits.fz"], ["H_band has no folder lv3 and holds lv2/a.fits.fz"]),
        (["H_band/lv3/notes.txt"], ["H_band/lv3 holds no FITS file"]),
        (
            ["F1000W/lv3/a_i2d_align.fits.gz"],
            ["compressed; expected a_i2d_align.fits, which can be read in parts: gunzip"],
        ),
        (["F1000W/lv3/a_i2d_align.fits.fz"], ["funpack it"]),
        (["F1000W/lv3/a_I2D_Align.FITS"], ["a_I2D_Align.FITS is not named as mosaics are; expected a_i2d_align.fits"]),
        # A tile that cannot be taken, next to one that can.
        (["F770W/lv3/west_i2d_align.fits.gz"], ["west_i2d_align.fits.gz is compressed"]),
        (
            ["F1000W/lv3/east_i2d_align.FITS", "F1000W/lv3/west_i2d_align.fits.gz"],
            ["east_i2d_align.FITS is not", "west_i2d_align.fits.gz is compressed"],
        ),
    ],
)
def test_every_band_of_a_target_is_listed_with_what_is_there(tree, files, words):
    for file in files:
        touch(tree / "in/ngc0001" / file)
    plan = make_plan(config_of(tree))
    found = [(image, reason) for image, reason in plan.skipped.items()]
    assert [reason for (_, reason), text in zip(found, words, strict=True) if text not in reason] == []
    for image, _ in found:
        assert (image.target, image.band) == ("ngc0001", files[0].partition("/")[0])
        assert plan.images[image.target, image.band, image.name] is image
        assert image not in plan.pairs
    assert len(plan.images) == 8 + len(words)
    assert [entry["skipped"] for entry in inspected(plan) if entry["skipped"]] == [reason for _, reason in found]


@pytest.mark.parametrize(
    "files",
    [
        ["F770W/lv3/ngc0001_miri_lv3_f770w_i2d_align.fits.gz"],  # of a mosaic that is there
        ["F770W/lv3/x_i2d.fits", "F770W/lv3/x_bgr_i2d_align.fits.gz", "F770W/lv2/x_cal.fits"],
        ["F770W_bgr/lv3/x_bgr_i2d_align.fits"],
        ["logs/a.log", "benchmarks/a.tsv", ".cache/x.fits", "x.fits"],
    ],
)
def test_what_is_no_band_without_mosaics_is_not_listed(tree, files):
    for file in files:
        touch(tree / "in/ngc0001" / file)
    plan = make_plan(config_of(tree))
    assert not plan.skipped
    assert len(plan.images) == 8


def test_bands_and_targets_choose_among_those_without_mosaics_too(tree):
    touch(tree / "in/ngc0001/F1000W/lv3/x_i2d.fits")
    touch(tree / "in/other/F770W/x_i2d.fits")
    assert {image.target for image in make_plan(config_of(tree)).skipped} == {"ngc0001", "other"}
    assert {image.target for image in make_plan(config_of(tree, bands=["F770W"])).skipped} == {"other"}
    assert {image.band for image in make_plan(config_of(tree, targets=["ngc0001"])).skipped} == {"F1000W"}
    plan = make_plan(config_of(tree, bands=["f1000w", "F300M"], targets=["ngc0001", "eso097_013"]))
    assert sorted({image.band for image in plan.images.values()}) == ["F1000W", "F300M"]


def test_a_target_without_any_mosaic_is_listed(tree):
    touch(tree / "in/other/F770W/lv3/x_i2d_align.fits.gz")
    touch(tree / "in/another/H/x_i2d_align.fits")
    plan = make_plan(config_of(tree))
    assert plan.targets == ["another", "eso097_013", "ngc0001", "other"]
    assert {image.target for image in plan.skipped} == {"another", "other"}


def test_folders_of_another_use_are_no_targets(tree):
    for folder in ("ref", "kernels", "masks", "results"):
        touch(tree / "in" / folder / "F770W/x_i2d_align.fits")
    other = {f"{name}_dir": str(tree / "in" / f) for name, f in (("mask", "masks"), ("out", "results"))}
    for kind, folder in (("ref", "ref"), ("kernel", "kernels")):
        other[f"{kind}_dir"] = str(tree / "in" / folder)
    assert make_plan(config_of(tree, **other)).targets == ["eso097_013", "ngc0001"]


def test_what_a_run_left_next_to_its_inputs_is_not_what_a_band_holds(tree):
    changes = {"out_dir": str(tree / "in"), "out_subdir": "anchored"}
    before = make_plan(config_of(tree, **changes)).skipped
    touch(tree / "in/ngc0001/F560W/anchored/x_to_gauss4.fits")  # of a mosaic that is gone
    touch(tree / "in/ngc0001/logs/check.log")
    assert make_plan(config_of(tree, **changes)).skipped == before == {}
    touch(tree / "in/ngc0001/F560W/lv3/x_i2d_anchor.fits")
    (reason,) = make_plan(config_of(tree, **changes)).skipped.values()
    assert "F560W/lv3 holds no FITS file" in reason


def test_a_ref_band_that_is_passed_over_is_named_by_the_bands_that_need_it(tree):
    path = tree / "in/ngc0001/F770W/lv3/ngc0001_miri_lv3_f770w_i2d_align.fits"
    path.rename(f"{path}.gz")
    reasons = {image.band: reason for image, reason in make_plan(config_of(tree)).skipped.items()}
    assert f"{path}.gz is compressed" in reasons["F770W"]
    assert f"{path}.gz is compressed" in reasons["F2100W"]


def test_nothing_but_bands_without_mosaics_is_no_run(tmp_path, tree):
    touch(tmp_path / "empty/ngc0001/F770W/lv3/x_i2d.fits")
    with pytest.raises(PlanError, match=r"lv3/\*_i2d_align.fits; check .*lv3 holds x_i2d.fits"):
        make_plan(config_of(tree, in_dir=str(tmp_path / "empty")))


# --- kernels, references and what goes with them --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("gauss1", ["gauss1p00", "gauss1.0", "GAUSS1", "Gauss01"]),
        ("gauss7p5", ["gauss7.5", "gauss7.50", "GAUSS7P50"]),
        ("gauss0p9", ["gauss0.9", "gauss00.90"]),
        ("w3_atgauss15", ["W3_atgauss15.0", "w3_ATgauss15p0"]),
        ("f2100w", ["F2100W"]),
        ("mips24", ["MIPS24", "mips24.0"]),
    ],
)
def test_names_of_one_resolution(name, same):
    assert {normalised(other) for other in (name, *same)} == {name}


def test_names_of_other_resolutions():
    names = ["gauss1", "gauss10", "gauss1p1", "gauss1p01", "gauss0p1", "gauss", "f150w", "f150w2", "irac1", "w1"]
    assert len({normalised(name) for name in names}) == len(names)


@pytest.mark.parametrize("ending", [".fits", ".fits.gz", ".fits.fz", ".FITS"])
@pytest.mark.parametrize("start", ["F770W_to_GAUSS4p00", "f770w_TO_gauss4.0", "f770W_to_gauss4"])
def test_kernels_by_any_name_of_their_resolution(tree, start, ending):
    path = tree / f"kernels/{start}{ending}"
    (tree / "kernels/f770w_to_gauss4.fits").rename(path)
    config = config_of(tree)
    assert not any(pair.problem for pairs in make_plan(config).pairs.values() for pair in pairs)
    assert kernel_path(config, "F770W", "gauss4") == kernel_path(config, "f770w", "Gauss4.0") == str(path)


def test_two_kernels_of_one_name_are_named_and_links_to_one_are_one(tree):
    two = tree / "kernels/F770W_TO_GAUSS4p0.fits.gz"
    two.symlink_to(tree / "kernels/f770w_to_gauss4.fits")
    assert len(make_plan(config_of(tree)).possible_pairs()) == 10
    two.unlink()
    touch(two)
    (pair,) = make_plan(config_of(tree)).pairs[image_named(make_plan(config_of(tree)), "ngc0001_miri_lv3_f770w")]
    assert f"there are {two} and {tree}/kernels/f770w_to_gauss4.fits" in pair.problem


def test_labels_of_one_resolution_are_one_reference(tree):
    (tree / "kernels/f770w_to_gauss15.fits").touch()
    touch(tree / "ref/ngc0001_w3_atgauss15.0.fits")
    instruments = {**INSTRUMENTS, "miri": {"ref_band": "F770W", "external_bands": ["w3_atgauss15.0"]}}
    config = config_of(tree, instruments=instruments, reference_noise={"W3_atgauss15": 0.1})
    plan = make_plan(config)
    (pair,) = plan.pairs[image_named(plan, "ngc0001_miri_lv3_f770w")]
    assert (pair.problem, pair.resolution, pair.stem) == ("", "gauss15", "ngc0001_w3_atgauss15.0")
    assert of_label(config["reference_noise"], pair.label) == 0.1
    (other,) = plan.pairs[image_named(plan, "eso097_013_miri_lv3_f770w")]
    assert other.problem == f"no reference image {tree}/ref/eso097_013_w3_atgauss15.0.fits"
    with pytest.raises(PlanError, match="one reference"):
        make_plan({**config, "reference_noise": {"w3_atgauss15": 0.1, "w3_atgauss15p0": 0.2}})


@pytest.mark.parametrize("name", ["ngc0001_irac4_atgauss4p0.fits", "NGC0001_IRAC4_ATGAUSS4.fits.gz"])
def test_a_reference_by_a_near_name_is_named(tree, name):
    (tree / "ref/ngc0001_irac4_atgauss4.fits").rename(tree / "ref" / name)
    plan = make_plan(config_of(tree))
    (pair,) = plan.pairs[image_named(plan, "ngc0001_miri_lv3_f770w")]
    assert pair.problem.startswith(f"no reference image {tree}/ref/ngc0001_irac4_atgauss4.fits; there is {name}")


@pytest.mark.parametrize("ending", [".gz", ".fz"])
def test_what_goes_with_mosaics_may_be_compressed(tree, ending):
    reference = tree / "ref/ngc0001_irac4_atgauss4.fits"
    reference.rename(f"{reference}{ending}")
    error = touch(tree / f"ref/ngc0001_irac4_atgauss4_err.fits{ending}")
    general, special = touch(tree / f"masks/ngc0001.fits{ending}"), touch(tree / f"masks/ngc0001_F770W.fits{ending}")
    config = config_of(tree, mask_dir=str(tree / "masks"))
    plan = make_plan(config)
    image = image_named(plan, "ngc0001_miri_lv3_f770w")
    (pair,) = plan.pairs[image]
    assert (pair.problem, pair.reference_path, pair.stem) == ("", f"{reference}{ending}", reference.stem)
    assert error_path(config, pair) == str(error)
    assert mask_path(config, image) == str(special)
    assert mask_path(config, image_named(plan, "ngc0001_miri_lv3_f2100w")) == str(general)


@pytest.mark.parametrize("name", ["ref/{}_irac4_atgauss4", "ref/{}_irac4_atgauss4_err", "masks/{}", "masks/{}_F770W"])
def test_a_compressed_file_next_to_another_of_its_name_is_a_problem_that_names_both(tree, name):
    plain = touch(tree / f"{name.format('ngc0001')}.fits")
    touch(Path(f"{plain}.gz"))
    plan = make_plan(config_of(tree, mask_dir=str(tree / "masks") if (tree / "masks").is_dir() else None))
    image = image_named(plan, "ngc0001_miri_lv3_f770w")
    problem = plan.skipped.get(image) or plan.pairs[image][0].problem
    assert f"there are {plain} and {plain}.gz" in problem
    assert not any(pair.problem for i, pairs in plan.pairs.items() if i.target != "ngc0001" for pair in pairs)


@pytest.mark.parametrize("kind", ["primary", "extension", "after a table"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i2"])
def test_sizes_of_images_are_those_that_they_are_read_with(tmp_path, rng, dtype, kind):
    data = (rng.normal(size=(300, 200)) * 100).astype(dtype)
    table = fits.BinTableHDU.from_columns([fits.Column("a", "D", array=np.zeros(5000))])
    plain, gzipped, tiled = (tmp_path / f"a.fits{ending}" for ending in ("", ".gz", ".fz"))
    first = {"primary": [], "extension": [fits.PrimaryHDU()], "after a table": [fits.PrimaryHDU(), table]}[kind]
    image = fits.ImageHDU(data) if first else fits.PrimaryHDU(data)
    fits.HDUList([*first, image]).writeto(plain)
    gzipped.write_bytes(gzip.compress(plain.read_bytes()))
    fits.HDUList([*(first or [fits.PrimaryHDU()]), fits.CompImageHDU(data)]).writeto(tiled)
    for path in (plain, gzipped, tiled):
        assert image_mb(path, planes=2) == pytest.approx(2 * 4e-6 * data.size)
        assert file_mb(path) >= 1e-6 * data.nbytes
    assert file_mb(plain) == plain.stat().st_size / 1e6


NO_FITS = {"empty": b"", "text": b"no FITS" * 5000, "cut gzip": gzip.compress(b"no FITS" * 5000, mtime=0)[:-20]}


@pytest.mark.parametrize("content", NO_FITS.values(), ids=NO_FITS)
def test_sizes_of_what_cannot_be_read(tmp_path, content):
    path = tmp_path / "a.fits.gz"
    path.write_bytes(content)
    assert image_mb(path, planes=1) == 0
    assert file_mb(path) == len(content) / 1e6


# --- files that a run could not use or make -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "in/ngc0001/F770W/lv3/ngc0001_miri_lv3_f770w_i2d_align.fits",
        "masks/ngc0001_F770W.fits",
        "kernels/f770w_to_gauss4.fits",
        "ref/ngc0001_irac4_atgauss4.fits",
        "ref/ngc0001_irac4_atgauss4_err.fits",
    ],
)
def test_a_file_with_a_date_in_the_future_is_named(tree, name):
    path = touch(tree / name)
    (tree / "masks").mkdir(exist_ok=True)
    config = config_of(tree, mask_dir=str(tree / "masks"))
    assert not make_plan(config).skipped
    os.utime(path, (time.time() + 3600,) * 2)
    plan = make_plan(config)
    image = image_named(plan, "ngc0001_miri_lv3_f770w")
    assert f"{path} is dated 2" in (plan.skipped.get(image) or plan.pairs[image][0].problem)
    assert not any(pair.problem for i, pairs in plan.pairs.items() if i.instrument == "nircam" for pair in pairs)


def test_a_link_with_a_date_in_the_future_is_named(tree):
    path = tree / "ref/ngc0001_irac4_atgauss4.fits"
    target = path.rename(tree / "elsewhere.fits")
    path.symlink_to(target)
    os.utime(path, (time.time() + 3600,) * 2, follow_symlinks=False)
    plan = make_plan(config_of(tree))
    assert f"{path} is dated" in plan.pairs[image_named(plan, "ngc0001_miri_lv3_f770w")][0].problem


def test_results_whose_names_would_be_too_long_are_named(tree):
    """Names of pairs are made of two; what is not too long by itself can be so in a pair."""
    folder = tree / "in/ngc0001"
    long = {band: f"ngc0001_{'x' * (115 - len(band))}_miri_{band.lower()}" for band in ("F770W", "F2100W")}
    for band, name in long.items():
        touch(folder / band / f"lv3/{name}_i2d_align.fits")
        (folder / band / f"lv3/ngc0001_miri_lv3_{band.lower()}_i2d_align.fits").unlink()
    plan = make_plan(config_of(tree))
    (external,) = plan.pairs[image_named(plan, long["F770W"])]
    (internal,) = plan.pairs[image_named(plan, long["F2100W"])]
    assert external.problem == ""
    name = f"F2100W_{long['F2100W']}_on_{long['F770W']}.log"
    assert f"the result {name} would have a name of {len(name)} bytes; expected at most 255" in internal.problem
    assert len(name) > 255


def test_an_image_whose_own_results_would_have_too_long_names_is_skipped(tree):
    name = f"{'n' * 229}_miri_f770w"
    touch(tree / f"in/ngc0001/F770W/lv3/{name}_i2d_align.fits")
    ((image, reason),) = make_plan(config_of(tree)).skipped.items()
    assert image.name == name
    assert "expected at most 255" in reason


# --- the galaxy table -----------------------------------------------------------------------------------------------


HEADER = "name,ra,dec,posang,inclination,distance_mpc,size_reff\n"


def test_galaxy_table_is_read_with_integers(tree):
    table = tree / "galaxies.csv"
    table.write_text(HEADER + "ngc0001,10,20,30,40,5,60\neso097_013,1.5,2.5,3,4,5,6\n")
    plan = make_plan(config_of(tree, galaxy_table=str(table)))
    assert plan.galaxies["ngc0001"] == {"ra": 10, "dec": 20, "posang": 30, "inclination": 40, "size_reff": 60}


def test_missing_galaxy_or_number_is_that_targets_reason(tree):
    table = tree / "galaxies.csv"
    table.write_text(HEADER + "ngc0001,10,20,30,,5,60\n")
    plan = make_plan(config_of(tree, galaxy_table=str(table)))
    reasons = {image.target: reason for image, reason in plan.skipped.items()}
    assert "row ngc0001, column inclination" in reasons["ngc0001"]
    assert f"{table} has no row named eso097_013" in reasons["eso097_013"]


def test_missing_column_refuses_the_run_with_target_file_and_column(tree):
    table = tree / "galaxies.csv"
    table.write_text("name,ra,dec,posang,inclination,distance_mpc\nngc0001,1,2,3,4,5\n")
    with pytest.raises(PlanError, match=r"galaxies.csv has no column size_reff, needed for targets .*ngc0001"):
        make_plan(config_of(tree, galaxy_table=str(table)))


def test_galaxy_table_as_people_write_it(tree):
    table = tree / "galaxies.csv"
    table.write_text(
        "# all of the survey, degrees\n\nName , RA, DEC, PosAng, Inclination, Size_Reff, other # the columns\n"
        "NGC0001, 10, 20, 30 , 40, 60, 1 # from HyperLeda, roughly\n  # no more of these\n"
        "eso097_013,1.5,2.5,3,4,6,2# by eye\n"
    )
    plan = make_plan(config_of(tree, galaxy_table=str(table)))
    assert not plan.skipped
    assert plan.galaxies["ngc0001"] == {"ra": 10, "dec": 20, "posang": 30, "inclination": 40, "size_reff": 60}
    assert plan.galaxies["eso097_013"]["size_reff"] == 6


def test_a_galaxy_by_its_very_name_comes_before_one_in_another_case(tree):
    table = tree / "galaxies.csv"
    rows = "ngc0001,1,1,1,1,1,1\nNGC0001,2,2,2,2,2,2\nESO097_013,3,3,3,3,3,3\neso097_013#2,4,4,4,4,4,4\n"
    table.write_text(HEADER + rows)
    plan = make_plan(config_of(tree, galaxy_table=str(table)))
    assert (plan.galaxies["ngc0001"]["ra"], plan.galaxies["eso097_013"]["ra"]) == (1, 3)


def test_a_band_in_two_spellings_is_refused_and_the_others_are_not(tree):
    touch(tree / "in/ngc0001/f770w/lv3/ngc0001_miri_lv3_f770w_i2d_align.fits")
    plan = make_plan(config_of(tree))
    found = {(i.target, i.band): reason for i, reason in plan.skipped.items()}
    assert set(found) == {("ngc0001", band) for band in ("F770W", "f770w", "F2100W")}
    assert "F770W and" in found["ngc0001", "F770W"]
    assert "folders of one band" in found["ngc0001", "F2100W"]  # which hangs on it
