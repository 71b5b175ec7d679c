"""The summaries of a run: a row per image, and a row per external reference."""

from anchoring.script import run
from anchoring.showing import tables
from anchoring.solving import records, zeros


def main(offsets, images, references):
    solved = records.read(offsets)
    tables.write_csv(images, tables.image_rows(solved), tables.SUMMARY_COLUMNS)
    tables.write_csv(references, zeros.reference_rows(solved), zeros.REFERENCE_COLUMNS)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        offsets=snakemake.input.offsets,
        images=snakemake.output.images,
        references=snakemake.output.references,
    )
