"""Colours of real sky: the brightness of each band relative to F770W, as spectra of real objects have it.

`spaxels.csv` (simulation/README.md) holds the bands of every spaxel of three objects. Their names, followed by what is
made of them::

    m83, ngc7023, m82      spaxels: the colour follows the medians of GROUPS groups of spaxels by brightness, and beyond
                           the faintest and the brightest group it does not change; each patch of sky deviates from it
                           as a spaxel does
    ..._statistics         ln(band / F770W) follows a straight line in ln(F770W) at all brightnesses, and patches
                           deviate from it with the covariance of the spaxels, normally distributed
    ..._phangs             with factors that make the median colours those of PHANGS-JWST (`instruments`)

The spaxels are 1 to 1000 times brighter than the skies. Their median brightness is taken to be a brightness MEDIAN of
the sky, so that a sky's colours vary with its brightness as those of the object do around its median.

Emission of dust between 2.5 and 5 micron is that of the brighter half of M82's spaxels, relative to F770W, in all
three. Old stars are not in it: a simulation adds its own.
"""

import csv
import functools
import math
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from simulation.instruments import BANDS, REFERENCES

OBJECTS = ("m83", "ngc7023", "m82")
SHORT = tuple(band for band in BANDS if BANDS[band].wavelength < 2.5)  # no dust is taken to shine there
# Of M82 only.
NEAR = ("F300M", "F335M", "F360M", "F380M", "F430M", "F444W", "F480M", "IRAC1", "IRAC2", "W1", "W2")
GROUPS = 5
MEDIAN = (0.4, 1.2)  # MJy/sr in F770W
OUTLIER = 6.0  # 1.4826 MAD from the groups' medians, beyond which a spaxel is noise or damaged
ATTENDED = ("F770W", "IRAC4", "F1000W", "F1130W", "W3", "F2100W", "MIPS24")  # in which it is then left out


def band_of(label):
    """The name in the table of a band, or of the band of a reference with this label."""
    return label.split("_at")[0].upper()


OBSERVED = BANDS | {band_of(label): reference for label, reference in REFERENCES.items()}


@functools.cache
def table(name):
    """Bands of the spaxels of an object, MJy/sr: mapping of band to (n,) array, of those that its cube covers."""
    with open(Path(__file__).parent / "spaxels.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["object"] == name]
    if not rows:
        raise ValueError(f"no spaxels of {name!r}; expected one of {', '.join(OBJECTS)}")
    bands = [name for name, value in rows[0].items() if value and name not in ("object", "x", "y")]
    return {band: np.array([float(row[band]) for row in rows]) for band in bands}


@functools.cache
def spaxels(name, near=False):
    """ln of F770W, (n,) array, and of other bands relative to it, mapping to (n,) arrays, of an object's good spaxels.

    Parameters
    ----------
    name : str
    near : bool
        The bands below 5 micron, of the brighter half; else the others.
    """
    values = {band: v for band, v in table(name).items() if (band in NEAR) == near or band == "F770W"}
    good = np.all([v > 0 for v in values.values()], axis=0)
    if near:
        good &= values["F770W"] >= np.median(values["F770W"])
    logs = {band: np.log(v[good]) for band, v in values.items()}
    level = logs.pop("F770W")
    ratios = {"F770W": 0 * level} | {band: v - level for band, v in logs.items()}
    kept = np.ones(level.size, dtype=bool)
    for band in set(ratios) & set(ATTENDED) - {"F770W"}:
        deviation = ratios[band] - _medians(level, ratios[band], level)
        kept &= np.abs(deviation) <= OUTLIER * 1.4826 * np.median(np.abs(deviation))
    return level[kept], {band: ratio[kept] for band, ratio in ratios.items()}


def _medians(level, ratio, at):
    """Medians of groups by level, straight between them and constant beyond, at other levels."""
    groups = np.array_split(np.argsort(level), GROUPS)
    return np.interp(at, *([np.median(v[group]) for group in groups] for v in (level, ratio)))


class Colours:
    """The colours of one sky.

    Parameters
    ----------
    name : str
        As in the module's docstring.
    rng : numpy.random.Generator
    n_patches : int
        Of the sky, each of which has a colour of its own at a given brightness.
    """

    def __init__(self, name, rng, n_patches):
        self.object, *words = name.split("_")
        if set(words) - {"statistics", "phangs"} or self.object not in OBJECTS:
            raise ValueError(
                f"no colours {name!r}; expected one of {', '.join(OBJECTS)}, then maybe _statistics, then maybe _phangs"
            )
        self._statistics, self._phangs = "statistics" in words, "phangs" in words
        self._middle = math.log(rng.uniform(*MEDIAN))
        self._of = {near: self._patches(rng, n_patches, near) for near in (False, True)}

    def _patches(self, rng, n_patches, near):
        level, _ = source = spaxels("m82" if near else self.object, near)
        if self._statistics:
            return source, rng.standard_normal((n_patches, level.size)) / math.sqrt(level.size)
        return source, np.eye(level.size)[rng.integers(level.size, size=n_patches)]

    def __contains__(self, band):
        return band in SHORT or any(band in source[1] for source, _ in self._of.values())

    def ratio(self, band, brightness, patch):
        """Brightness of the dust in a band relative to F770W: array, or 0 below 2.5 micron.

        Parameters
        ----------
        band : str
            As the table names it.
        brightness : array
            In F770W, MJy/sr, smooth.
        patch : int array of that shape
        """
        if band not in self:
            raise ValueError(
                f"the spectra of {self.object} do not cover {band}; expected a band of simulation/spaxels.csv"
            )
        if band in SHORT:
            return 0.0
        (level, ratios), mixtures = self._of[band in NEAR]
        ratio = ratios[band]
        at = np.log(np.maximum(brightness, 1e-6)) - self._middle + np.median(level)
        if self._statistics:
            line = np.polyfit(level, ratio, 1)
            trend, residual = np.polyval(line, at), ratio - np.polyval(line, level)
        else:
            trend, residual = _medians(level, ratio, at), ratio - _medians(level, ratio, level)
        factor = 1.0
        if self._phangs and band not in NEAR:
            factor = phangs(band) / math.exp(np.median(ratio))
        return factor * np.exp(trend + (mixtures @ residual)[patch])


def phangs(band):
    """Brightness of a band relative to F770W that is typical of PHANGS-JWST."""
    if band not in OBSERVED:
        raise ValueError(f"the typical brightness of {band} is not known; expected one of {', '.join(OBSERVED)}")
    return OBSERVED[band].brightness / BANDS["F770W"].brightness


def patches(rng, shape, size):
    """Patches of sky: int array that says which one each pixel is in, and their number.

    The points that are nearest to one of some random centres; `size`, in pixels, is the root of their mean area.
    """
    number = max(round(shape[0] * shape[1] / size**2), 1)
    centres = rng.uniform(0, shape, size=(number, 2))
    _, nearest = cKDTree(centres).query(np.indices(shape).reshape(2, -1).T)
    return nearest.reshape(shape), number
