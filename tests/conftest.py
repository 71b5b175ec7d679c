"""What all tests share."""

import gc

import hypothesis
import numpy as np
import pytest

# The same examples every time, as many as a slow machine has the time for.
hypothesis.settings.register_profile("fixed", derandomize=True, database=None, max_examples=30, deadline=None)
hypothesis.settings.load_profile("fixed")


import anchoring.script  # noqa: E402, F401

gc.enable()  # which the import of a job's script turns off


@pytest.fixture
def rng():
    return np.random.default_rng(20250101)
