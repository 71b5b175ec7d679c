"""Comparing what runs leave when something changed between them."""

import re

import numpy as np
import yaml
from astropy.io import fits
from astropy.wcs import WCS
from runs import Project, products

from simulation.skies import IDEAL

TREE = {"targets": ["ngc0628"], "bands": ("F770W", "F2100W"), "references": ("irac4_atgauss4", "w3_atgauss15"),
        "field": (90.0, 80.0), "coarsen": 6.0, "sky": IDEAL}  # fmt: skip
COMPARED = re.compile(
    r"_i2d_\w+\.fits$|_anchor_tab\.\w+$|_summary\.\w+$|index\.html$|_offsets\.json$|_network(_\w+)?\.\w+$"
)
REPORT = re.compile(r"^\d+ of \d+ images anchored\.\n(?:Not anchored:\n(?:  .*\n)*)?", re.MULTILINE)


class Changing(Project):
    """A project whose runs are compared, but for their figures."""

    def __init__(self, folder, **options):
        super().__init__(folder, figures=False, **options)

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
