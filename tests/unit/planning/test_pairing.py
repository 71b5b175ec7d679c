"""Which image meets which reference, and what is missing for it."""

import shutil

import pytest
from trees import INSTRUMENTS, config_of, image_named, touch

from anchoring.labels import value_for
from anchoring.planning.plan import make_plan
from anchoring.planning.settings import PlanError


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


def test_unknown_instrument_is_skipped_with_what_to_do(tree):
    touch(tree / "in" / "ngc0001" / "H" / "lv3" / "ngc0001_wfc3_lv3_h_i2d_align.fits")
    ((image, reason),) = make_plan(config_of(tree)).skipped.items()
    assert image.band == "H"
    assert "instruments" in reason


def test_a_ref_band_that_is_passed_over_is_named_by_the_bands_that_need_it(tree):
    path = tree / "in/ngc0001/F770W/lv3/ngc0001_miri_lv3_f770w_i2d_align.fits"
    path.rename(f"{path}.gz")
    reasons = {image.band: reason for image, reason in make_plan(config_of(tree)).skipped.items()}
    assert f"{path}.gz is compressed" in reasons["F770W"]
    assert f"{path}.gz is compressed" in reasons["F2100W"]


def test_labels_of_one_resolution_are_one_reference(tree):
    (tree / "kernels/f770w_to_gauss15.fits").touch()
    touch(tree / "ref/ngc0001_w3_atgauss15.0.fits")
    instruments = {**INSTRUMENTS, "miri": {"ref_band": "F770W", "external_bands": ["w3_atgauss15.0"]}}
    config = config_of(tree, instruments=instruments, reference_noise={"W3_atgauss15": 0.1})
    plan = make_plan(config)
    (pair,) = plan.pairs[image_named(plan, "ngc0001_miri_lv3_f770w")]
    assert (pair.problem, pair.resolution, pair.described()["ref_filter"]) == ("", "gauss15", "ngc0001_w3_atgauss15.0")
    assert value_for(config["reference_noise"], pair.label) == 0.1
    (other,) = plan.pairs[image_named(plan, "eso097_013_miri_lv3_f770w")]
    assert other.problem == f"no reference image {tree}/ref/eso097_013_w3_atgauss15.0.fits"
    with pytest.raises(PlanError, match="one reference"):
        make_plan({**config, "reference_noise": {"w3_atgauss15": 0.1, "w3_atgauss15p0": 0.2}})


def test_drifts_are_given_for_references_or_pairs(tree):
    config = config_of(tree, colour_drift={"irac4": [0.0, 0.01], "F2100W/F770W": [0.1, 0.2]})
    make_plan(config)
    for key in ("w9", "F2100W/F999W"):
        with pytest.raises(PlanError, match=rf"colour_drift has '{key}', which is no reference"):
            make_plan({**config, "colour_drift": {key: [0.0, 0.1]}})
    with pytest.raises(PlanError, match="one reference"):
        make_plan({**config, "colour_drift": {"f2100w/f770w": [0.0, 0.1], "F2100W/F770W": [0.0, 0.2]}})


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
