"""The tables of the networks of a target: offsets, pairs, references and covariances."""

from anchoring.script import run
from anchoring.showing import tables
from anchoring.solving import network_records


def main(networks, fits, csv):
    tables.write_networks([network_records.read(path) for path in networks], fits, csv)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        networks=snakemake.input.networks,
        fits=snakemake.output.fits,
        csv={part: snakemake.output[part] for part in network_records.PARTS},
    )
