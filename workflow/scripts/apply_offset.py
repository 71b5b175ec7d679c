"""Write the anchored image of an image whose offset is solved, or take away the one whose offset is withdrawn."""

import json
import logging
from pathlib import Path

from anchoring import __version__, anchored, records
from anchoring.errors import AnchoringError
from anchoring.files import whole_file
from anchoring.stage import run


def main(image, solved, anchored_path, record):
    (solution,) = [r for r in records.read([solved]) if r["image"] == image]
    try:
        if solution["status"] != "anchored":
            raise AnchoringError(f"{image} cannot be anchored: {solution['reason']}")
        fit = solution["fits"][solution["chosen"]]
        anchored.write_anchored(
            image,
            anchored_path,
            offset=solution["offset"],
            offset_err=solution["offset_err"],
            offset_sys=solution["offset_sys"],
            reference=fit["label"],
            slope=fit["slope"],
            resolution=fit["resolution"],
            version=__version__,
        )
        outcome = {"status": "anchored", "reason": ""}
    except AnchoringError as refusal:
        if record is None:
            raise
        logging.error("%s", refusal)
        # An anchored image of an earlier run would carry an offset that is withdrawn.
        Path(anchored_path).unlink(missing_ok=True)
        outcome = {"status": "failed", "reason": str(refusal)}
    if record is not None:
        with whole_file(record) as temporary:
            temporary.write_text(json.dumps({"image": image, "anchored": anchored_path, **outcome}, indent=1))


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        solved=snakemake.input.solved,
        anchored_path=snakemake.params.anchored,
        record=snakemake.output.get("record"),
    )
