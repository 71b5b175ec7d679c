"""What rules know of the pairs: the images that are compared, their measurements, and how they are fitted."""

value_for, value_for_pair = library["labels"].value_for, library["labels"].value_for_pair


def pair_of(wildcards):
    return plan.pair(wildcards.target, wildcards.band, wildcards.image, wildcards.reference)


def compared(wildcards):
    """The image of a pair at its resolution."""
    return at_resolution(image_of(wildcards), pair_of(wildcards).resolution)


def reference_of(wildcards):
    """The image that a pair is fitted against."""
    pair = pair_of(wildcards)
    return at_resolution(pair.reference_image, pair.resolution) if pair.reference_image else pair.path


def error_of(wildcards):
    return pair_of(wildcards).error or []


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


def bin_options(wildcards):
    label = pair_of(wildcards).label
    return {
        "settings": {key: value for key, value in fit_settings().items() if key != "gradient"},  # of the fit alone
        "intensity_range": value_for(config["intensity_range"], label),
        "noise": value_for(config["reference_noise"], label),
    }


def fit_settings():
    """How pairs are fitted; null leaves the choice to the library."""
    return {key: config[key] for key in ("estimator", "erode_fwhm", "bin_weights", "clip", "gradient")}


def range_settings(wildcards):
    """What a range from percentiles depends on; None for a target with a fixed range."""
    if plan.galaxies[wildcards.target] is None:
        return None
    keys = ("reff_factor", "percentile_range", "range_from", "nbins")
    return {**plan.galaxies[wildcards.target], **{key: config[key] for key in keys}}


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
