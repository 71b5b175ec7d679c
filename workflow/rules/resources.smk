"""What jobs take: memory, and processes."""

import contextlib
import os
import sys
from pathlib import Path

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


def memory(fixed, **per_mb):
    """Memory of a job in MB: so much, and so many per MB of its named inputs; half as much again at each retry."""

    def needed(wildcards, input, attempt):
        sizes = ((factor, megabytes(str(input[name]), wildcards)) for name, factor in per_mb.items())
        return int((STARTED_BESIDE + fixed + sum(factor * size for factor, size in sizes)) * 1.5 ** (attempt - 1))

    return needed


def megabytes(path, wildcards):
    """Size of an input in MB; of one that is not made yet, what it will be.

    Jobs that are submitted together ask for their memory before the first of them runs.
    """
    if not path:  # an input that is not there for all
        return 0
    if Path(path).exists() or not hasattr(wildcards, "image"):
        return planning.file_mb(path)
    if hasattr(wildcards, "reference"):
        pair = pair_of(wildcards)
        reprojected = path == pair_file(pair, ".fits")
        if reprojected or path == reference_of(wildcards):
            reference = pair.reference_image.path if pair.reference_image else pair.reference_path
            return planning.image_mb(reference, planes=1 if reprojected else 2)
    return planning.image_mb(image_of(wildcards).path, planes=2)
