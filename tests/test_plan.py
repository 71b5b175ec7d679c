"""The plan: what is found, what is paired with what, and what is said to be missing."""

from pathlib import Path

import pytest
from plan import PlanError, kernel_path, make_plan, resolution_of

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
            for path in (tree / "in" / target / band / "lv3").iterdir():
                path.unlink()
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
    for path in (tree / "in" / "ngc0001" / "F770W" / "lv3").iterdir():
        path.unlink()
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
