"""The files that go with mosaics: references, their noise maps, kernels and masks, in all their spellings."""

import os
from pathlib import Path
from typing import NamedTuple

from ..bands import can_be_modelled
from ..labels import gaussian_fwhm, normalised
from .paths import FITS, date_problem, distinct, name_problem, names_in
from .settings import MADE_KERNELS
from .sizes import header_card

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


def labels_of(folder, target):
    """Labels of all references of a target in a folder, in the configuration or not."""
    stems = [match["stem"] for match in map(FITS.fullmatch, names_in(folder)) if match]
    start = f"{target}_"
    return [stem[len(start) :] for stem in stems if stem.startswith(start) and not stem.endswith("_err")]


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


class Recipe(NamedTuple):
    """What a kernel is made of: its file, the names of both PSFs, and their files, none for a model or a Gaussian."""

    path: str
    names: tuple  # of the band and of the resolution
    sources: list  # paths of all files that can be meant; expected is one, or none
    targets: list

    @property
    def source(self):
        return next(iter(self.sources), None)

    @property
    def target(self):
        return next(iter(self.targets), None)


class Kernels:
    """The kernels of a folder, and those that are made: of a band to a resolution.

    A kernel that is given wins; else it is made from PSFs, or, with `model`, from a model of that of the band.
    """

    def __init__(self, folder=None, *, psf_dir=None, out_dir="results", model=False):
        self._folder, self._psf_dir, self._model = folder, psf_dir, model
        self._made = os.path.join(out_dir.rstrip("/"), MADE_KERNELS)
        self._found, self._psfs = _by_name(folder), _by_name(psf_dir)
        if folder and os.path.realpath(folder) == os.path.realpath(self._made):
            # out_dir is the folder that holds kernel_dir: what was made there is not given.
            given = {name: [path for path in paths if not _was_made(path)] for name, paths in self._found.items()}
            self._found = {name: paths for name, paths in given.items() if paths}

    def path(self, band, resolution):
        """The kernel of a band to a resolution, or where it is expected; None if the band has that resolution."""
        if normalised(band) == normalised(resolution):
            return None
        recipe = self.recipe(band, resolution)
        if recipe is not None:
            return recipe.path
        expected = os.path.join(self._folder or self._made, f"{_kernel_name(band, resolution)}.fits")
        return next(iter(self._of(band, resolution)), expected)

    def recipe(self, band, resolution):
        """The Recipe of the kernel of a band to a resolution, None if it is given, not needed or cannot be made."""
        if normalised(band) == normalised(resolution) or self._of(band, resolution):
            return None
        sources, targets = self.psfs(band), [] if gaussian_fwhm(resolution) else self.psfs(resolution)
        has_source = sources or (self._model and can_be_modelled(band, resolution))
        if not (has_source and (targets or gaussian_fwhm(resolution))):
            return None
        path = os.path.join(self._made, f"{_kernel_name(band, resolution)}.fits")
        return Recipe(path, (band.upper(), normalised(resolution)), sources, targets)

    def psfs(self, name):
        """Paths of all files that are the PSF of a band or resolution."""
        return self._psfs.get(normalised(name), [])

    def psf(self, name):
        """The file of the PSF of a band, None if there is none or it cannot be an input."""
        found = self.psfs(name)
        return found[0] if found and not problem_of(found) else None

    def problem(self, image, resolution):
        """What is wrong with the convolution of an image to a resolution; empty if nothing is known to be."""
        path, found = self.path(image.band, resolution), self._of(image.band, resolution)
        if path is None:
            return ""
        recipe = self.recipe(image.band, resolution)
        if not (found or recipe):
            return self._missing(path, image.band, resolution)
        start = f"{image.name}_to_{resolution}"
        of_files = problem_of(found) if found else problem_of(recipe.sources) or problem_of(recipe.targets)
        return of_files or name_problem(image.path, f"{image.band}_{start}.log", f"{start}.fits")

    def _of(self, band, resolution):
        """Paths of all files that are the kernel of a band to a resolution."""
        return self._found.get(_kernel_name(band, resolution), [])

    def _missing(self, path, band, resolution):
        kernel = f"no kernel {path}" if self._folder else f"no kernel of {band} to {normalised(resolution)}"
        needed = [name for name in (band, resolution) if not (gaussian_fwhm(name) or self.psfs(name))]
        psfs = " and ".join(os.path.join(self._psf_dir or "psf_dir", f"{normalised(name)}.fits") for name in needed)
        return f"{kernel}, and no PSF {psfs} to make it from; expected either: docs/method.md says how to make PSFs"


def _kernel_name(band, resolution):
    return normalised(f"{band}_to_{resolution}")


def _was_made(path):
    """Whether a kernel is one that `files.made_kernels` wrote, or is there in place of one."""
    return any(header_card(path, keyword) for keyword in ("KERND", "REFUSED"))


def _by_name(folder):
    """{name of a kernel or PSF, normalised: paths of its files} of a folder."""
    found = {}
    for name in names_in(folder) if folder else ():
        for ending in ENDINGS:
            if name.lower().endswith(ending):
                found.setdefault(normalised(name[: -len(ending)]), []).append(os.path.join(folder, name))
    return {name: distinct(paths) for name, paths in found.items()}
