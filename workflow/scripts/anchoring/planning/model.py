"""What a plan consists of: images, the pairs they are fitted in, and the plan itself."""

import functools
from dataclasses import dataclass, field
from pathlib import Path

from .companions import Kernels
from .paths import FITS
from .references import MadeReference
from .settings import is_ref_band


@dataclass(frozen=True, eq=False)  # each is made once: compared by identity, which is fast
class Image:
    """A mosaic to anchor. `name` is its file name without `_{in_step_ext}.fits`.

    One that is skipped may also be a file of another name, or the folder of a band without mosaics.
    """

    target: str
    band: str
    name: str
    path: str
    instrument: str
    masks: tuple = ()  # all files that can be its mask; expected is one, or none

    @property
    def mask(self):
        return next(iter(self.masks), None)

    def described(self):
        """What results state of an image."""
        return {
            "target": self.target,
            "band": self.band,
            "image": self.path,
            "name": self.name,
            "instrument": self.instrument,
        }


@dataclass(frozen=True, eq=False)
class Pair:
    """An image and a reference it can be fitted against.

    `reference` names the reference (a label of external_bands, or the name of a ref_band image); `label` is its label
    or band; `error` is the uncertainty map of the reference, if any; `problem` says what is missing, and is empty if
    nothing is.
    """

    image: Image
    reference: str
    label: str
    resolution: str
    path: str  # of the reference
    reference_image: Image | None = None
    error: str | None = None
    problem: str = ""
    made: MadeReference | None = None  # of a reference that is made

    @property
    def kind(self):
        return "internal" if self.reference_image else "external"

    def described(self):
        """What results state of a pair."""
        return {
            "reference": self.reference,
            "ref_filter": FITS.fullmatch(Path(self.path).name)["stem"],
            "label": self.label,
            "kind": self.kind,
            "resolution": self.resolution,
        }


@dataclass
class Plan:
    """All images of a run, the pairs of each, and the reason why an image cannot be anchored (`skipped`), if any."""

    config: dict
    images: dict  # (target, band, name): Image
    kernels: Kernels
    skipped: dict = field(default_factory=dict)  # Image: reason
    pairs: dict = field(default_factory=dict)  # Image that is not skipped: list of Pair
    galaxies: dict = field(default_factory=dict)  # target: row of galaxy_table, or None
    networks: dict = field(default_factory=dict)  # (target, instrument): all pairs that are adjusted together, if any
    unused: list = field(default_factory=list)  # a line per name in the configuration that no image of the run has

    @functools.cached_property
    def _of_target(self):
        found = {}
        for image in self.images.values():
            found.setdefault(image.target, []).append(image)
        return found

    @property
    def targets(self):
        return sorted(self._of_target)

    def of_target(self, target):
        return self._of_target[target]

    def is_reference(self, image):
        """Whether an image is in the ref_band of its instrument."""
        return is_ref_band(self.config, image.instrument, image.band)

    def group(self, target, instrument, band=None):
        """Images solved together: the ref_band images of an instrument (band None), or those of another band."""
        return [
            image
            for image in self.of_target(target)
            if image.instrument == instrument
            and image not in self.skipped
            and (self.is_reference(image) if band is None else image.band == band)
        ]

    def pair(self, target, band, name, reference):
        return self._by_names[target, band, name, reference]

    @functools.cached_property
    def _by_names(self):
        pairs = [pair for of_image in (*self.pairs.values(), *self.networks.values()) for pair in of_image]
        return {(p.image.target, p.image.band, p.image.name, p.reference): p for p in pairs}

    def fitted_pairs(self, image):
        """Pairs of an image that can be fitted."""
        return [pair for pair in self.pairs.get(image, ()) if not pair.problem]

    def possible_pairs(self):
        fitted = [pair for image in self.pairs for pair in self.fitted_pairs(image)]
        of_networks = [pair for key in self.networks for pair in self.network_pairs(*key)]
        return list(dict.fromkeys([*fitted, *of_networks]))

    def network_pairs(self, target, instrument):
        """Pairs that are adjusted together and can be fitted."""
        return [pair for pair in self.networks.get((target, instrument), ()) if not pair.problem]

    def kernels_of(self, pair):
        """Paths of the kernels of the mosaic and of the reference of a pair; None where nothing is convolved."""
        other = pair.reference_image
        return {
            "kernel": self.kernels.path(pair.image.band, pair.resolution),
            "reference_kernel": other and self.kernels.path(other.band, pair.resolution),
        }

    def convolves_error(self, image, resolution):
        """Whether ERR of an image is convolved too: where it is the noise of a ref_band that others are fitted on."""
        return self.config.get("convolved_errors") == "all" or (image, resolution) in self._noise_of_pairs

    @functools.cached_property
    def _noise_of_pairs(self):
        return {(pair.reference_image, pair.resolution) for pair in self.possible_pairs()}

    @functools.cached_property
    def made(self):
        """{target_label: MadeReference} of all references that are made."""
        return {pair.made.name: pair.made for pair in self.possible_pairs() if pair.made}

    @functools.cached_property
    def recipes(self):
        """{file name without .fits: Recipe} of all kernels that are made."""
        needed = [
            (image.band, pair.resolution)
            for pair in self.possible_pairs()
            for image in (pair.image, pair.reference_image)
            if image
        ]
        needed += [(made.psf, made.resolution) for made in self.made.values()]
        found = (self.kernels.recipe(*names) for names in needed)
        return {Path(recipe.path).stem: recipe for recipe in found if recipe}
