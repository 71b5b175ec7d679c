"""Write which images of a target were anchored, and why the others were not."""

from anchoring.files.atomic import atomic_write
from anchoring.script import run
from anchoring.showing import tables
from anchoring.solving import records


def main(offsets, output):
    with atomic_write(output) as temporary:
        temporary.write_text(tables.closing_words(tables.image_rows(records.read([offsets]))) + "\n")


if __name__ == "__main__":
    run(main, snakemake.log[0], offsets=snakemake.input.offsets, output=snakemake.output[0])
