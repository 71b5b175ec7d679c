"""Which files the offset of an image depends on."""


def files_of_pair(plan, pair):
    """{role: path} of the files that a pair is fitted with, next to its mosaic, without those that it does not need."""
    files = {"reference": pair.path, **plan.kernels_of(pair)}
    return {role: path for role, path in files.items() if path}


def inputs_of(plan, image):
    """Paths of all files that the anchored image of an image depends on, directly or through those it is fitted on.

    Its mosaic is the first. A reference or kernel that is made is one of them, what it is made of is not. Where the
    pairs of an instrument are adjusted together, it depends on all of these.
    """
    pairs = list(plan.network_pairs(image.target, image.instrument))
    images = [image]
    for other in images:  # grows
        here = plan.fitted_pairs(other)
        pairs += here
        if other is image:
            here = [*here, *pairs]
        met = (one for pair in here for one in (pair.image, pair.reference_image))
        images += dict.fromkeys(one for one in met if one and one not in images)
    found = [path for one in images for path in (one.path, one.mask)]
    found += [path for pair in pairs for path in (*files_of_pair(plan, pair).values(), pair.error)]
    found += [plan.kernels.psf(image.band), plan.config.get("galaxy_table")]
    return list(dict.fromkeys(filter(None, found)))
