"""A gradient across a mosaic as a nuisance of its fit: y = slope * x + intercept + p . (east, north).

Positions are from the mean place of the samples, so that the intercept is that of the middle of the overlap. The plane
p is fitted with the line to the samples of `errors_in_variables`, by their place t along the relation and weights w:

    sum w (y - m x - b - p . u) (1, t, u) = 0,    u = (east, north)

and taken off y, from which the line and the plane are fitted again. It is uncertain, most of all where a galaxy fills
the field: it is never taken off an image, but its error is part of those of the line.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..measuring.binning import bin_medians
from . import jackknife
from .errors_in_variables import errors_in_variables

PASSES, CONVERGED = 12, 3e-4  # of the plane; changes per arcmin, in units of the scatter about the relation
ARCMIN = 60.0  # arcsec


class Plane(NamedTuple):
    """slope : (2,) array, MJy/sr per arcmin to the east and to the north; replicates : (2, blocks) array."""

    slope: np.ndarray
    replicates: np.ndarray

    def covariance(self, within):
        """Of the slope, as it is stated."""
        return jackknife.stated_covariance(*self.replicates, within=within)

    def significance(self, within):
        """Chi-squared, 2 degrees of freedom; 0 if its error is not known."""
        covariance = self.covariance(within)
        if not np.isfinite(covariance).all() or not np.linalg.det(covariance) > 0:
            return 0.0
        return float(self.slope @ np.linalg.solve(covariance, self.slope))


def positions(measurement):
    """East and north of the samples from their mean place, (2, n) array, arcmin (or 60 pixels, without a WCS)."""
    return measurement.places / ARCMIN


def fit_plane(measurement, settings, blocks, sigma_x):
    """The Plane of a measured pair; AnchoringError as `errors_in_variables`."""
    x, y, mask = measurement.samples.covered(settings.least_coverage("errors_in_variables"))
    place, block = positions(measurement)[:, mask], blocks.index[mask]
    plane = np.zeros(2)
    for _ in range(PASSES):
        relation = errors_in_variables(x, y - plane @ place, limits=measurement.limits, sigma_x=sigma_x)
        matrices, values = _sums(relation, x, y, place, block, blocks.number)
        before, plane = plane, _solved(matrices.sum(axis=0), values.sum(axis=0))
        if np.abs(plane - before).max() < CONVERGED * relation.scatter:
            break
    replicates = _solved(matrices.sum(axis=0) - matrices, values.sum(axis=0) - values)
    return Plane(plane, replicates.T)


def without_plane(measurement, plane):
    """A measurement whose image has no such plane; its bins are those of its samples."""
    samples = measurement.samples
    y = samples.y - plane.slope @ positions(measurement)
    return replace(measurement, samples=samples._replace(y=y), bins=bin_medians(samples.x, y, measurement.edges))


def _sums(relation, x, y, place, block, n_blocks):
    """Matrix (4, 4) and vector (4,) of the normal equations of each block."""
    used = relation.used
    one = np.ones(np.count_nonzero(used))
    instruments = np.stack([one, relation.x_true, *place[:, used]]) * relation.weight
    columns = np.stack([one, x[used], *place[:, used], y[used]])
    sums = np.zeros((n_blocks, 4, 5))
    for i, instrument in enumerate(instruments):
        for j, column in enumerate(columns):
            sums[:, i, j] = np.bincount(block[used], weights=instrument * column, minlength=n_blocks)
    return sums[:, :, :4], sums[:, :, 4]


def _solved(matrices, values):
    """The plane of each of some normal equations; NaN where it has none."""
    try:
        return np.linalg.solve(matrices, values[..., None])[..., 2:, 0]
    except np.linalg.LinAlgError:
        return np.full((*values.shape[:-1], 2), np.nan)
