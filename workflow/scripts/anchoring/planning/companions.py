"""The files that go with mosaics: references, their noise maps, kernels and masks, in all their spellings."""

import os
from pathlib import Path

from ..labels import normalised
from .paths import FITS, date_problem, distinct, name_problem, names_in

ENDINGS = (".fits", ".fits.gz", ".fits.fz")


def companions(folder, stem):
    """Paths of the files of a name, plain or compressed; links to one file count once."""
    start = str(Path(folder, stem))
    return distinct(f"{start}{ending}" for ending in ENDINGS)


def problem_of(paths):
    """What is wrong with the files found of a name, if there are any."""
    if len(paths) > 1:
        return f"there are {' and '.join(paths)}, and either can be meant; expected one: remove the other"
    return date_problem(paths[0]) if paths else ""


def masks(config, target, band):
    """Masks of a target and band, else of the target."""
    if not config.get("mask_dir"):
        return ()
    return tuple(companions(config["mask_dir"], f"{target}_{band}") or companions(config["mask_dir"], target))


class Reference:
    """The files of an external reference: `path` (expected, if there is none), `error` and what is wrong with them."""

    def __init__(self, folder, target, label):
        self._stem, self._folder = f"{target}_{label}", folder
        self._found, self._errors = companions(folder, self._stem), companions(folder, f"{self._stem}_err")
        self.path = next(iter(self._found), str(Path(folder, f"{self._stem}.fits")))
        self.error = next(iter(self._errors), None)

    @property
    def found(self):
        return bool(self._found)

    def problem(self):
        if self._found:
            return problem_of(self._found) or problem_of(self._errors)
        stems = {name: FITS.fullmatch(name)["stem"] for name in names_in(self._folder) if FITS.fullmatch(name)}
        near = next((name for name, stem in stems.items() if normalised(stem) == normalised(self._stem)), "")
        there = f"; there is {near}: rename it, or write its label as in its name" if near else ""
        return f"no reference image {self.path}{there}"


class Kernels:
    """The kernels of a folder."""

    def __init__(self, folder):
        self._folder, found = folder, {}
        for name in names_in(folder):
            for ending in ENDINGS:
                if name.lower().endswith(ending):
                    found.setdefault(normalised(name[: -len(ending)]), []).append(os.path.join(folder, name))
        self._found = {name: distinct(paths) for name, paths in found.items()}

    def _of(self, band, resolution):
        """Paths of all files that are the kernel of a band to a resolution."""
        return self._found.get(normalised(f"{band}_to_{resolution}"), [])

    def path(self, band, resolution):
        """The kernel of a band to a resolution, or where it is expected; None if the band has that resolution."""
        if normalised(band) == normalised(resolution):
            return None
        expected = os.path.join(self._folder, f"{band.lower()}_to_{normalised(resolution)}.fits")
        return next(iter(self._of(band, resolution)), expected)

    def problem(self, image, resolution):
        """What is wrong with the convolution of an image to a resolution; empty if nothing is known to be."""
        path, found = self.path(image.band, resolution), self._of(image.band, resolution)
        if path is None:
            return ""
        if not found:
            return f"no kernel {path}"
        start = f"{image.name}_to_{resolution}"
        return problem_of(found) or name_problem(image.path, f"{image.band}_{start}.log", f"{start}.fits")
