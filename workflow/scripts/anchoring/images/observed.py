"""Observed pixels of a mosaic: the same rule for the fit and for adding the offset."""

from typing import NamedTuple

import numpy as np

# MJy/sr. With a noise of at least 1e-4, not one observed pixel in 1e7 is this close to 0 by chance.
FLOOR = 1e-12
DO_NOT_USE = 1  # bit of DQ
FEWEST = 1000  # pixels needed to find fill values
SHARE = 0.01  # fraction of the pixels with exactly the same value, above which it is a fill value
SATURATED_SHARE = 0.05  # the same for the highest value, which saturated cores share
FEWEST_OTHERS = 100  # distinct other values, below which an image is artificial and nothing is a fill value
NEGLIGIBLE = 1e-6  # of the level of an image: fainter pixels are residues of arithmetic
STEPS = 64  # units in the last place: neighbours of a repeated value differ by less in a noise-free sky
APART = 3  # rounding steps: a fill value is farther from all other values
ON_A_LADDER = 0.8  # fraction of the differences that are multiples of the smallest one, in rounded data


class Fill(NamedTuple):
    """Values of unobserved pixels besides 0 and NaN.

    floor : float
        Pixels with a smaller absolute value are unobserved, MJy/sr.
    constants : tuple of float
        Values that too many pixels share exactly to be a sky.
    shares : tuple of float
        Fraction of the other observed pixels that have each of `constants`.
    small : float
        Fraction of the pixels below `floor`.
    """

    floor: float = FLOOR
    constants: tuple = ()
    shares: tuple = ()
    small: float = 0.0


NO_FILL = Fill()


def is_observed(data, fill=NO_FILL, *, weight=None, quality=None):
    """Observed pixels: finite, not 0, no fill value, with a weight other than 0 and not flagged DO_NOT_USE.

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
    """Find the values of unobserved pixels besides 0 and NaN, in some rows of a mosaic.

    Two kinds are found:

    - A value that more than SHARE of the observed pixels have exactly, such as -sky where a sky was subtracted from
      unobserved pixels too; float32 values of a noisy sky are all different. Not taken: the highest value if fewer than
      SATURATED_SHARE have it (saturated cores), values of rounded data that are not APART from the others, values
      whose neighbours differ in the last digits only (a sky without noise), and values of an image with fewer than
      FEWEST_OTHERS distinct others (an artificial image).
    - Values below NEGLIGIBLE times the level (the 99th percentile of absolute values), if more than SHARE of all pixels
      have one and hardly any pixel is up to 1000 times brighter: residues of resampling.

    Parameters
    ----------
    rows : (n, nx) float array
        NaN where WHT or DQ mark pixels as unobserved.

    Returns
    -------
    Fill
    """
    seen = is_observed(rows)
    values, counts = np.unique(rows[seen], return_counts=True)
    if counts.sum() < FEWEST:
        return NO_FILL
    floor, small = _residue_floor(values, counts)
    counts[np.abs(values) <= floor] = 0
    constants = _constants(values[counts > 0], counts[counts > 0], rows, seen)
    total = counts.sum()
    shares = tuple(float(counts[values == value][0] / total) for value in constants)
    return Fill(floor, tuple(float(value) for value in constants), shares, small)


def _residue_floor(values, counts):
    """Absolute value below which pixels are residues of resampling, and the fraction of these."""
    order = np.argsort(np.abs(values))
    size, reached = np.abs(values)[order], np.cumsum(counts[order])
    level = size[np.searchsorted(reached, 0.99 * reached[-1])]
    below, beyond = (np.searchsorted(size, limit * level) for limit in (NEGLIGIBLE, 1000 * NEGLIGIBLE))
    residues, between = (reached[i - 1] if i else 0 for i in (below, beyond))
    between -= residues
    if residues <= SHARE * reached[-1] or between > residues / 10 or size[0] == size[below - 1]:
        return FLOOR, 0.0
    return float(max(NEGLIGIBLE * level, FLOOR)), float(residues / reached[-1])


def _constants(values, counts, rows, seen):
    """The fill values among distinct values, given the count of each."""
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
    return [value for value in values[frequent] if not _is_continuous(value, rows, seen)]


def _is_rounded(steps, digit):
    """Whether differences between values are multiples of one step, as for integers; `digit` is their precision."""
    least = steps.min()
    off = np.abs(steps / least - np.rint(steps / least)) * least
    return least > STEPS * digit and np.mean(off < 0.01 * least + 4 * digit) > ON_A_LADDER


def _is_continuous(value, rows, seen):
    """Whether horizontal neighbours of the pixels with a value differ from it in the last digits only."""
    same = seen & (rows == value)
    steps = []
    for here, there in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:, 1:], np.s_[:, :-1])):
        edge = same[here] & seen[there] & ~same[there]
        steps.append(np.abs(rows[there][edge].astype(float) - float(value)))
    steps = np.concatenate(steps)
    return steps.size > 0 and np.median(steps) <= STEPS * np.spacing(np.abs(value))
