"""Runs without kernels: they are made from PSFs, or drawn ones, and remade when what they are made of changes."""

import os
import shutil

import numpy as np
import pytest
from astropy.io import fits
from pages import Page
from runs import Project, set_cards

from simulation.skies import IDEAL

PSFS = {"kernel_dir": None, "psf_dir": "data/psfs"}
MADE = {"f300m_to_gauss4", "f770w_to_gauss4", "f770w_to_f2100w", "f300m_to_f2100w", "f335m_to_f2100w"}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A finished run without a kernel folder, which tests only read."""
    references = ("irac1_atgauss4", "irac4_atgauss4")
    tree = {"targets": ("ngc0628",), "sky": IDEAL, "references": references, "coarsen": 4.0}
    project = Project(tmp_path_factory.mktemp("psfs"), config=PSFS, psfs=True, figures=False, **tree)
    done = project.run("check", "all")
    project.check, project.output = done.stdout, done.stderr
    return project


@pytest.fixture
def finished(project, tmp_path):
    return project.copied(tmp_path / "run")


def kernels(project):
    return {path.stem for path in (project.folder / "results/kernels").glob("*.fits")}


def test_known_offsets_are_recovered_without_a_kernel_folder(project):
    summary = project.summary()
    for row in project.truth:
        found = summary[row["target"], row["band"], row["image"]]
        assert found["status"] == "anchored"
        assert abs(float(found["offset"]) - row["offset"]) < 2e-3
    assert "4 of 4 images anchored." in project.output


def test_the_kernels_of_the_plan_are_made_with_their_figures_and_no_others(project):
    assert kernels(project) == MADE
    assert {path.stem for path in (project.folder / "results/kernels").glob("*.png")} == MADE


def test_quality_is_in_check_and_on_the_page(project):
    assert "made from f770w.fits and gauss4 (D " in project.check
    page = Page((project.folder / "results/index.html").read_text())
    assert {f"kernels/{name}.png" for name in MADE} <= set(page.links)
    (table,) = (table for table in page.tables if table[0][0] == "kernel")
    assert {row[0] for row in table[1:]} == MADE
    row = next(row for row in table if row[0] == "f770w_to_gauss4")
    assert row[1:3] == ["f770w.fits", "gauss4"]
    assert float(row[5]) < 0.005


def test_images_have_their_beams(project):
    widths = {"anchored/*_to_gauss4": 4.0, "anchored/*_on_irac4_atgauss4": 4.0, "lv3/*_i2d_anchor": 0.269}
    for pattern, width in widths.items():
        (path,) = project.folder.glob(f"results/ngc0628/F770W/{pattern}.fits")
        header = fits.getheader(path, "SCI")
        assert np.allclose([3600 * header["BMAJ"], 3600 * header["BMIN"], header["BPA"]], [width, width, 0], rtol=0.02)


def test_a_changed_psf_remakes_its_kernels_and_what_depends_on_them_alone(finished):
    path = finished.folder / "data/psfs/f335m.fits"
    set_cards(path, 0, {"CHANGED": True})
    jobs = finished.planned_jobs()
    assert {rule: jobs[rule] for rule in ("make_kernel", "convolve_image", "reproject_image", "measure_pair",
                                          "solve_internal", "apply_offset") if rule in jobs} == {
        "make_kernel": 1, "convolve_image": 1, "reproject_image": 1, "measure_pair": 1, "solve_internal": 1,
    }  # fmt: skip
    assert "solve_external" not in jobs
    # One that is put in another's place and is older counts too.
    other = finished.copied(finished.folder.parent / "other")
    for file in (path, other.folder / "data/psfs/f335m.fits"):
        file.write_bytes(finished.folder.joinpath("data/psfs/f300m.fits").read_bytes())
        os.utime(file, (1e9, 1e9))
    assert other.planned_jobs()["make_kernel"] == 1


def test_a_kernel_that_is_given_wins(finished):
    (finished.folder / "data/given").mkdir()
    shutil.copy(finished.folder / "results/kernels/f770w_to_gauss4.fits", finished.folder / "data/given")
    finished.configure(**{**PSFS, "kernel_dir": "data/given"})
    jobs = finished.planned_jobs()
    assert "make_kernel" not in jobs
    assert jobs["convolve_image"] == 1


def test_without_psfs_the_reference_bands_are_anchored_with_drawn_ones_and_flagged(project, tmp_path):
    drawn = project.copied(tmp_path / "drawn", results=False)
    bands = ["F770W", "F2100W"]
    drawn.configure(kernel_dir=None, bands=bands)
    drawn.run(*(f"results/{name}" for name in ("anchor_summary.csv", "index.html", "ngc0628/ngc0628_anchor_tab.csv")))
    assert kernels(drawn) == {"f770w_to_gauss4"}
    (truth,) = (row["offset"] for row in drawn.truth if row["band"] == "F770W")
    (row,) = (row for row in drawn.rows("ngc0628") if row["status"] == "anchored")
    # Drawn PSFs have wings, where those of the simulated sky have none.
    assert abs(float(row["offset"]) - truth) < 0.02
    assert "kernel_from_model" in row["flags"]
    summary = {band: row for (_, band, _), row in drawn.summary().items()}
    assert {band: row["status"] for band, row in summary.items()} == {"F770W": "anchored", "F2100W": "skipped"}
    missing = "no kernel of F770W to f2100w, and no PSF psf_dir/f770w.fits and psf_dir/f2100w.fits"
    assert missing in summary["F2100W"]["reason"]
    assert "kernel_from_model" in (drawn.folder / "results/index.html").read_text()
    drawn.configure(kernel_dir=None, bands=bands, psf="files")
    assert "make_kernel" not in drawn.planned_jobs("results/anchor_summary.csv")


def test_what_is_flagged_is_not_released_unless_it_is_allowed(finished):
    release = {"id": "tests", "version": "v1", "files": "link"}
    finished.configure(**PSFS, release=release)
    done = finished.snakemake("release")
    assert done.returncode == 1
    assert "1 of 4 images are flagged; expected none in a release" in done.stderr
    assert "ngc0628 F2100W ngc0628_miri_lv3_f2100w: kernel_narrow" in done.stderr
    assert not (finished.folder / "results/release").exists()
    finished.configure(**PSFS, release={**release, "allow_flags": ["kernel_narrow"]})
    finished.run("release")
    linked = finished.folder / "results/release/tests_v1/ngc0628/hlsp_tests_jwst_miri_ngc0628_f2100w_v1_i2d.fits"
    assert linked.samefile(finished.anchored("ngc0628", "F2100W"))


def test_a_psf_that_cannot_be_used_concerns_only_the_bands_that_need_it(project, tmp_path):
    spoilt = project.copied(tmp_path / "spoilt")
    (spoilt.folder / "data/psfs/f335m.fits").write_bytes(b"")
    spoilt.run("results/anchor_summary.csv")
    before = project.summary()
    for key, row in spoilt.summary().items():
        if key[1] == "F335M":
            assert row["status"] == "failed"
            assert "no kernel F335M to f2100w: data/psfs/f335m.fits cannot be read as FITS" in row["reason"]
        else:
            assert row["offset"] == before[key]["offset"]


def test_good_psfs_raise_no_flag_but_that_of_pixels_as_large_as_the_kernel(project):
    flags = {}
    for row in project.rows("ngc0628"):
        found = {word for word in row["flags"].replace(",", " ").split() if "kernel" in word or "psf" in word}
        flags.setdefault(row["compar_filter"], set()).update(found)
    # Pixels of 0.44 arcsec (MIRI) and of 0.25 (NIRCam), kernels to F2100W of 0.6.
    assert flags == {"f300m": set(), "f335m": set(), "f770w": set(), "f2100w": {"kernel_narrow"}}
