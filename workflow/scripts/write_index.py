"""The page of the survey: how its images ended, and where their figures are."""

from anchoring import __version__
from anchoring.script import run
from anchoring.showing.page import survey, write_page
from anchoring.solving import network_records, records


def main(offsets, figures, simplify_labels, output, networks=()):
    found = [network_records.read(path) for path in networks]
    values = survey(records.read(offsets), figures, simplify_labels, found)
    write_page(output, "survey.html.jinja", version=__version__, **values)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        offsets=snakemake.input.offsets,
        figures=snakemake.params.figures,
        simplify_labels=snakemake.params.simplify_labels,
        output=snakemake.output[0],
        networks=snakemake.input.networks,
    )
