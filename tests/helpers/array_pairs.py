"""Fitting pairs of arrays in tests, as the workflow fits those of images."""

import numpy as np

from anchoring.fitting.pairs import Settings, fit_samples
from anchoring.images.coverage import beam_coverage
from anchoring.measuring.binning import bin_medians, fixed_width_edges
from anchoring.measuring.samples import sample_pair

LIMITS = (0.25, 2.0)
EDGES = fixed_width_edges(*LIMITS)


def fitted(x, y, *, settings=None, limits=LIMITS, beam=4.0, sigma_x=0.001, known=None):
    """Samples of a pair, the keywords that `fit_samples` also needs, and its fit."""
    inside = np.isfinite(x) & np.isfinite(y)
    edges = fixed_width_edges(*limits)
    samples = sample_pair(x, y, inside, beam_coverage(inside, beam), beam=beam)
    given = {"limits": limits, "edges": edges, "sigma_x": sigma_x, "settings": settings or Settings()}
    return samples, given, fit_samples(samples, bin_medians(x[inside], y[inside], edges), known_slopes=known, **given)
