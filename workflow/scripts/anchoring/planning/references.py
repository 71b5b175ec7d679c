"""External references: those in ref_dir, and those that are made from archive images where ref_dir has none."""

import glob
import os
from typing import NamedTuple

from ..labels import normalised, resolution_of, split_label, value_for
from .companions import ENDINGS, Reference, companions, problem_of
from .paths import FITS, distinct, name_problem, names_in
from .settings import MADE_REFERENCES

MOST_TILES = 99  # each has numbered cards in the header of the reference
PLANES = ("w3", "w4")  # bands whose zodiacal light is a plane, not a constant, over a field


class Source(NamedTuple):
    """What is convolved, as `companions.Kernels.problem` sees it: the name of its PSF, its own name and its path."""

    band: str
    name: str
    path: str


class MadeReference:
    """A reference that is made: where it will be, from which files and how.

    `path` and `error` as those of `companions.Reference`; `name` is {target}_{label}, `tiles` are the archive images.
    """

    found = True  # as far as the plan goes: a rule makes it

    def __init__(self, config, target, label, settings):
        self.target, self.label, self.settings, self.name = target, label, settings, f"{target}_{label}"
        self.folder = os.path.join(config["out_dir"].rstrip("/"), MADE_REFERENCES, self.name)
        self.path, self.error = f"{self.folder}.fits", f"{self.folder}_err.fits"
        self.band = settings.get("band") or split_label(label)[0]
        self.psf, self.resolution = settings.get("psf") or self.band, resolution_of(label)
        given = settings["from"]
        self.given = [part.replace("{target}", target) for part in ([given] if isinstance(given, str) else given)]
        self._found = {part: _files(part) for part in self.given}
        tiles = distinct(dict.fromkeys(path for paths in self._found.values() for path in paths))
        self.maps = {tile: _map_of(tile, settings.get("uncertainty")) for tile in tiles}
        self.tiles = [tile for tile in tiles if tile not in self.maps.values()]  # a folder may have both
        mask = (settings.get("mask") or "").replace("{target}", target)
        self.mask = mask or None

    @property
    def in_words(self):
        return f"the reference {self.label} of {self.target}"

    @property
    def sky_radius(self):
        return self.settings.get("sky_radius", 4.0)

    @property
    def margin(self):
        """arcmin"""
        return self.settings.get("margin", 20.0)

    @property
    def extension(self):
        """Name of the extension of the images that has their uncertainty, or None."""
        return self.settings.get("uncertainty") if isinstance(self.settings.get("uncertainty"), str) else None

    @property
    def planes(self):
        """Number of images that a step holds: with their uncertainty or without."""
        return 2 if self.settings.get("uncertainty") else 1

    @property
    def sky(self):
        """constant, plane or none."""
        return self.settings.get("sky") or ("plane" if normalised(self.band) in PLANES else "constant")

    def problem(self, kernels):
        """What is missing for it; empty if nothing is known to be."""
        problem = self._problem() or kernels.problem(Source(self.psf, self.name, self.path), self.resolution)
        return problem and f"{self.in_words} cannot be made: {problem}"

    def _problem(self):
        missing = next((part for part, paths in self._found.items() if not paths), None)
        if missing or not self.tiles:
            fetched = " or fetch them with `python -m fetching`" if self.settings.get("source") else ""
            return f"no images {missing or 'given'}; expected FITS files: correct 'from' in 'references'{fetched}"
        if len(self.tiles) > MOST_TILES:
            return f"{len(self.tiles)} images; expected at most {MOST_TILES}: list those around the target in 'from'"
        if self.mask and not os.path.isfile(self.mask):
            return f"no mask {self.mask}; expected a FITS file: correct 'mask' in 'references'"
        unmapped = next((tile for tile in self.tiles if self.maps[tile] and not os.path.isfile(self.maps[tile])), None)
        if unmapped:
            return (
                f"no uncertainty map {self.maps[unmapped]} of {unmapped}; expected a FITS file: correct or remove "
                "'uncertainty' in 'references'"
            )
        others = filter(None, [*self.tiles, *(self.maps[tile] for tile in self.tiles), self.mask])
        return next(filter(None, (problem_of([path]) for path in others)), "") or name_problem(
            self.path, f"{self.name}_err.fits"
        )


def reference_of(config, target, label):
    """The `companions.Reference` of a label, or the MadeReference of a label that ref_dir has no file of."""
    reference = Reference(config["ref_dir"], target, label)
    settings = value_for(config.get("references") or {}, label)
    return reference if reference.found or settings is None else MadeReference(config, target, label, settings)


def _map_of(tile, uncertainty):
    """The file of the uncertainty map of an archive image; None if it is an extension or there is none."""
    if not isinstance(uncertainty, dict):
        return None
    ((part, other),) = uncertainty.items()
    folder, name = os.path.split(tile)
    stem = FITS.fullmatch(name.replace(part, other))
    if part not in name or not stem:
        return os.path.join(folder, f"{name} with {other} for {part}")  # there is none
    return next(iter(companions(folder, stem["stem"])), os.path.join(folder, name.replace(part, other)))


def _files(part):
    """Paths of the FITS files that an entry of 'from' stands for: a file, a pattern or a folder."""
    if os.path.isdir(part):
        return [os.path.join(part, name) for name in names_in(part) if name.lower().endswith(ENDINGS)]
    if os.path.isfile(part):
        return [part]
    return sorted(path for path in glob.glob(part) if path.lower().endswith(ENDINGS) and os.path.isfile(path))
