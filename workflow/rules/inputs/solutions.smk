"""What rules know of the offsets: which pairs give them, alone or as a network, and where they are."""


def solved_file(image):
    """The file with the offset of an image."""
    return file_of(image, EXTERNAL if plan.is_reference(image) else INTERNAL)


def final_file(image):
    """The file with the offset of an image that everything after the offsets goes by."""
    return file_of(image, ADJUSTED) if (image.target, image.instrument) in plan.networks else solved_file(image)


def external_file(wildcards):
    """The file with the offsets of an instrument's ref_band, if there is an image of it."""
    there = plan.group(wildcards.target, wildcards.instrument)
    return EXTERNAL.format(target=wildcards.target, instrument=wildcards.instrument) if there else []


def solved_group(wildcards):
    """The images that one fit job solves."""
    return plan.group(wildcards.target, wildcards.instrument, getattr(wildcards, "band", None))


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


def final_files(targets):
    images = (image for target in targets for image in plan.of_target(target) if image not in plan.skipped)
    return sorted(set(map(final_file, images)))


def offsets_files(targets):
    return [OFFSETS.format(target=target) for target in targets]


def skipped_images(target):
    """The images of a target that cannot be anchored, with the reason."""
    images = (image for image in plan.of_target(target) if image in plan.skipped)
    return [{**image.described(), "reason": plan.skipped[image]} for image in images]
