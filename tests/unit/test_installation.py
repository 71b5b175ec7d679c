"""The library is installed and used without Snakemake."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from runs import ROOT

import anchoring

# In a Python that has the installed library and no Snakemake: all modules, then a pair with an offset of 0.3 MJy/sr.
USE = """\
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
sys.modules["snakemake"] = None
import numpy as np
import anchoring
for module in pkgutil.walk_packages(anchoring.__path__, "anchoring."):
    importlib.import_module(module.name)
from anchoring.fitting.binned import fit_line
from anchoring.images.convolution import convolve_image
from anchoring.measuring.binning import bin_medians, fixed_range, fixed_width_edges
y, x = np.indices((120, 130)) - 60.0
reference = 3 - (x**2 + y**2) / 1500  # as many pixels at any brightness, so that medians are at the middle of bins
kernel = np.exp(-(x**2 + y**2) / 8)[40:81, 40:81]
image, _ = convolve_image(reference - 0.3, kernel)
expected, _ = convolve_image(reference, kernel)
bins = bin_medians(expected, image, fixed_width_edges(*fixed_range("irac4_atgauss4")))
line = fit_line(bins.x, bins.median)
print(json.dumps([anchoring.__file__, line.slope, -line.intercept]))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the library and nothing else: a wheel is built and installed, without a network."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    shutil.copytree(ROOT / "workflow/scripts", source / "workflow/scripts")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", folder / "library", source]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "library"


def test_what_is_installed_is_the_library_and_its_version(installed):
    (about,) = installed.glob("jwst_anchoring-*.dist-info")
    assert about.name == f"jwst_anchoring-{anchoring.__version__}.dist-info"
    assert {path.name for path in installed.iterdir()} == {"anchoring", about.name}
    source = ROOT / "workflow/scripts/anchoring"
    files = {path.relative_to(source) for path in source.rglob("*") if "__pycache__" not in path.parts}
    assert files <= {path.relative_to(installed / "anchoring") for path in (installed / "anchoring").rglob("*")}


def test_the_installed_library_recovers_an_offset_without_snakemake(installed):
    command = [sys.executable, "-I", "-W", "error", "-c", USE, installed]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "MPLBACKEND": "agg"})
    assert done.returncode == 0, done.stderr
    path, slope, offset = json.loads(done.stdout)
    assert path.startswith(str(installed))
    assert abs(slope - 1) < 1e-3
    assert abs(offset - 0.3) < 1e-3
