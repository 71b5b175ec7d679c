"""Errors of a fit whose pixels are not independent: a jackknife over spatial blocks.

Blocks are squares at least BEAMS beams wide and at least 1 / ACROSS of the field, so that what correlates pixels (the
beam, structure, colour) mostly stays inside a block. The fit is repeated without each of the n blocks in turn, and

    cov(a, b) = (n - 1) / n sum over blocks of (a_i - <a>) (b_i - <b>)

(Kuensch 1989, Ann. Stat. 17, 1217, for dependent data; Shao & Tu 1995, The Jackknife and Bootstrap, section 2.3). A
block that alone fixes an end of the line, such as a nucleus, counts by what its absence does, which a bootstrap of few
blocks understates. Nothing is random: the same field gets the same errors.
"""

import math

import numpy as np

from .estimators import moments, moments_line

BEAMS = 2.0
ACROSS = 6
CELLS = 128  # quantiles of a bin in which its y is counted per block
LEAST_BLOCKS = 4


def blocks_of(samples):
    """Block of every sample, numbered from 0, and the number of blocks."""
    if samples.row.size == 0:
        return samples.row, 0
    row, column = samples.row - samples.row.min(), samples.column - samples.column.min()
    longer = max(row.max(), column.max()) + 1
    side = max(math.ceil(BEAMS * samples.beam), math.ceil(longer / ACROSS), 1)
    place = (row // side) * (longer // side + 1) + column // side
    filled, index = np.unique(place, return_inverse=True)
    return index, filled.size


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
    products = moments(relation.along, x[relation.used], y[relation.used] - zero, relation.weight)
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
