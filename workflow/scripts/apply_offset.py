"""Write the anchored image of an image whose offset is solved, or take away the one whose offset is withdrawn.

The closure test goes with it: what the fit that anchored the image still finds to add to what was written.
"""

import logging
from pathlib import Path

import numpy as np

from anchoring.stage import run
from anchoring import __version__, anchored, mosaics, records
from anchoring.errors import AnchoringError
from anchoring.files import or_nan, read_json, write_json
from anchoring.pairs import Settings, closure
from anchoring.samples import read_samples


def main(image, solved, anchored_path, record=None, external=None, pairs=None, settings=None):
    (solution,) = [r for r in records.read([solved]) if r["image"] == image]
    try:
        write(image, anchored_path, solution)
    except AnchoringError as refusal:
        if record is None:
            raise
        logging.error("%s", refusal)
        # An anchored image of an earlier run would carry an offset that is withdrawn.
        Path(anchored_path).unlink(missing_ok=True)
        outcome = {"status": "failed", "reason": str(refusal), "closure": None}
    else:
        closing = None if record is None else closure_of(image, anchored_path, solution, external, pairs, settings)
        outcome = {"status": "anchored", "reason": "", "closure": closing}
    if record is not None:
        write_json(record, {"image": image, "anchored": anchored_path, **outcome})


def write(image, anchored_path, solution):
    if solution["status"] != "anchored":
        raise AnchoringError(f"{image} cannot be anchored: {solution['reason']}")
    fit = solution["fits"][solution["chosen"]]
    anchored.write_anchored(
        image,
        anchored_path,
        offset=solution["offset"],
        offset_err=solution["offset_err"],
        offset_sys=solution["offset_sys"],
        source=solution["source"],
        reference=fit["label"],
        slope=fit["slope"],
        resolution=fit["resolution"],
        version=__version__,
    )


def closure_of(image, anchored_path, solution, external, pairs, settings):
    """What the fit that anchored an image still finds to add to its file, MJy/sr; None where it finds no line."""
    fit = solution["fits"][solution["chosen"]]
    pair = pairs[fit["reference"]]
    measured = read_json(pair["bins"])
    shift, reference_offset = mosaics.offset_between(image, anchored_path), 0.0
    if fit["kind"] == "internal":
        reference_offset = next(r["offset"] for r in records.read([external]) if r["name"] == fit["reference"])
    # A range on the anchored axis moves with the reference's offset.
    move = reference_offset if pair["range_follows"] else 0.0
    low, high = measured["range"]
    try:
        value = closure(
            read_samples(pair["pixels"]),
            offset=shift,
            reference_offset=reference_offset,
            limits=(low + move, high + move),
            edges=np.array(measured["edges"]) + move,
            sigma_x=or_nan(measured["sigma_x"]),
            settings=Settings(**settings),
        )
    except AnchoringError as refusal:
        logging.error("%s", refusal)
        return None
    logging.info("%.6g MJy/sr were added; the same fit finds %.3g", shift, value)
    return value


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        solved=snakemake.input.solved,
        anchored_path=snakemake.params.anchored,
        record=snakemake.output.get("record"),
        external=snakemake.input.external,
        pairs=snakemake.params.pairs,
        settings=snakemake.params.settings,
    )
