"""The table of a target: a row per fit."""

from anchoring.script import run
from anchoring.showing import tables
from anchoring.solving import records


def main(offsets, fits, csv, ecsv):
    rows = tables.fit_rows(records.read([offsets]))
    tables.write_fits(fits, rows)
    tables.write_csv(csv, rows, tables.FIT_COLUMNS)
    tables.write_ecsv(ecsv, rows, tables.FIT_COLUMNS)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        offsets=snakemake.input.offsets,
        fits=snakemake.output.fits,
        csv=snakemake.output.csv,
        ecsv=snakemake.output.ecsv,
    )
