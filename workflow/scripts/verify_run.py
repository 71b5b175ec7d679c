"""Say what was and was not anchored; fail if something was not, unless that is allowed."""

import sys

from anchoring.stage import run
from anchoring import records, tables
from anchoring.errors import AnchoringError
from anchoring.files import whole_file


def main(solved, applied, skipped, allow_unanchored, output):
    rows = tables.image_rows([*records.applied(records.read(solved), applied), *map(records.skipped, skipped)])
    words = tables.closing_words(rows)
    complete = all(row["status"] == "anchored" for row in rows)
    if not (complete or allow_unanchored):
        raise AnchoringError(words)
    print(words, file=sys.stderr)
    with whole_file(output) as temporary:
        temporary.write_text(words + "\n")


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        solved=snakemake.input.solved,
        applied=snakemake.input.applied,
        skipped=snakemake.params.skipped,
        allow_unanchored=snakemake.params.allow_unanchored,
        output=snakemake.output[0],
    )
