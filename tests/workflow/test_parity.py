"""The default arithmetic gives the published step's numbers: pjpipe 1.3.0's on the trees of `make demo`.

`benchmarks/peer.py` runs pjpipe itself; what it gave is kept in pjpipe_demo.json.
"""

import json
from pathlib import Path

import pytest
from simulate import TARGETS, simulate_tree

import convolve_image
import measure_pair
import reproject_image
from anchoring.fitting.settings import Settings
from anchoring.measuring.measurement import read_measurement
from anchoring.planning.plan import make_plan
from anchoring.solving.fits import fit_record

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
    for pair in plan.possible_pairs(target):
        fit = fitted(tmp_path, pair)
        expected = published.pop((pair.stem, Path(pair.image.path).stem))
        assert abs(fit.slope - expected["slope"]) < TOLERANCE
        assert abs(fit.intercept - expected["intercept"]) < TOLERANCE
    assert not published


def fitted(folder, pair):
    """The fit of a pair, through the scripts of its rules."""
    image = convolved(folder, pair.image, pair.resolution)
    reference = pair.reference_path or convolved(folder, pair.reference_image, pair.resolution)
    reprojected, bins, pixels = (folder / f"pair{ending}" for ending in (".fits", ".json", ".npz"))
    reproject_image.main(image, reference, reprojected, "interp")
    measure_pair.main(reprojected, reference, bins, pixels, folder / "view.npz", pair.label, None)
    known = {name: getattr(pair, name) for name in ("reference", "label", "kind", "resolution", "problem")}
    measured = read_measurement(bins, pixels)
    return fit_record({**known, "ref_filter": pair.stem}, measured, Settings(), pair.image.band)


def convolved(folder, image, resolution):
    if image.band.lower() == resolution:
        return image.path
    path = folder / f"{image.name}_to_{resolution}.fits"
    if not path.exists():
        kernel = folder / "kernels" / f"{image.band.lower()}_to_{resolution}.fits"
        convolve_image.main(image.path, kernel, path, threads=1)
    return path
