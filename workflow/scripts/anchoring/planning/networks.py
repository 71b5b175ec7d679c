"""All pairs of the images of an instrument: each on every external reference, and each two bands on each other."""

import itertools

from ..bands import band_order
from .pairs import external_pair, internal_pair
from .references import reference_of
from .settings import all_external_bands


def network_pairs(plan):
    """{(target, instrument): list of Pair} of all pairs, those of the tree first, also of those that lack something.

    Of two bands that are no pair of the tree, the one of the longer wavelength is the reference of the other.
    """
    groups = {}
    for image in plan.pairs:
        groups.setdefault((image.target, image.instrument), []).append(image)
    return {key: _pairs(plan, *key, images) for key, images in groups.items()}


def _pairs(plan, target, instrument, images):
    pairs = [pair for image in images for pair in plan.pairs[image]]
    there = {(pair.image, pair.reference_image or pair.label) for pair in pairs}
    labels = all_external_bands(plan.config, instrument)
    references = {label: reference_of(plan.config, target, label) for label in labels}
    for image, (label, reference) in itertools.product(images, references.items()):
        if reference.found and (image, label) not in there:
            pairs.append(external_pair(plan, image, label, reference))
    names = [image.name for image in images]
    for one, other in itertools.combinations(sorted(images, key=lambda image: (band_order(image.band), image.name)), 2):
        if one.band == other.band or {(one, other), (other, one)} & there:
            continue
        name = other.name if names.count(other.name) == 1 else f"{other.band}_{other.name}"
        pairs.append(internal_pair(plan, one, other, name))
    return pairs


def described(plan):
    """A line per network: how many pairs are adjusted together, and what the others lack."""
    lines = []
    for (target, instrument), pairs in sorted(plan.networks.items()):
        lacking = [f"{pair.image.name} on {pair.label}: {pair.problem}" for pair in pairs if pair.problem]
        line = f"Network of {target}, {instrument}: {len(pairs) - len(lacking)} pairs, fitted in addition to the above"
        lines.append("; not possible: ".join([line, "; ".join(lacking)]) if lacking else line)
    return lines
