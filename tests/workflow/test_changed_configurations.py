"""Whatever changes, the same command again leaves what a run from scratch leaves.

Compared are the anchored images, the tables, the page, the exit status and the report on the images. What an earlier
run left of images that are not in the present one is named as left over.
"""

import shutil

import pytest
import yaml
from changing import TREE, Changing, brighten, require_same, write_mask
from runs import ROOT

from simulation.trees import write_psfs

TABLE = "data/galaxies.csv"
# A reference that is made of another, which has its resolution already.
MADE = {"from": "data/ref/{target}_irac4_atgauss4.fits", "band": "irac4", "psf": "gauss4", "sky": "none"}

# Changes of the configuration one after the other, compared with a run from scratch after the last. In every walk what
# is changed first concerns the earliest rules, so that no later change reruns what an earlier one should have; keys
# that are changed together reach one rule in one way, or rules of which none needs what the other makes.
WALKS = {
    "images": [
        {
            "in_dir": "data/other",
            "in_step_ext": "i2d_second",
            "out_step_ext": "i2d_zeroed",
            "ref_dir": "data/other_ref",
            "kernel_dir": "data/other_k",
        },
        {"internal_conv_band": "gauss15", "keep_intermediates": False, "reproject_func": "adaptive"},
        {
            "erode_fwhm": 0.5,
            "clip": "mad",
            "bin_weights": "count",
            "range_on": "anchored",
            "simplify_labels": False,
            "hashes": True,
        },
    ],
    "ranges and networks": [
        {
            "in_subdir": "lv4",
            "out_subdir": "between",
            "galaxy_table": TABLE,
            "percentile_range": [10, 70],
            "mask_dir": "data/masks",
        },
        {"range_from": "comparison", "reff_factor": 1.5, "nbins": 12},
        {
            "estimator": "errors_in_variables",
            "reference_noise": {"irac4": 0.05},
            "colour_drift": {"irac4": [0.05, 0.01]},
            "network": True,
        },
        {
            "reference_zero_err": {"irac4": 0.02},
            "gradient": "nuisance",
            "prefer": "smallest_error",
            "solution": "adjustment",
        },
    ],
    "kernels and references": [
        {
            "kernel_dir": None,
            "psf_dir": "data/psfs",
            "psf": "files",
            "out_dir": "elsewhere",
            "external_bands": {"miri": ["irac4_atgauss4"]},
        },
        {
            "circularise": True,
            "convolved_errors": "all",
            "ref_band": {"miri": "F2100W"},
            "external_bands": {"miri": ["irac3_atgauss4", "irac4_atgauss4"]},
            "references": {"irac3_atgauss4": MADE},
            "fetch": {"tries": 2},
            "release": {"id": "tests"},
        },
    ],
    "nothing in the range": [
        {"instruments": {"miri": {"ref_band": None}}, "preload": False},
        {"instruments": {"miri": {"ref_band": "F770W"}}, "preload": True, "intensity_range": {"irac4": [200, 300]}},
        {"allow_unanchored": True, "targets": ["ngc0628"], "bands": ["F770W"]},
    ],
}


def add_alternatives(project):
    """Other images, references and kernels, and a mask, that a configuration can ask for."""
    data = project.folder / "data"
    shutil.copytree(data / "ref", data / "other_ref")
    brighten(data / "other_ref/ngc0628_irac4_atgauss4.fits", 0.05)
    shutil.copytree(data / "kernels", data / "other_k")
    for band in TREE["bands"]:
        image = project.image("ngc0628", band)
        name = image.name.replace("_align", "_second")
        for other in (image.with_name(name), data / f"ngc0628/{band}/lv4" / image.name):
            other.parent.mkdir(exist_ok=True)
            shutil.copy(image, other)
            brighten(other, 0.1)
    shutil.copytree(data / "ngc0628", data / "other/ngc0628")
    write_mask(project, "ngc0628", data / "masks/ngc0628.fits")
    write_psfs(data / "psfs", TREE["bands"])


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
