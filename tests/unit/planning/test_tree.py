"""The mosaics on disk: which files and folders are images of a target, and what is refused or passed over."""

import shutil

import pytest
from trees import config_of, image_named, plan_of_one, touch

from anchoring.planning.plan import inspected, make_plan
from anchoring.planning.settings import PlanError


def test_only_one_instrument_is_ordinary(tree):
    for target in ("ngc0001", "eso097_013"):
        for band in ("F300M", "F335M"):
            shutil.rmtree(tree / "in" / target / band)
    plan = make_plan(config_of(tree))
    assert {i.instrument for i in plan.images.values()} == {"miri"}
    assert not plan.skipped


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


def test_targets_and_bands_choose(tree):
    plan = make_plan(config_of(tree, targets=["ngc0001"], bands=["F770W", "f300m"]))
    assert plan.targets == ["ngc0001"]
    assert {i.band for i in plan.images.values()} == {"F770W", "F300M"}
    with pytest.raises(PlanError, match=r"ngc9999.*found there: eso097_013, ngc0001"):
        make_plan(config_of(tree, targets=["ngc9999"]))


def test_without_mosaics_the_error_names_where_they_are_expected(tree):
    with pytest.raises(PlanError, match=r"lv3/\*_i2d_other.fits"):
        make_plan(config_of(tree, in_step_ext="i2d_other"))
    with pytest.raises(PlanError, match="not a folder"):
        make_plan(config_of(tree, in_dir=str(tree / "nowhere")))


@pytest.mark.parametrize(
    ("files", "reasons"),
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
def test_every_band_of_a_target_is_listed_with_what_is_there(tree, files, reasons):
    for file in files:
        touch(tree / "in/ngc0001" / file)
    plan = make_plan(config_of(tree))
    found = [(image, reason) for image, reason in plan.skipped.items()]
    assert [reason for (_, reason), text in zip(found, reasons, strict=True) if text not in reason] == []
    for image, _ in found:
        assert (image.target, image.band) == ("ngc0001", files[0].partition("/")[0])
        assert plan.images[image.target, image.band, image.name] is image
        assert image not in plan.pairs
    assert len(plan.images) == 8 + len(reasons)
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


def test_nothing_but_bands_without_mosaics_is_no_run(tmp_path, tree):
    touch(tmp_path / "empty/ngc0001/F770W/lv3/x_i2d.fits")
    with pytest.raises(PlanError, match=r"lv3/\*_i2d_align.fits; check .*lv3 holds x_i2d.fits"):
        make_plan(config_of(tree, in_dir=str(tmp_path / "empty")))


def test_an_image_whose_own_results_would_have_too_long_names_is_skipped(tree):
    name = f"{'n' * 229}_miri_f770w"
    touch(tree / f"in/ngc0001/F770W/lv3/{name}_i2d_align.fits")
    ((image, reason),) = make_plan(config_of(tree)).skipped.items()
    assert image.name == name
    assert "expected at most 255" in reason


def test_a_band_in_two_spellings_is_refused_and_the_others_are_not(tree):
    touch(tree / "in/ngc0001/f770w/lv3/ngc0001_miri_lv3_f770w_i2d_align.fits")
    plan = make_plan(config_of(tree))
    found = {(i.target, i.band): reason for i, reason in plan.skipped.items()}
    assert set(found) == {("ngc0001", band) for band in ("F770W", "f770w", "F2100W")}
    assert "F770W and" in found["ngc0001", "F770W"]
    assert "folders of one band" in found["ngc0001", "F2100W"]  # which hangs on it


@pytest.mark.parametrize("target", ["ngc4496a", "ic5273", "ngc2997e", "eso097-013", "m 83", "M_83 (N+S)", "ngc4496.a"])
def test_names_of_targets_that_work(tmp_path, target):
    assert plan_of_one(tmp_path, target=target).targets == [target]


@pytest.mark.parametrize(
    "target", ["ngc{0001}", "-ngc", ".ngc", "ngc*", "a,b", "a=b", "it's", 'say "a"', "a\nb", "a$b", "a\\b"]
)
def test_an_odd_target_is_refused_by_its_name(tmp_path, target):
    with pytest.raises(PlanError) as refused:
        plan_of_one(tmp_path, target=target)
    assert f"{target!r} cannot be the name of a target" in str(refused.value)
    assert plan_of_one(tmp_path, targets=["ngc0001"]).targets == ["ngc0001"]


def test_an_odd_band_is_refused_by_its_name(tmp_path):
    with pytest.raises(PlanError, match="'F770W\\*' cannot be the name of a band"):
        plan_of_one(tmp_path, band="F770W*")
