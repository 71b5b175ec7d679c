"""Write the anchored image of an image whose offset is solved, and compare what was written with the image."""

import logging

from anchoring import __version__
from anchoring.errors import AnchoringError
from anchoring.files import anchored, mosaics
from anchoring.script import run
from anchoring.solving import records


def main(image, solved, output):
    (solution,) = [r for r in records.read([solved]) if r.image == image]
    if solution.status != "anchored":
        raise AnchoringError(f"{image} cannot be anchored: {solution.reason}")
    fit = solution.chosen_fit
    anchored.write_anchored(
        image,
        output,
        offset=solution.offset,
        offset_err=solution.offset_err,
        offset_sys=solution.offset_sys,
        source=solution.source,
        reference=fit.label,
        slope=fit.slope,
        resolution=fit.resolution,
        version=__version__,
    )
    logging.info("%.6g MJy/sr were added", mosaics.offset_between(image, output))


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        solved=snakemake.input.solved,
        output=snakemake.output[0],
    )
