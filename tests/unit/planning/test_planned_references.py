"""References that are made: which, of what, and what is missing for them."""

import pytest
from trees import config_of, image_named, touch

from anchoring.planning.plan import make_plan
from anchoring.planning.settings import PlanError
from anchoring.planning.sizes import Size, field_size


@pytest.fixture
def archive(tree):
    """A tree where one target has no IRAC4 reference, but an archive image."""
    (tree / "ref/ngc0001_irac4_atgauss4.fits").unlink()
    touch(tree / "archive/ngc0001_i4.fits")
    touch(tree / "kernels/irac4_to_gauss4.fits")
    return tree


def planned(tree, label="irac4_atgauss4", **settings):
    settings = {"from": str(tree / "archive/{target}_i4.fits"), **settings}
    return make_plan(config_of(tree, references={label: settings}))


def test_uncertainty_maps_go_with_their_images(archive):
    for name in ("a-int-1.fits", "a-unc-1.fits.gz", "b-int-1.fits", "b-unc-1.fits"):
        touch(archive / f"maps/{name}")
    given = {"from": str(archive / "maps"), "uncertainty": {"-int-": "-unc-"}}
    (made,) = planned(archive, **given).made.values()
    assert [tile.rsplit("/", 1)[1] for tile in made.tiles] == ["a-int-1.fits", "b-int-1.fits"]
    assert [made.maps[tile].rsplit("/", 1)[1] for tile in made.tiles] == ["a-unc-1.fits.gz", "b-unc-1.fits"]
    assert (made.extension, made.planes) == (None, 2)
    (archive / "maps/b-unc-1.fits").unlink()
    plan = planned(archive, **given)
    assert "no uncertainty map" in pair_of(plan, "ngc0001").problem
    assert "b-unc-1.fits of" in pair_of(plan, "ngc0001").problem
    (made,) = planned(archive, uncertainty="ERR").made.values()
    assert (made.extension, made.planes, set(made.maps.values())) == ("ERR", 2, {None})


def pair_of(plan, target):
    (pair,) = plan.pairs[image_named(plan, f"{target}_miri_lv3_f770w")]
    return pair


def test_a_file_in_ref_dir_wins(archive):
    plan = planned(archive)
    assert list(plan.made) == ["ngc0001_irac4_atgauss4"]
    made = plan.made["ngc0001_irac4_atgauss4"]
    assert made.tiles == [str(archive / "archive/ngc0001_i4.fits")]
    assert (made.band, made.psf, made.resolution, made.sky) == ("irac4", "irac4", "gauss4", "constant")
    assert pair_of(plan, "ngc0001").path == str(archive / "out/references/ngc0001_irac4_atgauss4.fits")
    assert pair_of(plan, "ngc0001").error == str(archive / "out/references/ngc0001_irac4_atgauss4_err.fits")
    assert pair_of(plan, "eso097_013").path == str(archive / "ref/eso097_013_irac4_atgauss4.fits")
    assert pair_of(plan, "eso097_013").made is None


def test_without_the_key_nothing_is_made(archive):
    plan = make_plan(config_of(archive))
    assert plan.made == {}
    assert "no reference image" in pair_of(plan, "ngc0001").problem


def test_a_label_counts_without_its_resolution_too(archive):
    assert list(planned(archive, "IRAC4").made) == ["ngc0001_irac4_atgauss4"]


@pytest.mark.parametrize("given", ["archive", "archive/*.fits*", ["archive/ngc0001_i4.fits", "archive/b.fits.gz"]])
def test_images_from_a_folder_a_pattern_or_a_list(archive, given):
    touch(archive / "archive/b.fits.gz")
    touch(archive / "archive/notes.txt")
    touch(archive / "archive/b.fits.gz.json")
    given = [given] if isinstance(given, str) else given
    plan = planned(archive, **{"from": [str(archive / part) for part in given]})
    names = {path.rsplit("/", 1)[1] for path in plan.made["ngc0001_irac4_atgauss4"].tiles}
    assert names == {"ngc0001_i4.fits", "b.fits.gz"}


def test_kernels_of_the_archive_images_are_made_too(archive):
    (archive / "kernels/irac4_to_gauss4.fits").unlink()
    touch(archive / "psfs/irac4.fits")
    references = {"irac4": {"from": str(archive / "archive/{target}_i4.fits")}}
    plan = make_plan(config_of(archive, references=references, psf_dir=str(archive / "psfs")))
    assert list(plan.recipes) == ["irac4_to_gauss4"]


def test_images_that_have_the_resolution_need_no_kernel(archive):
    (archive / "kernels/irac4_to_gauss4.fits").unlink()
    assert planned(archive, psf="gauss4").made["ngc0001_irac4_atgauss4"].psf == "gauss4"
    assert "no kernel" in pair_of(planned(archive), "ngc0001").problem


@pytest.mark.parametrize(("band", "sky"), [("W3", "plane"), ("W4", "plane"), ("W1", "constant")])
def test_the_sky_of_a_band_by_default(archive, band, sky):
    touch(archive / f"kernels/{band}_to_gauss4.fits")
    assert planned(archive, band=band).made["ngc0001_irac4_atgauss4"].sky == sky
    assert planned(archive, band=band, sky="none").made["ngc0001_irac4_atgauss4"].sky == "none"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"from": "nowhere/{target}_i4.fits"}, "no images nowhere/ngc0001_i4.fits"),
        ({"from": []}, "no images given"),
        ({"mask": "nowhere/{target}.fits"}, "no mask nowhere/ngc0001.fits"),
        ({"psf": "irac9"}, "no kernel"),
    ],
)
def test_what_is_missing_is_named(archive, settings, message):
    problem = pair_of(planned(archive, **settings), "ngc0001").problem
    assert message in problem
    assert problem.startswith("the reference irac4_atgauss4 of ngc0001 cannot be made: ")


def test_a_label_that_is_no_reference_is_refused(archive):
    with pytest.raises(PlanError, match="references has 'w9', which is no reference"):
        planned(archive, "w9")


def test_ref_dir_is_not_where_references_are_made(archive):
    changes = {"ref_dir": str(archive / "out/references"), "references": {"irac4": {"from": "x"}}}
    with pytest.raises(PlanError, match="where references are made"):
        make_plan(config_of(archive, **changes))


def test_the_field_is_no_larger_than_its_image_or_the_margin():
    mosaics = [Size((1000, 800), 0.1)]
    assert field_size([Size((500, 400), 2.0)], mosaics, 10).shape == (500, 400)
    side = (128.06 + 1200) / 2.0
    assert field_size([Size((50_000, 40_000), 2.0)], mosaics, 10).shape == (pytest.approx(side * 2**0.5, abs=1),) * 2
    assert field_size([Size((500, 400), 2.0)] * 2, mosaics, 10).shape == (pytest.approx(side, abs=1),) * 2
