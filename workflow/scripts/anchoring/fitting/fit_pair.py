"""The fit of a pair from what was measured of it: the line, its errors, and its flags."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import AnchoringError
from ..images.coverage import beam_area, least_coverage
from ..measuring.binning import bin_medians
from ..measuring.measurement import Measurement
from ..measuring.noise import RELATIVE_ERROR
from . import flags, jackknife, planes, power_law, systematics
from .binned import bin_weights, fit_line, line_of_bins
from .drift import GENERAL, Drift
from .errors_in_variables import Relation, errors_in_variables, moments, moments_line, require_rise
from .settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFITS = 4  # passes of a fit without one block, from the line of all: enough for 3 % of its error


class Fit(NamedTuple):
    """A line, its statistical and systematic covariance, and how it came about.

    Attributes
    ----------
    slope, intercept, rms : float
        rms of the residuals of bins or, for errors_in_variables, 1.4826 MAD of those of samples; MJy/sr.
    statistical, systematic : (2, 2) arrays
        Covariances of (slope, intercept).
    used : (bins,) bool array
        Bins of the line, or with samples in it.
    n_independent : float
        Beam areas, pi / (4 ln 2) FWHM^2, covered by the samples in the range.
    flags : tuple of str
    exponent : Exponent
        d of the colour, after the fit.
    drift_offset : float
        Part of the offset, -intercept, that corrects for it, MJy/sr; 0 for binned.
    plane : (2,) array or None
        Gradient to the east and to the north, MJy/sr per arcmin, if one was fitted with the line.
    plane_covariance : (2, 2) array or None
    """

    slope: float
    intercept: float
    rms: float
    statistical: NDArray[np.float64]
    systematic: NDArray[np.float64]
    used: NDArray[np.bool_]
    n_independent: float
    flags: tuple[str, ...]
    exponent: power_law.Exponent
    drift_offset: float
    plane: NDArray[np.float64] | None = None
    plane_covariance: NDArray[np.float64] | None = None


def fit_pair(
    measurement: Measurement,
    settings: Settings,
    known_slopes: tuple[float, float] | None = None,
    drift: Drift = GENERAL,
) -> Fit:
    """Fit a pair.

    The systematic covariance is a sum of d d^T over changes d of (slope, intercept):

    - by a colour that drifts with brightness, which is curved too little to be seen but moves the line's zero. With T
      the brightness above the zero of x, y = m T^(1 + d) is 0 at T = 0 and the line through it is not; d is as large
      as is known of the pair (`drift`);
    - PARABOLA times that to the fainter half of the range, if chance hardly explains it: a curve that is seen;
    - to errors_in_variables, for the binned fit, which is how much its medians are off;
    - to a noise of x that differs by its own relative error, for errors_in_variables.

    What chance explains of the latter two changes is removed: d sqrt(1 - 2 / chi^2), chi^2 = d^T C^-1 d with the
    jackknife's covariance C of d, whose mean is 2 by chance.

    Parameters
    ----------
    measurement : Measurement
        A `zero` that is not known is taken below its `limits` by a seventh of their distance, as 0 is below [0.25, 2].
    settings : Settings
    known_slopes : (low, high), optional
    drift : Drift, optional
        Of the colour of this pair, as it is known before the fit.

    Returns
    -------
    Fit

    Raises
    ------
    AnchoringError
        If there is no line.
    """
    samples, limits = measurement.samples, measurement.limits
    blocks = jackknife.blocks_of(samples)
    context, line, replicates, changes = _line_of(measurement, settings, blocks, drift)
    statistical = jackknife.stated_covariance(*replicates, within=blocks.within)
    systematic = sum((np.outer(d, d) for d in changes), np.zeros((2, 2)))
    in_range = np.count_nonzero((samples.x >= limits[0]) & (samples.x < limits[1]))
    independent = in_range / beam_area(samples.beam)
    found = _flags(context, line, np.sqrt(np.diag(statistical)), known_slopes)
    plane = context.plane and (context.plane.slope, context.plane.covariance(blocks.within))
    known = (line.slope, line.intercept, line.rms, statistical, systematic, line.used, independent, found)
    return Fit(*known, line.exponent, line.drift_offset, *(plane or ()))


class Replicated(NamedTuple):
    """A line, its replicates without each block of the sky, and its systematic changes.

    slope, intercept : float
    replicates : (2, blocks) array
        Slope and intercept.
    changes : (k, 2) array
        Changes of (slope, intercept), independent of each other.
    within : float
        `Blocks.within`.
    """

    slope: float
    intercept: float
    replicates: np.ndarray
    changes: np.ndarray
    within: float


def fit_in_blocks(measurement, settings, blocks, drift=GENERAL):
    """The fit of `fit_pair` without each of some given blocks, such as those that several pairs share.

    Parameters
    ----------
    measurement : Measurement
    settings : Settings
    blocks : jackknife.Blocks
        Of its samples.
    drift : Drift, optional
        As of `fit_pair`.

    Returns
    -------
    Replicated

    Raises
    ------
    AnchoringError
        If there is no line, or not without each block: its error is not known then.
    """
    _, line, replicates, changes = _line_of(measurement, settings, blocks, drift)
    replicates = np.array(replicates)
    if replicates.shape[1] < jackknife.LEAST_BLOCKS or not np.isfinite(replicates).all():
        raise AnchoringError(
            f"the error of the line is not known: it has no replicates without each of {blocks.number} blocks of the "
            f"sky; expected at least {jackknife.LEAST_BLOCKS} with data in the range"
        )
    return Replicated(line.slope, line.intercept, replicates, np.array(changes).reshape(-1, 2), blocks.within)


def _line_of(measurement, settings, blocks, drift):
    """The context of a fit, its line, the replicates of that, (2, blocks), and its systematic changes."""
    if not measurement.bins.count.any():
        raise AnchoringError(_nothing_in_range(measurement))
    limits, zero, sigma_x = measurement.limits, measurement.zero, noise_of(measurement)
    zero = limits[0] - (limits[1] - limits[0]) / 7 if zero is None else zero
    weights, plane = jackknife.without_one(blocks.number), None
    if settings.gradient == "nuisance":
        plane = planes.fit_plane(measurement, settings, blocks, sigma_x)
        measurement = planes.without_plane(measurement, plane)
    context = _Context(measurement, settings, drift, sigma_x, zero, blocks, weights, plane)
    line, replicates, changes = (_binned if settings.estimator == "binned" else _errors_in_variables)(context)
    require_rise(line.slope, limits)
    if plane is not None:
        # Lines are linear in y: without a block the plane is another, and what it takes off y is.
        moved = plane.replicates - plane.slope[:, None]
        replicates = np.array(replicates) - np.array(_lines_of_positions(context, line)).T @ moved
    return context, line, replicates, changes


def _lines_of_positions(context, line):
    """Slope and intercept, (2,) arrays, of the lines through east and north in place of y."""
    measurement = context.measurement
    place = planes.positions(measurement)
    if context.settings.estimator == "binned":
        bins = [bin_medians(measurement.samples.x, values, measurement.edges) for values in place]
        weights = bin_weights(measurement.bins, context.settings)
        there = line.used & np.isfinite(bins[0].median)
        lines = (fit_line(b.x[there], b.median[there], weights=weights[there], passes=1) for b in bins)
        return [np.array(found[:2]) for found in lines]
    x, _, mask = measurement.samples.covered(context.settings.least_coverage())
    used = line.relation.used
    t, weight = line.relation.x_true, line.relation.weight
    return [np.array(moments_line(moments(t, x[used], v[mask][used], weight).sum(axis=1))) for v in place]


def noise_of(measurement):
    """Noise of a sample's x that a fit takes, MJy/sr: 0 where it is not known."""
    sigma = measurement.noise.sigma
    return sigma if math.isfinite(sigma) else 0.0


def _nothing_in_range(measurement):
    (low, high), (lowest, highest) = measurement.limits, measurement.span
    return (
        f"no pixels of the reference in [{low:.4g}, {high:.4g}] MJy/sr: in the overlap its values lie between "
        f"{lowest:.4g} and {highest:.4g}; expected some in the range: set intensity_range or range_on, or give a "
        "galaxy_table"
    )


def as_record(fit):
    """The numbers of a Fit as fields of a FitRecord (a mapping)."""
    return {
        "slope": fit.slope,
        "intercept": fit.intercept,
        "rms": fit.rms,
        **_errors_of(fit.statistical, "slope_err", "intercept_err", "covariance"),
        **_errors_of(fit.systematic, "slope_sys", "intercept_sys", "covariance_sys"),
        "n_bins": int(np.count_nonzero(fit.used)),
        "n_independent": fit.n_independent,
        "drift": fit.exponent.mean,
        "drift_err": fit.exponent.error,
        "drift_offset": fit.drift_offset,
        "used": fit.used.tolist(),
        "flags": list(fit.flags),
        **({} if fit.plane is None else _plane_of(fit)),
    }


def _plane_of(fit):
    names = ("gradient_east", "gradient_north")
    errors = np.sqrt(np.diag(fit.plane_covariance))
    return {
        **{name: float(value) for name, value in zip(names, fit.plane, strict=True)},
        **{f"{name}_err": float(error) for name, error in zip(names, errors, strict=True)},
    }


class _Context(NamedTuple):
    measurement: Measurement  # without the plane, if there is one
    settings: Settings
    drift: Drift
    sigma_x: float
    zero: float
    blocks: jackknife.Blocks
    weights: np.ndarray
    plane: planes.Plane | None = None

    def covered(self, estimator=None):
        """x and y of the samples that an estimator uses, and their blocks."""
        x, y, mask = self.measurement.samples.covered(self.settings.least_coverage(estimator))
        return x, y, self.blocks.index[mask]


class _Line(NamedTuple):
    """As of a Fit; whether what noise of x does is known and in the changes; what was left open of the line."""

    slope: float
    intercept: float
    rms: float
    used: np.ndarray
    noise_counts: bool
    exponent: power_law.Exponent
    drift_offset: float = 0.0
    open: tuple = (0.0, 0.0)
    relation: Relation | None = None  # of errors_in_variables


def _binned(context):
    bins, settings = context.measurement.bins, context.settings
    low, high = context.measurement.limits
    try:
        found = line_of_bins(bins, settings)
    except AnchoringError as error:
        raise AnchoringError(f"{error}, in [{low:.4g}, {high:.4g}] MJy/sr of the reference") from error
    x, y, block = context.covered()
    medians, mean_weights = jackknife.replicate_medians(x, y, context.measurement.edges, block, context.weights)
    counts = bins.count if settings.bin_weights == "count" else None
    # A bin can hold pixels, at an edge, but no complete sample.
    used = found.used & np.isfinite(medians).all(axis=0)

    def replicated(chosen):
        return jackknife.replicate_lines(bins.x, medians, mean_weights, chosen, counts)

    def fitted(chosen, x, values):
        return fit_line(x[chosen], values[chosen], weights=bin_weights(bins, settings)[chosen], passes=1)

    replicates = replicated(used) if np.count_nonzero(used) > 1 else np.full((2, len(context.weights)), np.nan)
    changes, half, within = [], bins.x < (low + high) / 2, context.blocks.within
    if np.count_nonzero(used & half) >= 2:
        fainter = fitted(used & half, bins.x, bins.median), replicated(used & half)
        changes.append(systematics.curve_change(found, replicates, *fainter, within))
    noise_counts = math.isfinite(context.measurement.noise.sigma)
    exponent = power_law.Exponent(context.drift.mean, context.drift.scatter)
    try:
        relation, others = _relation(context)
        exponent = _exponent(context, relation)
        if context.sigma_x > 0:
            changes.append(systematics.beyond_chance(found, replicates, relation, others, within))
    except AnchoringError as error:
        if context.sigma_x > 0:
            logging.warning("what noise of the reference does to the bins is not known: %s", error)
            noise_counts = False
    brightness = bins.x - context.zero
    at_zero = fitted(found.used, brightness, power_law.drifting(brightness)).intercept
    changes.append(systematics.drift_change(exponent.rms, found.slope, at_zero))
    return _Line(*found, noise_counts, exponent), replicates, changes


def _errors_in_variables(context):
    relation, fixed = _relation(context)
    (low, high), within = context.measurement.limits, context.blocks.within
    exponent = _exponent(context, relation)
    line, corrected = _without_drift(context, relation, fixed, exponent)
    left = exponent.error if context.drift.corrected else exponent.rms
    changes = [systematics.drift_change(left, relation.slope, _at_zero(context, relation))]
    try:
        half = _relation(context, limits=(low, (low + high) / 2), start=relation[:2])
        changes.append(systematics.curve_change(line, corrected, *_without_drift(context, *half, exponent), within))
    except AnchoringError as error:
        logging.info("the fainter half of the range alone has no line: %s", error)
    if context.sigma_x > 0:
        noisier = _relation(context, sigma_x=context.sigma_x * (1 + RELATIVE_ERROR), start=relation[:2])[0]
        changes.append(systematics.change(relation, noisier))
    count, _ = np.histogram(relation.x_true, context.measurement.edges)
    noise_counts = math.isfinite(context.measurement.noise.sigma)
    moved = relation.intercept - line.intercept
    known = (line.slope, line.intercept, line.scatter, count > 0, noise_counts)
    found = _Line(*known, exponent, moved, line.change, relation)
    return found, _without_drift(context, relation, _refitted(context, relation, fixed), exponent)[1], changes


def _exponent(context, relation):
    """The Exponent of the samples that a relation was fitted to."""
    x, y, block = context.covered("errors_in_variables")
    blocks = context.blocks._replace(index=block)
    return power_law.exponent_of(relation, x, y, context.zero, blocks, context.drift)


def _at_zero(context, relation):
    return power_law.at_zero(relation.x_true - context.zero, relation.weight)


def _without_drift(context, relation, replicates, exponent):
    """A relation and its replicates; where its drift is `corrected`, they are right where there is no light."""
    if not context.drift.corrected:
        return relation, np.array(replicates)
    moved = relation.slope * _at_zero(context, relation)
    line = relation._replace(intercept=relation.intercept - moved * exponent.mean)
    if exponent.gain == 0:
        return line, np.array(replicates)
    return line, np.array(replicates) - np.array([[0.0], [moved * exponent.gain]]) * exponent.replicates


def _residual(line, x, y):
    return y - line.intercept - line.slope * x


def _relation(context, *, limits=None, sigma_x=None, start=None):
    """The errors-in-variables line and its replicates."""
    x, y, block = context.covered("errors_in_variables")
    sigma_x = context.sigma_x if sigma_x is None else sigma_x
    relation = errors_in_variables(x, y, limits=limits or context.measurement.limits, sigma_x=sigma_x, start=start)
    return relation, jackknife.replicate_relation(relation, x, y, block, context.weights)


def _refitted(context, relation, replicates):
    """Replicates whose samples and weights are chosen again; where too few are left, those of `replicates`."""
    x, y, block = context.covered()
    result = np.array(replicates)
    given = {"limits": context.measurement.limits, "sigma_x": context.sigma_x, "start": relation[:2]}
    for without in np.unique(block[relation.used]):
        kept = block != without
        try:
            found = errors_in_variables(x[kept], y[kept], **given, passes=REFITS)
        except AnchoringError:
            continue
        result[:, without] = found.slope, found.intercept
    return result


def _flags(context, line, errors, known_slopes):
    measurement, samples = context.measurement, context.measurement.samples
    low, high = measurement.limits
    in_range = (samples.x >= low) & (samples.x < high)
    x, y, row, column, coverage = (values[in_range] for values in samples[:5])
    filled, _ = np.histogram(samples.x, measurement.edges)
    near_edge = coverage < least_coverage(flags.EDGE)
    residual = _residual(line, x, y)
    if context.plane is None:
        plane = systematics.plane_significance(residual, row, column, context.blocks.index[in_range], context.weights)
    else:
        plane = context.plane.significance(context.blocks.within)
    raised = {
        "few_bins": np.count_nonzero(line.used) < flags.FEW_BINS,
        "range_outside_data": np.count_nonzero(filled) < len(filled) / 2,
        "slope_unusual": flags.slope_is_unusual(line.slope, errors[0], known_slopes),
        "edge_dominated": near_edge.size > 0 and near_edge.mean() > 0.5,
        "gradient": plane > flags.PLANE,
        "structured_residuals": systematics.block_contrast(residual, x, row, column, samples.beam) > flags.CONTRAST,
        "noise_unknown": not line.noise_counts,
        "error_unknown": not np.isfinite(errors).all(),
        "not_converged": flags.is_open(line.open, errors),
    }
    return tuple(word for word in flags.MEANING if raised.get(word))


def _errors_of(covariance, slope, intercept, both):
    return {
        slope: math.sqrt(covariance[0, 0]),
        intercept: math.sqrt(covariance[1, 1]),
        both: float(covariance[0, 1]),
    }
