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


def test_the_error_is_convolved_where_it_is_the_noise_of_a_reference(tree):
    plan = make_plan(config_of(tree))
    ref_band, other = (image_named(plan, f"ngc0001_nircam_lv3_{band}") for band in ("f300m", "f335m"))
    needed = [(ref_band, "f2100w"), (ref_band, "gauss4"), (other, "f2100w")]
    assert [plan.convolves_error(*wanted) for wanted in needed] == [True, False, False]
    plan = make_plan(config_of(tree, convolved_errors="all"))
    assert plan.convolves_error(image_named(plan, "ngc0001_nircam_lv3_f335m"), "f2100w")


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


def with_own(tree, *labels, band="f2100w"):
    """Give F2100W of both targets references and kernels."""
    for label in labels:
        for target in ("ngc0001", "eso097_013"):
            touch(tree / f"ref/{target}_{label}.fits")
        (tree / f"kernels/{band}_to_{label.split('_at')[-1]}.fits").touch()


def labels_of(plan, part="ngc0001_miri_lv3_f2100w"):
    return [pair.label for pair in plan.pairs[image_named(plan, part)]]


def test_shipped_references_of_a_band_are_used_where_they_are(tree):
    assert labels_of(make_plan(config_of(tree))) == ["F770W"]
    with_own(tree, "mips24")
    plan = make_plan(config_of(tree))
    assert labels_of(plan) == ["F770W", "mips24"]
    assert not any(pair.problem for pair in plan.possible_pairs())
    # A reference that is there lacks its kernel: that is worth a row.
    (tree / "kernels/f2100w_to_mips24.fits").unlink()
    plan = make_plan(config_of(tree))
    assert "no kernel" in plan.pairs[image_named(plan, "ngc0001_miri_lv3_f2100w")][1].problem


def test_configured_references_of_a_band_are_rows_also_where_they_are_missing(tree):
    own = {"ref_band": "F770W", "external_bands": {"F770W": "irac4_atgauss4", "F2100W": ["mips24", "ref_band", "w4"]}}
    config = config_of(tree, instruments={**INSTRUMENTS, "miri": own})
    with_own(tree, "w4")
    plan = make_plan(config)
    assert labels_of(plan) == ["mips24", "F770W", "w4"]
    assert "ngc0001_mips24.fits" in plan.pairs[image_named(plan, "ngc0001_miri_lv3_f2100w")][0].problem
    assert labels_of(plan, "ngc0001_miri_lv3_f770w") == ["irac4_atgauss4"]
    own["external_bands"]["F2100W"] = None  # switched off
    assert labels_of(make_plan(config)) == ["F770W"]
    own["external_bands"]["F770W"] = ["irac4_atgauss4", "ref_band"]
    with pytest.raises(PlanError, match="external_bands of the ref_band of miri has 'ref_band'"):
        make_plan(config)


def test_a_band_with_a_reference_of_its_own_needs_no_ref_band(tree):
    shutil.rmtree(tree / "in/ngc0001/F770W")
    with_own(tree, "mips24")
    plan = make_plan(config_of(tree))
    assert not plan.skipped
    assert labels_of(plan) == ["mips24"]
    (tree / "ref/ngc0001_mips24.fits").unlink()
    ((image, reason),) = make_plan(config_of(tree)).skipped.items()
    assert (image.band, "F770W" in reason) == ("F2100W", True)


def test_an_instrument_that_is_switched_off_uses_no_shipped_reference(tree):
    with_own(tree, "mips24")
    instruments = {**INSTRUMENTS, "miri": {"ref_band": None, "external_bands": ["irac4_atgauss4"]}}
    plan = make_plan(config_of(tree, instruments=instruments))
    assert {image.band for image in plan.skipped} == {"F770W", "F2100W"}


def test_errors_of_zeros_are_of_external_references(tree):
    for wrong in ("w9", "F770W"):
        with pytest.raises(PlanError, match=r"reference_zero_err has .*no reference"):
            make_plan(config_of(tree, reference_zero_err={wrong: 0.02}))
    make_plan(config_of(tree, reference_zero_err={"irac1": 0.02, "IRAC4_atgauss4.0": 0.01, "mips24": 0.1}))


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


def test_names_that_no_image_has_are_noted_or_refused(tree):
    def planned(by_band, drift=(), **more):
        miri = {"ref_band": "F770W", "external_bands": {"F770W": "irac4_atgauss4", **by_band}}
        instruments = {**INSTRUMENTS, "miri": miri, **more}
        return make_plan(config_of(tree, instruments=instruments, colour_drift={key: [0, 0.1] for key in drift}))

    assert planned({"f2100w": "mips24"}, drift=["F2100W/F770W"]).unused == []
    assert planned({"F1500W": "mips24"}, drift=["F335M/F300M", "F1130W/F770W"]).unused == [
        "external_bands of F1500W is not used: this run has no image of it",
        "colour_drift of F1130W is not used: this run has no image of it",
    ]
    assert "F335M" in planned({"F335M": "mips24"}).unused[0]  # there, but of another instrument
    assert "acme" in planned({}, acme={"ref_band": "H", "external_bands": {"K": "twomass"}}).unused[0]
    assert planned({}, wfc3=None).unused == []
    with pytest.raises(PlanError, match=r"external_bands has 'F21000W', .* did you mean F2100W\?"):
        planned({"F21000W": "mips24"})
    with pytest.raises(PlanError, match=r"colour_drift has 'dust', .* correct the name or remove it"):
        planned({}, drift=["dust/F770W"])
    with pytest.raises(PlanError, match=r"external_bands has 'f2100', .* did you mean F2100W\?"):
        planned({}, f2100={"external_bands": "mips24"})


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


def named_pairs(plan, target="ngc0001", instrument="miri"):
    return [(p.image.band, p.reference, p.problem) for p in plan.networks[target, instrument]]


def test_a_network_has_every_image_on_every_reference_and_every_other_band(tree):
    folder = tree / "in/ngc0001"
    touch(folder / "F1000W/lv3/ngc0001_miri_lv3_f1000w_i2d_align.fits")
    for kernel in ("f1000w_to_gauss4", "f2100w_to_gauss4", "f1000w_to_f2100w"):
        (tree / f"kernels/{kernel}.fits").touch()
    assert make_plan(config_of(tree)).networks == {}
    for asked in ({"network": True}, {"solution": "adjustment"}):
        plan = make_plan(config_of(tree, **asked))
        f770w, f2100w = (f"ngc0001_miri_lv3_{band}" for band in ("f770w", "f2100w"))
        found = named_pairs(plan)
        assert len(found) == len(set(found)) == 6
        assert {pair[:2] for pair in found} == {
            ("F770W", "irac4_atgauss4"), ("F1000W", f770w), ("F2100W", f770w),  # of the tree
            ("F1000W", "irac4_atgauss4"), ("F2100W", "irac4_atgauss4"), ("F1000W", f2100w),
        }  # fmt: skip
        # The measurements of the tree are those of the network: one file, one pair.
        (tree_pair,) = plan.pairs[image_named(plan, f2100w)]
        assert plan.pair("ngc0001", "F2100W", f2100w, f770w) is tree_pair
        assert len(plan.possible_pairs()) == len({(p.image, p.reference) for p in plan.possible_pairs()})
    (tree / "kernels/f1000w_to_gauss4.fits").unlink()  # a pair of the network says what it lacks, and is not tried
    plan = make_plan(config_of(tree, network=True))
    (lacking,) = [pair for pair in plan.networks["ngc0001", "miri"] if pair.problem]
    assert (lacking.image.band, lacking.label, "f1000w_to_gauss4" in lacking.problem) == (
        "F1000W",
        "irac4_atgauss4",
        True,
    )
    assert lacking not in plan.possible_pairs()


def test_images_of_one_name_in_several_bands_are_told_apart(tree):
    for band in ("F1000W", "F1130W", "F2100W"):
        touch(tree / f"in/ngc0001/{band}/lv3/miri_i2d_align.fits")
        (tree / f"kernels/{band.lower()}_to_f2100w.fits").touch()
    plan = make_plan(config_of(tree, network=True))
    files = [(p.image.band, p.image.name, p.reference) for p in plan.networks["ngc0001", "miri"]]
    assert len(files) == len(set(files))
    assert {("F1000W", "miri", "F1130W_miri"), ("F1000W", "miri", "F2100W_miri")} <= set(files)
