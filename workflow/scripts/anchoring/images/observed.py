"""Which pixels of a mosaic are observed: one rule, for what is fitted and for what an offset is added to."""

from typing import NamedTuple

import numpy as np

# MJy/sr. Instruments and skies have noise of 1e-4 and more, so that a pixel as close to 0 by chance is not among 1e7.
FLOOR = 1e-12
DO_NOT_USE = 1  # bit of DQ
FEWEST = 1000  # pixels to judge values by
SHARE = 0.01  # of the pixels that have one and the same value, above which it is none of a sky
SATURATED_SHARE = 0.05  # the same of the highest value: a saturated core has it
FEWEST_OTHERS = 100  # different values besides: a sky of fewer is a drawing
NEGLIGIBLE = 1e-6  # of the level of an image: what a million times fainter than it is left over from arithmetic
STEPS = 64  # of the last digit: a noise-free sky goes on from a repeated value in steps that small
APART = 3  # such steps: closer to a value that rounding makes frequent there are others
ON_A_LADDER = 0.8  # part of the steps between values that are multiples of the smallest one, in rounded numbers


class Fill(NamedTuple):
    """What a mosaic holds in unobserved pixels besides 0 and NaN.

    floor : float
        MJy/sr: what is this close to 0 is 0.
    constants : tuple of float
        Values that so many pixels share exactly that no sky can have them.
    shares : tuple of float
        Parts of the pixels that are otherwise observed, one for each of `constants`.
    small : float
        The same for what is closer to 0 than `floor`.
    """

    floor: float = FLOOR
    constants: tuple = ()
    shares: tuple = ()
    small: float = 0.0


NO_FILL = Fill()


def is_observed(data, fill=NO_FILL, *, weight=None, quality=None):
    """Observed pixels: finite, not 0, none of the fill values, with a weight, and not marked DO_NOT_USE.

    Parameters
    ----------
    data : float array
        MJy/sr.
    fill : Fill
    weight : array of data's shape, optional
        Extension WHT of a mosaic: 0 (or NaN) where nothing was observed.
    quality : integer array of data's shape, optional
        Extension DQ: bit 0 is DO_NOT_USE.

    Returns
    -------
    bool array of data's shape
    """
    with np.errstate(invalid="ignore"):  # a signalling NaN
        seen = np.abs(data) > fill.floor
    seen &= np.isfinite(data)
    for value in fill.constants:
        seen &= data != np.asarray(value, dtype=data.dtype)
    if weight is not None:
        seen &= np.abs(weight) > 0  # not NaN either
    if quality is not None:
        seen &= (quality & DO_NOT_USE) == 0
    return seen


def find_fill(rows):
    """What a mosaic holds in unobserved pixels besides 0 and NaN, judged by some of its rows.

    Two kinds are found:

    - A value that more than SHARE of the observed pixels have exactly: float32 numbers of a sky with noise are all
      different, while 0 - sky is the same everywhere. It is no fill value if it is the highest one and of fewer pixels
      than SATURATED_SHARE (a saturated core), if the numbers are rounded ones and it is not APART from the others
      (there many are frequent), if the sky goes on from it in steps of the last digit (no noise), or if there are
      fewer than FEWEST_OTHERS values besides (a drawing).
    - Pixels fainter than NEGLIGIBLE of the level (99th percentile of absolute values), more than SHARE of all, with
      hardly any up to 1000 times that: slivers that resampling leaves.

    Parameters
    ----------
    rows : (n, nx) float array
        Rows of the mosaic, NaN where it is known to be unobserved.

    Returns
    -------
    Fill
    """
    seen = is_observed(rows)
    values, counts = np.unique(rows[seen], return_counts=True)
    if counts.sum() < FEWEST:
        return NO_FILL
    floor, small = _sliver_floor(values, counts)
    counts[np.abs(values) <= floor] = 0
    constants = _constants(values[counts > 0], counts[counts > 0], rows, seen)
    total = counts.sum()
    shares = tuple(float(counts[values == value][0] / total) for value in constants)
    return Fill(floor, tuple(float(value) for value in constants), shares, small)


def _sliver_floor(values, counts):
    """Below which absolute value pixels are slivers, and the share of these."""
    order = np.argsort(np.abs(values))
    size, reached = np.abs(values)[order], np.cumsum(counts[order])
    level = size[np.searchsorted(reached, 0.99 * reached[-1])]
    below, beyond = (np.searchsorted(size, limit * level) for limit in (NEGLIGIBLE, 1000 * NEGLIGIBLE))
    slivers, between = (reached[i - 1] if i else 0 for i in (below, beyond))
    between -= slivers
    if slivers <= SHARE * reached[-1] or between > slivers / 10 or size[0] == size[below - 1]:
        return FLOOR, 0.0
    return float(max(NEGLIGIBLE * level, FLOOR)), float(slivers / reached[-1])


def _constants(values, counts, rows, seen):
    """The values, of all different ones and how often they occur, that are fill values."""
    share = counts / counts.sum()
    limit = np.full(len(values), SHARE)
    limit[-1:] = SATURATED_SHARE
    frequent = share > limit
    if not frequent.any() or np.count_nonzero(~frequent) < FEWEST_OTHERS:
        return []
    steps = np.diff(values.astype(float))
    if _is_rounded(steps, np.spacing(np.abs(values).max())):
        apart = np.concatenate([[True], steps > APART * steps.min(), [True]])
        frequent &= apart[:-1] & apart[1:]
    return [value for value in values[frequent] if not _goes_on(value, rows, seen)]


def _is_rounded(steps, digit):
    """Whether the steps from value to value are multiples of one step, as those of integers; `digit` is their last."""
    least = steps.min()
    off = np.abs(steps / least - np.rint(steps / least)) * least
    return least > STEPS * digit and np.mean(off < 0.01 * least + 4 * digit) > ON_A_LADDER


def _goes_on(value, rows, seen):
    """Whether pixels next to those of a value differ from it by steps of the last digit only."""
    same = seen & (rows == value)
    steps = []
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:, 1:], np.s_[:, :-1])):
        edge = same[here] & seen[there] & ~same[there]
        steps.append(np.abs(rows[there][edge].astype(float) - float(value)))
    steps = np.concatenate(steps)
    return steps.size > 0 and np.median(steps) <= STEPS * np.spacing(np.abs(value))
