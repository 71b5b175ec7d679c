"""What jobs take: memory."""

from pathlib import Path

# Never more jobs at once than fit into the memory of this machine.
acceleration.attempt(memory_limits.limit_memory, workflow)

# On another machine, a job starts Snakemake once or twice in addition to its script; MB.
STARTED_BESIDE = 400 if acceleration.attempt(memory_limits.runs_elsewhere, workflow) else 0


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
