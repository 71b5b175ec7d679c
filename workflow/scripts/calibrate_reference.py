"""Convert the part of an archive image around the mosaics of a target to MJy/sr."""

from anchoring.errors import reason_of
from anchoring.files import intermediates, made_references
from anchoring.images.archive_units import band_of
from anchoring.script import run


def main(image, mosaics, output, band, margin, unit=None, number=1, uncertainty=None, extension=None):
    """`margin` in arcmin; `number` is that of the image among those of the reference.

    `uncertainty` is the file of its uncertainty map, or `extension` the name of the extension that has it.
    """
    try:
        field = made_references.field_of_mosaics(mosaics, 60 * margin)
        calibrated = made_references.read_archive_image(
            image, band, field, unit=unit, number=number, uncertainty=uncertainty, extension=extension
        )
        made_references.describe(calibrated.header, field, band_of(band))
        made_references.write_step(output, calibrated)
    except Exception as error:
        intermediates.write_refusal(output, reason_of(error, image))


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        mosaics=snakemake.input.mosaics,
        output=snakemake.output[0],
        band=snakemake.params.band,
        margin=snakemake.params.margin,
        unit=snakemake.params.unit,
        number=snakemake.params.number,
        uncertainty=snakemake.input.get("uncertainty") or None,
        extension=snakemake.params.extension,
    )
