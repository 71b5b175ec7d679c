"""Which image meets which reference at which resolution, and what is missing for it."""

from dataclasses import replace

from ..labels import normalised, resolution_of
from .model import Pair
from .paths import name_problem
from .references import MadeReference, reference_of
from .settings import REF_BAND, external_bands, instrument_settings, is_shipped


def instrument_problem(plan, image):
    """Why an image cannot be anchored, for all that is known of its instrument; empty if it can.

    An image without a path through the ref_band can be anchored on references of its own band. Asked once `skipped`
    has the rest.
    """
    problem = _ref_band_problem(plan, image)
    if not problem or image.instrument not in plan.config["instruments"] or plan.is_reference(image):
        return problem
    own = [pair for pair in _pairs_of(plan, image, {}) if pair.kind == "external"]
    return "" if any(not pair.problem for pair in own) else "; ".join(filter(None, [problem, problems(own)]))


def _ref_band_problem(plan, image):
    """Why the images of an instrument cannot be anchored through its ref_band."""
    config, instrument = plan.config, image.instrument
    if instrument not in config["instruments"]:
        named = f"instrument {instrument!r}" if instrument else "no instrument in its name or header"
        return f"{named}; expected one of {', '.join(sorted(config['instruments']))}: add it to 'instruments'"
    ref_band = instrument_settings(config, instrument).get("ref_band")
    if not ref_band:
        return f"instrument {instrument} has no ref_band in the configuration; set instruments.{instrument}.ref_band"
    references = [i for i in plan.of_target(image.target) if i.instrument == instrument and plan.is_reference(i)]
    if all(i in plan.skipped for i in references):
        missing = "; ".join(plan.skipped[i] for i in references)
        there = f" that can be used ({missing})" if missing else ""
        return f"{image.target} has no {instrument} image in its ref_band {ref_band}{there}; expected one to anchor on"
    if not external_bands(config, instrument):
        return f"instrument {instrument} has no external_bands; set instruments.{instrument}.external_bands"
    return ""


def pair_images(plan):
    """{Image: its pairs} for all images that are not skipped: those of the ref_bands, then the others on these."""
    images = [image for image in plan.images.values() if image not in plan.skipped]
    pairs = {image: _pairs_of(plan, image, {}) for image in images if plan.is_reference(image)}
    for image in images:
        if image not in pairs:
            references = plan.group(image.target, image.instrument)
            pairs[image] = _pairs_of(plan, image, {reference: pairs[reference] for reference in references})
    return pairs


def _pairs_of(plan, image, references):
    """Pairs of an image in order of preference; `references` holds the pairs of every image of its ref_band."""
    config, found = plan.config, []
    for label in external_bands(config, image.instrument, image.band):
        if label == REF_BAND:
            found += [_internal_pair(plan, image, reference, pairs) for reference, pairs in references.items()]
            continue
        reference = reference_of(config, image.target, label)
        shipped = not plan.is_reference(image) and is_shipped(config, image.instrument, image.band)
        if reference.found or not shipped:
            found.append(external_pair(plan, image, label, reference))
    return found


def external_pair(plan, image, label, reference):
    """The pair of an image and an external reference, as `references.reference_of` has it."""
    made = reference if isinstance(reference, MadeReference) else None
    pair = Pair(image, label, label, resolution_of(label), reference.path, error=reference.error, made=made)
    problem = made.problem(plan.kernels) if made else reference.problem()
    problem = problem or plan.kernels.problem(image, pair.resolution) or _name_problem(pair)
    return replace(pair, problem=problem)


def _internal_pair(plan, image, reference, reference_pairs):
    """The pair of an image and one of its ref_band, whose own pairs are `reference_pairs`."""
    pair = internal_pair(plan, image, reference)
    if all(p.problem for p in reference_pairs):
        return replace(
            pair, problem=f"its reference band {reference.band} cannot be anchored: {problems(reference_pairs)}"
        )
    return pair


def internal_pair(plan, image, reference, name=None):
    """The pair of two images of an instrument; `name` is that of the reference in names of files."""
    settings = instrument_settings(plan.config, image.instrument)
    resolution = normalised(settings.get("internal_conv_band") or plan.config["internal_conv_band"])
    pair = Pair(image, name or reference.name, reference.band, resolution, reference.path, reference_image=reference)
    of_kernels = plan.kernels.problem(image, resolution) or plan.kernels.problem(reference, resolution)
    return replace(pair, problem=of_kernels or _name_problem(pair))


def _name_problem(pair):
    """What is wrong with the names of the results of a pair."""
    name = f"{pair.image.name}_on_{pair.reference}"
    return name_problem(pair.image.path, f"{pair.image.band}_{name}.log", f"{name}_pixels.npz")


def problems(pairs):
    """What is missing for each of some pairs, in one sentence."""
    return "; ".join(dict.fromkeys(f"{pair.label}: {pair.problem}" for pair in pairs if pair.problem))
