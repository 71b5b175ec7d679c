"""Report which images are anchored; fail if one is not, unless that is allowed."""

import sys

from anchoring.errors import AnchoringError
from anchoring.files import leftovers
from anchoring.files.atomic import atomic_write
from anchoring.script import run
from anchoring.showing import tables
from anchoring.solving import records


def main(offsets, out_dir, planned, allow_unanchored, output, target=None):
    rows = tables.image_rows(records.read(offsets))
    words = tables.closing_words(rows)
    left = leftovers.message(leftovers.left_over(out_dir, planned, target))
    words = "\n".join(filter(None, [words, left]))
    complete = all(row["status"] == "anchored" for row in rows)
    if not (complete or allow_unanchored):
        raise AnchoringError(words)
    print(words, file=sys.stderr)
    with atomic_write(output) as temporary:
        temporary.write_text(words + "\n")


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        offsets=snakemake.input.offsets,
        out_dir=snakemake.params.out_dir,
        planned=snakemake.params.planned,
        allow_unanchored=snakemake.params.allow_unanchored,
        output=snakemake.output[0],
        target=snakemake.wildcards.get("target"),
    )
