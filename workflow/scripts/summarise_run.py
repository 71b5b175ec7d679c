"""The summary of a run: a row per image."""

from anchoring.script import run
from anchoring.showing import tables
from anchoring.solving import records


def main(offsets, output):
    tables.write_csv(output, tables.image_rows(records.read(offsets)), tables.SUMMARY_COLUMNS)


if __name__ == "__main__":
    run(main, snakemake.log[0], offsets=snakemake.input.offsets, output=snakemake.output[0])
