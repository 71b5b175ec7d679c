"""The table of a target: a row per fit."""

from anchoring.stage import run
from anchoring import records, tables


def main(solved, applied, skipped, fits, csv):
    rows = tables.fit_rows(records.closed([*records.read(solved), *map(records.skipped, skipped)], applied))
    tables.write_fits(fits, rows)
    tables.write_csv(csv, rows, tables.FIT_COLUMNS)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        solved=snakemake.input.solved,
        applied=snakemake.input.applied,
        skipped=snakemake.params.skipped,
        fits=snakemake.output.fits,
        csv=snakemake.output.csv,
    )
