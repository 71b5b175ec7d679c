"""List what a run would find, from headers alone; fail if something would not be anchored, unless that is allowed."""

from pathlib import Path

from anchoring import inspection
from anchoring.advice import advice
from anchoring.errors import AnchoringError
from anchoring.files import leftovers
from anchoring.files.atomic import atomic_write
from anchoring.script import run


def main(mosaics, out_dir, planned, listing, allow_unanchored, settings, networks=()):
    """`settings`: estimator, prefer and solution."""
    solved = inspection.inspect(mosaics)
    lines = [*networks, *advice(mosaics, solved, **settings)]
    left = leftovers.message(leftovers.left_over(out_dir, planned))
    report, verdict = (
        "\n\n".join(filter(None, [inspection.listing(solved, settings["prefer"], lines), left])),
        inspection.verdict(solved),
    )
    Path(listing).parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(listing) as temporary:
        temporary.write_text(f"{report}\n{verdict}\n")
    print(report, flush=True)
    if not (allow_unanchored or all(record.status == "anchored" for record in solved)):
        raise AnchoringError(verdict)
    print(verdict, flush=True)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        mosaics=snakemake.params.mosaics,
        out_dir=snakemake.params.out_dir,
        planned=snakemake.params.planned,
        listing=snakemake.params.listing,
        allow_unanchored=snakemake.params.allow_unanchored,
        settings=snakemake.params.settings,
        networks=snakemake.params.networks,
    )
