"""A pair of arrays is measured as it should be, or refused in words; what is written of it is read again."""

from dataclasses import fields

import numpy as np
import pytest
from numpy.testing import assert_equal

from anchoring.errors import AnchoringError
from anchoring.measuring.binning import GalaxyRange
from anchoring.measuring.measure import measure_pair, refused
from anchoring.measuring.measurement import read_measurement, write_measurement
from anchoring.measuring.noise import Noise

RANGE = (0.25, 2.0)


@pytest.fixture
def pair(rng):
    """A disk and its image, of slope 1.2 and intercept 0.1."""
    v, u = np.indices((60, 70)) - 30
    x = 3 * np.exp(-np.hypot(v, u) / 12) + 0.01 * rng.normal(size=v.shape)
    return x, 1.2 * x + 0.1


def test_bins_and_samples_hold_the_line_of_the_pair(pair):
    measured = measure_pair(*pair, beam=3.0, intensity_range=RANGE)
    filled = measured.bins.count > 0
    np.testing.assert_allclose(measured.bins.median[filled], 1.2 * measured.bins.x[filled] + 0.1, atol=0.06)
    np.testing.assert_allclose(measured.samples.y, 1.2 * measured.samples.x + 0.1)
    assert measured.n_pixels == np.count_nonzero((pair[0] >= 0.25) & (pair[0] < measured.edges[-1]))
    assert measured.noise.source in ("sky", "faint")


def test_a_range_is_above_the_zero_of_the_reference(pair):
    x, y = pair
    here, there = (
        measure_pair(x, y, beam=3.0, intensity_range=RANGE),
        measure_pair(x - 0.5, y, beam=3.0, intensity_range=RANGE, zero=-0.5),
    )
    assert there.limits == (-0.25, 1.5)
    assert_equal(there.bins.count, here.bins.count)


def test_masked_pixels_and_those_near_edges_are_in_no_bin(pair):
    x, y = pair
    y[:, :8] += 50
    mask = np.zeros(x.shape, dtype=bool)
    mask[:, :8] = True
    measured = measure_pair(x, y, beam=3.0, intensity_range=RANGE, mask=mask)
    assert np.nanmax(measured.bins.p84) < 5
    assert measured.samples.column.min() == 8
    eroded = measure_pair(x, y, beam=3.0, intensity_range=RANGE, least_coverage=0.95)
    assert eroded.n_pixels < measure_pair(x, y, beam=3.0, intensity_range=RANGE).n_pixels


@pytest.mark.parametrize("of", ["reference", "comparison"])
def test_a_range_inside_the_galaxy_is_one_of_percentiles(pair, of):
    x, y = pair
    radius = np.hypot(*(np.indices(x.shape) - 30))
    measured = measure_pair(x, y, beam=3.0, intensity_range=GalaxyRange(radius, 20.0, (15, 60), of, 12))
    values = x if of == "reference" else y
    assert_equal(measured.limits, np.percentile(values[radius <= 20], (15, 60)))
    assert (len(measured.edges) == 13) == (of == "reference")


def test_pairs_that_cannot_be_measured_say_why(pair):
    x, y = pair
    given = {"intensity_range": RANGE, "names": "A and B"}
    with pytest.raises(AnchoringError, match="A and B have no observed pixel in common"):
        measure_pair(x, np.full_like(y, np.nan), beam=3.0, **given)
    with pytest.raises(AnchoringError, match="4200 pixels in common, less than the 7252 of one beam"):
        measure_pair(x, y, beam=80.0, **given)
    with pytest.raises(AnchoringError, match="all pixels that A and B have in common are masked"):
        measure_pair(x, y, beam=3.0, mask=np.ones(x.shape, dtype=bool), **given)


def test_what_is_written_of_a_pair_is_read(pair, tmp_path):
    files = tmp_path / "bins.json", tmp_path / "pixels.npz"
    for measured in (
        measure_pair(*pair, beam=3.0, intensity_range=RANGE, stated=Noise(0.01, "config"), zero=None),
        refused("no overlap", *pair),
    ):
        write_measurement(measured, *files)
        found = read_measurement(*files)
        for field in fields(measured):
            assert_equal(getattr(found, field.name), getattr(measured, field.name), err_msg=field.name)
        assert found.n_pixels == measured.n_pixels
