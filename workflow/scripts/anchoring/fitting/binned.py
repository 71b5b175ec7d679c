"""The straight line through binned medians."""

from typing import NamedTuple

import numpy as np

from ..errors import AnchoringError
from ..measuring.robust import robust_std


class LineFit(NamedTuple):
    """y = slope * x + intercept. intercept and rms (of the residuals of the bins used) are in MJy/sr."""

    slope: float
    intercept: float
    rms: float
    used: np.ndarray


def fit_line(x, y, *, weights=None, clip="std", passes=3, threshold=3.0):
    """Least-squares line with clipping.

    After each of `passes` fits, points with abs(residual) >= threshold * scatter leave. With clip "std" the scatter is
    the standard deviation, and of n points none can leave if n <= threshold**2 + 1, as max(abs(residual)) / std <=
    sqrt(n - 1); with "mad" it is 1.4826 times the median of abs(residual), which finds one of few. Points on a line to
    round-off stay.

    Parameters
    ----------
    x, y : (n,) arrays
        Points; those with a NaN are left out.
    weights : (n,) array, optional
        Positive; 1 by default.
    clip : {"std", "mad"}

    Returns
    -------
    LineFit; `used` is an (n,) mask of the points of the last fit.

    Raises
    ------
    AnchoringError
        With fewer than 2 points at different x.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    kept = np.isfinite(x) & np.isfinite(y)
    if np.unique(x[kept]).size < 2:
        raise AnchoringError(f"{kept.sum()} bins with data; a line needs at least 2")
    weights = np.ones_like(x) if weights is None else np.asarray(weights, dtype=float)
    round_off = 1e-12 * max(np.abs(y[kept]).max(), np.ptp(y[kept]))
    for _ in range(passes):
        used = kept
        slope, intercept = _least_squares(x[used], y[used], weights[used])
        residual = y - (slope * x + intercept)
        rms = residual[used].std()
        scatter = rms if clip == "std" else robust_std(residual[used], 0.0)
        if not scatter > round_off:
            break
        with np.errstate(invalid="ignore"):
            kept = used & (np.abs(residual) < threshold * scatter)
        if np.unique(x[kept]).size < 2:
            break
    return LineFit(float(slope), float(intercept), float(rms), used)


def bin_weights(bins, settings):
    """Weights of the bins in the line, (n,) array: 1, or their number of pixels, as `Settings.bin_weights` says."""
    return np.maximum(bins.count, 1) if settings.bin_weights == "count" else np.ones(len(bins.x))


def line_of_bins(bins, settings):
    """The LineFit of Bins; AnchoringError as `fit_line`."""
    return fit_line(bins.x, bins.median, weights=bin_weights(bins, settings), clip=settings.clip)


def _least_squares(x, y, weights):
    x_mean, y_mean = np.average(x, weights=weights), np.average(y, weights=weights)
    dx = x - x_mean
    slope = (weights * dx * (y - y_mean)).sum() / (weights * dx * dx).sum()
    return slope, y_mean - slope * x_mean
