"""The page of the survey: how its images ended, and where their figures are."""

from pathlib import Path

from anchoring import __version__
from anchoring.errors import AnchoringError
from anchoring.files.made_kernels import read_origin
from anchoring.script import run
from anchoring.showing.page import survey, write_page
from anchoring.solving import network_records, records


def main(offsets, figures, simplify_labels, output, networks=(), kernels=()):
    found = [network_records.read(path) for path in networks]
    made = [seen(path, output) for path in kernels]
    values = survey(records.read(offsets), figures, simplify_labels, found, made)
    write_page(output, "survey.html.jinja", version=__version__, **values)


def seen(path, page):
    """A kernel that was made, for the page: its name, figure, and Origin or the reason why there is none."""
    path = Path(path)
    known = {"name": path.stem, "figure": path.with_suffix(".png").relative_to(Path(page).parent).as_posix()}
    try:
        return {**known, "origin": read_origin(path), "reason": ""}
    except AnchoringError as error:
        return {**known, "origin": None, "reason": str(error)}


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        offsets=snakemake.input.offsets,
        figures=snakemake.params.figures,
        simplify_labels=snakemake.params.simplify_labels,
        output=snakemake.output[0],
        networks=snakemake.input.networks,
        kernels=snakemake.input.kernels,
    )
