"""What rules know of the images: their files, kernels and masks."""

import os
import zlib
from pathlib import Path


def library_checksum(script, data=()):
    """Checksum of the modules of the library that a script uses, and of data files of it.

    As a parameter, since editing one has to rerun what uses it: as inputs they would be a third of what Snakemake looks
    at for a survey, and a fresh clone would be newer than all results.
    """
    text = Path(source(f"../scripts/{script}.py")).read_text()
    used = (*sources.files_of(text, library_text), *data)
    return f"{zlib.crc32(''.join(map(library_text, used)).encode()):08x}"


def image_of(wildcards):
    return plan.images[wildcards.target, wildcards.band, wildcards.image]


def file_of(image, pattern, **others):
    """A file of an image, by a pattern of paths.smk."""
    names = {"target": image.target, "band": image.band, "instrument": image.instrument, "image": image.name}
    return pattern.format(**names, **others)


def at_resolution(image, resolution):
    """The image at a resolution: convolved, or the image itself if that is its own."""
    if plan.kernels.path(image.band, resolution) is None:
        return image.path
    return file_of(image, CONVOLVED, resolution=resolution)


def kernel_of(wildcards):
    return plan.kernels.path(wildcards.band, wildcards.resolution)


def psf_of(wildcards):
    """The file of the PSF of a band, for the beam of its anchored images."""
    return plan.kernels.psf(wildcards.band) or []


def mask_of(wildcards):
    return image_of(wildcards).mask or []


def with_error(wildcards):
    return plan.convolves_error(image_of(wildcards), wildcards.resolution)


def mosaics_of(target):
    """Paths of the mosaics of a target that can be anchored."""
    return [image.path for image in plan.of_target(target) if image not in plan.skipped]


def intermediate(path):
    """An image that is needed during the run only; kept unless the configuration says otherwise."""
    return path if config["keep_intermediates"] else temp(path)


def stamps(*paths):
    """Size and date of each of some files, without those that the workflow makes.

    As a parameter of what reads them: Snakemake asks whether a file is newer than its results, and a file that was put
    in another's place can be older.
    """
    brought = [path for path in paths if path and not path.startswith(f"{OUT}/") and os.path.exists(path)]
    return [[path, os.stat(path).st_size, os.stat(path).st_mtime_ns] for path in brought]
