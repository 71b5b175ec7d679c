"""Steps between the tiles of a mosaic are told from colours of the sky."""

import numpy as np
import pytest

from anchoring.fitting.flags import CONTRAST
from anchoring.fitting.systematics import block_contrast
from anchoring.images.coverage import beam_coverage
from anchoring.measuring.samples import sample_pair
from simulation import scenes
from simulation.fields import convolved, correlated_noise

LIMITS = (0.25, 2.0)
W3 = scenes.REFERENCES[1]


def tiles(shape, across, angle, levels):
    """Squares of the given levels, in turn, so many across a field, rotated by an angle (radians)."""
    v, u = np.indices(shape) - np.array(shape).reshape(2, 1, 1) / 2
    side = max(shape) / across
    cosine, sine = np.cos(angle), np.sin(angle)
    row, column = ((w // side + 50).astype(int) for w in (cosine * v - sine * u, cosine * u + sine * v))
    return np.array(levels, dtype=float).reshape(2, -1)[row % 2, column % (len(levels) // 2)]


TILES = {"checkerboard": (2, [0.3, 0, 0, 0.3]), "smaller": (3, [0.3, 0, 0, 0.3]), "uneven": (2, [0.35, 0, -0.1, 0.2])}


@pytest.mark.parametrize("case", TILES)
def test_steps_between_tiles_are_found_at_usual_noise(case):
    found = []
    for seed in range(10):
        sky = scenes.external_pair(seed, scenes.REFERENCES[0], colours=0.25)
        across, levels = TILES[case]
        steps = tiles(sky.y.shape, across, np.pi / 20 * seed, levels)
        sky = sky._replace(y=sky.y + convolved(steps, sky.beam))
        found.append(block_contrast(*residuals(sky)) > CONTRAST)
    assert np.mean(found) >= 0.8


@pytest.mark.parametrize("scene", ["disk", "textured", "regions"])
def test_colours_of_a_sky_and_a_curved_relation_are_no_steps(scene):
    found = []
    for seed in range(8):
        for reference in (scenes.REFERENCES[0], W3):
            sky = scenes.external_pair(seed, reference, scene=scene, colours=1.0)
            found.append(block_contrast(*residuals(sky._replace(y=sky.y + 0.1 * sky.x**2))))
    assert np.mean(np.array(found) > CONTRAST) <= 0.1


def residuals(sky):
    """Residuals of the samples in the range about a least-squares line, their x and place, and the beam."""
    inside = np.isfinite(sky.x) & np.isfinite(sky.y)
    samples = sample_pair(sky.x, sky.y, inside, beam_coverage(inside, sky.beam), beam=sky.beam)
    chosen = (samples.x >= LIMITS[0]) & (samples.x < LIMITS[1])
    x, y, row, column = (values[chosen] for values in samples[:4])
    return y - np.polyval(np.polyfit(x, y, 1), x), x, row, column, samples.beam


def test_noise_alone_and_an_exact_line_have_no_contrast(rng):
    row, column = np.indices((80, 90)).reshape(2, -1)
    x = rng.uniform(0.3, 2, row.size)
    noise = correlated_noise(rng, (80, 90), 3.0, 0.1).ravel()
    assert block_contrast(noise, x, row, column, 3.0) < 1
    assert block_contrast(0 * x, x, row, column, 3.0) == 0
    assert block_contrast(1e-15 * noise, x, row, column, 3.0) < 1e-6
    # Steps without any noise, and too small a field to tell.
    steps = tiles((80, 90), 2, 0.0, [0.3, 0, 0, 0.3]).ravel()
    assert block_contrast(steps, x, row, column, 3.0) > 10
    assert block_contrast(steps, x, row, column, 40.0) == 0
