"""Validation, the plan of the run, and the functions that give rules their inputs."""

import importlib.util
import json
import os
import re
import sys
import time
from pathlib import Path

import yaml
from snakemake.utils import validate


def load_module(path, name):
    """A Python file as a module, without leaving its folder on sys.path."""
    spec = importlib.util.spec_from_file_location(name, path)
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[name] = loaded
    spec.loader.exec_module(loaded)
    return loaded


def validated(config):
    """The configuration with defaults filled in; what is wrong with it ends the run before it starts."""
    schema = workflow.source_path("../schemas/config.schema.yaml")
    problems = settings.problems(config, yaml.safe_load(Path(schema).read_text()))
    if problems:
        # Not a WorkflowError: that would be told with the lines of this file.
        sys.exit("\n  ".join(["The configuration is not right:", *problems]))
    validate(config, schema)
    return config


def planned(config):
    try:
        return planning.make_plan(config)
    except planning.PlanError as error:
        sys.exit(str(error))


settings = load_module(workflow.source_path("settings.py"), "anchoring_settings")
planning = load_module(workflow.source_path("plan.py"), "anchoring_plan")
ending = load_module(workflow.source_path("ending.py"), "anchoring_ending")
plan = planned(validated(config))
STARTED = time.time()

OUT = config["out_dir"].rstrip("/")
TARGET = f"{OUT}/{{target}}"
BAND = f"{TARGET}/{{band}}/{config['out_subdir']}"
LOGS = f"{TARGET}/logs"
PAIR = f"{BAND}/{{image}}_on_{{reference}}"
CONVOLVED = f"{BAND}/{{image}}_to_{{resolution}}.fits"
REPROJECTED = f"{PAIR}.fits"
EXTERNAL = f"{TARGET}/{{target}}_{{instrument}}_external.json"
INTERNAL = f"{BAND}/{{target}}_{{instrument}}_{{band}}_internal.json"
APPLIED = f"{BAND}/{{image}}_applied.json"


# On this machine, never more jobs at once than fit into its memory; `--resources mem_mb=...` says otherwise.
if workflow.is_main_process and workflow.local_exec and "mem_mb" not in workflow.global_resources:
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    workflow.register_resource("mem_mb", int(0.8 * installed / 1e6))


def one_of(values):
    """A wildcard constraint: any of these, letter by letter."""
    return "|".join(re.escape(value) for value in sorted(set(values), key=len, reverse=True)) or "(?!)"


wildcard_constraints:
    target=one_of(plan.targets),
    band=one_of(image.band for image in plan.images.values()),
    image=one_of(image.name for image in plan.images.values()),
    instrument=one_of(image.instrument for image in plan.images.values()),
    resolution=one_of(pair.resolution for pair in plan.possible_pairs()),
    reference=one_of(pair.reference for pair in plan.possible_pairs()),


def lib(*modules, beside=()):
    """Library modules (and files beside them) that a script uses, as inputs.

    Editing one reruns what uses it, and they travel with the script where the workflow is not on this machine.
    """
    names = [f"{name}.py" for name in ("__init__", "errors", "stage", *modules)]
    return [workflow.source_path(f"../scripts/anchoring/{name}") for name in (*names, *beside)]


def memory(fixed, per_input_mb=0.0):
    """Memory of a job in MB: so much, and in proportion to its input files; half as much again at each retry."""
    return lambda wildcards, input, attempt: int((fixed + per_input_mb * input.size_mb) * 1.5 ** (attempt - 1))


def image_of(wildcards):
    return plan.images[wildcards.target, wildcards.band, wildcards.image]


def pair_of(wildcards):
    return plan.pair(wildcards.target, wildcards.band, wildcards.image, wildcards.reference)


def at_resolution(image, resolution):
    """The image at a resolution: convolved, or as it is if that is its own."""
    if planning.kernel_path(config, image.band, resolution) is None:
        return image.path
    return CONVOLVED.format(target=image.target, band=image.band, image=image.name, resolution=resolution)


def kernel_of(wildcards):
    return planning.kernel_path(config, wildcards.band, wildcards.resolution)


def reference_of(wildcards):
    """The image that a pair is fitted against."""
    pair = pair_of(wildcards)
    if pair.reference_image is None:
        return pair.reference_path
    return at_resolution(pair.reference_image, pair.resolution)


def pair_file(pair, ending):
    image = pair.image
    stem = PAIR.format(target=image.target, band=image.band, image=image.name, reference=pair.reference)
    return f"{stem}{ending}"


def solved_file(image):
    """Where the offset of an image is."""
    pattern = EXTERNAL if plan.is_reference(image) else INTERNAL
    return pattern.format(target=image.target, instrument=image.instrument, band=image.band)


def fits_of(images):
    """Per image, its references in order: what was fitted, or why nothing could be."""
    return [
        {
            "target": image.target,
            "band": image.band,
            "image": image.path,
            "name": image.name,
            "instrument": image.instrument,
            "pairs": [
                {
                    "reference": pair.reference,
                    "ref_filter": pair.stem,
                    "label": pair.label,
                    "kind": pair.kind,
                    "resolution": pair.resolution,
                    "fit": "" if pair.problem else pair_file(pair, "_fit.json"),
                    "problem": pair.problem,
                }
                for pair in plan.pairs[image]
            ],
        }
        for image in images
    ]


def solved_group(wildcards):
    """The images that one solve job answers for."""
    return plan.group(wildcards.target, wildcards.instrument, getattr(wildcards, "band", None))


def fit_files(wildcards):
    return [p["fit"] for image in fits_of(solved_group(wildcards)) for p in image["pairs"] if p["fit"]]


def solved_files(targets):
    images = [image for image in plan.images.values() if image.target in targets and image not in plan.skipped]
    return sorted({solved_file(image) for image in images})


def skipped_rows(targets):
    """Rows for the tables of images that no rule can do anything for."""
    return [
        {
            "target": i.target,
            "band": i.band,
            "image": i.path,
            "name": i.name,
            "instrument": i.instrument,
            "reason": reason,
        }
        for i, reason in plan.skipped.items()
        if i.target in targets
    ]


def anchored_path(image):
    return f"{OUT}/{image.target}/{image.band}/{config['in_subdir']}/{image.name}_{config['out_step_ext']}.fits"


def applied_files(targets):
    return [
        APPLIED.format(target=i.target, band=i.band, image=i.name)
        for i in plan.images.values()
        if i.target in targets and i not in plan.skipped
    ]


def products_of(targets):
    """All that is made for some targets beside their anchored images: figures and tables."""
    pairs = [pair for target in targets for pair in plan.possible_pairs(target)]
    figures = [pair_file(pair, ending) for pair in pairs for ending in (".png", ".pdf")]
    return figures + [f"{OUT}/{t}/{t}_anchor_tab.{ending}" for t in targets for ending in ("fits", "csv")]


def removed_images(targets):
    """Anchored images that a record says were written and that are not there any more."""
    removed = []
    for image in plan.images.values():
        record = Path(APPLIED.format(target=image.target, band=image.band, image=image.name))
        if image.target in targets and record.is_file() and not Path(anchored_path(image)).exists():
            if json.loads(record.read_text()).get("status") == "anchored":
                removed.append(anchored_path(image))
    return removed


def intermediate(path):
    """An image that is needed during the run only; kept unless the configuration says otherwise."""
    return path if config["keep_intermediates"] else temp(path)


def range_settings(wildcards):
    """What a range from percentiles depends on; nothing for a target with a fixed range."""
    if plan.galaxies[wildcards.target] is None:
        return None
    keys = ("reff_factor", "percentile_range", "range_from", "nbins")
    return {**plan.galaxies[wildcards.target], **{key: config[key] for key in keys}}
