"""The library, the plan and the simulator, importable as the workflow imports them."""

import gc
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("workflow/scripts", "workflow/rules", "config", "demo", "tests", "benchmarks/accuracy")
sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]


import anchoring.stage  # noqa: E402, F401

gc.enable()  # which the import of a job's script turns off


@pytest.fixture
def rng():
    return np.random.default_rng(20250101)
