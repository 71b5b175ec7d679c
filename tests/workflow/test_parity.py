"""The default arithmetic gives the published step's numbers: pjpipe 1.3.0's on the trees of `make demo`.

`benchmarks/peer.py` runs pjpipe itself; what it gave is kept in pjpipe_demo.json.
"""

import functools
import json
from pathlib import Path

import pytest
from steps import convolve, fit_pair

from anchoring.planning.plan import make_plan
from simulation.trees import TARGETS, simulate_tree

PUBLISHED = json.loads((Path(__file__).parent / "pjpipe_demo.json").read_text())["fits"]
TOLERANCE = 1e-5  # slope; MJy/sr of intercept
CONFIG = {
    "out_dir": "out",
    "in_step_ext": "i2d_align",
    "out_step_ext": "i2d_anchor",
    "in_subdir": "lv3",
    "internal_conv_band": "F2100W",
    "instruments": {
        "nircam": {
            "ref_band": "F300M",
            "external_bands": ["irac1_atgauss4", "w1_atgauss7p5", "irac2_atgauss4", "w2_atgauss7p5"],
        },
        "miri": {"ref_band": "F770W", "external_bands": ["irac4_atgauss4", "w3_atgauss15"]},
    },
}


@pytest.mark.parametrize("target", TARGETS)
def test_every_fit_of_the_demo_equals_the_published_one(tmp_path, target):
    simulate_tree(tmp_path, targets=[target])
    folders = {"in_dir": tmp_path, "ref_dir": tmp_path / "ref", "kernel_dir": tmp_path / "kernels"}
    plan = make_plan({**CONFIG, **{key: str(folder) for key, folder in folders.items()}})
    published = {(fit["ref_filter"], fit["compar_filename"]): fit for fit in PUBLISHED[target]}
    assert len(published) == 12
    for pair in plan.possible_pairs():
        image = at_resolution(tmp_path, pair.image, pair.resolution)
        internal = pair.reference_image
        reference = at_resolution(tmp_path, internal, pair.resolution) if internal else pair.path
        fit = fit_pair(image, reference, pair.label, pair.image.band, tmp_path)
        expected = published.pop((pair.described()["ref_filter"], Path(pair.image.path).stem))
        assert abs(fit.slope - expected["slope"]) < TOLERANCE
        assert abs(fit.intercept - expected["intercept"]) < TOLERANCE
    assert not published


@functools.cache  # one reference image serves several pairs
def at_resolution(folder, image, resolution):
    """The path of an image of the plan at a resolution: its own file, or a convolved one."""
    if image.band.lower() == resolution:
        return image.path
    return convolve(image.path, folder / f"kernels/{image.band.lower()}_to_{resolution}.fits", folder)
