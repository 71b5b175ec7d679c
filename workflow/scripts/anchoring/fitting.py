"""The straight line through binned medians."""

from typing import NamedTuple

import numpy as np

from .errors import AnchoringError


class LineFit(NamedTuple):
    """y = slope * x + intercept. intercept and rms (of the residuals of the bins used) are in MJy/sr."""

    slope: float
    intercept: float
    rms: float
    used: np.ndarray


def fit_line(x, y, *, passes=3, threshold=3.0):
    """Unweighted least-squares line with clipping.

    After each of `passes` fits, points with abs(residual) >= threshold * std(residual) leave. Of n points none can
    leave if n <= threshold**2 + 1, as max(abs(residual)) / std <= sqrt(n - 1). Points on a line to round-off stay.

    Parameters
    ----------
    x, y : (n,) arrays
        Points; those with a NaN are left out.

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
    round_off = 1e-12 * max(np.abs(y[kept]).max(), np.ptp(y[kept]))
    for _ in range(passes):
        used = kept
        slope, intercept = _least_squares(x[used], y[used])
        residual = y - (slope * x + intercept)
        scatter = residual[used].std()
        if not scatter > round_off:
            break
        with np.errstate(invalid="ignore"):
            kept = used & (np.abs(residual) < threshold * scatter)
        if np.unique(x[kept]).size < 2:
            break
    return LineFit(float(slope), float(intercept), float(scatter), used)


def _least_squares(x, y):
    x_mean, y_mean = x.mean(), y.mean()
    dx = x - x_mean
    slope = (dx * (y - y_mean)).sum() / (dx * dx).sum()
    return slope, y_mean - slope * x_mean
