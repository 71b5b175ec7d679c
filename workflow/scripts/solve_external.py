"""Fix the offsets of an instrument's ref_band images from their fits on external references."""

from anchoring import offsets, records
from anchoring.stage import run


def main(images, output):
    records.write(output, [offsets.solve_external(image) for image in records.with_fits(images)])


if __name__ == "__main__":
    run(main, snakemake.log[0], images=snakemake.params.images, output=snakemake.output[0])
