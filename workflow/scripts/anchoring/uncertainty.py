"""Errors of a binned fit whose pixels are not independent, from the spatial covariance of its own residuals.

Slope and intercept are sums over pixels, sum(g_p r_p), of the residuals r from the line: g is 1 / (pixels of the bin)
times the row of the least-squares operator that belongs to the bin. With R(d) the covariance of residuals a distance d
apart, measured on the residuals themselves,

    cov(a, b) = sum over d of R(d) G_ab(d),        G_ab(d) = sum over p of g_a(p) g_b(p + d)

which counts beams and larger structures, not pixels (Conley 1999, J. Econometrics 92, 1; for medians by their
influence function, winsorised). All of it is done on square blocks of pixels no smaller than a third of a beam.
"""

import math
from typing import NamedTuple

import numpy as np

GRID = 128  # blocks along the longer side of the field, at most
CLIP = 3.0  # half-widths (of a bin's 16-84 % interval) at which residuals are winsorised: a star is not noise
TAPER = 6.0  # beams, or a quarter of the field if that is more, at which covariance is taken to end


class Blocks(NamedTuple):
    """Pixels by block and bin, without the empty ones.

    row, column, bin : (n,) int arrays
    count : (n,) int array, pixels
    deviation : (n,) array, MJy/sr, sum of winsorised deviations from the bin's median
    side : blocks' side, pixels
    beam : FWHM, pixels
    """

    row: np.ndarray
    column: np.ndarray
    bin: np.ndarray
    count: np.ndarray
    deviation: np.ndarray
    side: int
    beam: float


class LineErrors(NamedTuple):
    """Standard errors of slope and intercept (MJy/sr), their covariance, and the number of independent places."""

    slope: float
    intercept: float
    covariance: float
    n_independent: float


def block_sums(x, y, inside, edges, bins, *, beam):
    """Sum up pixels in blocks.

    Parameters
    ----------
    x, y : (n,) arrays
        Pixel values, MJy/sr, in the order of the pixels of `inside`.
    inside : (ny, nx) bool array
        Pixels that both images have.
    edges : (m + 1,) array
    bins : Bins
        Medians of the m bins.
    beam : float
        FWHM, pixels.
    """
    rows, columns = np.nonzero(inside)
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    side = max(math.floor(beam / 3), math.ceil(longer / GRID), 1)
    chosen = (x >= edges[0]) & (x < edges[-1])
    index = np.searchsorted(edges, x[chosen], side="right") - 1
    row, column = (rows[chosen] - rows.min()) // side, (columns[chosen] - columns.min()) // side
    limit = CLIP * scatter(bins)[index]
    deviation = np.clip(y[chosen] - bins.median[index], -limit, limit)
    n_columns, n_bins = int(column.max(initial=0)) + 1, len(edges) - 1
    flat = (row * n_columns + column) * n_bins + index
    count = np.bincount(flat)
    deviation = np.bincount(flat, weights=deviation)
    filled = np.flatnonzero(count)
    place, index = np.divmod(filled, n_bins)
    return Blocks(*np.divmod(place, n_columns), index, count[filled], deviation[filled], side, float(beam))


def scatter(bins):
    """Half the 16-84 % interval of each bin, MJy/sr, but never less than that of the typical pixel's bin.

    A bin with few pixels can hold a single beam and look quiet.
    """
    width = np.nan_to_num((np.asarray(bins.p84) - np.asarray(bins.p16)) / 2)
    order = np.argsort(width)
    cumulative = np.cumsum(np.asarray(bins.count)[order])
    typical = width[order][np.searchsorted(cumulative, cumulative[-1] / 2)]
    return np.maximum(np.maximum(width, typical), 1e-12)


def line_errors(blocks, bins, line):
    """Errors of a line through binned medians.

    Parameters
    ----------
    blocks : Blocks
    bins : Bins
    line : LineFit
        Its `used` says which bins.

    Returns
    -------
    LineErrors; NaN where fewer than 3 places are independent.
    """
    used = line.used[blocks.bin]
    index, count = blocks.bin[used], blocks.count[used]
    unit = scatter(bins)
    misfit = bins.median - (line.slope * bins.x + line.intercept)
    residual = (blocks.deviation[used] + count * misfit[index]) / unit[index]
    weights = _operator(bins.x, line.used) * unit / np.maximum(bins.count, 1)
    shape = int(blocks.row.max(initial=0)) + 1, int(blocks.column.max(initial=0)) + 1
    flat = blocks.row[used] * shape[1] + blocks.column[used]
    on_blocks = [np.bincount(flat, weights=w, minlength=shape[0] * shape[1]).reshape(shape) for w in (
        count, residual - count * (residual.sum() / count.sum()), weights[0, index] * count, weights[1, index] * count
    )]  # fmt: skip
    return _errors(*on_blocks, blocks)


def _operator(x, used):
    """(2, bins) matrix that takes medians to slope and intercept; 0 for bins not used."""
    operator = np.zeros((2, len(x)))
    dx = x[used] - x[used].mean()
    operator[0, used] = dx / (dx * dx).sum()
    operator[1, used] = 1 / used.sum() - x[used].mean() * operator[0, used]
    return operator


def _errors(count, residual, g_slope, g_intercept, blocks):
    padded = tuple(2 * n for n in count.shape)
    count_f, residual_f, slope_f, intercept_f = (
        np.fft.rfft2(image, padded) for image in (count, residual, g_slope, g_intercept)
    )

    def correlation(a, b):
        return np.fft.irfft2(a * b.conj(), padded)

    pairs = correlation(count_f, count_f)
    taper = _taper(padded, blocks)
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = np.where(pairs > 0.5, correlation(residual_f, residual_f) / pairs, 0) * taper
    total = (covariance * pairs).sum()
    if not (total > 0 and covariance[0, 0] > 0):
        return LineErrors(math.nan, math.nan, math.nan, 0.0)
    # Variance of the mean is R(0) / n for n independent blocks.
    independent = float(covariance[0, 0] * count.sum() ** 2 / total)
    if independent < 3:
        return LineErrors(math.nan, math.nan, math.nan, independent)
    # The residuals are from a line fitted to them: two degrees of freedom.
    inflation = independent / (independent - 2)
    slope, intercept, both = (
        inflation * (covariance * correlation(a, b)).sum()
        for a, b in ((slope_f, slope_f), (intercept_f, intercept_f), (slope_f, intercept_f))
    )
    return LineErrors(math.sqrt(max(slope, 0)), math.sqrt(max(intercept, 0)), float(both), independent)


def _taper(padded, blocks):
    """1 at distance 0, falling linearly to 0 (Bartlett's window)."""
    dy, dx = (np.fft.fftfreq(n, 1 / n) for n in padded)
    end = max(TAPER * blocks.beam / blocks.side, min(padded) / 8, 2)
    return np.maximum(1 - np.hypot(dy[:, None], dx) / end, 0)
