"""A table of the run as a page on which it can be sorted: what has an offset, and what has none."""

import csv

from anchoring.script import run
from anchoring.showing.page import table, write_page


def main(csv_path, title, output):
    with open(csv_path, newline="") as file:
        rows = list(csv.DictReader(file))
    solved = [row for row in rows if row["status"] in ("anchored", "unused")]
    others = [row for row in rows if row not in solved]
    write_page(
        output,
        "tables.html.jinja",
        title=title,
        tables=[("With an offset", table(solved)), ("Without: failed or skipped", table(others))],
    )


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        csv_path=snakemake.input.csv,
        title=snakemake.params.title,
        output=snakemake.output[0],
    )
