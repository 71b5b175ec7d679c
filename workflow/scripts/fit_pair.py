"""Fit the line of a pair; what cannot be fitted is a failed fit with its reason."""

import json
import logging
from pathlib import Path

import numpy as np

from anchoring.binning import Bins
from anchoring.errors import AnchoringError
from anchoring.files import whole_file
from anchoring.fitting import fit_line
from anchoring.stage import run
from anchoring.uncertainty import Blocks, line_errors

NO_FIT = {"slope": None, "intercept": None, "rms": None, "n_bins": 0, "n_pixels": 0, "range": None, "used": []}


def main(bins, pixels, output):
    measured = json.loads(Path(bins).read_text())
    try:
        with np.load(pixels) as stored:
            result = fitted(measured, stored)
    except AnchoringError as refusal:
        logging.error("%s", refusal)
        known = {key: measured[key] for key in ("range", "n_pixels") if key in measured}
        result = {**NO_FIT, **known, "status": "failed", "reason": str(refusal)}
    with whole_file(output) as temporary:
        temporary.write_text(json.dumps(result, indent=1))


def fitted(measured, pixels):
    """The fit of what `bin_pair` measured, as it is stored."""
    if measured["refused"]:
        raise AnchoringError(measured["refused"])
    low, high = measured["range"]
    if not any(measured["count"]):
        lowest, highest = measured["span"]
        raise AnchoringError(
            f"no pixels of the reference in [{low:.4g}, {high:.4g}] MJy/sr: in the overlap its values lie between "
            f"{lowest:.4g} and {highest:.4g}; expected some in the range: give a galaxy_table"
        )
    try:
        line = fit_line(measured["x"], measured["median"])
    except AnchoringError as error:
        raise AnchoringError(f"{error}, in [{low:.4g}, {high:.4g}] MJy/sr of the reference") from error
    bins = Bins(*(np.array(measured[name], dtype=float) for name in Bins._fields))
    blocks = Blocks(*(pixels[name] for name in Blocks._fields))
    errors = line_errors(blocks, bins, line)
    return {
        "status": "fitted",
        "reason": "",
        "slope": line.slope,
        "intercept": line.intercept,
        "slope_err": errors.slope,
        "intercept_err": errors.intercept,
        "covariance": errors.covariance,
        "n_independent": errors.n_independent,
        "rms": line.rms,
        "n_bins": int(np.sum(line.used)),
        "n_pixels": measured["n_pixels"],
        "range": [low, high],
        "used": line.used.tolist(),
    }


if __name__ == "__main__":
    run(main, snakemake.log[0], bins=snakemake.input.bins, pixels=snakemake.input.pixels, output=snakemake.output[0])
