"""The page of the survey: how its images ended, and where their figures are."""

from pathlib import Path

from anchoring import __version__
from anchoring.errors import AnchoringError
from anchoring.files import made_kernels, made_references
from anchoring.script import run
from anchoring.showing.page import survey, write_page
from anchoring.solving import network_records, records


def main(offsets, figures, simplify_labels, output, networks=(), kernels=(), references=()):
    """`references` are target, label and path of those that were made."""
    values = survey(
        records.read(offsets),
        figures,
        simplify_labels,
        networks=[network_records.read(path) for path in networks],
        kernels=[{"name": Path(k).stem, **seen(k, ".png", made_kernels.read_origin, output)} for k in kernels],
        references=[{**r, **seen(r["path"], "_sky.png", made_references.read_origin, output)} for r in references],
    )
    write_page(output, "survey.html.jinja", version=__version__, **values)


def seen(path, ending, read_origin, page):
    """What was made, for the page: its figure, and its Origin or the reason why there is none."""
    path = Path(path)
    figure = path.with_name(f"{path.stem}{ending}").relative_to(Path(page).parent).as_posix()
    try:
        return {"figure": figure, "origin": read_origin(path), "reason": ""}
    except AnchoringError as error:
        return {"figure": figure, "origin": None, "reason": str(error)}


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
        references=snakemake.params.references,
    )
