"""What rules know of the kernels and references that are made."""


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
