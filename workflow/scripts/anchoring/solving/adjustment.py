"""Offsets of all images of an instrument from all of their pairs at once: a least-squares adjustment.

A pair k of an image y and x, fitted as y = m_k x + b_k, observes

    L_k = -b_k = o_y - m_k o_x + e_k           x another image, o the offsets to add
    L_k = -b_k = o_y + m_k z_r + e_k           x an external reference whose zero level is too high by z_r = 0 +- s_r

so that L = B o + M z + e. With C the covariance of e, that of L - B o is V = C + M diag(s^2) M', and

    o = G L,    G = (B' V^-1 B)^-1 B' V^-1

e_k is the error of the line at the true zero of x: x = -o_x for an image before its own offset is added, so that C
depends on o, and a second pass has it right. C is the jackknife's, with all pairs without the same block of the sky at
once, its correlations shrunk to the identity (Schaefer & Strimmer 2005, Stat. Appl. Genet. Mol. Biol. 4, 32), plus the
squares of the systematic changes d_k of each pair. Geodesy's networks are adjusted so; for sky maps, Wehus et al. 2017
(A&A 597, A131).

Errors of o: statistical from its own replicates; systematic as the sum over k of |G_k d_k|, since what pairs with a
common band are off by has one cause and does not average out; and that of the zero levels, G M diag(s^2) M' G'.

Test of a reference (Baarda 1968): with Q = V^-1 - V^-1 B (B' V^-1 B)^-1 B' V^-1 and c the column of M of a reference,

    z = c' Q L / c' Q c,    error^2 = 1 / c' Q c - s^2,    w = c' Q L / sqrt(c' Q c)

z is its zero level by all other references and w what it is in units of its expected error; an error of the zero level
of DETECTED / sqrt(c' Q c) is found in 80 % of all cases; c' Q c2 / sqrt(c' Q c c2' Q c2) near 1 means that two
references cannot be told from each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..fitting import jackknife

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SUSPECT = 3.29  # |w| that chance exceeds in 0.1 %
AHEAD = 4.0  # of w^2: a reference that is named is ahead of the next by this
FEWEST = 3  # references, of which one can be named
DETECTED = 4.13  # w that exceeds SUSPECT in 80 %
FLOOR = 1e-5  # MJy/sr, least error of a pair: images without noise would have none
NOT_TESTED = 1e-6  # of c' Q c in units of c' V^-1 c, below which nothing speaks for or against a reference


class Observations(NamedTuple):
    """The fitted pairs of the images of an instrument.

    Attributes
    ----------
    image : (n,) int array
        Index of y among the images.
    other : (n,) int array
        Index of x among the images; -1 for an external reference.
    reference : (n,) int array
        Index of x among the references; -1 for an image.
    slope, intercept : (n,) arrays
        MJy/sr.
    replicates : (n, 2, blocks) array
        Slope and intercept without each block of the sky, the same blocks for all pairs.
    within : (n,) array
        `jackknife.Blocks.within` of each.
    changes : list of n (k, 2) arrays
        Systematic changes of (slope, intercept).
    """

    image: NDArray[np.integer]
    other: NDArray[np.integer]
    reference: NDArray[np.integer]
    slope: NDArray[np.float64]
    intercept: NDArray[np.float64]
    replicates: NDArray[np.float64]
    within: NDArray[np.float64]
    changes: Sequence[NDArray[np.float64]]


class Adjustment(NamedTuple):
    """The offsets of images, how well the pairs agree, and what they say of the references.

    Attributes
    ----------
    offset : (images,) array
        MJy/sr; NaN of an image that depends on no reference.
    statistical, systematic, of_zeros : (images, images) arrays
        Covariances, MJy^2/sr^2; of_zeros by the errors of the zero levels, not in systematic.
    residual, residual_error : (n,) arrays
        L - G of each pair and its expected standard deviation, MJy/sr.
    zero, zero_error, w, detectable : (references,) arrays
        As in the module's docstring, MJy/sr of the reference but w; NaN of one that nothing can be said of.
    alike : (references,) array, alike_with : (references,) int array
        Largest absolute correlation of w with that of another reference, and which that is (-1 for none).
    chi_squared, freedom : float, int
        Of the residuals.
    """

    offset: NDArray[np.float64]
    statistical: NDArray[np.float64]
    systematic: NDArray[np.float64]
    of_zeros: NDArray[np.float64]
    residual: NDArray[np.float64]
    residual_error: NDArray[np.float64]
    zero: NDArray[np.float64]
    zero_error: NDArray[np.float64]
    w: NDArray[np.float64]
    detectable: NDArray[np.float64]
    alike: NDArray[np.float64]
    alike_with: NDArray[np.integer]
    chi_squared: float
    freedom: int

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Of the offsets: all three parts, (images, images) array, MJy^2/sr^2."""
        return self.statistical + self.systematic + self.of_zeros


def adjust(observed: Observations, n_images: int, zero_errors: ArrayLike) -> Adjustment:
    """Adjust the offsets of `n_images` images.

    Parameters
    ----------
    observed : Observations
    n_images : int
    zero_errors : (references,) array
        s, MJy/sr of each reference; 0 for one that is taken as exact.

    Returns
    -------
    Adjustment
    """
    zero_errors = np.asarray(zero_errors, dtype=float)
    reached = anchored(observed, n_images)
    kept = np.flatnonzero(reached[observed.image])
    used = Observations(*(np.asarray(v)[kept] for v in observed[:-1]), [observed.changes[k] for k in kept])
    columns = np.flatnonzero(reached)
    of_images, of_references = _design(used, n_images, zero_errors.size)
    of_images, offset = of_images[:, columns], np.zeros(n_images)
    values = -used.intercept
    if columns.size == 0:
        return nothing(n_images, observed.image.size, zero_errors.size)
    for _ in range(2):
        deviations, changes = at_true_zero(used, offset)
        covariance = shrunk_covariance(deviations) + np.diag(changes**2 + FLOOR**2)
        total = covariance + (of_references * zero_errors**2) @ of_references.T
        weight = np.linalg.inv(total)
        normal = of_images.T @ weight @ of_images
        gain = np.linalg.solve(normal, of_images.T @ weight)
        offset[columns] = gain @ values
    statistical = jackknife.stated_covariance(*(gain @ deviations), within=1.0)
    systematic = _linear(gain * changes)
    zeros = gain @ of_references * zero_errors
    q = weight - weight @ of_images @ gain
    residual = values - of_images @ offset[columns]
    filled = [np.full((n_images, n_images), math.nan) for _ in range(3)]
    for whole, part in zip(filled, (statistical, systematic, zeros @ zeros.T), strict=True):
        whole[np.ix_(columns, columns)] = part
    residuals = np.full((2, observed.image.size), math.nan)
    residuals[:, kept] = residual, np.sqrt(np.maximum(np.diag(total @ q @ total), 0))
    return Adjustment(
        np.where(reached, offset, math.nan),
        *filled,
        *residuals,
        *_tested(of_references, q, weight, values, zero_errors),
        float(values @ q @ values),
        kept.size - columns.size,
    )


def named(w, known):
    """Index of the reference whose zero level is wrong, by the test; None if none is named.

    It is named only if chance hardly explains it (SUSPECT), if it is AHEAD of all others, if there are FEWEST, and if
    the errors of all zero levels are known: with those of exact ones, every ordinary error of a zero is improbable.

    Parameters
    ----------
    w : (references,) array
    known : (references,) bool array
        Whether the error of the zero level is.
    """
    tested = np.flatnonzero(np.isfinite(w))
    if tested.size < FEWEST or not np.all(np.asarray(known)[tested]):
        return None
    order = tested[np.argsort(-np.abs(w[tested]))]
    first, second = (abs(w[i]) for i in order[:2])
    return int(order[0]) if first > SUSPECT and first**2 > second**2 + AHEAD else None


def disagree(w):
    """Whether references disagree more than their errors explain, whichever of them is wrong."""
    return bool(np.any(np.abs(w[np.isfinite(w)]) > SUSPECT))


def anchored(observed, n_images):
    """Which images are connected with an external reference through their pairs: (images,) bool array."""
    found = np.zeros(n_images, dtype=bool)
    found[observed.image[observed.reference >= 0]] = True
    inner = observed.reference < 0
    pairs = np.stack([observed.image[inner], observed.other[inner]])
    for _ in range(n_images):
        found[pairs[:, found[pairs].any(axis=0)]] = True
    return found


def at_true_zero(observed, offset):
    """Deviations of each pair's line at the true zero of x without each block, (n, blocks), and its systematic change.

    Over sqrt(within), so that their jackknife's covariance is that of the pairs; changes (n,) are root sums of squares.
    """
    at = np.where(observed.other >= 0, -offset[observed.other], 0.0)
    lines = -(observed.replicates[:, 1] + at[:, None] * observed.replicates[:, 0])
    deviations = (lines - lines.mean(axis=1, keepdims=True)) / np.sqrt(observed.within)[:, None]
    changes = [math.sqrt(np.sum((c[:, 1] + x * c[:, 0]) ** 2)) for c, x in zip(observed.changes, at, strict=True)]
    return deviations, np.array(changes)


def shrunk_covariance(deviations):
    """The jackknife's covariance of n quantities from their deviations without each block, its correlations shrunk.

    r becomes (1 - lambda) r with lambda = sum var(r) / sum r^2 over all pairs of quantities, within 0 and 1; var(r) is
    that of the products of standardised deviations (Schaefer & Strimmer 2005, equations 8 and 10 and their appendix).

    Parameters
    ----------
    deviations : (n, blocks) array

    Returns
    -------
    (n, n) array
    """
    blocks = deviations.shape[1]
    variance = np.sum(deviations**2, axis=1)
    unit = deviations / np.sqrt(np.where(variance > 0, variance, 1))[:, None]
    correlation = unit @ unit.T
    outer = ~np.eye(len(unit), dtype=bool)
    scatter = blocks / (blocks - 1) * ((unit**2) @ (unit**2).T - correlation**2 / blocks)
    power = np.sum(correlation[outer] ** 2)
    part = min(max(np.sum(scatter[outer]) / power, 0.0), 1.0) if power > 0 else 1.0
    kept = np.where(outer, (1 - part) * correlation, 1.0)
    error = np.sqrt(variance * (blocks - 1) / blocks)
    return kept * np.outer(error, error)


def _design(observed, n_images, n_references):
    """B, (n, images), and M, (n, references)."""
    n = np.arange(observed.image.size)
    of_images, of_references = np.zeros((n.size, n_images)), np.zeros((n.size, n_references))
    of_images[n, observed.image] = 1
    inner = observed.reference < 0
    of_images[n[inner], observed.other[inner]] = -observed.slope[inner]
    of_references[n[~inner], observed.reference[~inner]] = observed.slope[~inner]
    return of_images, of_references


def _linear(parts):
    """Covariance of sums of (images, n) parts whose signs are unknown but not independent.

    Its variances are the squares of the sums of |part|; its correlations are those of independent parts.
    """
    error = np.sum(np.abs(parts), axis=1)
    quadratic = np.sqrt(np.sum(parts**2, axis=1))
    unit = parts / np.where(quadratic > 0, quadratic, 1)[:, None]
    return unit @ unit.T * np.outer(error, error)


def _tested(of_references, q, weight, values, zero_errors):
    """zero, zero_error, w, detectable, alike and alike_with of an Adjustment."""
    n = zero_errors.size
    products, moments = of_references.T @ q @ of_references, of_references.T @ q @ values
    power, most = np.diag(products), np.diag(of_references.T @ weight @ of_references)
    tested = power > NOT_TESTED * np.maximum(most, np.finfo(float).tiny)
    power = np.where(tested, power, math.nan)
    zero = moments / power
    error = np.sqrt(np.maximum(1 / power - zero_errors**2, 0))
    root = np.sqrt(power)
    alike, alike_with = np.full(n, math.nan), np.full(n, -1)
    with np.errstate(invalid="ignore"):
        correlation = np.abs(products / np.outer(root, root))
    np.fill_diagonal(correlation, math.nan)
    for i in np.flatnonzero(np.isfinite(correlation).any(axis=1)):
        alike_with[i] = np.nanargmax(correlation[i])
        alike[i] = correlation[i, alike_with[i]]
    return zero, error, zero * root, DETECTED / root, alike, alike_with


def nothing(n_images, n_pairs, n_references):
    """The Adjustment of images none of which depends on a reference."""
    images, pairs = np.full(n_images, math.nan), np.full(n_pairs, math.nan)
    square, references = np.full((n_images, n_images), math.nan), np.full(n_references, math.nan)
    none = np.full(n_references, -1)
    return Adjustment(images, square, square, square, pairs, pairs, *[references] * 5, none, math.nan, 0)
