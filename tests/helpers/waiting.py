"""Waiting for something to happen, without a guess of how long it takes."""

import time


def wait_for(condition, seconds=60):
    """Until `condition()` is true; an AssertionError if that takes too long."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)
