"""The closure test of an anchored image: what the fit that anchored it still finds to add to what was written."""

import json
import logging
from pathlib import Path

import numpy as np

from anchoring import images, records
from anchoring.errors import AnchoringError
from anchoring.files import whole_file
from anchoring.pairs import Settings, closure
from anchoring.samples import Samples
from anchoring.stage import run

ROWS = 64  # of the two images that are compared


def main(image, anchored, solved, external, applied, pairs, settings, output):
    (record,) = [r for r in records.read([solved]) if r["image"] == image]
    value = None
    if json.loads(Path(applied).read_text())["status"] == "anchored":
        fit = record["fits"][record["chosen"]]
        shift = added_to(image, anchored)
        reference_offset = 0.0
        if fit["kind"] == "internal":
            reference_offset = next(r["offset"] for r in records.read([external]) if r["name"] == fit["reference"])
        try:
            value = closure_of(pairs[fit["reference"]], shift, reference_offset, Settings(**settings))
            logging.info("%.6g MJy/sr were added; the same fit finds %.3g", shift, value)
        except AnchoringError as refusal:
            logging.error("%s", refusal)
    with whole_file(output) as temporary:
        temporary.write_text(json.dumps({"image": image, "closure": value}, indent=1))


def added_to(image, anchored):
    """Median difference of the SCI pixels of an anchored file and its input, from some of their rows."""
    with images.opened(image) as before, images.opened(anchored) as after:
        rows = slice(None, None, max(before["SCI"].shape[0] // ROWS, 1))
        old, new = (hdus["SCI"].section[rows].astype(float) for hdus in (before, after))
    observed = np.isfinite(old) & (old != 0)
    return float(np.median(new[observed] - old[observed]))


def closure_of(pair, shift, reference_offset, settings):
    measured = json.loads(Path(pair["bins"]).read_text())
    with np.load(pair["pixels"]) as stored:
        samples = Samples(*(stored[name] for name in Samples._fields[:-2]), int(stored["side"]), float(stored["beam"]))
    # A range on the anchored axis moves with the reference's offset.
    move = reference_offset if pair["range_follows"] else 0.0
    low, high = measured["range"]
    return closure(
        samples,
        offset=shift,
        reference_offset=reference_offset,
        limits=(low + move, high + move),
        edges=np.array(measured["edges"]) + move,
        sigma_x=measured["sigma_x"],
        settings=settings,
    )


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        anchored=snakemake.params.anchored,
        solved=snakemake.input.solved,
        external=snakemake.input.external,
        applied=snakemake.input.applied,
        pairs=snakemake.params.pairs,
        settings=snakemake.params.settings,
        output=snakemake.output[0],
    )
