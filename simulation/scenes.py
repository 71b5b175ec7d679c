"""Pairs of images of simulated galaxies as arrays on one grid, ready for `measure_pair`, whose zero levels are known.

A scene is a galaxy with clumps and foreground stars on a fine grid, observed twice: the reference observes all of it,
at its own resolution, with noise; the comparison image observes a footprint with holes, in another colour that varies
over the galaxy, and is convolved to the reference's resolution with the weights of its observed pixels, as the workflow
does it. SCENES differ in all of these. Everything is MJy/sr and arcsec.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.fft import irfft2, rfft2

from simulation import instruments
from simulation.fields import convolved, correlated_noise, in_plane

FINE = 0.6875  # arcsec, pixels in which scenes are drawn
INTERNAL = instruments.BANDS["F2100W"]  # to whose resolution, on the pixels of MIRI, internal pairs are convolved
INTERNAL_FWHM = INTERNAL.fwhm / INTERNAL.scale


class Reference(NamedTuple):
    """An external reference: pixels (in fine ones) and noise of its images, slope of a comparison band on it, and how
    many foreground stars there are, relative to 3 micron."""

    label: str
    step: int
    noise: float
    slope: float
    stars: float

    @property
    def fwhm(self):
        return instruments.REFERENCES[self.label].fwhm


REFERENCES = (
    Reference("irac4_atgauss4", 1, 0.015, 1.0, 0.3),
    Reference("w3_atgauss15", 4, 0.040, 1.7, 0.3),
    Reference("irac1_atgauss4", 1, 0.010, 0.9, 1.0),
    Reference("w1_atgauss7p5", 4, 0.015, 1.0, 1.0),
)


class Pair(NamedTuple):
    """Images (ny, nx) of one grid, the beam (pixels), the true line and offset to add, and the noise put into x."""

    x: np.ndarray
    y: np.ndarray
    beam: float
    slope: float
    offset: float
    noise: float


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
    u, v = plane_of(rng, n, tilt=(0.45, 1), shift=20)
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
    u, v = plane_of(rng, n, tilt=(0.4, 1), shift=30)
    radius = np.hypot(u, v) / (rng.uniform(18, 45) / FINE)
    ring = rng.uniform(0, 1.5) * np.exp(-((radius - rng.uniform(0.5, 1.2)) ** 2) / 0.05)
    profile = rng.uniform(2, 5) * np.exp(-(radius ** rng.uniform(0.7, 1.1))) + ring
    texture = np.exp(rng.uniform(0.4, 0.8) * power_law(rng, (n, n), rng.uniform(2.2, 3.2)))
    return profile * texture + rng.uniform(0, 0.05), radius


def spiral(rng, n=440):
    """Narrow logarithmic arms on an exponential disk that breaks, with log-normal texture everywhere."""
    u, v = plane_of(rng, n, tilt=(0.5, 1))
    scale = rng.uniform(22, 50) / FINE
    radius = np.hypot(u, v) / scale
    phase = 2 * np.arctan2(v, u) - rng.uniform(4, 9) * np.log(radius + 0.05)
    arms = np.exp(rng.uniform(1, 3) * (np.cos(phase) - 1))
    profile = np.exp(-radius) * np.where(radius > 2.5, np.exp(-1.5 * (radius - 2.5)), 1)
    texture = np.exp(rng.uniform(0.3, 0.6) * power_law(rng, (n, n), rng.uniform(2.4, 3.0)))
    return rng.uniform(3, 8) * profile * (0.3 + arms) * texture, radius


def ringed(rng, n=440):
    """A bright bulge and a ring far out, with little between them and a wide faint disk."""
    u, v = plane_of(rng, n, tilt=(0.3, 1))
    radius = np.hypot(u, v) / (rng.uniform(20, 40) / FINE)
    bulge = rng.uniform(5, 40) * np.exp(-4 * np.sqrt(radius))
    at, width = rng.uniform(1, 2), rng.uniform(0.15, 0.4)
    ring = rng.uniform(1, 3) * np.exp(-(((radius - at) / width) ** 2) / 2)
    texture = np.exp(0.5 * power_law(rng, (n, n), 2.0))
    return bulge + (ring + rng.uniform(0.2, 0.8) * np.exp(-radius / 2)) * texture, radius


def regions(rng, n=440):
    """Most of the light is in compact regions of a power-law luminosity function, on a faint flat disk."""
    u, v = plane_of(rng, n, tilt=(0.5, 1))
    radius = np.hypot(u, v) / (rng.uniform(25, 60) / FINE)
    disk = np.exp(-(radius**2) / 2)
    emission = rng.uniform(0.3, 0.8) * disk
    for size, number in ((2.0, 1500), (5.0, 300), (12.0, 60)):
        points = np.zeros((n, n))
        place = tuple(rng.integers(0, n, size=(2, number)))
        np.add.at(points, place, (rng.pareto(1.0, number) + 0.3).clip(max=40) * disk[place])
        emission += 0.3 * (size / FINE) ** 2 * convolved(points, size / FINE)
    return emission, radius


def plane_of(rng, n, tilt, shift=40):
    """Coordinates (pixels) in the plane of a galaxy whose centre, angle and cosine of the inclination are random."""
    y, x = np.indices((n, n)) - n / 2 + rng.uniform(-shift, shift, size=(2, 1, 1))
    return in_plane(x, y, rng.uniform(0, np.pi), rng.uniform(*tilt))


def colour(rng, emission, radius, amplitude=1.0):
    """Relative colour: a gradient with radius and fluctuations on two scales, 1 on average."""
    shape = radius.shape
    gradient = rng.normal(0, 0.03) * (np.clip(radius, 0, 4) - 1.5)
    patches = 0.06 * convolved_unit(rng, shape, 40) + 0.08 * convolved_unit(rng, shape, 8)
    return 1 + amplitude * (gradient + patches)


def colour_of_brightness(rng, emission, radius, amplitude=1.0):
    """Relative colour that changes with the logarithm of brightness, so that no line holds everywhere, and patches."""
    level = np.log10(np.maximum(convolved(emission, 3 / FINE), 0.01)).clip(-1.5, 1.5)
    patches = 0.08 * convolved_unit(rng, radius.shape, 20)
    return 1 + amplitude * (rng.normal(0, 0.06) * level + patches)


def colour_of_sides(rng, emission, radius, amplitude=1.0):
    """Relative colour with a dipole (one side of the galaxy is redder), and fine grain."""
    y, x = np.indices(radius.shape) / radius.shape[0] - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    dipole = rng.normal(0, 0.2) * (x * np.cos(angle) + y * np.sin(angle))
    return 1 + amplitude * (dipole + 0.12 * convolved_unit(rng, radius.shape, 4))


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
    u, v = in_plane(x, y, rng.uniform(0, np.pi), 1.0)
    width, height = rng.uniform(120, 240) / FINE, rng.uniform(120, 180) / FINE
    observed = (np.abs(u) < width / 2) & (np.abs(v) < height / 2)
    for _ in range(rng.integers(1, 6)):
        cy, cx = rng.uniform(-80, 80, size=2)
        observed &= np.hypot(y - cy, x - cx) > rng.uniform(1, 8)
    return observed


def small_footprint(rng, shape):
    """A rotated square of 70" to 110", MIRI's own field, with one hole: True where observed."""
    y, x = np.indices(shape) - np.array(shape).reshape(2, 1, 1) / 2
    u, v = in_plane(x, y, rng.uniform(0, np.pi), 1.0)
    half = rng.uniform(35, 55) / FINE
    cy, cx = rng.uniform(-30, 30, size=2)
    return (np.abs(u) < half) & (np.abs(v) < half) & (np.hypot(y - cy, x - cx) > rng.uniform(1, 6))


def white_noise(rng, shape, fwhm, sigma):
    """Independent Gaussian noise in every pixel, of standard deviation sigma."""
    return rng.normal(0, sigma, shape)


def wide_noise(rng, shape, fwhm, sigma):
    """Noise that is correlated over more than the beam, as after another resampling."""
    return correlated_noise(rng, shape, 1.4 * fwhm, sigma)


class Scene(NamedTuple):
    """How a galaxy shines, how its colour varies, what is observed, and what noise the reference has."""

    emission: Callable
    colour: Callable = colour
    footprint: Callable = footprint
    noise: Callable = correlated_noise


SCENES = {
    "disk": Scene(disk),
    "textured": Scene(textured),
    "spiral": Scene(spiral, colour_of_brightness),
    "ringed": Scene(ringed, colour_of_sides, noise=white_noise),
    "regions": Scene(regions, footprint=small_footprint, noise=wide_noise),
}


def observed_at(image, mask, fwhm, step):
    """Convolution with the weights of observed pixels, then every step-th pixel; NaN where not observed."""
    weight = convolved(mask.astype(float), fwhm)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = np.where(mask, convolved(np.where(mask, image, 0), fwhm) / weight, np.nan)
    return result[::step, ::step]


def external_pair(seed, reference, *, scene="disk", noise=1.0, colours=1.0, hole=True):
    """A comparison image and an external reference.

    `noise` multiplies the reference's. With `hole`, the reference has a hole of its own.
    """
    rng, scene = np.random.default_rng(seed), SCENES[scene]
    emission, radius = scene.emission(rng)
    shape = emission.shape
    offset = rng.uniform(-0.5, 0.9)
    mask = scene.footprint(rng, shape)
    points, ratio = stars(rng, shape, reference.stars)
    # Stars are as wide as the comparison's own beam, unresolved on the fine grid.
    point_x = convolved(points, 2.0)
    point_y = convolved(points * ratio, 2.0)
    y = (
        reference.slope * emission * scene.colour(rng, emission, radius, colours)
        + point_y
        + rng.normal(0, 0.05, shape)
        - offset
    )
    fwhm, step = reference.fwhm / FINE, reference.step
    x = convolved(emission + point_x, fwhm)
    sigma = noise * reference.noise
    x = (x + scene.noise(rng, shape, fwhm, sigma))[::step, ::step]
    if hole:
        cy, cx = rng.integers(x.shape[0] // 3, 2 * x.shape[0] // 3, size=2)
        x[cy : cy + 4, cx : cx + 5] = np.nan
    return Pair(x, observed_at(y, mask, fwhm, step), fwhm / step, reference.slope, offset, sigma)


def internal_pair(seed, slope, *, scene="disk", n=440, colours=1.0, reference_offset=None):
    """Two bands of one instrument at the resolution of a third: the fine grid now is that of the reference band.

    `x` is the reference band before its own offset is added; `offset` is the comparison's own.
    """
    rng, scene = np.random.default_rng(seed), SCENES[scene]
    emission, radius = scene.emission(rng, n)
    shape = emission.shape
    offset, o_x = rng.uniform(-0.5, 0.5), rng.uniform(-0.3, 0.5)
    o_x = o_x if reference_offset is None else reference_offset
    mask = scene.footprint(rng, shape)
    points, ratio = stars(rng, shape, 1.0)
    y = (
        slope * emission * scene.colour(rng, emission, radius, 1.5 * colours)
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
