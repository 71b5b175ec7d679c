"""What jobs take: memory, and processes."""

import contextlib
import os
import sys

from snakemake.script import PythonScript

# `--jobs` beside `--cores` is what a run on other machines has. What executes jobs is not known yet.
ELSEWHERE = workflow.resource_settings.nodes is not None

# On this machine, never more jobs at once than fit into its memory; `--resources mem_mb=...` says otherwise.
if workflow.is_main_process and not ELSEWHERE and "mem_mb" not in workflow.global_resources:
    installed = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    workflow.register_resource("mem_mb", int(0.8 * installed / 1e6))

# Elsewhere a job starts Snakemake once or twice beside its script; MB.
STARTED_BESIDE = 400 if ELSEWHERE else 0


mended.load_no_tables()
if config["preload"] and sys.platform == "linux":
    start_preloaded = preloaded.install(PythonScript)
    # Beside what Snakemake does before the first job. Where no process can be started, the jobs will say so.
    if workflow.is_main_process and not ELSEWHERE and not workflow.output_settings.dryrun:
        with contextlib.suppress(OSError):
            start_preloaded()


onstart:
    mended.end_at_sigterm(workflow.scheduler)
    if workflow.local_exec:
        mended.start_jobs_at_once(workflow.scheduler)


cost, sizes = library["cost"], library["sizes"]


def memory(cost_of, *sizes_of):
    """Memory of a job in MB, from what its step costs; half as much again at each retry.

    `cost_of` is a function of planning/cost.py; each of `sizes_of` gives one of its arguments for some wildcards.
    """

    def needed(wildcards, attempt):
        step = cost_of(*(size_of(wildcards) for size_of in sizes_of))
        return int((STARTED_BESIDE + step.memory / 1e6) * 1.5 ** (attempt - 1))

    return needed


def image_size(wildcards):
    return sizes.image_size(image_of(wildcards).path)


def image_shape(wildcards):
    return image_size(wildcards).shape


def kernel_side(wildcards):
    return sizes.kernel_side(sizes.image_size(kernel_of(wildcards)), image_size(wildcards))


def grid_size(wildcards):
    """Size of the reference of a pair."""
    return sizes.image_size(pair_of(wildcards).path)


def grid_shape(wildcards):
    return grid_size(wildcards).shape


def reprojection_method(wildcards):
    return config["reproject_func"]


def in_galaxy(wildcards):
    return plan.galaxies[wildcards.target] is not None


def overlap_shape(wildcards):
    return sizes.overlap(image_size(wildcards), grid_size(wildcards))


def largest_grid(wildcards):
    """Shape of the largest reference of the images that are solved together."""
    pairs = (pair for image in solved_group(wildcards) for pair in plan.fitted_pairs(image))
    shapes = (sizes.image_size(pair.path).shape for pair in pairs)
    return max(shapes, key=lambda shape: shape[0] * shape[1], default=(0, 0))
