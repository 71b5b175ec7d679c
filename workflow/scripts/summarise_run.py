"""The summary of a run: a row per image."""

from anchoring.stage import run
from anchoring import records, tables


def main(solved, applied, skipped, output):
    rows = tables.image_rows([*records.applied(records.read(solved), applied), *map(records.skipped, skipped)])
    tables.write_csv(output, rows, tables.SUMMARY_COLUMNS)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        solved=snakemake.input.solved,
        applied=snakemake.input.applied,
        skipped=snakemake.params.skipped,
        output=snakemake.output[0],
    )
