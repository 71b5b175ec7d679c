"""What an anchored image depends on, for trees of all kinds."""

from pathlib import Path

from trees import config_of, image_named, touch

from anchoring.planning.plan import make_plan
from anchoring.planning.provenance import files_of_pair, inputs_of


def names(plan, part):
    paths = inputs_of(plan, image_named(plan, part))
    assert len(set(paths)) == len(paths)
    return {Path(path).name for path in paths}


def test_an_image_on_references_depends_on_these(tree):
    touch(tree / "ref/ngc0001_irac4_atgauss4_err.fits")
    touch(tree / "masks/ngc0001_F770W.fits")
    touch(tree / "psfs/f770w.fits")
    plan = make_plan(config_of(tree, mask_dir=str(tree / "masks"), psf_dir=str(tree / "psfs")))
    assert names(plan, "ngc0001_miri_lv3_f770w") == {
        "ngc0001_miri_lv3_f770w_i2d_align.fits", "ngc0001_irac4_atgauss4.fits", "ngc0001_irac4_atgauss4_err.fits",
        "f770w_to_gauss4.fits", "ngc0001_F770W.fits", "f770w.fits",
    }  # fmt: skip


def test_an_image_on_its_ref_band_depends_on_all_that_this_does(tree):
    plan = make_plan(config_of(tree))
    assert names(plan, "ngc0001_nircam_lv3_f335m") == {
        "ngc0001_nircam_lv3_f335m_i2d_align.fits", "f335m_to_f2100w.fits",
        "ngc0001_nircam_lv3_f300m_i2d_align.fits", "f300m_to_f2100w.fits",
        "ngc0001_irac1_atgauss4.fits", "f300m_to_gauss4.fits", "ngc0001_w1_atgauss7p5.fits", "f300m_to_gauss7p5.fits",
    }  # fmt: skip
    assert inputs_of(plan, image_named(plan, "ngc0001_nircam_lv3_f335m"))[0].endswith("f335m_i2d_align.fits")


def test_an_image_that_is_adjusted_depends_on_all_pairs(tree):
    plan = make_plan(config_of(tree, network=True))
    both = names(plan, "ngc0001_nircam_lv3_f300m")
    assert both == names(plan, "ngc0001_nircam_lv3_f335m")
    assert {"ngc0001_nircam_lv3_f335m_i2d_align.fits", "f335m_to_f2100w.fits"} <= both
    assert not any("miri" in name for name in both)


def test_files_of_a_pair_are_named_by_what_they_are(tree):
    plan = make_plan(config_of(tree))
    (pair,) = plan.fitted_pairs(image_named(plan, "ngc0001_nircam_lv3_f335m"))
    files = {what: Path(path).name for what, path in files_of_pair(plan, pair).items()}
    assert files == {
        "reference": "ngc0001_nircam_lv3_f300m_i2d_align.fits",
        "kernel": "f335m_to_f2100w.fits",
        "reference_kernel": "f300m_to_f2100w.fits",
    }
    # A band that has the resolution already needs no kernel.
    (pair,) = plan.fitted_pairs(image_named(plan, "ngc0001_miri_lv3_f2100w"))
    assert "kernel" not in files_of_pair(plan, pair)
