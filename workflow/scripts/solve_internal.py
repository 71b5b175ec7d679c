"""Fix the offsets of a band's images from their fits on the ref_band and its own offset."""

from anchoring import offsets, records
from anchoring.stage import run


def main(images, external, output):
    references = {record["name"]: record for record in records.read([external])}
    records.write(output, [offsets.solve_internal(image, references) for image in records.with_fits(images)])


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        images=snakemake.params.images,
        external=snakemake.input.external,
        output=snakemake.output[0],
    )
