# Snakemake made faster where that can be done, and nothing else changed: workflow/runtime/acceleration.py.


def script_folder():
    """Where the scripts are themselves, which `workflow.source_path` gives a copy of."""
    return f"{workflow.current_basedir}/../scripts"


def libraries_of_first_jobs():
    """Libraries that only making kernels and references takes, which is done first: of those that are not there yet."""
    kernels = ("photutils.psf_matching", "scipy.ndimage", "scipy.interpolate")
    references = ("photutils.segmentation", "reproject.mosaicking")
    made = ((plan.recipes, kernels), (plan.made, references))
    return [name for files, names in made if not all(os.path.exists(f.path) for f in files.values()) for name in names]


PRELOADED = acceleration.attempt(script_folder) if config["preload"] else None


SERVERS = acceleration.attempt(acceleration.load_while_planning, workflow, PRELOADED, libraries_of_first_jobs())


# Called by Snakemake only for a run of this workflow that has something to do: a Snakefile that is only read starts
# nothing, and as a module the workflow leaves Snakemake as it is.
onstart:
    acceleration.accelerate(workflow, PRELOADED, SERVERS)
    for line in plan.unused:
        logger.info(line)


acceleration.accelerate_job(workflow, PRELOADED)
