"""Fit the line of every pair of some images, and fix their offsets: external ones, or internal on the external ones.

What cannot be fitted is a failed fit with its reason.
"""

import json
import logging
from pathlib import Path

import numpy as np

from anchoring.stage import run
from anchoring import offsets, records
from anchoring.binning import Bins
from anchoring.errors import AnchoringError
from anchoring.flags import known_slopes
from anchoring.pairs import Settings, described, fit_samples
from anchoring.samples import read_samples

NOTHING = dict.fromkeys(("slope", "intercept", "rms", "range"))
NO_FIT = {**NOTHING, "n_bins": 0, "n_pixels": 0, "used": [], "flags": []}


def main(images, output, settings=None, external=None):
    settings = Settings(**(settings or {}))
    fitted = [records.with_fits(image, lambda pair, image=image: fit_of(pair, image, settings)) for image in images]
    if external is None:
        solved = [offsets.solve_external(image) for image in fitted]
    else:
        references = {record["name"]: record for record in records.read([external])}
        solved = [offsets.solve_internal(image, references) for image in fitted]
    records.write(output, solved)


def fit_of(pair, image, settings):
    """The fit of a pair of an image, as it is stored, from what `bin_pair` measured."""
    measured = json.loads(Path(pair["bins"]).read_text())
    try:
        return fitted(measured, pair["pixels"], settings, known_slopes(image["band"], pair["label"]))
    except AnchoringError as refusal:
        logging.error("%s on %s: %s", image["image"], pair["reference"], refusal)
        known = {key: measured[key] for key in ("range", "n_pixels") if key in measured}
        return {**NO_FIT, **known, "status": "failed", "reason": str(refusal)}


def fitted(measured, pixels, settings, known):
    if measured["refused"]:
        raise AnchoringError(measured["refused"])
    low, high = measured["range"]
    if not any(measured["count"]):
        lowest, highest = measured["span"]
        raise AnchoringError(
            f"no pixels of the reference in [{low:.4g}, {high:.4g}] MJy/sr: in the overlap its values lie between "
            f"{lowest:.4g} and {highest:.4g}; expected some in the range: set intensity_range or range_on, or give a "
            "galaxy_table"
        )
    fit = fit_samples(
        read_samples(pixels),
        Bins(*(np.array(measured[name], dtype=float) for name in Bins._fields)),
        limits=(low, high),
        edges=np.array(measured["edges"]),
        sigma_x=measured["sigma_x"],
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


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        images=snakemake.params.images,
        output=snakemake.output[0],
        settings=snakemake.params.settings,
        external=snakemake.input.get("external"),
    )
