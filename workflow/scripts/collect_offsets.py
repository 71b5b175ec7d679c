"""One record for every image of a target; the anchored image of one that has no offset any more is removed."""

import logging
from pathlib import Path

from anchoring.script import run
from anchoring.solving import records


def main(solved, skipped, anchored, output):
    final = records.final(records.read(solved), skipped)
    for record in final:
        path = Path(anchored[record.image])
        if record.status != "anchored" and path.exists():
            # Of an earlier run: the offset in it is withdrawn.
            path.unlink()
            logging.info("%s removed: %s has no offset any more: %s", path, record.image, record.reason)
    records.write(output, final)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        solved=snakemake.input.solved,
        skipped=snakemake.params.skipped,
        anchored=snakemake.params.anchored,
        output=snakemake.output[0],
    )
