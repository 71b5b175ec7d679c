"""Errors of a fit whose pixels are not independent: a jackknife over spatial blocks.

Blocks are squares at least BEAMS beams wide and at least 1 / ACROSS of the field, so that what correlates pixels (the
beam, structure, colour) mostly stays inside a block. The fit is repeated without each of the n blocks in turn, and

    cov(a, b) = (n - 1) / n sum over blocks of (a_i - <a>) (b_i - <b>)

(Kuensch 1989, Ann. Stat. 17, 1217, for dependent data; Shao & Tu 1995, The Jackknife and Bootstrap, section 2.3). A
block that alone fixes an end of the line, such as a nucleus, enters through the change of the fit without it, which a
bootstrap of few blocks understates. Nothing is random: the same field gets the same errors.

Of the binned line a replicate is not the complete fit again: the bins that went into the line stay, each with its
median without the block and weighted by the part of its pixels that is left, and are not clipped once more.

Two corrections are applied to the covariance. Pixels of neighbouring blocks are correlated over the beam, which leaves
it too small by the fraction `within`. It is itself uncertain: a value in units of such an error follows Student's t, of
few degrees of freedom if a few blocks dominate, of which 68 % lie within more than 1.
"""

import math
from typing import NamedTuple

import numpy as np

from ..images.coverage import SIGMA_PER_FWHM
from .errors_in_variables import moments, moments_line

BEAMS = 2.0
ACROSS = 6
CELLS = 128  # quantiles of a bin in which its y is counted per block
LEAST_BLOCKS = 4


class Blocks(NamedTuple):
    """Block of every sample, numbered from 0, their number, and the fraction of a variance that stays within them."""

    index: np.ndarray
    number: int
    within: float


def blocks_of(samples):
    """The Blocks of samples, or of anything with a row and a column, (n,) int arrays, and a beam (FWHM in rows)."""
    if samples.row.size == 0:
        return Blocks(samples.row, 0, 1.0)
    row, column = samples.row - samples.row.min(), samples.column - samples.column.min()
    longer = max(row.max(), column.max()) + 1
    side = max(math.ceil(BEAMS * samples.beam), math.ceil(longer / ACROSS), 1)
    place = (row // side) * (longer // side + 1) + column // side
    filled, index = np.unique(place, return_inverse=True)
    return Blocks(index, filled.size, variance_within(side / samples.beam) if samples.beam > 0 else 1.0)


def common_blocks(measurements):
    """The Blocks of several pairs on one sky: the same squares for all, so that one can be left out of all at once.

    Squares along longitude and latitude about the middle of the first pair, at least BEAMS of the widest beam wide and
    1 / ACROSS of all that the pairs cover.

    Parameters
    ----------
    measurements : list of Measurement
        With a `centre` each.

    Returns
    -------
    list of Blocks, of the samples of each; their `number` is that of all.
    """
    places = [_on_sky(m, measurements[0].centre) for m in measurements]
    beams = [m.samples.beam * m.samples.side * math.sqrt(abs(np.linalg.det(m.axes))) for m in measurements]
    low = np.min([place.min(axis=1) for place in places], axis=0)[:, None]
    across = max(np.max([place.max(axis=1) for place in places], axis=0) - low[:, 0])
    side = max(BEAMS * max(beams), across / ACROSS * (1 + 1e-9))
    squares = [np.floor((place - low) / side).astype(np.int64) for place in places]
    filled, index = np.unique(np.concatenate([s[0] * 1000 + s[1] for s in squares]), return_inverse=True)
    starts = np.cumsum([0, *(s.shape[1] for s in squares)])
    return [
        Blocks(index[start:end], filled.size, variance_within(side / beam) if beam > 0 else 1.0)
        for start, end, beam in zip(starts, starts[1:], beams, strict=False)
    ]


def _on_sky(measurement, origin):
    """East and north of the samples of a pair from a position (longitude, latitude, degrees), (2, n) array, arcsec."""
    longitude, latitude = (here - there for here, there in zip(measurement.centre, origin, strict=True))
    east = ((longitude + 180) % 360 - 180) * math.cos(math.radians(origin[1]))
    return measurement.places + 3600 * np.array([[east], [latitude]])


def variance_within(side):
    """Fraction of the variance of a mean over many blocks that the scatter of independent blocks would give.

    The covariance of noise that was white before a Gaussian beam is a Gaussian of s = sqrt(2) sigma_beam. Of its
    integral over pairs of points along one axis, those with both points in one block of side L hold

        2 Phi(L / s) - 1 - sqrt(2 / pi) (s / L) (1 - exp(-L^2 / 2 s^2))

    Parameters
    ----------
    side : float
        L, FWHM of the beam.
    """
    ratio = side / (math.sqrt(2) * SIGMA_PER_FWHM)
    along = math.erf(ratio / math.sqrt(2)) - math.sqrt(2 / math.pi) / ratio * (1 - math.exp(-ratio * ratio / 2))
    return along**2


def without_one(n_blocks):
    """Weights of the blocks in each replicate: (n_blocks, n_blocks) array, 1 but for the block left out."""
    return 1 - np.eye(n_blocks)


def replicate_relation(relation, x, y, block, weights):
    """Slope and intercept of an errors-in-variables fit under other weights of its blocks.

    The samples used, their place along the relation and their weights are those of the fit.

    Parameters
    ----------
    relation : Relation
    x, y : (n,) arrays
        The samples it was fitted to.
    block : (n,) int array
    weights : (replicates, blocks) array

    Returns
    -------
    slope, intercept : (replicates,) arrays
    """
    zero = relation.intercept
    products = moments(relation.x_true, x[relation.used], y[relation.used] - zero, relation.weight)
    at = block[relation.used]
    sums = np.stack([np.bincount(at, weights=p, minlength=weights.shape[1]) for p in products])
    # Without the one block that holds all samples there is no line: NaN.
    with np.errstate(invalid="ignore", divide="ignore"):
        slope, intercept = moments_line(sums @ weights.T)
    return slope, intercept + zero


def replicate_medians(x, y, edges, block, weights):
    """Medians per bin under other weights of the blocks, and the mean weight of the pixels in each bin.

    Parameters
    ----------
    x, y : (n,) arrays
    edges : (m + 1,) array
    block : (n,) int array
    weights : (replicates, blocks) array

    Returns
    -------
    medians, mean_weights : (replicates, m) arrays; NaN and 0 in empty bins, 0 and 0 in bins that a replicate empties.
    """
    n_bins = len(edges) - 1
    medians = np.full((len(weights), n_bins), np.nan)
    mean_weights = np.zeros_like(medians)
    index = np.searchsorted(edges, x, side="right") - 1
    index[x == edges[-1]] = n_bins
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(n_bins + 1))
    for i in range(n_bins):
        members = order[starts[i] : starts[i + 1]]
        if members.size:
            medians[:, i], mean_weights[:, i] = _weighted_medians(y[members], block[members], weights)
    return medians, mean_weights


def _weighted_medians(y, block, weights):
    rank = np.argsort(y, kind="stable")
    n_cells = min(y.size, CELLS)
    cell = np.empty(y.size, dtype=np.int64)
    cell[rank] = np.arange(y.size) * n_cells // y.size
    level = np.bincount(cell, weights=y) / np.bincount(cell)
    counts = np.bincount(block * n_cells + cell, minlength=weights.shape[1] * n_cells).reshape(-1, n_cells)
    weight = weights @ counts
    total = weight.sum(axis=1)
    # Half the weight lies below the median; a cell's weight counts as half below its own level.
    below = (np.cumsum(weight, axis=1) - weight / 2) / np.maximum(total, 1)[:, None]
    medians = np.array([np.interp(0.5, row, level) for row in below]) * (total > 0)
    return medians, total / y.size


def replicate_lines(x, medians, mean_weights, used, counts=None):
    """Least-squares lines through replicated medians; a bin counts by the mean weight of its pixels.

    Parameters
    ----------
    x : (m,) array
    medians, mean_weights : (replicates, m) arrays
    used : (m,) bool array
    counts : (m,) array, optional
        Weights of the bins in the fit itself.

    Returns
    -------
    slope, intercept : (replicates,) arrays; NaN where fewer than 2 bins are left.
    """
    weight = mean_weights[:, used] * (1 if counts is None else counts[used])
    zero = np.median(medians[:, used])
    x = np.broadcast_to(x[used], weight.shape)
    flat = moments(x.ravel(), x.ravel(), (medians[:, used] - zero).ravel(), weight.ravel())
    with np.errstate(invalid="ignore", divide="ignore"):
        slope, intercept = moments_line(flat.reshape(6, *weight.shape).sum(axis=2))
    alone = (weight > 0).sum(axis=1) < 2
    return np.where(alone, np.nan, slope), np.where(alone, np.nan, intercept + zero)


def jackknife(*replicates):
    """Covariance of quantities from their values without each block: (k, k) array of k (n,) arrays.

    NaN with fewer than LEAST_BLOCKS blocks, or where a replicate has no value.
    """
    n = len(replicates[0])
    if n < LEAST_BLOCKS or not np.isfinite(replicates).all():
        return np.full((len(replicates), len(replicates)), math.nan)
    return np.atleast_2d(np.cov(replicates, bias=True)) * (n - 1)


def stated_covariance(*replicates, within):
    """`jackknife` for errors to be stated: over `within`, widened to hold 68 % as Student's t does.

    With nu degrees of freedom (`freedom`), 68.3 % of Student's t are within 1 + 1 / (2 nu) + 1 / (4 nu^2) (Abramowitz &
    Stegun 1964, 26.7.5, at the normal quantile 1), to 1 % for nu > 2.
    """
    covariance = jackknife(*replicates)
    if not np.isfinite(covariance).all():
        return covariance
    nu = max(freedom(*replicates), 1.0)
    return covariance / within * (1 + 1 / (2 * nu) + 1 / (4 * nu**2)) ** 2


def freedom(*replicates):
    """Degrees of freedom of a jackknife's covariance: about n with n blocks of equal weight, fewer if few rule.

    From the kurtosis of the replicates (Mardia 1970, Biometrika 57, 519). With h_i = d_i^T S^-1 d_i for deviations d_i
    from the mean and S = sum d_i d_i^T, n normal deviations in k dimensions have sum h_i^2 = k (k + 2) / (n + 2), so
    that nu = k (k + 2) / sum h_i^2 - 2; for k = 1 this is 2 <V>^2 / var(V) of V = sum d_i^2 (Satterthwaite 1946,
    Biometrics Bull. 2, 110).
    """
    deviations = np.array(replicates) - np.mean(replicates, axis=1, keepdims=True)
    k = len(replicates)
    share = np.einsum("in,ij,jn->n", deviations, np.linalg.pinv(deviations @ deviations.T), deviations)
    total = np.sum(share**2)
    return k * (k + 2) / total - 2 if total > 0 else math.inf
