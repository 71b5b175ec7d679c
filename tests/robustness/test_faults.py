"""A fault of one band of one target is reported with its reason, and everything else is right."""

import gzip
import os
import shutil
import subprocess
import time

import numpy as np
import pytest
from astropy.io import fits
from runs import Project, before_scripts, jobs_of

from simulation.skies import IDEAL, Sky

BANDS = ("F770W", "F2100W")
REFERENCES = ("irac4_atgauss4", "w3_atgauss15")
TABLE, TARGET_TABLE = "results/anchor_summary.csv", "results/ngc0628/ngc0628_anchor_tab.csv"  # without figures
SOUND = "ngc_0628"  # an underscore in a name is ordinary
UNSOUND = {
    "noref": {"F770W": "skipped", "F2100W": "skipped"},
    "nextref": {"F770W": "anchored", "F2100W": "anchored"},
    "bright": {"F770W": "failed", "F2100W": "failed"},
    "done": {"F770W": "anchored", "F2100W": "failed"},
}


def spoil(project):
    """Damage the unsound targets, each in its own way."""
    ref = project.folder / "data/ref"
    for label in REFERENCES:
        (ref / f"noref_{label}.fits").unlink()
        with fits.open(ref / f"bright_{label}.fits", mode="update") as hdus:
            hdus[0].data[:] += 20
    with fits.open(ref / "nextref_irac4_atgauss4.fits", mode="update") as hdus:
        hdus[0].data[:] = np.nan
    with fits.open(project.image("done", "F2100W"), mode="update") as hdus:
        hdus["SCI"].header["ANCHOFF"] = 0.1


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(
        tmp_path_factory.mktemp("faults"),
        targets=[SOUND, *UNSOUND],
        sky=IDEAL,
        bands=BANDS,
        references=REFERENCES,
        figures=False,
    )
    spoil(project)
    background = project.image(SOUND, "F770W")
    shutil.copy(background, background.with_name(f"{SOUND}_bgr_miri_lv3_f770w_i2d_align.fits"))
    project.done = project.snakemake()
    return project


def row(project, target, band):
    return next(r for (t, b, _), r in project.summary().items() if (t, b) == (target, band))


def test_the_run_fails_with_everything_else_done(project):
    assert project.done.returncode != 0
    assert "5 of 10 images anchored." in project.done.stderr
    assert "bright F770W bright_miri_lv3_f770w_i2d_align.fits: failed: " in project.done.stderr
    for truth in (t for t in project.truth if t["target"] == SOUND):
        found = row(project, SOUND, truth["band"])
        assert found["status"] == "anchored"
        assert abs(float(found["offset"]) - truth["offset"]) < 6e-3
        assert project.anchored(SOUND, truth["band"]).is_file()


def test_each_fault_is_in_the_row_of_its_band(project):
    for (target, band, _), found in project.summary().items():
        status = UNSOUND.get(target, {}).get(band, "anchored")
        assert found["status"] == status, (target, band)
        assert (found["reason"] == "") == (status == "anchored")
        assert (found["offset"] != "") == (status == "anchored")
        assert project.anchored(target, band).is_file() == (status == "anchored")


def test_the_next_reference_in_order_is_taken(project):
    assert row(project, "nextref", "F770W")["reference"] == "w3_atgauss15"
    rows = {r["ref_filter"]: r for r in project.rows("nextref") if r["compar_filter"] == "f770w"}
    assert rows["nextref_irac4_atgauss4"]["status"] == "failed"
    assert "all pixels are 0 or not finite" in rows["nextref_irac4_atgauss4"]["reason"]
    assert rows["nextref_w3_atgauss15"]["status"] == "anchored"


def test_figures_of_failed_fits_are_there(project):
    assert (project.folder / "results/bright/F770W/anchored/bright_miri_lv3_f770w_fit.png").is_file()


def test_leniency_lets_the_run_succeed(project):
    project.configure(allow_unanchored=True)
    done = project.run()
    assert set(jobs_of(done)) == {"verify_run", "all"}
    assert "5 of 10 images anchored." in done.stderr
    project.configure()


@pytest.fixture
def small(tmp_path):
    """Makes a project of one galaxy with one camera."""

    def make(config=None, **tree):
        settings = {"targets": ["ngc0628"], "sky": IDEAL, "bands": BANDS, "references": REFERENCES[:1], **tree}
        return Project(tmp_path / "run", config=config, figures=False, **settings)

    return make


def test_several_mosaics_of_a_band_anchored_next_to_their_inputs(small):
    project = small(config={"out_dir": "data"}, tiles={"F770W": ("east", "west"), "F2100W": ("east", "west")})
    project.run()
    made = {path.name for path in (project.folder / "data").rglob("*_i2d_anchor.fits")}
    assert made == {truth["image"].replace("i2d_align", "i2d_anchor") for truth in project.truth}
    (path,) = (project.folder / "data").glob("anchor_summary.csv")
    assert path.read_text().count("anchored") == 4
    assert project.planned_jobs() == {}


def test_any_camera_is_added_in_the_configuration_alone(small):
    project = small()
    for band in BANDS:
        path = project.image("ngc0628", band)
        path.rename(path.with_name(path.name.replace("_miri_", "_acme_")))
    project.configure(instruments={"acme": {"ref_band": "F770W", "external_bands": "irac4_atgauss4"}})
    project.run(TABLE)
    assert {r["instrument"] for r in project.summary().values()} == {"acme"}
    for truth in project.truth:
        assert abs(float(row(project, "ngc0628", truth["band"])["offset"]) - truth["offset"]) < 6e-3


def test_range_from_a_galaxy_table_does_not_depend_on_the_unknown_offset(small):
    smooth = Sky(clumps=0, stars=0, noise=0, reference_noise=0, hole=0)
    project = small(config={"galaxy_table": "data/galaxies.csv"}, offsets={"F770W": -0.5}, sky=smooth)
    project.run(TABLE, TARGET_TABLE)
    external = next(r for r in project.rows("ngc0628") if r["compar_filter"] == "f770w" and r["status"] == "anchored")
    assert float(external["range_min"]) > 0.1
    assert int(external["n_bins"]) == 17
    assert abs(float(row(project, "ngc0628", "F770W")["offset"]) + 0.5) < 0.02
    project.configure(galaxy_table="data/galaxies.csv", range_from="comparison")
    project.run(TABLE, TARGET_TABLE)
    published = next(r for r in project.rows("ngc0628") if r["compar_filter"] == "f770w" and r["status"] == "anchored")
    assert abs(float(published["range_min"]) - float(external["range_min"]) - 0.5) < 0.05


# --- files by other names, of other dates, and bands without mosaics --------------------------------------------------


def compress(path, name=None):
    """Put a gzipped file, of another name if there is one, in the place of a file."""
    path.with_name(name or f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def offsets(project):
    return {key: float(r["offset"]) for key, r in project.summary().items() if r["status"] == "anchored"}


def test_references_kernels_and_masks_may_have_other_names_and_be_compressed(small):
    project = small(references=("w3_atgauss15",), config={"mask_dir": "data/masks"})
    ref, kernels, masks = (project.folder / "data" / name for name in ("ref", "kernels", "masks"))
    masks.mkdir()
    with fits.open(ref / "ngc0628_w3_atgauss15.fits") as hdus:
        mask = np.zeros_like(hdus[0].data)
        mask[:, : mask.shape[1] // 2] = 1
        fits.PrimaryHDU(mask, hdus[0].header).writeto(masks / "ngc0628_F770W.fits")
        fits.PrimaryHDU(np.full_like(hdus[0].data, 0.01), hdus[0].header).writeto(ref / "ngc0628_w3_atgauss15_err.fits")
    project.run(TABLE, TARGET_TABLE)
    plain = offsets(project)
    assert len(plain) == 2
    shutil.rmtree(project.folder / "results")
    compress(ref / "ngc0628_w3_atgauss15.fits", "ngc0628_w3_atgauss15.0.fits.gz")
    compress(ref / "ngc0628_w3_atgauss15_err.fits", "ngc0628_w3_atgauss15.0_err.fits.gz")
    compress(masks / "ngc0628_F770W.fits")
    (kernels / "f770w_to_f2100w.fits").rename(kernels / "F770W_TO_F2100W.FITS")
    compress(kernels / "f770w_to_gauss15.fits", "F770W_to_GAUSS15p0.fits.gz")
    project.configure(mask_dir="data/masks", external_bands={"miri": ["w3_atgauss15.0"]})
    assert "mask ngc0628_F770W.fits.gz" in project.run("check", TABLE, TARGET_TABLE).stdout
    assert offsets(project) == plain
    assert {r["ref_filter"] for r in project.rows("ngc0628")} >= {"ngc0628_w3_atgauss15.0"}


def test_every_band_has_its_row_and_affects_no_other(small):
    project = small(targets=["ngc0628", "ic5332"])
    data = project.folder / "data"
    for path in (data / "ic5332").glob("*/lv3/*.fits"):
        compress(path)
    for name in ("F560W/lv3/ngc0628_miri_lv3_f560w_i2d.fits", "F1000W/x_i2d_align.fits", "F1130W/lv3/notes.txt"):
        (data / "ngc0628" / name).parent.mkdir(parents=True)
        (data / "ngc0628" / name).touch()
    done = project.snakemake("check", "all")
    assert done.returncode == 1
    assert "2 of 7 images ready to be anchored." in done.stderr
    assert "2 of 7 images anchored." in done.stderr
    rows = {(target, band): r for (target, band, _), r in project.summary().items()}
    assert {key for key, r in rows.items() if r["status"] == "anchored"} == {("ngc0628", band) for band in BANDS}
    assert "holds ngc0628_miri_lv3_f560w_i2d.fits; expected *_i2d_align.fits" in rows["ngc0628", "F560W"]["reason"]
    assert "no folder lv3 and holds x_i2d_align.fits" in rows["ngc0628", "F1000W"]["reason"]
    assert "holds no FITS file" in rows["ngc0628", "F1130W"]["reason"]
    for band in BANDS:
        assert "gunzip it" in rows["ic5332", band]["reason"]
        assert "gunzip it" in done.stdout
    assert {r["status"] for r in project.rows("ic5332")} == {"skipped"}
    page = (project.folder / "results/index.html").read_text()
    assert "F1130W" in page
    assert "no FITS file" in page


def test_an_image_dated_in_the_future_fails_until_its_date_is_corrected(small):
    project = small()
    path = project.image("ngc0628", "F2100W")
    past = path.stat().st_mtime
    os.utime(path, (time.time() + 5000,) * 2)
    done = project.snakemake("check", "all")
    assert done.returncode == 1
    assert "dated" in done.stdout
    assert "1 of 2 images anchored." in done.stderr
    assert "memory" not in done.stderr
    assert "in the future" in row(project, "ngc0628", "F2100W")["reason"]
    assert row(project, "ngc0628", "F770W")["status"] == "anchored"
    os.utime(path, (past, past))
    project.run(TABLE)
    assert row(project, "ngc0628", "F2100W")["status"] == "anchored"


def test_names_of_results_up_to_the_longest(small):
    """What the plan lets through has names that the file system takes; a letter more is a reason."""
    project = small(targets=["ngc0628", "ic5332"])
    for target, extra in (("ngc0628", 0), ("ic5332", 1)):
        # F2100W_{image}_on_{reference}.log of 255 bytes, or 256.
        names = {"F770W": "r" * 108 + "_miri", "F2100W": "i" * (122 + extra) + "_miri"}
        assert len(f"F2100W_{names['F2100W']}_on_{names['F770W']}.log") == 255 + extra
        for band in BANDS:
            path = project.image(target, band)
            path.rename(path.with_name(f"{names[band]}_i2d_align.fits"))
    project.run(TABLE)
    assert {(t, b): r["status"] for (t, b, _), r in project.summary().items()} == {
        **{(target, band): "anchored" for target in ("ngc0628", "ic5332") for band in BANDS},
        ("ic5332", "F2100W"): "skipped",
    }
    assert f"F2100W_{names['F2100W']}_on_{names['F770W']}.log" in row(project, "ic5332", "F2100W")["reason"]


def test_whatever_a_library_raises_on_one_image_is_that_images_failure(tmp_path):
    targets = ["ngc0628", "ic5332"]
    project = Project(tmp_path, targets=targets, sky=IDEAL, bands=BANDS, references=REFERENCES[:1])
    raising = """
if "reproject_image" in file and "ic5332" in open(file).read():
    import numpy, sys, astropy.wcs.utils
    def broken(*_, **__):
        raise numpy.linalg.LinAlgError("no such thing")
    # Also where it is imported already, in a fork.
    for module in [module for module in sys.modules.values() if "pixel_to_pixel" in vars(module)]:
        module.pixel_to_pixel = broken
"""
    environment = before_scripts(".reproject_image.py", raising, tmp_path / "raising")
    done = subprocess.run(project.command(), cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "2 of 4 images anchored." in done.stderr
    assert "LinAlgError: no such thing; expected no such error: a fault of the workflow" in done.stderr
    assert {t: row(project, t, "F770W")["status"] for t in targets} == {"ngc0628": "anchored", "ic5332": "failed"}
    assert (tmp_path / "results/index.html").is_file()
    log = next((tmp_path / "results/ic5332/logs/reproject_image").glob("F770W*.log")).read_text()
    assert "Traceback" in log
