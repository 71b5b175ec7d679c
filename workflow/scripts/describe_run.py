"""Describe a run as an RO-Crate: what was made, from which files, with which software and configuration."""

import platform
from importlib.metadata import PackageNotFoundError, version

from anchoring.releasing.crate import write_crate
from anchoring.script import run
from anchoring.solving import records

PACKAGES = ("numpy", "astropy", "reproject", "scipy", "photutils", "poppy", "ducc0", "matplotlib")


def main(offsets, made, anchored, configuration, snakemake_version, output, threads):
    without = {anchored[record.image] for record in records.read(offsets) if record.status != "anchored"}
    kept = {what: (before, [path for path in after if path not in without]) for what, (before, after) in made.items()}
    kept = {what: files for what, files in kept.items() if files[1]}
    software = {"Python": platform.python_version(), "snakemake": snakemake_version, **versions()}
    write_crate(output, kept, configuration, software, threads=threads)


def versions():
    """{package: version} of those that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        offsets=snakemake.input.offsets,
        made=snakemake.params.made,
        anchored=snakemake.params.anchored,
        configuration=snakemake.params.configuration,
        snakemake_version=snakemake.params.snakemake_version,
        output=snakemake.output[0],
        threads=snakemake.threads,
    )
