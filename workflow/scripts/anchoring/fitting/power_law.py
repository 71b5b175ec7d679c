"""How far a relation is from a straight line because its colour drifts: y - b = m T^(1 + d), T the brightness.

To first order in d, with S a brightness in the middle of the range,

    y = b + m T + m d T ln(T / S),

which is linear in (b, m, m d), and through which the line of weighted samples is off at T = 0 by d times m times
`at_zero`, the intercept of the line through T ln T alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from . import jackknife
from .errors_in_variables import moments, moments_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A colour that varies over more than a block looks like a drift: on skies with the colours of real spectra the rms of d
# less the true one is 0.9 to 2.7 times its error from the jackknife. From 1 to 3 stated errors hardly depend on it.
DOUBT = 1.5


class Exponent(NamedTuple):
    """d of a pair: what prior knowledge and its own samples say together.

    mean, error : float
        Of d, after the fit.
    gain : float
        Weight of the samples in the mean, 0 to 1: 0 where they say nothing.
    found, found_err : float
        d of the samples alone, and its error, DOUBT times that of the jackknife; NaN if they do not tell.
    replicates : (blocks,) array
        `found` without each block.
    """

    mean: float
    error: float
    gain: float = 0.0
    found: float = math.nan
    found_err: float = math.nan
    replicates: NDArray[np.float64] | None = None

    @property
    def rms(self):
        """About 0: what a line that is not corrected for d is off by."""
        return math.hypot(self.mean, self.error)


def drifting(brightness):
    """T ln T, the change of y by a colour y / x that drifts by 1 per factor e of the brightness T."""
    above = np.maximum(brightness, np.finfo(float).tiny)
    return above * np.log(above)


def at_zero(brightness, weight):
    """Intercept of the line through T ln T, MJy/sr."""
    return float(moments_line(moments(brightness, brightness, drifting(brightness), weight).sum(axis=1))[1])


def exponent_of(relation, x, y, zero, blocks, drift):
    """The Exponent of samples along a relation.

    As the relation, d is fitted with t, the estimate of the true x, as the instrument of x: the weighted means of
    y - b - m (x - zero) - m d g times 1, T and g are 0, with g = T ln(T / S) and T = t - zero.

    Parameters
    ----------
    relation : errors_in_variables.Relation
    x, y : (n,) arrays
        The samples it was fitted to, MJy/sr.
    zero : float
        x where there is no light, MJy/sr.
    blocks : (n,) int array and their number and `within`, a jackknife.Blocks
    drift : drift.Drift
        d as it is known before the fit.
    """
    used = relation.used
    brightness = relation.x_true - zero
    middle = max(np.average(brightness, weights=relation.weight), np.finfo(float).tiny)
    curved = drifting(brightness / middle) * middle
    instruments = np.stack([np.ones_like(curved), brightness, curved])
    terms = np.stack([np.ones_like(curved), x[used] - zero, curved, y[used] - relation.intercept])
    products = relation.weight * instruments[:, None] * terms
    block = blocks.index[used]
    sums = np.stack([[np.bincount(block, p, blocks.number) for p in row] for row in products])
    found = _exponents(sums.sum(axis=2)[None])[0]
    without = np.moveaxis(sums @ jackknife.without_one(blocks.number).T, 2, 0)
    replicates = _exponents(without)
    variance = DOUBT**2 * jackknife.stated_covariance(replicates, within=blocks.within)[0, 0]
    if not math.isfinite(found + variance):
        return Exponent(drift.mean, drift.scatter)
    gain = drift.scatter**2 / max(drift.scatter**2 + variance, np.finfo(float).tiny)
    mean = drift.mean + gain * (found - drift.mean)
    return Exponent(mean, drift.scatter * math.sqrt(1 - gain), gain, found, math.sqrt(variance), replicates)


def _exponents(sums):
    """d from sums (k, 3, 4) of the products of instruments and terms; NaN where they are degenerate."""
    result = np.full(len(sums), np.nan)
    matrix, right = sums[:, :, :3], sums[:, :, 3]
    good = np.isfinite(sums).all(axis=(1, 2))
    good[good] = np.linalg.cond(matrix[good]) < 1e12
    _, slope, curved = np.linalg.solve(matrix[good], right[good][..., None])[..., 0].T
    result[good] = curved / slope
    return result
