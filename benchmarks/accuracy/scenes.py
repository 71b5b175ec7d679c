"""Simulated galaxies whose zero points are known, at array level: what reaches `bin_pair`, without files.

A scene is a disk with arms, clumps and foreground stars on a fine grid, seen twice: the reference sees it whole, at its
own resolution, with noise that is correlated over its beam; the comparison image sees it through a footprint with
holes, with another colour that varies over the disk, and is convolved to the reference's resolution with the weights of
its observed pixels, as the workflow does it. Everything is MJy/sr and arcsec.
"""

from typing import NamedTuple

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2

FINE = 0.6875  # arcsec, pixels in which scenes are drawn
FWHM_PER_SIGMA = 2.3548


class Reference(NamedTuple):
    """An external reference: FWHM, pixels (in fine ones) and noise of its images, slope of a comparison band on it."""

    label: str
    fwhm: float
    step: int
    noise: float
    slope: float
    stars: float


REFERENCES = (
    Reference("irac4_atgauss4", 4.0, 1, 0.015, 1.0, 0.3),
    Reference("w3_atgauss15", 15.0, 4, 0.040, 1.7, 0.3),
    Reference("irac1_atgauss4", 4.0, 1, 0.010, 0.9, 1.0),
    Reference("w1_atgauss7p5", 7.5, 4, 0.015, 1.0, 1.0),
)


class Pair(NamedTuple):
    """Images (ny, nx) of one grid, the beam (pixels), the true line and offset to add, and the noise put into x."""

    x: np.ndarray
    y: np.ndarray
    beam: float
    slope: float
    offset: float
    noise: float


def convolved(image, fwhm):
    """`image` convolved with a Gaussian of this FWHM (pixels), 0 outside."""
    sigma = fwhm / FWHM_PER_SIGMA
    shape = [next_fast_len(n + int(6 * sigma)) for n in image.shape]
    ky, kx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    transfer = np.exp(-2 * (np.pi * sigma) ** 2 * (ky**2 + kx**2))
    return irfft2(rfft2(image, shape) * transfer, shape)[: image.shape[0], : image.shape[1]]


def correlated_noise(rng, shape, fwhm, sigma):
    """Gaussian noise of standard deviation sigma, white before a Gaussian of this FWHM (pixels)."""
    noise = convolved(rng.normal(size=shape), fwhm)
    inner = slice(int(fwhm), -int(fwhm) or None)
    return noise * (sigma / noise[inner, inner].std())


def power_law(rng, shape, index):
    """Gaussian random field of unit variance with power spectrum k**-index."""
    ky, kx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    k = np.hypot(ky, kx)
    k[0, 0] = np.inf
    field = irfft2(rfft2(rng.normal(size=shape)) * k ** (-index / 2), shape)
    return (field - field.mean()) / field.std()


def disk(rng, n=440):
    """An inclined exponential disk with two arms and clumps.

    Returns
    -------
    emission : (n, n) array, MJy/sr; radius : (n, n) array, scale lengths.
    """
    y, x = np.indices((n, n)) - n / 2 + rng.uniform(-20, 20, size=(2, 1, 1))
    angle, cosine = rng.uniform(0, np.pi), rng.uniform(0.45, 1)
    u, v = x * np.cos(angle) + y * np.sin(angle), (y * np.cos(angle) - x * np.sin(angle)) / cosine
    scale = rng.uniform(18, 42) / FINE
    radius = np.hypot(u, v) / scale
    arms = 1 + rng.uniform(0.2, 0.6) * np.cos(2 * np.arctan2(v, u) - rng.uniform(2, 5) * np.log(radius + 0.1))
    smooth = rng.uniform(2, 5) * np.exp(-radius) * arms
    clumps = np.zeros((n, n))
    for size, number in ((1.5, 600), (4.0, 150), (8.0, 40)):
        place = rng.integers(0, n, size=(2, number))
        points = np.zeros((n, n))
        np.add.at(points, tuple(place), rng.pareto(1.8, number).clip(max=30) * smooth[tuple(place)])
        clumps += 0.25 * size * 4 * convolved(points, size / FINE)
    return smooth + clumps, radius


def textured(rng, n=440):
    """A different galaxy: log-normal power-law texture on a Sersic profile with a bar's ring and a faint plateau."""
    y, x = np.indices((n, n)) - n / 2 + rng.uniform(-30, 30, size=(2, 1, 1))
    angle, cosine = rng.uniform(0, np.pi), rng.uniform(0.4, 1)
    u, v = x * np.cos(angle) + y * np.sin(angle), (y * np.cos(angle) - x * np.sin(angle)) / cosine
    radius = np.hypot(u, v) / (rng.uniform(18, 45) / FINE)
    ring = rng.uniform(0, 1.5) * np.exp(-((radius - rng.uniform(0.5, 1.2)) ** 2) / 0.05)
    profile = rng.uniform(2, 5) * np.exp(-(radius ** rng.uniform(0.7, 1.1))) + ring
    texture = np.exp(rng.uniform(0.4, 0.8) * power_law(rng, (n, n), rng.uniform(2.2, 3.2)))
    return profile * texture + rng.uniform(0, 0.05), radius


def colour(rng, radius, amplitude=1.0):
    """Relative colour: a gradient with radius and fluctuations on two scales, 1 on the whole."""
    shape = radius.shape
    gradient = rng.normal(0, 0.03) * (np.clip(radius, 0, 4) - 1.5)
    patches = 0.06 * convolved_unit(rng, shape, 40) + 0.08 * convolved_unit(rng, shape, 8)
    return 1 + amplitude * (gradient + patches)


def convolved_unit(rng, shape, fwhm):
    """A Gaussian field of unit variance with features of this FWHM (arcsec)."""
    field = convolved(rng.normal(size=shape), fwhm / FINE)
    return field / field.std()


def stars(rng, shape, amount):
    """Foreground stars, as fluxes in pixels, and their colours between two bands."""
    points, ratio = np.zeros(shape), np.ones(shape)
    number = rng.poisson(60 * amount)
    place = tuple(rng.integers(0, n, size=number) for n in shape)
    np.add.at(points, place, 20 * (rng.pareto(1.0, number) + 1).clip(max=200))
    ratio[place] = rng.uniform(0.3, 1.5, number)
    return points, ratio


def footprint(rng, shape):
    """A rotated rectangle of 2' x 2' to 4' x 3', without the holes in it: True where observed."""
    y, x = np.indices(shape) - np.array(shape).reshape(2, 1, 1) / 2
    angle = rng.uniform(0, np.pi)
    width, height = rng.uniform(120, 240) / FINE, rng.uniform(120, 180) / FINE
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    observed = (np.abs(u) < width / 2) & (np.abs(v) < height / 2)
    for _ in range(rng.integers(1, 6)):
        cy, cx = rng.uniform(-80, 80, size=2)
        observed &= np.hypot(y - cy, x - cx) > rng.uniform(1, 8)
    return observed


def observed_at(image, mask, fwhm, step):
    """Convolution with the weights of observed pixels, then every step-th pixel; NaN where not observed."""
    weight = convolved(mask.astype(float), fwhm)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.where(mask, convolved(np.where(mask, image, 0), fwhm) / weight, np.nan)
    return result[::step, ::step]


def external_pair(seed, reference, *, scene=disk, noise=1.0, colours=1.0, hole=True):
    """A comparison image and an external reference.

    `noise` multiplies the reference's. With `hole`, the reference has a hole of its own.
    """
    rng = np.random.default_rng(seed)
    emission, radius = scene(rng)
    shape = emission.shape
    offset = rng.uniform(-0.5, 0.9)
    mask = footprint(rng, shape)
    points, ratio = stars(rng, shape, reference.stars)
    # Stars are as wide as the comparison's own beam, unresolved on the fine grid.
    point_x = convolved(points, 2.0)
    point_y = convolved(points * ratio, 2.0)
    y = reference.slope * emission * colour(rng, radius, colours) + point_y + rng.normal(0, 0.05, shape) - offset
    fwhm, step = reference.fwhm / FINE, reference.step
    x = convolved(emission + point_x, fwhm)
    sigma = noise * reference.noise
    x = (x + correlated_noise(rng, shape, fwhm, sigma))[::step, ::step]
    if hole:
        cy, cx = rng.integers(x.shape[0] // 3, 2 * x.shape[0] // 3, size=2)
        x[cy : cy + 4, cx : cx + 5] = np.nan
    return Pair(x, observed_at(y, mask, fwhm, step), fwhm / step, reference.slope, offset, sigma)


INTERNAL_FWHM = 0.67 / 0.11  # pixels of MIRI


def internal_pair(seed, slope, *, scene=disk, n=440, colours=1.0, reference_offset=None):
    """Two bands of one instrument at the resolution of a third: the fine grid now is that of the reference band.

    `x` is the reference band before its own offset is added; `offset` is the comparison's own.
    """
    rng = np.random.default_rng(seed)
    emission, radius = scene(rng, n)
    shape = emission.shape
    offset, o_x = rng.uniform(-0.5, 0.5), rng.uniform(-0.3, 0.5)
    o_x = o_x if reference_offset is None else reference_offset
    mask = footprint(rng, shape)
    points, ratio = stars(rng, shape, 1.0)
    y = (
        slope * emission * colour(rng, radius, 1.5 * colours)
        + convolved(points * ratio, 2.0)
        + rng.normal(0, 0.1, shape)
    )
    x = emission + convolved(points, 2.0) + rng.normal(0, 0.05, shape)
    other = mask & footprint_shifted(rng, shape)
    x = observed_at(x - o_x, other, INTERNAL_FWHM, 1)
    y = observed_at(y - offset, mask, INTERNAL_FWHM, 1)
    return Pair(x, y, INTERNAL_FWHM, slope, offset, 0.05 / (INTERNAL_FWHM * 1.5)), o_x


def footprint_shifted(rng, shape):
    """All but a few small holes."""
    y, x = np.indices(shape)
    observed = np.ones(shape, dtype=bool)
    for _ in range(3):
        cy, cx = rng.uniform(0.2, 0.8, size=2) * shape
        observed &= np.hypot(y - cy, x - cx) > rng.uniform(1, 5)
    return observed
