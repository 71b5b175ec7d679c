"""Words that a row of the tables carries when its numbers need a second look."""

import math

import numpy as np

from ..labels import split_label
from .jackknife import jackknife

MEANING = {
    "few_bins": "fewer than 5 bins went into the line",
    "range_outside_data": "the reference has data in less than half of the bins of the range",
    "references_disagree": "another external reference gives an offset more than 2.5 sigma from this one",
    "slope_unusual": "the slope is outside what is known of this pair of bands, by more than twice its error",
    "gradient": "a plane fitted to the residual image differs from zero by more than 3 sigma",
    "structured_residuals": "residuals differ more between blocks of the field than in them, as by steps of tiles",
    "edge_dominated": "more than half of the pixels in the range are within 0.7 FWHM of an edge or a hole",
    "misaligned": "the image is shifted against the reference by more than 0.3 of the beam and by more than 3 sigma",
    "uncorrelated": "image and reference show one structure with less than 0.6 of the correlation that noise allows",
    "noise_unknown": "the noise of the reference, or what it does to the line, is not known: it is taken as 0",
    "not_converged": "errors_in_variables leaves the line open by more than a tenth of its statistical error",
}
FEW_BINS = 5
DISAGREE = 2.5  # sigma: by chance in 1.2 % of honest pairs
EDGE = 0.7  # FWHM
OPEN = 0.1  # statistical errors
PLANE = 11.83  # chi-squared of 2 degrees of freedom at 3 sigma
CONTRAST = 1.7  # of 350 simulated skies whose colours vary 1 has more; with steps of 0.3 MJy/sr 84 to 100 in 100
CONTRAST_ACROSS, CONTRAST_BEAMS = 8, 2.5  # blocks across the field, at most, and beams across a block, at least
LEAST_CONTRAST_BLOCKS = 9
GROUPS, PER_GROUP = 8, 40  # of samples along the relation, at most, and samples in one, at least

# (comparison, reference): slopes seen in the fits of 10 PHANGS-JWST galaxies that pjpipe published.
SLOPES = {
    ("F770W", "irac4"): (0.85, 1.10),
    ("F770W", "w3"): (1.53, 1.98),
    ("F300M", "irac1"): (0.75, 1.05),
    ("F300M", "w1"): (0.90, 1.10),
    ("F300M", "irac2"): (1.10, 1.68),
    ("F300M", "w2"): (1.26, 2.03),
}
# (comparison, ref_band): only their median is known; the range is taken as 1/1.35 to 1.35 of it, that of F300M / W2.
MEDIAN_SLOPES = {
    ("F1000W", "F770W"): 0.37,
    ("F1130W", "F770W"): 1.36,
    ("F2100W", "F770W"): 0.57,
    ("F335M", "F300M"): 0.96,
    ("F360M", "F300M"): 0.87,
    ("F200W", "F300M"): 1.81,
}
SPREAD = 1.35


def known_slopes(band, label):
    """(low, high) slope of a band on a reference (label without resolution, or ref_band); None if not known."""
    reference = split_label(label)[0]
    if (band.upper(), reference.lower()) in SLOPES:
        return SLOPES[band.upper(), reference.lower()]
    median = MEDIAN_SLOPES.get((band.upper(), reference.upper()))
    return None if median is None else (median / SPREAD, median * SPREAD)


def slope_is_unusual(slope, error, known):
    """Outside the range `known` by more than twice its error (an error that is not known counts as 0)."""
    if known is None:
        return False
    low, high = known
    margin = 2 * error if np.isfinite(error) else 0.0
    return not low - margin <= slope <= high + margin


def is_open(change, errors):
    """Whether an iteration left one of some numbers open by more than OPEN of its error, or that error is unknown."""
    return any(left > 0 and not left <= OPEN * error for left, error in zip(change, errors, strict=True))


def plane_significance(residual, row, column, block, weights):
    """Chi-squared (2 degrees of freedom) of the slopes of a plane fitted to residuals, from a jackknife of blocks.

    Parameters
    ----------
    residual : (n,) array
        In units of their own scatter.
    row, column : (n,) arrays
    block : (n,) int array
    weights : (replicates, blocks) array

    Returns
    -------
    float; 0 with fewer than 8 blocks, or where nothing tells a plane: all residuals 0, or all samples in a row.
    """
    present = np.unique(block)
    n = present.size
    if n < 8:
        return 0.0
    u, v = ((c - c.mean()) / max(np.ptp(c), 1) for c in (row, column))
    design = np.stack([np.ones_like(u), u, v])
    products = [a * b for i, a in enumerate(design) for b in design[i:]] + [a * residual for a in design]
    sums = np.stack([np.bincount(block, weights=p, minlength=weights.shape[1]) for p in products])
    try:
        plane = _planes(sums.sum(axis=1)[:, None])[0]
        covariance = jackknife(*_planes(sums @ weights.T).T)
        significance = float(plane @ np.linalg.solve(covariance, plane))
    except np.linalg.LinAlgError:  # all residuals 0, or all samples on one line
        return 0.0
    # The inverse of a covariance of few blocks is too large by this (Hotelling's T^2).
    return significance * (n - 4) / (n - 3)


def block_contrast(residual, along, row, column, beam):
    """Scatter of residuals between blocks of the field in units of that in them, as in an analysis of variance.

    sqrt(sum (R - <R>)^2 / s^2 / (n - 1)) for n blocks of median R and scatter s = 1.4826 MAD, of which none is taken as
    less than half the median one; <R> is weighted by 1 / s^2. Noise averages out in a block, and a colour that varies
    on all scales does so between blocks about as much as in them: both stay near 1 or below. Steps between tiles leave
    plateaus, which have little scatter in them. What hangs on the brightness alone, a curved relation, is taken off
    first: clipped means in groups along the relation, with straight lines between them.

    Parameters
    ----------
    residual, along : (n,) arrays
        MJy/sr; along is the brightness of the reference.
    row, column : (n,) int arrays
    beam : float
        FWHM, in units of rows.

    Returns
    -------
    float; 0 with fewer than LEAST_CONTRAST_BLOCKS blocks of which at least 3/10 are covered.
    """
    if residual.size < LEAST_CONTRAST_BLOCKS:
        return 0.0
    groups = np.array_split(np.argsort(along), min(max(along.size // PER_GROUP, 1), GROUPS))
    middle = np.median(residual)
    reach = 3 * 1.4826 * np.median(np.abs(residual - middle))
    # Of two levels the median is either, by chance.
    clipped = np.clip(residual, middle - reach, middle + reach)
    residual = residual - np.interp(along, *([values[group].mean() for group in groups] for values in (along, clipped)))
    row, column = row - row.min(), column - column.min()
    longer = max(row.max(), column.max()) + 1
    side = max(math.ceil(CONTRAST_BEAMS * beam), math.ceil(longer / CONTRAST_ACROSS))
    _, block, count = np.unique(
        row // side * (longer // side + 1) + column // side, return_inverse=True, return_counts=True
    )
    blocks = np.split(residual[np.argsort(block, kind="stable")], np.cumsum(count)[:-1])
    blocks = [values for values in blocks if values.size >= max(0.3 * side**2, 8)]
    if len(blocks) < LEAST_CONTRAST_BLOCKS:
        return 0.0
    middle = np.array([np.median(values) for values in blocks])
    scatter = np.array([1.4826 * np.median(np.abs(v - m)) for v, m in zip(blocks, middle, strict=True)])
    scatter = np.maximum(scatter, max(np.median(scatter) / 2, 1e-6 * np.ptp(along), np.finfo(float).tiny))
    deviation = (middle - np.average(middle, weights=scatter**-2)) / scatter
    return float(np.sqrt(np.sum(deviation**2) / (len(blocks) - 1)))


def _planes(sums):
    """(k, 2) slopes of planes from (9, k) sums of products."""
    one, u, v, uu, uv, vv, r, ru, rv = sums
    normal = np.stack([np.stack(c, axis=-1) for c in ((one, u, v), (u, uu, uv), (v, uv, vv))], axis=-2)
    return np.linalg.solve(normal, np.stack([r, ru, rv], axis=-1)[..., None])[:, 1:, 0]
