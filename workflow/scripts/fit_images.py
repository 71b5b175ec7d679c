"""Fit the line of every pair of some images, and fix their offsets: external ones, or internal on the external ones.

What cannot be fitted is a failed fit with its reason.
"""

import logging

import numpy as np

from anchoring.errors import AnchoringError, reason_of
from anchoring.files.atomic import or_nan, read_json
from anchoring.fitting import alignment, flags
from anchoring.fitting.flags import known_slopes
from anchoring.fitting.pairs import Settings, closure, described, fit_samples
from anchoring.measuring.binning import Bins
from anchoring.measuring.samples import read_samples
from anchoring.script import run
from anchoring.solving import offsets, records

NOTHING = dict.fromkeys(("slope", "intercept", "rms", "range"))
NO_FIT = {**NOTHING, "n_bins": 0, "n_pixels": 0, "used": [], "flags": []}


def main(images, output, settings=None, external=None):
    settings = Settings(**(settings or {}))
    fitted = [records.with_fits(image, lambda pair, image=image: fit_of(pair, image, settings)) for image in images]
    references = {}
    if external is None:
        solved = [offsets.solve_external(image) for image in fitted]
    else:
        references = {(record["band"], record["name"]): record for record in records.read([external])}
        solved = [offsets.solve_internal(image, references) for image in fitted]
    records.write(output, [with_closure(*both, settings, references) for both in zip(solved, images, strict=True)])


def fit_of(pair, image, settings):
    """The fit of a pair of an image, as it is stored, from what `bin_pair` measured."""
    measured = read_json(pair["bins"])
    known = {key: measured[key] for key in ("range", "n_pixels") if key in measured}
    try:
        if measured["refused"]:
            raise AnchoringError(measured["refused"])
        samples = read_samples(pair["pixels"])
        found = alignment.align(samples, measured["axes"])
        known |= {**alignment.described(found), "flags": alignment.flags_of(found)}
        fit = fitted(measured, samples, settings, known_slopes(image["band"], pair["label"]))
        alignment.require_one_sky(found)
        return {**known, **fit, "flags": [word for word in flags.MEANING if word in (*fit["flags"], *known["flags"])]}
    except Exception as error:
        reason = reason_of(error, f"{image['image']} on {pair['reference']}")
        return {**NO_FIT, **known, "status": "failed", "reason": reason}


def fitted(measured, samples, settings, known):
    low, high = measured["range"]
    if not any(measured["count"]):
        lowest, highest = measured["span"]
        raise AnchoringError(
            f"no pixels of the reference in [{low:.4g}, {high:.4g}] MJy/sr: in the overlap its values lie between "
            f"{lowest:.4g} and {highest:.4g}; expected some in the range: set intensity_range or range_on, or give a "
            "galaxy_table"
        )
    fit = fit_samples(
        samples,
        Bins(*(np.array(measured[name], dtype=float) for name in Bins._fields)),
        limits=(low, high),
        edges=np.array(measured["edges"]),
        sigma_x=or_nan(measured["sigma_x"]),
        settings=settings,
        known_slopes=known,
        zero=measured["zero"],
    )
    return {
        "status": "fitted",
        "reason": "",
        **described(fit),
        "estimator": settings.estimator,
        "sigma_x": measured["sigma_x"],
        "noise": measured["noise"],
        "n_pixels": measured["n_pixels"],
        "range": [low, high],
        "image_source": measured["image_source"],
        "reference_source": measured["reference_source"],
        "reference_unit": measured["reference_unit"],
    }


def with_closure(record, image, settings, references):
    """The record with the `closure` of the fit that fixed its offset, MJy/sr: what that fit still finds to add."""
    if record["chosen"] is None:
        return record
    fit = record["fits"][record["chosen"]]
    pair = image["pairs"][record["chosen"]]
    measured = read_json(pair["bins"])
    reference_offset = 0.0 if fit["kind"] == "external" else references[fit["label"], fit["reference"]]["offset"]
    # A range on the anchored axis moves with the reference's offset.
    move = reference_offset if pair["range_follows"] else 0.0
    low, high = measured["range"]
    try:
        value = closure(
            read_samples(pair["pixels"]),
            offset=record["offset"],
            reference_offset=reference_offset,
            limits=(low + move, high + move),
            edges=np.array(measured["edges"]) + move,
            sigma_x=or_nan(measured["sigma_x"]),
            settings=settings,
        )
    except AnchoringError as refusal:
        logging.info("%s: no closure: %s", record["image"], refusal)
        return record
    fits = [{**fit, "closure": value} if i == record["chosen"] else fit for i, fit in enumerate(record["fits"])]
    return {**record, "fits": fits}


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        images=snakemake.params.images,
        output=snakemake.output[0],
        settings=snakemake.params.settings,
        external=snakemake.input.get("external"),
    )
