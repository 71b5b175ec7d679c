"""What all tests share."""

import os

# Before numpy is imported: its threads would only wait for those of the other workers.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import numpy as np
import pytest

# The same examples every time, as many as a slow machine has the time for.
hypothesis.settings.register_profile("fixed", derandomize=True, database=None, max_examples=20, deadline=None)
hypothesis.settings.load_profile("fixed")


@pytest.fixture
def rng():
    return np.random.default_rng(20250101)
