"""Runs that make their references from archive images."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from crates import Crate
from runs import Project, set_cards, without_figures

from simulation.archives import NATIVE, write_archive_images, write_native_psf
from simulation.skies import Galaxy, Sky
from simulation.trees import place

FIELD, TARGET = (90.0, 80.0), "ngc0628"
SKY = Sky(stars=3.0)
BANDS = {"irac4": ("SEIP", "gauss4", 1), "w1": ("unWISE", "gauss7p5", 2)}
RULES = {"calibrate_reference", "mosaic_reference", "zero_reference", "convolve_reference"}


def settings(**changes):
    references = {
        f"{band}_at{resolution}": {"from": f"data/archive/{{target}}_*_{band}*.fits", "margin": 3.5}
        for band, (_, resolution, _) in BANDS.items()
    }
    references["irac4_atgauss4"]["from"] += ".gz"
    references["w1_atgauss7p5"]["uncertainty"] = {"_w1_": "_unc_"}
    return {"kernel_dir": None, "psf_dir": "data/psfs", "references": references, **changes}


GUARD = """\
import socket

def refuse(self, address, connect=socket.socket.connect):
    if self.family != socket.AF_UNIX:
        open({path!r}, "a").write(f"{{address}}\\n")
    return connect(self, address)

socket.socket.connect = refuse
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A finished run whose references are all made, which tests only read."""
    tree = {"targets": (TARGET,), "bands": ("F300M", "F770W"), "references": (), "sky": SKY, "coarsen": 6.0}
    project = Project(tmp_path_factory.mktemp("made"), config=settings(), psfs=True, field=FIELD, **tree)
    *centre, posang = place(TARGET, 1)
    galaxy = Galaxy(TARGET, FIELD, SKY, seed=1, posang=posang)
    project.sky = {}
    for band, (survey, _, tiles) in BANDS.items():
        written = write_archive_images(
            project.folder / "data/archive", galaxy, centre, band, survey, tiles=tiles, side=500.0
        )
        project.sky[band] = written[1]
        for path in written[0] if band == "w1" else ():
            with fits.open(path) as hdus:
                sigma = fits.PrimaryHDU(np.full_like(hdus[0].data, NATIVE["w1"].noise / written[2]), hdus[0].header)
            sigma.writeto(path.with_name(path.name.replace("_w1_", "_unc_")))
        for path in written[0] if band == "irac4" else ():
            Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
        write_native_psf(project.folder / "data/psfs", band)
    guard = tmp_path_factory.mktemp("guard") / "site"
    project.environment, project.connections = without_figures(guard), guard / "connections.txt"
    with open(guard / "sitecustomize.py", "a") as file:
        file.write(GUARD.format(path=str(project.connections)))
    project.check = project.run("check", "all").stdout
    return project


def reference(project, label):
    return project.folder / f"results/references/{TARGET}_{label}.fits"


def test_known_offsets_are_recovered_on_references_that_were_made(project):
    summary = project.summary()
    for row in project.truth:
        found = summary[row["target"], row["band"], row["image"]]
        assert found["status"] == "anchored"
        assert abs(float(found["offset"]) - row["offset"]) < 0.015


def test_the_sky_is_found_with_its_error_and_stated(project):
    header = fits.getheader(reference(project, "irac4_atgauss4"))
    assert abs(header["REFSKY"] - project.sky["irac4"][0]) < max(0.02, 3 * header["REFZERR"])
    assert 0 < header["REFZERR"] < 0.02
    assert header["BMAJ"] * 3600 == pytest.approx(4.0)
    error = fits.getdata(reference(project, "irac4_atgauss4_err"))
    assert np.nanmin(error) == np.nanmax(error)
    assert NATIVE["irac4"].noise / 5 < np.nanmean(error) < NATIVE["irac4"].noise
    assert (project.folder / f"results/references/{TARGET}_w1_atgauss7p5_sky.png").is_file()
    assert fits.getheader(reference(project, "w1_atgauss7p5"))["REFUNC2"] == f"{TARGET}_unwise_unc_1.fits"
    page = (project.folder / "results/index.html").read_text()
    assert f'src="references/{TARGET}_w1_atgauss7p5_sky.png"' in page
    assert "counts = 0.0017259 MJy/sr" in page


def test_provenance_goes_back_to_archive_images_and_psfs(project, tmp_path):
    described = project.copied(tmp_path / "described")
    described.run("provenance")
    crate = Crate(described.folder / "results")
    crate.require_true()
    tiles = set(described.folder.glob("data/archive/*_unwise_w1_*.fits"))
    assert {path.as_uri() for path in tiles} < crate.actions[f"reference {TARGET}_w1_atgauss7p5"][0]
    image = f"{TARGET}/F300M/lv3/{described.anchored(TARGET, 'F300M').name}"
    assert all(image in crate.made_of(path.as_uri()) for path in (*tiles, described.folder / "data/psfs/f300m.fits"))
    assert image not in crate.made_of((described.folder / "data/psfs/irac4.fits").as_uri())


def test_check_tells_where_references_are_from(project):
    assert f"made from {TARGET}_seip_irac4.fits.gz (MJy/sr = 1 MJy/sr (BUNIT), sky " in project.check
    assert f"made from {TARGET}_unwise_w1_0.fits and 1 more (counts = 0.0017259 MJy/sr (MAGZP 22.5" in project.check
    assert "no reference image data/ref/ngc0628_irac1_atgauss4.fits" in project.check


def test_a_finished_run_makes_nothing_again_and_a_changed_image_only_its_reference(project, tmp_path):
    assert project.planned_jobs() == {}
    changed = project.copied(tmp_path / "changed")
    set_cards(changed.folder / f"data/archive/{TARGET}_unwise_unc_1.fits", 0, {"CHANGED": True})
    jobs = changed.planned_jobs()
    assert {rule: jobs[rule] for rule in RULES} == dict.fromkeys(RULES, 1)
    assert jobs["measure_pair"] == 1


def test_a_reference_in_ref_dir_wins_and_without_the_key_nothing_runs(project, tmp_path):
    given = project.copied(tmp_path / "given", results=False)
    (given.folder / "data/ref").mkdir(parents=True, exist_ok=True)
    for label in ("irac4_atgauss4", "w1_atgauss7p5"):
        reference(given, label).parent.mkdir(parents=True, exist_ok=True)
        (given.folder / f"data/ref/{TARGET}_{label}.fits").write_bytes(reference(project, label).read_bytes())
    assert not RULES & given.planned_jobs().keys()
    given.configure(**settings(references=None))
    assert not RULES & given.planned_jobs().keys()


def test_a_bad_image_concerns_only_its_band(project, tmp_path):
    spoilt = project.copied(tmp_path / "spoilt")
    path = spoilt.folder / f"data/archive/{TARGET}_unwise_w1_1.fits"
    path.write_bytes(path.read_bytes()[:5000])
    spoilt.run("results/anchor_summary.csv")
    summary = {band: row for (_, band, _), row in spoilt.summary().items()}
    assert summary["F770W"]["status"] == "anchored"
    assert summary["F300M"]["status"] != "anchored"
    assert f"{TARGET}_unwise_w1_1.fits cannot be read as FITS" in summary["F300M"]["reason"]


def test_a_run_connects_to_nobody(project):
    assert not project.connections.exists()
    # The guard is there in what the workflow starts.
    code = "import socket; socket.socket().connect(('127.0.0.1', 9))"
    subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, env=project.environment)
    assert project.connections.read_text() == "('127.0.0.1', 9)\n"
    project.connections.unlink()
