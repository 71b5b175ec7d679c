"""The functions that give rules their inputs and parameters."""

import functools
import json
import os
import zlib
from pathlib import Path

provenance = library["provenance"]
value_for, value_for_pair = library["labels"].value_for, library["labels"].value_for_pair


def library_checksum(script, data=()):
    """Checksum of the modules of the library that a script uses, and of data files of it.

    As a parameter, since editing one has to rerun what uses it: as inputs they would be a third of what Snakemake looks
    at for a survey, and a fresh clone would be newer than all results.
    """
    text = Path(workflow.source_path(f"../scripts/{script}.py")).read_text()
    used = (*sources.files_of(text, library_text), *data)
    return f"{zlib.crc32(''.join(map(library_text, used)).encode()):08x}"


def image_of(wildcards):
    return plan.images[wildcards.target, wildcards.band, wildcards.image]


def pair_of(wildcards):
    return plan.pair(wildcards.target, wildcards.band, wildcards.image, wildcards.reference)


def file_of(image, pattern, **others):
    """A file of an image, by a pattern of paths.smk."""
    names = {"target": image.target, "band": image.band, "instrument": image.instrument, "image": image.name}
    return pattern.format(**names, **others)


def at_resolution(image, resolution):
    """The image at a resolution: convolved, or the image itself if that is its own."""
    if plan.kernels.path(image.band, resolution) is None:
        return image.path
    return file_of(image, CONVOLVED, resolution=resolution)


def compared(wildcards):
    """The image of a pair at its resolution."""
    return at_resolution(image_of(wildcards), pair_of(wildcards).resolution)


def kernel_of(wildcards):
    return plan.kernels.path(wildcards.band, wildcards.resolution)


def recipe_of(wildcards):
    """What a kernel is made of."""
    return plan.recipes[wildcards.kernel]


def made_kernels(wildcards=None):
    """The kernels that are made for the run."""
    return [MADE_KERNEL.format(kernel=name) for name in plan.recipes]


def made_reference(wildcards):
    """The reference that is made, of a job that makes it."""
    return plan.made[wildcards.made]


def made_references(wildcards=None):
    """The references that are made for the run."""
    return [made.path for made in plan.made.values()]


def archive_image(wildcards):
    return made_reference(wildcards).tiles[int(wildcards.tile) - 1]


def uncertainty_map(wildcards):
    return made_reference(wildcards).maps[archive_image(wildcards)] or []


def calibrated_images(wildcards):
    numbers = range(1, len(made_reference(wildcards).tiles) + 1)
    return [CALIBRATED.format(made=wildcards.made, tile=number) for number in numbers]


def reference_to_zero(wildcards):
    """Of one archive image, that image on its own pixels; of several, their mosaic."""
    images = calibrated_images(wildcards)
    return images[0] if len(images) == 1 else f"{MADE_REFERENCES}/{wildcards.made}/mosaic.fits"


def reference_kernel(wildcards):
    """The kernel of a reference that is made; None if its images have the resolution of its label."""
    made = made_reference(wildcards)
    return plan.kernels.path(made.psf, made.resolution)


def mosaics_of(target):
    """Paths of the mosaics of a target that can be anchored."""
    return [image.path for image in plan.of_target(target) if image not in plan.skipped]


def psf_of(wildcards):
    """The file of the PSF of a band, for the beam of its anchored images."""
    return plan.kernels.psf(wildcards.band) or []


def used_files(wildcards):
    """{reference: {what it is: path}} of the files whose hashes an anchored image can state; None if it states none."""
    pairs = plan.fitted_pairs(image_of(wildcards))
    return {pair.reference: provenance.files_of_pair(plan, pair) for pair in pairs} if config["hashes"] else None


def hashed_files(wildcards):
    return sorted({path for files in (used_files(wildcards) or {}).values() for path in files.values()})


def with_error(wildcards):
    return plan.convolves_error(image_of(wildcards), wildcards.resolution)


def reference_of(wildcards):
    """The image that a pair is fitted against."""
    pair = pair_of(wildcards)
    return at_resolution(pair.reference_image, pair.resolution) if pair.reference_image else pair.path


def measured_pair(pair, kinds=("bins", "pixels")):
    """{kind: file} of the measurements of a pair."""
    start = file_of(pair.image, PAIR, reference=pair.reference)
    return {kind: f"{start}{MEASURED[kind]}" for kind in kinds}


def measured_of(image):
    """{reference: {kind: file}} of all measurements of an image."""
    return {pair.reference: measured_pair(pair, MEASURED) for pair in plan.fitted_pairs(image)}


def measured_files(images, kinds=("bins", "pixels")):
    return [
        path for image in images for pair in plan.fitted_pairs(image) for path in measured_pair(pair, kinds).values()
    ]


def solved_file(image):
    """The file with the offset of an image."""
    return file_of(image, EXTERNAL if plan.is_reference(image) else INTERNAL)


def final_file(image):
    """The file with the offset of an image that everything after the offsets goes by."""
    return file_of(image, ADJUSTED) if (image.target, image.instrument) in plan.networks else solved_file(image)


def network_of(wildcards):
    return plan.network_pairs(wildcards.target, wildcards.instrument)


def network_measurements(wildcards):
    return [path for pair in network_of(wildcards) for path in measured_pair(pair).values()]


def network_images(wildcards):
    """Images of a target and an instrument that are solved, with those that have no pair."""
    return [
        image
        for image in plan.of_target(wildcards.target)
        if image.instrument == wildcards.instrument and image in plan.pairs
    ]


def network_fits(wildcards):
    """All pairs of a network, each with its measurements or the reason why there are none."""
    return [
        {
            "band": pair.image.band,
            "name": pair.image.name,
            **fit_of(pair),
            "other": pair.reference_image.name if pair.reference_image else None,
        }
        for pair in plan.networks[wildcards.target, wildcards.instrument]
    ]


def network_files(target):
    """The networks of a target, one for each instrument."""
    return sorted(NETWORK.format(target=t, instrument=instrument) for t, instrument in plan.networks if t == target)


def fits_of(images):
    """Per image, its references in order: the measurements to be fitted, or the reason why there are none."""
    return [
        {
            **image.described(),
            "pairs": [{**fit_of(pair), "range_follows": range_follows(pair)} for pair in plan.pairs[image]],
        }
        for image in images
    ]


def fit_of(pair):
    """What a fit needs of a pair: its measurements, or the reason why there are none, and what is configured for it."""
    return {
        **pair.described(),
        "problem": pair.problem,
        **({} if pair.problem else measured_pair(pair)),
        "reference_zero_err": zero_error_of(pair),
        "drift": value_for_pair(config["colour_drift"], pair.image.band, pair.label),
    }


def zero_error_of(pair):
    """The configured error of the zero level of an external reference, MJy/sr."""
    return value_for(config["reference_zero_err"], pair.label) if pair.kind == "external" else None


def external_file(wildcards):
    """The file with the offsets of an instrument's ref_band, if there is an image of it."""
    there = plan.group(wildcards.target, wildcards.instrument)
    return EXTERNAL.format(target=wildcards.target, instrument=wildcards.instrument) if there else []


def solved_group(wildcards):
    """The images that one fit job solves."""
    return plan.group(wildcards.target, wildcards.instrument, getattr(wildcards, "band", None))


def final_files(targets):
    images = (image for target in targets for image in plan.of_target(target) if image not in plan.skipped)
    return sorted(set(map(final_file, images)))


def skipped_images(target):
    """The images of a target that cannot be anchored, with the reason."""
    images = (image for image in plan.of_target(target) if image in plan.skipped)
    return [{**image.described(), "reason": plan.skipped[image]} for image in images]


def offsets_files(targets):
    return [OFFSETS.format(target=target) for target in targets]


def anchored_paths(targets):
    """{path: path of its anchored image} for the images of some targets."""
    return {image.path: file_of(image, ANCHORED) for target in targets for image in plan.of_target(target)}


def all_anchored_images(wildcards):
    return [path for target in plan.targets for path in anchored_images(target)(wildcards)]


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


def stamps(*paths):
    """Size and date of each of some files, without those that the workflow makes.

    As a parameter of what reads them: Snakemake asks whether a file is newer than its results, and a file that was put
    in another's place can be older.
    """
    brought = [path for path in paths if path and not path.startswith(f"{OUT}/") and os.path.exists(path)]
    return [[path, os.stat(path).st_size, os.stat(path).st_mtime_ns] for path in brought]


def intermediate(path):
    """An image that is needed during the run only; kept unless the configuration says otherwise."""
    return path if config["keep_intermediates"] else temp(path)


def range_settings(wildcards):
    """What a range from percentiles depends on; None for a target with a fixed range."""
    if plan.galaxies[wildcards.target] is None:
        return None
    keys = ("reff_factor", "percentile_range", "range_from", "nbins")
    return {**plan.galaxies[wildcards.target], **{key: config[key] for key in keys}}


def fit_settings():
    """How pairs are fitted; null leaves the choice to the library."""
    return {key: config[key] for key in ("estimator", "erode_fwhm", "bin_weights", "clip", "gradient")}


def bin_options(wildcards):
    label = pair_of(wildcards).label
    return {
        "settings": {key: value for key, value in fit_settings().items() if key != "gradient"},  # of the fit alone
        "intensity_range": value_for(config["intensity_range"], label),
        "noise": value_for(config["reference_noise"], label),
    }


def mask_of(wildcards):
    return image_of(wildcards).mask or []


def error_of(wildcards):
    return pair_of(wildcards).error or []


def needs_anchor(pair):
    """Whether the range of a pair is above the zero of its ref_band, which has to be known first."""
    usual = "observed" if config["estimator"] == "binned" else "anchored"
    return pair.kind == "internal" and (config["range_on"] or usual) == "anchored"


def range_follows(pair):
    """Whether the range of a pair moves with the offset of its reference: one of its percentiles, or anchored."""
    fixed = value_for(config["intensity_range"], pair.label) or config["galaxy_table"] is None
    return pair.kind == "internal" and (needs_anchor(pair) if fixed else config["range_from"] == "reference")


def anchor_file(wildcards):
    """The file with the offset of an internal pair's reference, if the range of the pair depends on it."""
    pair = pair_of(wildcards)
    return solved_file(pair.reference_image) if needs_anchor(pair) else []


def anchor_of(wildcards):
    pair = pair_of(wildcards)
    return {"path": anchor_file(wildcards), "name": pair.reference_image.name} if needs_anchor(pair) else None


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
