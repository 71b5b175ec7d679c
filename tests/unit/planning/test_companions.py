"""References, noise maps, kernels and masks: their spellings, and what is wrong with them."""

import os
import time
from pathlib import Path

import pytest
from astropy.io import fits
from trees import config_of, image_named, touch

from anchoring.labels import normalised
from anchoring.planning.companions import Kernels
from anchoring.planning.plan import make_plan


@pytest.mark.parametrize("ending", [".fits", ".fits.gz", ".fits.fz", ".FITS"])
@pytest.mark.parametrize("start", ["F770W_to_GAUSS4p00", "f770w_TO_gauss4.0", "f770W_to_gauss4"])
def test_kernels_by_any_name_of_their_resolution(tree, start, ending):
    path = tree / f"kernels/{start}{ending}"
    (tree / "kernels/f770w_to_gauss4.fits").rename(path)
    plan = make_plan(config_of(tree))
    assert not any(pair.problem for pairs in plan.pairs.values() for pair in pairs)
    assert plan.kernels.path("F770W", "gauss4") == plan.kernels.path("f770w", "Gauss4.0") == str(path)


def test_two_kernels_of_one_name_are_named_and_links_to_one_are_one(tree):
    two = tree / "kernels/F770W_TO_GAUSS4p0.fits.gz"
    two.symlink_to(tree / "kernels/f770w_to_gauss4.fits")
    assert len(make_plan(config_of(tree)).possible_pairs()) == 10
    two.unlink()
    touch(two)
    plan = make_plan(config_of(tree))
    (pair,) = plan.pairs[image_named(plan, "ngc0001_miri_lv3_f770w")]
    assert f"there are {two} and {tree}/kernels/f770w_to_gauss4.fits" in pair.problem


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
    plan = make_plan(config_of(tree, mask_dir=str(tree / "masks")))
    image = image_named(plan, "ngc0001_miri_lv3_f770w")
    (pair,) = plan.pairs[image]
    assert (pair.problem, pair.path, pair.described()["ref_filter"]) == ("", f"{reference}{ending}", reference.stem)
    assert pair.error == str(error)
    assert image.mask == str(special)
    assert image_named(plan, "ngc0001_miri_lv3_f2100w").mask == str(general)


@pytest.mark.parametrize("name", ["ref/{}_irac4_atgauss4", "ref/{}_irac4_atgauss4_err", "masks/{}", "masks/{}_F770W"])
def test_a_compressed_file_next_to_another_of_its_name_is_a_problem_that_names_both(tree, name):
    plain = touch(tree / f"{name.format('ngc0001')}.fits")
    touch(Path(f"{plain}.gz"))
    plan = make_plan(config_of(tree, mask_dir=str(tree / "masks") if (tree / "masks").is_dir() else None))
    image = image_named(plan, "ngc0001_miri_lv3_f770w")
    problem = plan.skipped.get(image) or plan.pairs[image][0].problem
    assert f"there are {plain} and {plain}.gz" in problem
    assert not any(pair.problem for i, pairs in plan.pairs.items() if i.target != "ngc0001" for pair in pairs)


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


def test_where_a_kernel_is_expected():
    assert Kernels("k").path("F770W", "gauss4") == str(Path("k/f770w_to_gauss4.fits"))
    assert Kernels("k").path("F2100W", "f2100w") is None


class Named:
    """An image as `Kernels.problem` sees it."""

    def __init__(self, band):
        self.band, self.name, self.path = band, "a", "a.fits"


@pytest.fixture
def psfs(tmp_path):
    for name in ("F770W.fits", "f2100w.fits.gz", "Mips24.FITS"):
        touch(tmp_path / "psfs" / name)
    return str(tmp_path / "psfs")


@pytest.mark.parametrize(
    ("band", "resolution", "source", "target"),
    [
        ("f770w", "F2100W", "F770W.fits", "f2100w.fits.gz"),
        ("F770W", "gauss4", "F770W.fits", None),
        ("F2100W", "mips24", "f2100w.fits.gz", "Mips24.FITS"),
        ("F300M", "GAUSS4.0", None, None),  # a model
        ("F300M", "mips24", None, "Mips24.FITS"),
    ],
)
def test_what_a_kernel_is_made_of(psfs, band, resolution, source, target):
    recipe = Kernels(psf_dir=psfs, out_dir="out", model=True).recipe(band, resolution)
    assert [path and Path(path).name for path in (recipe.source, recipe.target)] == [source, target]
    assert recipe.path == str(Path("out/kernels", f"{band.lower()}_to_{normalised(resolution)}.fits"))
    assert Kernels(psf_dir=psfs, out_dir="out", model=True).path(band, resolution) == recipe.path
    assert not Kernels(psf_dir=psfs, out_dir="out", model=True).problem(Named(band), resolution)


def test_a_kernel_that_is_given_wins(tree, psfs):
    kernels = Kernels(str(tree / "kernels"), psf_dir=psfs, model=True)
    assert kernels.recipe("F770W", "gauss4") is None
    assert kernels.path("F770W", "gauss4") == str(tree / "kernels/f770w_to_gauss4.fits")
    assert kernels.recipe("F770W", "gauss9") is not None


@pytest.mark.parametrize(
    ("band", "resolution", "needed"),
    [
        ("F560W", "F2100W", "psfs/f560w.fits to"),  # a model is not good enough
        ("F770W", "f2550w", "psfs/f2550w.fits to"),
        ("irac4", "gauss20", "psfs/irac4.fits to"),
        ("F560W", "w3", "psfs/f560w.fits and "),
        ("F2100W", "f2100w", None),
    ],
)
def test_what_is_missing_for_a_kernel_is_named(psfs, band, resolution, needed):
    kernels = Kernels(psf_dir=psfs, model=True)
    assert kernels.recipe(band, resolution) is None
    problem = kernels.problem(Named(band), resolution)
    assert problem == "" if needed is None else f"no kernel of {band} to {normalised(resolution)}, and" in problem
    assert (needed or "") in problem


def test_without_a_model_and_without_a_folder_of_psfs():
    problem = Kernels("k").problem(Named("F770W"), "gauss4")
    assert problem.startswith(
        "no kernel k/f770w_to_gauss4.fits, and no PSF psf_dir/f770w.fits to make it from; expected"
    )


def test_two_psfs_of_one_name_and_one_of_the_future_are_named(psfs):
    two = touch(Path(psfs, "f770w.fits.gz"))
    assert "F770W.fits" in (problem := Kernels(psf_dir=psfs).problem(Named("F770W"), "gauss4"))
    assert f"there are {two}" in problem or str(two) in problem
    assert Kernels(psf_dir=psfs).psf("F770W") is None
    os.utime(Path(psfs, "f2100w.fits.gz"), (time.time() + 3600,) * 2)
    assert "is dated 2" in Kernels(psf_dir=psfs).problem(Named("F2100W"), "gauss15")


def test_kernels_that_a_plan_makes_are_those_of_its_pairs(tree, psfs):
    for path in (tree / "kernels").glob("f770w*"):
        path.unlink()
    plan = make_plan(config_of(tree, psf_dir=psfs))
    assert set(plan.recipes) == {"f770w_to_gauss4", "f770w_to_f2100w"}
    assert not any(pair.problem for pairs in plan.pairs.values() for pair in pairs)


def test_what_was_made_in_the_folder_of_the_kernels_is_not_given(tmp_path, psfs):
    folder = tmp_path / "out/kernels"
    folder.mkdir(parents=True)
    for name, keyword in (("f770w_to_gauss4", "KERND"), ("f2100w_to_gauss15", "REFUSED"), ("f770w_to_gauss9", "OTHER")):
        fits.PrimaryHDU(header=fits.Header({keyword: "x"})).writeto(folder / f"{name}.fits")
    kernels = Kernels(str(folder), psf_dir=psfs, out_dir=str(tmp_path / "out"))
    assert kernels.recipe("F770W", "gauss4").path == kernels.path("F770W", "gauss4") == f"{folder}/f770w_to_gauss4.fits"
    assert kernels.recipe("F2100W", "gauss15") is not None
    assert kernels.recipe("F770W", "gauss9") is None
