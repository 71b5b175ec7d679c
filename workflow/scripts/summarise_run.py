"""The summaries of a run: a row per image, and a row per external reference."""

from anchoring.script import run
from anchoring.showing import tables
from anchoring.solving import records, zeros


def main(offsets, images, images_ecsv, references):
    solved = records.read(offsets)
    rows = tables.image_rows(solved)
    tables.write_csv(images, rows, tables.SUMMARY_COLUMNS)
    tables.write_ecsv(images_ecsv, rows, tables.SUMMARY_COLUMNS)
    tables.write_csv(references, zeros.reference_rows(solved), zeros.REFERENCE_COLUMNS)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        offsets=snakemake.input.offsets,
        images=snakemake.output.images,
        images_ecsv=snakemake.output.images_ecsv,
        references=snakemake.output.references,
    )
