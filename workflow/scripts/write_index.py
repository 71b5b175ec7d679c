"""The page of the survey: how its images ended, and where their figures are."""

from anchoring.stage import run
from anchoring import __version__, records
from anchoring.page import survey, write_page


def main(solved, applied, skipped, figures, simplify_labels, output):
    ended = [*records.applied(records.read(solved), applied), *map(records.skipped, skipped)]
    write_page(output, "survey.html.jinja", version=__version__, **survey(ended, figures, simplify_labels))


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        solved=snakemake.input.solved,
        applied=snakemake.input.applied,
        skipped=snakemake.params.skipped,
        figures=snakemake.params.figures,
        simplify_labels=snakemake.params.simplify_labels,
        output=snakemake.output[0],
    )
