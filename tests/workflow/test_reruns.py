"""Whatever changes, the same command again leaves what a run from scratch leaves.

Compared are the anchored images, the tables, the page, the exit status and the report on the images. What an earlier
run left of images that are not in the present one is named as left over.
"""

import os
import re
import shutil

import numpy as np
import pytest
import yaml
from astropy.io import fits
from astropy.wcs import WCS
from runs import ROOT, Project, products, set_cards

from simulation.skies import IDEAL
from simulation.trees import write_psfs

TREE = {"targets": ["ngc0628"], "bands": ("F770W", "F2100W"), "references": ("irac4_atgauss4", "w3_atgauss15"),
        "field": (90.0, 80.0), "coarsen": 6.0, "sky": IDEAL}  # fmt: skip
COMPARED = re.compile(
    r"_i2d_\w+\.fits$|_anchor_tab\.\w+$|_summary\.\w+$|index\.html$|_offsets\.json$|_network(_\w+)?\.\w+$"
)
REPORT = re.compile(r"^\d+ of \d+ images anchored\.\n(?:Not anchored:\n(?:  .*\n)*)?", re.MULTILINE)
TABLE = "data/galaxies.csv"
# A reference that is made of another, which has its resolution already.
MADE = {"from": "data/ref/{target}_irac4_atgauss4.fits", "band": "irac4", "psf": "gauss4", "sky": "none"}

# Changes of the configuration one after the other, compared with a run from scratch after the last. In every walk what
# is changed first concerns the earliest rules, so that no later change reruns what an earlier one should have.
WALKS = {
    "inputs": [
        {"in_dir": "data/other"},
        {"ref_dir": "data/other_ref", "kernel_dir": "data/other_kernels"},
        {"internal_conv_band": "gauss15", "keep_intermediates": False, "convolved_errors": "all"},
        {"reproject_func": "adaptive"},
        {"erode_fwhm": 0.5},
        {"clip": "mad"},
        {"simplify_labels": False},
    ],
    "names": [
        {"in_step_ext": "i2d_second", "out_step_ext": "i2d_zeroed"},
        {"mask_dir": "data/masks"},
        {"bin_weights": "count"},
        {
            "external_bands": {"miri": ["irac3_atgauss4", "w3_atgauss15", "irac4_atgauss4"]},
            "references": {"irac3_atgauss4": MADE},
            "fetch": {"tries": 2},
        },
    ],
    "folders": [
        {"in_subdir": "lv4", "out_subdir": "between"},
        {"galaxy_table": TABLE},
        {"reff_factor": 1.5, "nbins": 12},
        {"estimator": "errors_in_variables"},
    ],
    "ranges": [
        {"galaxy_table": TABLE, "percentile_range": [10, 70]},
        {"range_from": "comparison"},
        {"targets": ["ngc0628"], "bands": ["F770W"]},
    ],
    "reference band": [
        {"kernel_dir": None, "psf_dir": "data/psfs", "psf": "files"},
        {"circularise": True},
        {"ref_band": {"miri": "F2100W"}},
        {"range_on": "anchored"},
    ],
    "noise": [
        {"estimator": "errors_in_variables"},
        {"reference_noise": {"irac4": 0.05}},
        {"colour_drift": {"irac4": [0.05, 0.01]}},
    ],
    "networks": [
        {"network": True},
        {"gradient": "nuisance"},
        {"reference_zero_err": {"irac4": 0.02}},
        {"prefer": "smallest_error"},
        {"solution": "adjustment"},
    ],
    "nothing in the range": [{"out_dir": "elsewhere"}, {"intensity_range": {"irac4": [200, 300]}, "preload": False}],
    "no reference band": [{"instruments": {"miri": {"ref_band": None}}}, {"allow_unanchored": True}],
}


class Changing(Project):
    """A project whose runs are compared."""

    def outcome(self):
        """What a run leaves: its exit status, its report on the images, the files compared, and all of its messages."""
        done = self.snakemake()
        config = yaml.safe_load((self.folder / "config.yaml").read_text())
        out = self.folder / config.get("out_dir", "results")
        made = {str(path): content for path, content in products(out).items() if COMPARED.search(str(path))}
        # A run with nothing to do does not report again.
        complete = out / "run_complete.txt"
        reports = REPORT.findall(done.stderr) or REPORT.findall(complete.read_text() if complete.is_file() else "")
        assert reports, done.stderr[-3000:]
        return done.returncode, reports[-1], made, done.stderr


def add_alternatives(project):
    """Other images, references and kernels, and a mask, that a configuration can ask for."""
    data = project.folder / "data"
    shutil.copytree(data / "ref", data / "other_ref")
    brighten(data / "other_ref/ngc0628_irac4_atgauss4.fits", 0.05)
    shutil.copytree(data / "kernels", data / "other_kernels")
    shutil.copytree(data / "ngc0628", data / "other/ngc0628")
    for band in TREE["bands"]:
        image = project.image("ngc0628", band)
        name = image.name.replace("_align", "_second")
        for other in (image.with_name(name), data / f"ngc0628/{band}/lv4" / image.name):
            other.parent.mkdir(exist_ok=True)
            shutil.copy(image, other)
            brighten(other, 0.1)
    write_mask(project, "ngc0628", data / "masks/ngc0628.fits")
    write_psfs(data / "psfs", TREE["bands"])


def brighten(path, by):
    with fits.open(path, mode="update") as hdus:
        data = hdus[1 if len(hdus) > 1 else 0].data
        data[np.isfinite(data) & (data != 0)] += np.float32(by)


def write_mask(project, target, path):
    """A mask that leaves out a corner of the target's F770W."""
    with fits.open(project.image(target, "F770W")) as hdus:
        mask = np.zeros(hdus["SCI"].shape, dtype=np.uint8)
        mask[: len(mask) // 3, : len(mask) // 3] = 1
        path.parent.mkdir(exist_ok=True)
        fits.PrimaryHDU(mask, WCS(hdus["SCI"].header).to_header()).writeto(path, overwrite=True)


def require_same(again, fresh):
    """What a run again left is what a run from scratch left; anchored images of another plan are named."""
    status, report, made, messages = again
    assert (status, report) == fresh[:2]
    expected = fresh[2]
    differing = [path for path, content in expected.items() if made.get(path) != content]
    assert not differing
    left = [path for path in made if path not in expected and re.search(r"/lv\d/.*\.fits$", path)]
    assert all(path in messages for path in left), left
    assert ("of earlier runs" in messages) == bool(left)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    project = Changing(tmp_path_factory.mktemp("base"), **TREE)
    add_alternatives(project)
    assert project.outcome()[0] == 0
    return project


def test_every_key_of_the_configuration_is_changed():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    assert {key for walk in WALKS.values() for change in walk for key in change} == set(schema["properties"])


@pytest.mark.parametrize("walk", WALKS)
def test_changed_configurations(finished, tmp_path, walk):
    again = finished.copied(tmp_path / "again", results=True)
    fresh = finished.copied(tmp_path / "fresh", results=False)
    config = {}
    for change in WALKS[walk]:
        config |= change
        again.configure(**config)
        outcome = again.outcome()
    fresh.configure(**config)
    require_same(outcome, fresh.outcome())


def test_changed_library(finished, tmp_path):
    """A new copy of the workflow makes nothing again; a changed module makes again what comes from it."""
    project, workflow = finished.copied(tmp_path / "project"), tmp_path / "workflow"
    shutil.copytree(ROOT, workflow, ignore=shutil.ignore_patterns(".*", "tests", "cases", "demo", "benchmarks"))
    snakefile = ("--snakefile", str(workflow / "Snakefile"))
    assert project.planned_jobs(*snakefile) == {}
    with open(workflow / "workflow/scripts/anchoring/measuring/binning.py", "a") as module:
        module.write("# changed\n")
    planned = project.planned_jobs(*snakefile)
    assert planned["measure_pair"] == 3
    assert not planned.keys() & {"convolve_image", "reproject_image"}


# --- inputs: each change in a target of its own, all in one run ------------------------------------------------------


def replace_by_older(path):
    """Another file in its place, with a date long before all results."""
    brighten(path, 0.07)
    os.utime(path, (1e9, 1e9))


def replace_reference(project, target):
    brighten(reference(project, target), 0.07)


def reference(project, target, label="irac4_atgauss4"):
    return project.folder / f"data/ref/{target}_{label}.fits"


def cut(path):
    path.write_bytes(path.read_bytes()[: 2880 * 5])


def noise_map(project, target, value):
    with fits.open(reference(project, target)) as hdus:
        data = np.full(hdus[0].shape, value, dtype=np.float32)
        fits.PrimaryHDU(data, hdus[0].header).writeto(reference(project, target, "irac4_atgauss4_err"), overwrite=True)


def mask_of(project, target):
    return project.folder / f"data/masks/{target}.fits"


def another_band(project, target):
    source = project.image("spare", "F2100W")
    path = project.folder / f"data/{target}/F2100W/lv3/{source.name.replace('spare', target)}"
    path.parent.mkdir(parents=True)
    shutil.copy(source, path)


def no_ref_band(project, target):
    another_band(project, target)
    project.image(target, "F770W").unlink()


def anchored_before(project, target):
    set_cards(project.image(target, "F770W"), "SCI", {"ANCHOFF": 0.1})


INPUTS = {
    "replaced": lambda p, t: brighten(p.image(t, "F770W"), 0.07),
    "older": lambda p, t: replace_by_older(p.image(t, "F770W")),
    "touched": lambda p, t: os.utime(p.image(t, "F770W")),
    "cut": lambda p, t: cut(p.image(t, "F770W")),
    "card": lambda p, t: set_cards(p.image(t, "F770W"), "SCI", {"BUNIT": "DN/s"}),
    "anchoredbefore": anchored_before,
    "empty": lambda p, t: shutil.rmtree(p.folder / f"data/{t}/F770W/lv3") or (p.folder / f"data/{t}/F770W/lv3").mkdir(),
    "gone": lambda p, t: shutil.rmtree(p.folder / f"data/{t}"),
    "band": another_band,
    "noref": no_ref_band,
    "refreplaced": replace_reference,
    "refolder": lambda p, t: replace_by_older(reference(p, t)),
    "refgone": lambda p, t: reference(p, t).unlink(),
    "refcut": lambda p, t: cut(reference(p, t)),
    "refsecond": lambda p, t: shutil.copy(reference(p, "spare", "w3_atgauss15"), reference(p, t, "w3_atgauss15")),
    "noisenew": lambda p, t: noise_map(p, t, 0.02),
    "noiseother": lambda p, t: noise_map(p, t, 0.04),
    "noisegone": lambda p, t: reference(p, t, "irac4_atgauss4_err").unlink(),
    "noisecut": lambda p, t: cut(reference(p, t, "irac4_atgauss4_err")),
    "masknew": lambda p, t: write_mask(p, t, mask_of(p, t)),
    "maskgone": lambda p, t: mask_of(p, t).unlink(),
    "maskcut": lambda p, t: cut(mask_of(p, t)),
    "outputgone": lambda p, t: p.anchored(t, "F770W").unlink(missing_ok=True),
}


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A target for every change of inputs, each with one band and one reference, and a spare one; run once."""
    project = Changing(tmp_path_factory.mktemp("many"), **{**TREE, "targets": ["spare"]})
    for target in INPUTS:
        source = project.image("spare", "F770W")
        path = project.folder / f"data/{target}/F770W/lv3/{source.name.replace('spare', target)}"
        path.parent.mkdir(parents=True)
        shutil.copy(source, path)
        shutil.copy(reference(project, "spare"), reference(project, target))
        if target.startswith("noise") and target != "noisenew":
            noise_map(project, target, 0.02)
        if target.startswith("mask") and target != "masknew":
            write_mask(project, target, mask_of(project, target))
    mask_of(project, "none").parent.mkdir(exist_ok=True)
    project.configure(mask_dir="data/masks", estimator="errors_in_variables")
    status, report, _, messages = project.outcome()
    assert status == 0, messages[-3000:]
    assert report.startswith(f"{len(INPUTS) + 2} of {len(INPUTS) + 2} images")
    return project


def test_changed_inputs(many, tmp_path):
    again = many.copied(tmp_path / "again", results=True)
    before = many.summary()
    for target, change in INPUTS.items():
        change(again, target)
    fresh = again.copied(tmp_path / "fresh", results=False)
    outcome = again.outcome()
    require_same(outcome, fresh.outcome())
    assert outcome[0] == 1
    after = {target: row for (target, band, _), row in again.summary().items() if band == "F770W"}
    for name in ("replaced", "older"):
        moved = float(after[name]["offset"]) - float(
            before[name, "F770W", f"{name}_miri_lv3_f770w_i2d_align.fits"]["offset"]
        )
        assert abs(moved + 0.07) < 1e-4, name
    for name in ("cut", "card", "anchoredbefore", "refgone", "refcut", "noisecut", "maskcut"):
        assert after[name]["status"] in ("failed", "skipped"), name
        assert not list((again.folder / f"results/{name}/F770W/lv3").glob("*_anchor.fits"))
    left = again.folder / "results/gone/F770W/lv3/gone_miri_lv3_f770w_i2d_anchor.fits"
    assert left.is_file()
    assert str(left.relative_to(again.folder)) in outcome[3]
    # And everything as it was.
    shutil.rmtree(again.folder / "data")
    shutil.copytree(many.folder / "data", again.folder / "data")
    fresh = again.copied(tmp_path / "back", results=False)
    require_same(again.outcome(), fresh.outcome())
