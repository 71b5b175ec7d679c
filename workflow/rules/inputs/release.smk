"""What rules know of where a run comes from and of what can be released."""

import functools

provenance = library["provenance"]


def used_files(wildcards):
    """{reference: {what it is: path}} of the files whose hashes an anchored image can state; None if it states none."""
    pairs = plan.fitted_pairs(image_of(wildcards))
    return {pair.reference: provenance.files_of_pair(plan, pair) for pair in pairs} if config["hashes"] else None


def hashed_files(wildcards):
    return sorted({path for files in (used_files(wildcards) or {}).values() for path in files.values()})


@functools.cache
def made_from():
    """{what was made: (files that it depends on, files that it consists of)} of a run, for its provenance."""
    found, table = {}, config["galaxy_table"]
    for name, recipe in plan.recipes.items():
        found[f"kernel {name}"] = [recipe.source, recipe.target], [recipe.path, f"{MADE_KERNELS}/{name}.png"]
    for name, made in plan.made.items():
        kernel = plan.kernels.path(made.psf, made.resolution)
        needed = [*made.tiles, *made.maps.values(), made.mask, kernel, table, *mosaics_of(made.target)]
        found[f"reference {name}"] = needed, [made.path, made.error, f"{MADE_REFERENCES}/{name}_sky.png"]
    for target in plan.targets:
        images = [image for image in plan.of_target(target) if image not in plan.skipped]
        needed = {image: provenance.inputs_of(plan, image) for image in images}
        for image in images:
            made = [file_of(image, ANCHORED), *files_of_figures(image)]
            found[f"image {target} {image.band} {image.name}"] = needed[image], made
        of_target = list(dict.fromkeys(path for paths in needed.values() for path in paths))
        made = [name.format(target=target) for name in (OFFSETS, REPORT)]
        found[f"tables {target}"] = of_target, [*made, *tables_of(target)]
    found["tables of the run"] = [*offsets_files(plan.targets), *made_kernels()], OF_THE_RUN
    return {name: (list(filter(None, needed)), made) for name, (needed, made) in found.items()}


def brought_or_made(wildcards):
    """All files that anything was made from."""
    return sorted({path for needed, _ in made_from().values() for path in needed})


def released_images(wildcards):
    """{mosaic: {product: path}} of what a release can have of each image."""
    return {
        image.path: {
            "mosaic": file_of(image, ANCHORED),
            **({"preview": file_of(image, f"{PICTURE}.png"), "fit": file_of(image, f"{FIT}.pdf")} if fitted else {}),
        }
        for image in plan.images.values()
        for fitted in [plan.fitted_pairs(image)]
    }


def released_tables(wildcards):
    return {target: tables_of(target)[:3] for target in plan.targets}
