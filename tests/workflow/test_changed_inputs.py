"""Whatever changes in the inputs, the same command again leaves what a run from scratch leaves.

Each change is in a target of its own, and all are in one run.
"""

import os
import shutil

import numpy as np
import pytest
from astropy.io import fits
from changing import TREE, Changing, brighten, require_same, write_mask


def replace_by_older(path):
    """Another file in its place, with a date long before all results."""
    brighten(path, 0.07)
    os.utime(path, (1e9, 1e9))


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


def restored(which):
    """The file of the spare target in place of the target's own."""
    return lambda p, t: shutil.copy(which(p, "spare"), which(p, t))


def image(project, target):
    return project.image(target, "F770W")


def error_of(project, target):
    return reference(project, target, "irac4_atgauss4_err")


# What is so at first, of targets that come to be right or change further.
BEFORE = {
    "mended": lambda p, t: cut(image(p, t)),
    "refnew": lambda p, t: reference(p, t).unlink(),
    "noiseother": lambda p, t: noise_map(p, t, 0.02),
    "noisegone": lambda p, t: noise_map(p, t, 0.02),
    "maskgone": lambda p, t: write_mask(p, t, mask_of(p, t)),
    "maskcut": lambda p, t: write_mask(p, t, mask_of(p, t)),
}
INPUTS = {
    "older": lambda p, t: replace_by_older(image(p, t)),
    "cut": lambda p, t: cut(image(p, t)),
    "mended": restored(image),
    "gone": lambda p, t: shutil.rmtree(p.folder / f"data/{t}"),
    "band": another_band,
    "noref": no_ref_band,
    "refolder": lambda p, t: replace_by_older(reference(p, t)),
    "refgone": lambda p, t: reference(p, t).unlink(),
    "refnew": restored(reference),
    "refsecond": lambda p, t: shutil.copy(reference(p, "spare", "w3_atgauss15"), reference(p, t, "w3_atgauss15")),
    "noisenew": lambda p, t: noise_map(p, t, 0.02),
    "noiseother": lambda p, t: noise_map(p, t, 0.04),
    "noisegone": lambda p, t: error_of(p, t).unlink(),
    "masknew": lambda p, t: write_mask(p, t, mask_of(p, t)),
    "maskgone": lambda p, t: mask_of(p, t).unlink(),
    "maskcut": lambda p, t: cut(mask_of(p, t)),
}
BAD = {"cut", "refgone", "maskcut"}  # no longer anchored
WAS_BAD = {"mended", "refnew"}


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A target for every change of inputs, each with one band and one reference, and a spare one; run once."""
    project = Changing(tmp_path_factory.mktemp("many"), **{**TREE, "targets": ["spare"]})
    mask_of(project, "none").parent.mkdir()
    for target in INPUTS:
        source = image(project, "spare")
        path = project.folder / f"data/{target}/F770W/lv3/{source.name.replace('spare', target)}"
        path.parent.mkdir(parents=True)
        shutil.copy(source, path)
        shutil.copy(reference(project, "spare"), reference(project, target))
        if target in BEFORE:
            BEFORE[target](project, target)
    project.configure(mask_dir="data/masks", estimator="errors_in_variables")
    _, report, _, messages = project.outcome()
    images = len(INPUTS) + 2
    assert report.startswith(f"{images - len(WAS_BAD)} of {images} images"), messages[-3000:]
    return project


def test_changed_inputs(many, tmp_path):
    again = many.copied(tmp_path / "again", results=True)
    before = {target: row for (target, band, _), row in again.summary().items() if band == "F770W"}
    for target, change in INPUTS.items():
        change(again, target)
    fresh = again.copied(tmp_path / "fresh", results=False)
    outcome = again.outcome()
    require_same(outcome, fresh.outcome())
    assert outcome[0] == 1
    after = {target: row for (target, band, _), row in again.summary().items() if band == "F770W"}
    assert abs(float(after["older"]["offset"]) - float(before["older"]["offset"]) + 0.07) < 1e-4
    for name in BAD:
        assert after[name]["status"] in ("failed", "skipped"), name
        assert not list((again.folder / f"results/{name}/F770W/lv3").glob("*_anchor.fits"))
    assert {name for name in after if after[name]["status"] == "anchored"} == after.keys() - BAD - {"noref"}
    assert {name for name in before if before[name]["status"] != "anchored"} == WAS_BAD
    left = again.folder / "results/gone/F770W/lv3/gone_miri_lv3_f770w_i2d_anchor.fits"
    assert left.is_file()
    assert str(left.relative_to(again.folder)) in outcome[3]
