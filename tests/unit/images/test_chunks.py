"""Chunks of an image hold all of its pixels, and what is taken from them is that of the image."""

import numpy as np
from numpy.testing import assert_allclose

from anchoring.images import chunks as chunks_module
from anchoring.images.chunks import chunks, subsample, value_range


def test_chunks_are_the_pixels_inside_in_order_and_native(rng, monkeypatch):
    monkeypatch.setattr(chunks_module, "CHUNK", 100)
    x, y = rng.normal(size=(2, 30, 41)).astype(np.float32)
    inside = rng.random(x.shape) > 0.4
    found = list(chunks(inside, x.astype(">f4"), y))
    assert all(a.dtype == b.dtype == np.dtype(np.float32) for a, b in found)
    for image, parts in zip((x, y), zip(*found, strict=True), strict=True):
        assert np.array_equal(np.concatenate(parts), image[inside])
    assert value_range(x, inside) == [x[inside].min(), x[inside].max()]


def test_a_subsample_has_its_distribution(rng):
    image, inside = rng.normal(size=(300, 401)), np.zeros((300, 401), dtype=bool)
    inside[100:] = True
    assert np.array_equal(subsample(image, inside), image[inside])
    some = subsample(image, inside, 10_000)
    assert 9_000 < some.size < 13_000
    assert_allclose(np.percentile(some, (16, 50, 84)), (-0.994, 0, 0.994), atol=0.05)
    stripes = np.zeros((300, 400), dtype=bool)
    stripes[:, 1::2] = True
    assert subsample(np.ones(stripes.shape), stripes, 7_500).size == 7_500
