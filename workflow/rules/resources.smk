"""What jobs take: memory."""

# Never more jobs at once than fit into the memory of this machine.
acceleration.attempt(memory_limits.limit_memory, workflow)

# On another machine, a job starts Snakemake once or twice in addition to its script; MB.
STARTED_BESIDE = 400 if acceleration.attempt(memory_limits.runs_elsewhere, workflow) else 0


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
    recipe = plan.kernels.recipe(wildcards.band, wildcards.resolution)
    size = made_kernel_size(recipe) if recipe else sizes.image_size(kernel_of(wildcards))
    return sizes.kernel_side(size, image_size(wildcards))


def made_kernel_size(recipe):
    """Size of a kernel that may not be there yet."""
    files = [sizes.image_size(path) if path else sizes.Size() for path in (recipe.source, recipe.target)]
    return sizes.made_kernel_size(*files, library["labels"].gaussian_fwhm(recipe.names[1]))


def grid_size(wildcards):
    """Size of the reference of a pair."""
    return size_of_reference(pair_of(wildcards))


def size_of_reference(pair):
    return size_of_made(pair.made) if pair.made else sizes.image_size(pair.path)


def size_of_made(made):
    """Largest Size of a reference that may not be there yet."""
    mosaics = [sizes.image_size(path) for path in mosaics_of(made.target)]
    return sizes.field_size([sizes.image_size(path) for path in made.tiles], mosaics, made.margin)


def field_shape(wildcards):
    return size_of_made(made_reference(wildcards)).shape


def number_of_tiles(wildcards):
    return len(made_reference(wildcards).tiles)


def number_of_planes(wildcards):
    return made_reference(wildcards).planes


def archive_size(wildcards):
    """Pixels of an archive image that are read at once: none of one that can be read in parts."""
    path = archive_image(wildcards)
    return (0, 0) if path.endswith(".fits") else sizes.image_size(path).shape


def reference_kernel_side(wildcards):
    made = made_reference(wildcards)
    recipe = plan.kernels.recipe(made.psf, made.resolution)
    path = reference_kernel(wildcards)
    if path is None:
        return 1
    return sizes.kernel_side(made_kernel_size(recipe) if recipe else sizes.image_size(path), size_of_made(made))


def grid_shape(wildcards):
    return grid_size(wildcards).shape


def reprojection_method(wildcards):
    return config["reproject_func"]


def in_galaxy(wildcards):
    return plan.galaxies[wildcards.target] is not None


def overlap_shape(wildcards):
    return sizes.overlap(image_size(wildcards), grid_size(wildcards))


def network_grids(wildcards):
    """Shapes of the references of all pairs that are adjusted together."""
    return [sizes.image_size(pair.path).shape for pair in network_of(wildcards)]


def largest_grid(wildcards):
    """Shape of the largest reference of the images that are solved together."""
    pairs = (pair for image in solved_group(wildcards) for pair in plan.fitted_pairs(image))
    shapes = (size_of_reference(pair).shape for pair in pairs)
    return max(shapes, key=lambda shape: shape[0] * shape[1], default=(0, 0))
