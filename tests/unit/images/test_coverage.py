"""What is left out next to edges and holes, and what a sample is."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.ndimage import gaussian_filter

from anchoring.errors import AnchoringError
from anchoring.images import coverage
from anchoring.images.coverage import (
    SIGMA_PER_FWHM,
    beam_coverage,
    least_coverage,
    masked_pixels,
)
from anchoring.measuring.samples import ENOUGH, sample_pair, sample_side


@pytest.mark.parametrize("erode", [0.3, 0.7, 1.0])
def test_a_straight_edge_is_eroded_by_so_many_fwhm(erode):
    inside = np.zeros((60, 200), dtype=bool)
    inside[:, 50:] = True
    beam = 20.0
    kept = beam_coverage(inside, beam)[30] >= least_coverage(erode)
    assert_allclose(np.flatnonzero(kept)[0] - 49.5, erode * beam, atol=1.0)


def test_the_edge_of_the_array_is_an_edge():
    kept = beam_coverage(np.ones((100, 100), dtype=bool), 10.0) >= least_coverage(0.7)
    assert not kept[50, :6].any()
    assert kept[50, 8:-8].all()


def test_a_lone_missing_pixel_takes_nothing_but_a_hole_of_a_beam_does():
    inside = np.ones((101, 101), dtype=bool)
    inside[50, 50] = False
    kept = (beam_coverage(inside, 10.0) >= least_coverage(0.7))[20:-20, 20:-20]
    assert kept.all()
    y, x = np.indices(inside.shape) - 50
    inside = np.hypot(x, y) > 10
    kept = beam_coverage(inside, 10.0) >= least_coverage(0.7)
    assert not kept[50, 50:65].any()
    assert kept[50, 70]


@pytest.mark.parametrize("beam", [0.4, 1.0, 7.3, 60.0, 500.0])
def test_coverage_is_the_mask_seen_through_a_gaussian_whatever_its_width(rng, beam):
    inside = rng.random((70, 41)) > 0.2
    inside[:, :9] = False
    expected = gaussian_filter(inside.astype(float), beam * SIGMA_PER_FWHM, mode="constant", truncate=4)
    assert_allclose(beam_coverage(inside, beam), expected, atol=2e-6)


@pytest.mark.parametrize("beam", [0.4, 3.0, 7.3])
@pytest.mark.parametrize("band", [1, 16, 35, 69, 70])
def test_coverage_does_not_depend_on_how_many_rows_are_convolved_at_a_time(rng, monkeypatch, band, beam):
    inside = rng.random((70, 41)) > 0.2
    expected = beam_coverage(inside, beam)
    monkeypatch.setattr(coverage, "BAND", band)
    assert_allclose(beam_coverage(inside, beam), expected, atol=1e-6)


def test_nothing_is_eroded_by_nothing():
    assert least_coverage(0) == 0
    assert_allclose(least_coverage(0.7), 0.950, atol=0.001)


def test_mask_leaves_out_ones_and_keeps_what_it_does_not_know():
    assert masked_pixels(np.array([0.0, 1.0, np.nan])).tolist() == [False, True, False]
    with pytest.raises(AnchoringError, match="1 = masked"):
        masked_pixels(np.array([0.0, 3.0]))


def test_samples_of_a_small_field_are_its_pixels(rng):
    x, y = rng.normal(size=(2, 30, 40))
    inside = rng.random((30, 40)) > 0.2
    samples = sample_pair(x, y, inside, np.ones(x.shape), beam=6.0)
    assert samples.side == 1
    assert np.array_equal(samples.x, x[inside])
    assert np.array_equal(samples.y, y[inside])
    assert np.array_equal(samples.x, x[samples.row, samples.column])


def test_samples_of_a_large_field_are_averages_within_a_beam(rng):
    shape = (801, 600)
    x = rng.normal(size=shape)
    inside = np.ones(shape, dtype=bool)
    inside[0, 0] = False
    samples = sample_pair(x, 2 * x, inside, np.ones(shape), beam=8.0)
    assert samples.side == sample_side(inside.sum(), 8.0) == 5
    assert (samples.row[0], samples.column[0]) == (0, 1)
    assert_allclose(samples.x[0], x[:5, 5:10].mean())
    assert_allclose(samples.y, 2 * samples.x)
    assert samples.x.size == 160 * 120 - 1
    assert samples.beam == 8 / 5


def test_samples_are_never_wider_than_their_beam():
    assert sample_side(100 * ENOUGH, 4.0) == 3
    assert sample_side(100 * ENOUGH, 0.0) == 1
