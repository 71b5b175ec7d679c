"""The library, the plan and the simulator, importable as the workflow imports them."""

import gc
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("workflow/scripts", "workflow/rules", "config", "demo", "tests", "benchmarks/accuracy")
sys.path[:0] = [str(ROOT / folder) for folder in FOLDERS]

# The same examples every time, as many as a slow machine has the time for.
hypothesis.settings.register_profile("fixed", derandomize=True, database=None, max_examples=30, deadline=None)
hypothesis.settings.load_profile("fixed")


import anchoring.stage  # noqa: E402, F401

gc.enable()  # which the import of a job's script turns off


@pytest.fixture
def rng():
    return np.random.default_rng(20250101)
