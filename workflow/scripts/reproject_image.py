"""Reproject an image at the resolution of a pair onto the grid of its reference."""

from anchoring.errors import reason_of
from anchoring.files import intermediates
from anchoring.images import headers
from anchoring.images.reprojection import reproject_onto
from anchoring.script import run


def main(image, reference, output, method, band=None):
    try:
        comparison = intermediates.read_any(image, mapped=True, band=band)
        grid, shape = intermediates.read_grid(reference)
        data = reproject_onto(
            comparison.data,
            headers.celestial_wcs(comparison.header, image),
            headers.celestial_wcs(grid, reference),
            shape,
            method=method,
        )
        grid["BUNIT"] = "MJy/sr"  # the image's, whatever its reference's
        stated = {"fwhm": comparison.fwhm, "source": comparison.source, "kernel_flags": comparison.kernel_flags}
        intermediates.write_product(output, data, grid, **stated, beam=headers.beam_of(comparison.header))
    except Exception as error:
        intermediates.write_refusal(output, reason_of(error, f"{image} on {reference}"))


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        reference=snakemake.input.reference,
        output=snakemake.output[0],
        method=snakemake.params.method,
        band=snakemake.params.band,
    )
