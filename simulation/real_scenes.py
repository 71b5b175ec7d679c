"""Pairs of images as in `scenes`, of galaxies whose colours are those of real spectra (`colours`).

Every band of a galaxy is its emission in F770W times the band's colour, so that all pairs of one seed show one sky. The
galaxy, its footprint and the reference's noise are those of one of scenes.SCENES. Below 5 micron old stars are added:
a smooth disk, on average STARS of the F770W, whose colours are invented (`scenes.colour`), as no spectrum here has any.
SCENES are the four ways to draw colours; the object they are drawn from changes from seed to seed.
"""

import zlib
from typing import NamedTuple

import numpy as np

from simulation import scenes
from simulation.colours import NEAR, OBJECTS, OBSERVED, SHORT, Colours, patches
from simulation.fields import convolved
from simulation.instruments import REFERENCES
from simulation.scenes import FINE, INTERNAL_FWHM, Pair

SCENES = ("spaxels", "spaxels_phangs", "statistics", "statistics_phangs")
PATCH = (6.0, 20.0)  # arcsec, size of patches of one colour
SMOOTH = 4.0  # arcsec, over which the brightness is taken that a colour goes by: about a spaxel
STARS, DISK = (0.4, 0.8), 12.0  # in IRAC 1 and relative to F770W; FWHM over which they are smoother than it, arcsec
STELLAR_COLOURS = {True: 0.3, False: 0.1}  # amplitude for `scenes.colour`, below 2.5 micron and above


class Link(NamedTuple):
    """A band on a reference: its label and pixels (in fine ones), or "" and 1 for one on a band of its instrument."""

    band: str
    on: str
    label: str = ""
    step: int = 1

    @property
    def name(self):
        return f"{self.band} on {self.on}"


LINKS = (
    Link("F770W", "IRAC4", "irac4_atgauss4", 1),
    Link("F770W", "W3", "w3_atgauss15", 4),
    Link("F2100W", "MIPS24", "mips24", 2),
    Link("F300M", "IRAC1", "irac1_atgauss4", 1),
    Link("F300M", "W1", "w1_atgauss7p5", 4),
    *(Link(band, "F770W") for band in ("F1000W", "F1130W", "F2100W")),
    *(Link(band, "F300M") for band in ("F200W", "F335M", "F360M")),
)


def object_of(seed):
    """The object whose spectra colour a galaxy."""
    return OBJECTS[seed % len(OBJECTS)]


class Galaxy:
    """One sky: `image(band)` is its (n, n) image in MJy/sr, without foreground stars, beam and noise."""

    def __init__(self, seed, scene, n=440):
        name, *more = scene.split("_")
        words = [object_of(seed), *([name] if name == "statistics" else []), *more]
        rng = np.random.default_rng(seed)
        self.scene = list(scenes.SCENES.values())[seed // len(OBJECTS) % len(scenes.SCENES)]
        self.emission, self.radius = self.scene.emission(rng, n)
        self._brightness = convolved(self.emission, SMOOTH / FINE)
        self._patch, number = patches(rng, self.emission.shape, rng.uniform(*PATCH) / FINE)
        self._colours = Colours("_".join(words), rng, number)
        self._stars = rng.uniform(*STARS) * convolved(self.emission, DISK / FINE)
        self._seed = seed

    def shows(self, link):
        """Whether both bands of a link are known."""
        return all(band in self._colours for band in link[:2])

    def image(self, band):
        dust = self.emission * self._colours.ratio(band, self._brightness, self._patch)
        return dust + self._stars * self._stellar_colour(band) if band in (*NEAR, *SHORT) else dust

    def _stellar_colour(self, band):
        relative = scenes.colour(self.generator(band), self.emission, self.radius, STELLAR_COLOURS[band in SHORT])
        return OBSERVED[band].brightness * relative

    def generator(self, *names):
        """Random numbers that depend on the seed and on what they are for."""
        return np.random.default_rng([self._seed, *(zlib.crc32(name.encode()) for name in names)])


def external_pair(galaxy, link, *, noise=1.0):
    """A comparison image and an external reference, as `scenes.external_pair`; `noise` multiplies the reference's."""
    rng, reference = galaxy.generator(*link[:2]), REFERENCES[link.label]
    mask, offset, points, ratio = _circumstances(galaxy, link, 1.0 if link.on in NEAR else 0.3)
    x, y = galaxy.image(link.on), galaxy.image(link.band)
    slope = _slope(x, y)
    fwhm, sigma = reference.fwhm / FINE, noise * reference.noise
    x = convolved(x + convolved(points, 2.0), fwhm) + galaxy.scene.noise(rng, x.shape, fwhm, sigma)
    y = y + convolved(points * ratio, 2.0) + rng.normal(0, 0.05, y.shape) - offset
    y = scenes.observed_at(y, mask, fwhm, link.step)
    return Pair(x[:: link.step, :: link.step], y, fwhm / link.step, slope, offset, sigma)


def internal_pair(galaxy, link, reference_offset=None):
    """Two bands of one instrument, as `scenes.internal_pair`: the pair, and the offset of the reference band."""
    rng = galaxy.generator(*link[:2])
    mask, offset, points, ratio = _circumstances(galaxy, link, 1.0)
    o_x = rng.uniform(-0.3, 0.5) if reference_offset is None else reference_offset
    x, y = galaxy.image(link.on), galaxy.image(link.band)
    slope = _slope(x, y)
    x = x + convolved(points, 2.0) + rng.normal(0, 0.05, x.shape) - o_x
    y = y + convolved(points * ratio, 2.0) + rng.normal(0, 0.1, y.shape) - offset
    x = scenes.observed_at(x, mask & scenes.footprint_shifted(rng, mask.shape), INTERNAL_FWHM, 1)
    y = scenes.observed_at(y, mask, INTERNAL_FWHM, 1)
    return Pair(x, y, INTERNAL_FWHM, slope, offset, 0.05 / (INTERNAL_FWHM * 1.5)), o_x


def _circumstances(galaxy, link, amount):
    """What does not come from the sky's dust and old stars: footprint, offset, foreground stars and their colours."""
    rng = galaxy.generator(*link[:2], "circumstances")
    mask = galaxy.scene.footprint(galaxy.generator("footprint"), galaxy.emission.shape)
    return mask, rng.uniform(-0.5, 0.9), *scenes.stars(rng, mask.shape, amount)


def _slope(x, y):
    """The median colour in the range of the fits."""
    inside = (x > 0.25) & (x < 2)
    return float(np.median(y[inside] / x[inside]))
