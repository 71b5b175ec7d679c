"""The plan of a run: which image meets which reference at which resolution, and what is missing for it.

Only folders are listed and headers read: no image is opened. Everything here is plain Python, so that it can be tested,
and asked, without Snakemake.
"""

from ..labels import value_for
from .companions import Kernels, labels_of
from .galaxy_table import GalaxyTable
from .model import Plan
from .names import unused_names
from .networks import described, network_pairs
from .pairs import instrument_problem, pair_images
from .settings import require_sense
from .tree import band_problems, find_images, image_problem


def make_plan(config):
    """Plan a run from its (validated) configuration.

    Raises
    ------
    PlanError
        If the folders or the galaxy table are not there or hold nothing to anchor, or if the configuration names what
        is not there.
    """
    require_sense(config)
    found = find_images(config)
    images = {(image.target, image.band, image.name): image for image in found}
    places = {"psf_dir": config.get("psf_dir"), "out_dir": config["out_dir"], "model": config.get("psf") == "model"}
    plan = Plan(config, images, Kernels(config.get("kernel_dir"), **places), unused=unused_names(config, found))
    table = GalaxyTable(config.get("galaxy_table"), plan.targets)
    plan.galaxies = {target: table.galaxy(target) for target in plan.targets}

    of_bands = band_problems(config, found)
    for image, reason in found.items():
        reason = reason or of_bands.get(image) or table.problem(image.target) or image_problem(config, image)
        if reason:
            plan.skipped[image] = reason
    for image in found:
        reason = image not in plan.skipped and instrument_problem(plan, image)
        if reason:
            plan.skipped[image] = reason
    plan.pairs = pair_images(plan)
    if config.get("network") or config.get("solution") == "adjustment":
        plan.networks = network_pairs(plan)
    return plan


def notes(plan):
    """Lines on a plan, for `check`: a line per network, and per name in the configuration that is not used."""
    return [*described(plan), *plan.unused]


def inspected(plan):
    """All images with what they would be fitted on and the files that takes, or why they cannot be: plain values.

    The input of `anchoring.inspection.inspect` and `anchoring.advice.advice`.
    """
    noise, zero = (plan.config.get(key) or {} for key in ("reference_noise", "reference_zero_err"))
    there = {target: labels_of(plan.config["ref_dir"], target) for target in plan.targets}
    return [
        {
            **image.described(),
            "skipped": plan.skipped.get(image, ""),
            "mask": image.mask,
            "there": there[image.target],
            "in_galaxy": plan.galaxies[image.target] is not None,
            "method": plan.config.get("reproject_func", "interp"),
            "pairs": [
                {
                    **pair.described(),
                    "problem": pair.problem,
                    "path": pair.path,
                    **plan.kernels_of(pair),
                    "with_error": plan.convolves_error(image, pair.resolution),
                    "error": pair.error,
                    "noise": value_for(noise, pair.label),
                    "reference_zero_err": value_for(zero, pair.label) if pair.kind == "external" else None,
                }
                for pair in plan.pairs.get(image, [])
            ],
        }
        for image in plan.images.values()
    ]
