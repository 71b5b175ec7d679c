"""Fit the line of a pair; what cannot be fitted is a failed fit with its reason."""

import json
import logging
from pathlib import Path

import numpy as np

from anchoring.binning import Bins
from anchoring.errors import AnchoringError
from anchoring.files import whole_file
from anchoring.flags import known_slopes
from anchoring.pairs import Settings, described, fit_samples
from anchoring.samples import Samples
from anchoring.stage import run

NOTHING = dict.fromkeys(("slope", "intercept", "rms", "range"))
NO_FIT = {**NOTHING, "n_bins": 0, "n_pixels": 0, "used": [], "flags": []}


def main(bins, pixels, output, settings=None, band="", label=""):
    measured = json.loads(Path(bins).read_text())
    try:
        with np.load(pixels) as stored:
            result = fitted(measured, stored, Settings(**(settings or {})), known_slopes(band, label))
    except AnchoringError as refusal:
        logging.error("%s", refusal)
        known = {key: measured[key] for key in ("range", "n_pixels") if key in measured}
        result = {**NO_FIT, **known, "status": "failed", "reason": str(refusal)}
    with whole_file(output) as temporary:
        temporary.write_text(json.dumps(result, indent=1))


def fitted(measured, pixels, settings, known):
    """The fit of what `bin_pair` measured, as it is stored."""
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
    bins = Bins(*(np.array(measured[name], dtype=float) for name in Bins._fields))
    samples = Samples(*(pixels[name] for name in Samples._fields[:-2]), int(pixels["side"]), float(pixels["beam"]))
    fit = fit_samples(
        samples,
        bins,
        limits=(low, high),
        edges=np.array(measured["edges"]),
        sigma_x=measured["sigma_x"],
        settings=settings,
        known_slopes=known,
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
    }


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        bins=snakemake.input.bins,
        pixels=snakemake.input.pixels,
        output=snakemake.output[0],
        settings=snakemake.params.settings,
        band=snakemake.wildcards.band,
        label=snakemake.params.label,
    )
