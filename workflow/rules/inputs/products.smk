"""What rules know of the products: anchored images, figures and tables."""

import json
import os
from pathlib import Path


def anchored_paths(targets):
    """{path: path of its anchored image} for the images of some targets."""
    return {image.path: file_of(image, ANCHORED) for target in targets for image in plan.of_target(target)}


def anchored_images(target):
    """As an input: the images of a target that have an offset, known when all offsets of the target are solved.

    One input for each target, so that none waits for another, which may fail.
    """

    def images(wildcards):
        paths = anchored_paths([target or wildcards.target])
        offsets = checkpoints.collect_offsets.get(target=target or wildcards.target).output[0]
        records = json.loads(Path(offsets).read_text())
        return [paths[record["image"]] for record in records if record["status"] == "anchored"]

    return images


def all_anchored_images(wildcards):
    return [path for target in plan.targets for path in anchored_images(target)(wildcards)]


def products_of(targets):
    """All that is made for some targets next to their anchored images: figures and tables."""
    figures = [path for image in pictured_images(targets) for path in files_of_figures(image)]
    return figures + [path for target in targets for path in tables_of(target)]


def files_of_figures(image):
    return [file_of(image, kind) for kind in FIGURES] if plan.fitted_pairs(image) else []


def tables_of(target):
    """Tables of a target, and what is made of its networks."""
    tables = [f"{OUT}/{target}/{target}_anchor_tab.{ending}" for ending in ("fits", "csv", "ecsv", "html")]
    endings = (".fits", ".png", ".rst", *(f"_{part}.csv" for part in NETWORK_PARTS)) if network_files(target) else ()
    return tables + [f"{NETWORK_TABLES.format(target=target)}{ending}" for ending in endings]


def pictured_images(targets):
    return [image for target in targets for image in plan.of_target(target) if plan.fitted_pairs(image)]


def figures_of(images):
    """Per image that has figures, where they are, seen from out_dir and without their endings."""
    return [
        {
            "image": image.path,
            "fit": os.path.relpath(file_of(image, FIT), OUT),
            "picture": os.path.relpath(file_of(image, PICTURE), OUT),
            "references": [pair.reference for pair in plan.fitted_pairs(image)],
        }
        for image in images
        if plan.fitted_pairs(image)
    ]


# Labels of the report are read from results, which are there when a report is made; parameters cannot be, since they
# would change with them and start jobs again. One label each: of several Snakemake makes switches that lead nowhere.


def label_of(figure):
    def label(wildcards, input):
        records = json.loads(Path(input.solved).read_text())
        status = next(r["status"] for r in records if r["image"] == image_of(wildcards).path)
        return {"figure": f"{wildcards.band} {figure}: {status}"}

    return label
