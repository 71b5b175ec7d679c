"""Whatever changes in the inputs, the same command again leaves what a run from scratch leaves.

Each change is in a target of its own, and all are in one run.
"""

import os
import shutil

import numpy as np
import pytest
from astropy.io import fits
from changing import TREE, Changing, brighten, require_same, write_mask
from runs import set_cards


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
    project.first = status, report, _, messages = project.outcome()
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
    require_same(again.outcome(), many.first)
