"""The fit of a pair from its samples: the line, its errors, what it would have been otherwise, and its flags."""

import logging
import math
from typing import NamedTuple

import numpy as np

from ..errors import AnchoringError
from ..images.coverage import beam_area, least_coverage
from ..measuring.binning import bin_medians
from ..measuring.noise import RELATIVE_ERROR
from . import flags, jackknife
from .binned import fit_line
from .errors_in_variables import errors_in_variables, moments, moments_line, require_rise, scatter_along

ERODE = {"binned": 0.0, "errors_in_variables": 0.3}  # FWHM, unless the configuration says otherwise
# A colour that scatters by a fraction f from place to place also drifts with brightness, unseen: by about f DRIFT per
# factor e. Colours of galaxies do both for the same reasons (metals, radiation, age), more between neighbours than
# along the disk.
DRIFT = 1 / 4
# On a parabola the line is off by this times its change to the fainter half of the range, at 1/7 of the range below it.
PARABOLA = 5 / 3
UNLIKELY = 6.0  # chi-squared of 2 degrees of freedom that chance exceeds in 5 %
REFITS = 4  # passes of a fit without one block, from the line of all: enough for 3 % of its error


class Settings(NamedTuple):
    """How a pair is fitted.

    estimator : {"binned", "errors_in_variables"}
    erode_fwhm : float or None
        FWHM from an edge or hole up to which pixels are left out; None for the estimator's own (ERODE).
    bin_weights : {"equal", "count"}
    clip : {"std", "mad"}
        Of bins; errors_in_variables always clips pixels by the MAD.
    """

    estimator: str = "binned"
    erode_fwhm: float | None = None
    bin_weights: str = "equal"
    clip: str = "std"

    def least_coverage(self, estimator=None):
        """Beam coverage from which on pixels are used, by this estimator or another."""
        return least_coverage(ERODE[estimator or self.estimator] if self.erode_fwhm is None else self.erode_fwhm)


class Fit(NamedTuple):
    """A line, its statistical and systematic covariance, and how it came about.

    slope, intercept, rms : float
        rms of the residuals of bins or, for errors_in_variables, 1.4826 MAD of those of samples; MJy/sr.
    statistical, systematic : (2, 2) arrays
        Covariances of (slope, intercept).
    used : (bins,) bool array
        Bins of the line, or with samples in it.
    n_independent : float
        Beam areas, pi / (4 ln 2) FWHM^2, covered by the samples in the range.
    flags : tuple of str
    """

    slope: float
    intercept: float
    rms: float
    statistical: np.ndarray
    systematic: np.ndarray
    used: np.ndarray
    n_independent: float
    flags: tuple


def fit_samples(samples, bins, *, limits, edges, sigma_x, settings, known_slopes=None, zero=None):
    """Fit a pair.

    The systematic covariance is a sum of d d^T over changes d of (slope, intercept):

    - by a colour that drifts with brightness, which is curved too little to be seen but moves the line's zero. With T
      the brightness above the zero of x and f the scatter of the colour, y = T (m + f DRIFT ln T) is 0 at T = 0 and
      the line through it is not;
    - PARABOLA times that to the fainter half of the range, if chance hardly explains it: a curve that is seen;
    - to errors_in_variables, for the binned fit, which is how much its medians are off;
    - to a noise of x that differs by its own relative error, for errors_in_variables.

    What chance explains of the latter two changes is removed: d sqrt(1 - 2 / chi^2), chi^2 = d^T C^-1 d with the
    jackknife's covariance C of d, whose mean is 2 by chance.

    Parameters
    ----------
    samples : Samples
    bins : Bins
        Of the pixels (as published, all of them), for the binned line.
    limits : (low, high)
        Range, MJy/sr.
    edges : (m + 1,) array
    sigma_x : float
        Noise of a sample's x, MJy/sr; NaN if not known.
    settings : Settings
    known_slopes : (low, high), optional
    zero : float, optional
        Where x has no light; by default below `limits` by a seventh of their distance, as 0 is below [0.25, 2].

    Returns
    -------
    Fit

    Raises
    ------
    AnchoringError
        If there is no line.
    """
    blocks = jackknife.blocks_of(samples)
    weights = jackknife.without_one(blocks.number)
    known = math.isfinite(sigma_x)
    zero = limits[0] - (limits[1] - limits[0]) / 7 if zero is None else zero
    context = _Context(samples, limits, edges, sigma_x if known else 0.0, settings, zero, blocks, weights)
    fit = _binned if settings.estimator == "binned" else _errors_in_variables
    line, replicates, changes = fit(context, bins)
    slope, intercept, rms, used = line[:4]
    require_rise(slope, limits)
    statistical = jackknife.stated_covariance(*replicates, within=blocks.within)
    systematic = sum((np.outer(d, d) for d in changes), np.zeros((2, 2)))
    in_range = np.count_nonzero((samples.x >= limits[0]) & (samples.x < limits[1]))
    independent = in_range / beam_area(samples.beam)
    found = _flags(context, line, np.sqrt(np.diag(statistical)), known_slopes, known and line.noise_counts)
    return Fit(slope, intercept, rms, statistical, systematic, used, independent, found)


def closure(samples, *, offset, reference_offset, limits, edges, sigma_x, settings):
    """What the same fit still finds to add after `offset` was added to y and `reference_offset` to x, MJy/sr.

    0 in a world of straight lines; within its error in ours, where the same range now means other pixels.
    """
    shifted = samples._replace(x=samples.x + reference_offset, y=samples.y + offset)
    x, y = _trusted(shifted, settings.least_coverage())[:2]
    sigma_x = sigma_x if math.isfinite(sigma_x) else 0.0
    if settings.estimator == "errors_in_variables":
        return -errors_in_variables(x, y, limits=limits, sigma_x=sigma_x).intercept
    return -_line_of_bins(bin_medians(x, y, edges), settings).intercept


def described(fit):
    """The numbers of a Fit as they are stored with a pair."""
    return {
        "slope": fit.slope,
        "intercept": fit.intercept,
        "rms": fit.rms,
        **_errors_of(fit.statistical, "slope_err", "intercept_err", "covariance"),
        **_errors_of(fit.systematic, "slope_sys", "intercept_sys", "covariance_sys"),
        "n_bins": int(np.count_nonzero(fit.used)),
        "n_independent": fit.n_independent,
        "used": fit.used.tolist(),
        "flags": list(fit.flags),
    }


class _Context(NamedTuple):
    samples: object
    limits: tuple
    edges: np.ndarray
    sigma_x: float
    settings: Settings
    zero: float
    blocks: jackknife.Blocks
    weights: np.ndarray


class _Line(NamedTuple):
    """As of a Fit; and what was left open of slope and intercept, and whether `changes` hold what the noise does."""

    slope: float
    intercept: float
    rms: float
    used: np.ndarray
    change: tuple = (0.0, 0.0)
    noise_counts: bool = True


def _trusted(samples, coverage):
    """x and y of the samples with at least this beam coverage, and the mask of these."""
    mask = samples.coverage >= coverage
    return samples.x[mask], samples.y[mask], mask


def _binned(context, bins):
    settings, edges = context.settings, context.edges
    low, high = context.limits
    try:
        found = _line_of_bins(bins, settings)
    except AnchoringError as error:
        raise AnchoringError(f"{error}, in [{low:.4g}, {high:.4g}] MJy/sr of the reference") from error
    x, y, mask = _trusted(context.samples, settings.least_coverage())
    medians, mean_weights = jackknife.replicate_medians(x, y, edges, context.blocks.index[mask], context.weights)
    counts = bins.count if settings.bin_weights == "count" else None
    # A bin can hold pixels, at an edge, but no whole sample.
    used = found.used & np.isfinite(medians).all(axis=0)

    def replicated(chosen):
        return jackknife.replicate_lines(bins.x, medians, mean_weights, chosen, counts)

    def fitted(chosen, x, values):
        return fit_line(x[chosen], values[chosen], weights=_bin_weights(bins, settings)[chosen], passes=1)

    replicates = replicated(used) if np.count_nonzero(used) > 1 else np.full((2, len(context.weights)), np.nan)
    inside = (x >= low) & (x < high)
    colour = _colour(context, found, x[inside], y[inside], x[inside])
    brightness = bins.x - context.zero
    changes = [_drift(colour, fitted(found.used, brightness, _drifting(brightness)).intercept)]
    half = bins.x < (low + high) / 2
    if np.count_nonzero(used & half) >= 2:
        others = replicated(used & half)
        changes.append(_curve(context, found, replicates, fitted(used & half, bins.x, bins.median), others))
    noise_counts = True
    if context.sigma_x > 0:
        try:
            changes.append(_beyond_chance(context, found, replicates, *_relation(context)))
        except AnchoringError as error:
            logging.warning("what noise of the reference does to the bins is not known: %s", error)
            noise_counts = False
    return _Line(*found, noise_counts=noise_counts), replicates, changes


def _errors_in_variables(context, _bins):
    relation, replicates = _relation(context)
    (x, y, _), t = _trusted(context.samples, context.settings.least_coverage()), relation.x_true
    brightness = t - context.zero
    drifting = moments_line(moments(brightness, brightness, _drifting(brightness), relation.weight).sum(axis=1))
    colour = _colour(context, relation, x[relation.used], y[relation.used], t)
    changes = [_drift(colour, drifting[1])]
    low, high = context.limits
    try:
        half = _relation(context, limits=(low, (low + high) / 2), start=relation[:2])
        changes.append(_curve(context, relation, replicates, *half))
    except AnchoringError as error:
        logging.info("the fainter half of the range alone has no line: %s", error)
    if context.sigma_x > 0:
        noisier = _relation(context, sigma_x=context.sigma_x * (1 + RELATIVE_ERROR), start=relation[:2])[0]
        changes.append(_change(relation, noisier))
    count, _ = np.histogram(t, context.edges)
    line = _Line(relation.slope, relation.intercept, relation.scatter, count > 0, relation.change)
    return line, _refitted(context, relation, replicates), changes


def _relation(context, *, limits=None, sigma_x=None, start=None):
    """The errors-in-variables line and its replicates."""
    x, y, mask = _trusted(context.samples, context.settings.least_coverage("errors_in_variables"))
    sigma_x = context.sigma_x if sigma_x is None else sigma_x
    relation = errors_in_variables(x, y, limits=limits or context.limits, sigma_x=sigma_x, start=start)
    return relation, jackknife.replicate_relation(relation, x, y, context.blocks.index[mask], context.weights)


def _refitted(context, relation, replicates):
    """Replicates whose samples and weights are chosen anew; where too few are left, those of `replicates`."""
    x, y, mask = _trusted(context.samples, context.settings.least_coverage())
    block, result = context.blocks.index[mask], np.array(replicates)
    for without in np.unique(block[relation.used]):
        kept = block != without
        try:
            found = errors_in_variables(
                x[kept], y[kept], limits=context.limits, sigma_x=context.sigma_x, start=relation[:2], passes=REFITS
            )
        except AnchoringError:
            continue
        result[:, without] = found.slope, found.intercept
    return result


def _change(line, other):
    return np.array([other.slope - line.slope, other.intercept - line.intercept])


def _curve(context, line, replicates, half, others):
    """How far a line is off by a curve, from its change to the fainter half of the range."""
    return PARABOLA * _beyond_chance(context, line, replicates, half, others, least=UNLIKELY)


def _beyond_chance(context, line, replicates, other, others, least=2.0):
    """Change from a line to another, less what chance explains of it: all up to a chi-squared of `least`."""
    change = _change(line, other)
    chance = jackknife.jackknife(*(np.array(others) - replicates)) / context.blocks.within
    if not np.isfinite(chance).all() or not np.linalg.det(chance) > 0:
        return change
    significance = change @ np.linalg.solve(chance, change)
    return change * math.sqrt(1 - 2 / significance) if significance > least else np.zeros(2)


def _colour(context, line, x, y, along):
    """Scatter of the colour y / x: of the residuals, the part that grows in proportion to the brightness."""
    if x.size == 0:
        return 0.0
    residual = y - line.intercept - line.slope * x
    return math.sqrt(scatter_along(along - context.limits[0], residual - np.median(residual))[1])


def _drifting(brightness):
    """T ln T, the change of y by a colour y / x that drifts by 1 per factor e of the brightness T."""
    above = np.maximum(brightness, np.finfo(float).tiny)
    return above * np.log(above)


def _drift(colour, at_zero):
    """Change of the line by a colour that drifts by DRIFT of its scatter.

    A drift of 1 leaves it off by `at_zero` at T = 0; its slope there is a matter of the unit of T, and left alone.
    """
    return np.array([0.0, DRIFT * colour * at_zero])


def _bin_weights(bins, settings):
    return np.maximum(bins.count, 1) if settings.bin_weights == "count" else np.ones(len(bins.x))


def _line_of_bins(bins, settings):
    return fit_line(bins.x, bins.median, weights=_bin_weights(bins, settings), clip=settings.clip)


def _flags(context, line, errors, known_slopes, noise_is_known):
    samples, (low, high) = context.samples, context.limits
    in_range = (samples.x >= low) & (samples.x < high)
    filled, _ = np.histogram(samples.x, context.edges)
    near_edge = samples.coverage[in_range] < least_coverage(flags.EDGE)
    residual = (samples.y - line.intercept - line.slope * samples.x)[in_range]
    raised = {
        "few_bins": np.count_nonzero(line.used) < flags.FEW_BINS,
        "range_outside_data": np.count_nonzero(filled) < len(filled) / 2,
        "slope_unusual": flags.slope_is_unusual(line.slope, errors[0], known_slopes),
        "edge_dominated": near_edge.size > 0 and near_edge.mean() > 0.5,
        "gradient": _plane_is_left(context, residual, in_range),
        "structured_residuals": _steps_are_left(samples, residual, in_range),
        "noise_unknown": not noise_is_known,
        "not_converged": flags.is_open(line.change, errors),
    }
    return tuple(word for word in flags.MEANING if raised.get(word))


def _plane_is_left(context, residual, in_range):
    if residual.size == 0:
        return False
    middle = np.median(residual)
    scatter = 1.4826 * np.median(np.abs(residual - middle))
    clipped = np.clip(residual - middle, -3 * scatter, 3 * scatter) / max(scatter, np.finfo(float).tiny)
    where = (context.samples.row[in_range], context.samples.column[in_range], context.blocks.index[in_range])
    return flags.plane_significance(clipped, *where, context.weights) > flags.PLANE


def _steps_are_left(samples, residual, in_range):
    x, row, column = (values[in_range] for values in (samples.x, samples.row, samples.column))
    return flags.block_contrast(residual, x, row, column, samples.beam) > flags.CONTRAST


def _errors_of(covariance, slope, intercept, both):
    return {
        slope: math.sqrt(covariance[0, 0]),
        intercept: math.sqrt(covariance[1, 1]),
        both: float(covariance[0, 1]),
    }
