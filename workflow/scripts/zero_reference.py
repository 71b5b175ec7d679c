"""Subtract the sky of a calibrated archive image, and state its error."""

import logging

from anchoring.bands import width_of
from anchoring.errors import AnchoringError, reason_of
from anchoring.files import intermediates, made_references, masks
from anchoring.measuring.sky import sky_around
from anchoring.script import run
from anchoring.showing import layout, sky_figure


def main(image, output, figure, sky, psf, sky_radius, what, galaxy=None, mask=None):
    """`what` is the reference in words, `psf` names its PSF, `galaxy` is a row of the galaxy_table or None."""
    title, files = f"Sky of {what}", ""
    try:
        calibrated = made_references.read_step(image)
        files = made_references.files_in_words(calibrated.header)
        if calibrated.data is None:
            raise AnchoringError(f"{files} has no pixel around the mosaics; expected an image of them: correct 'from'")
        found = None if sky == "none" else measured(calibrated, sky, psf, sky_radius, galaxy, mask)
        made_references.state_sky(calibrated.header, sky, found)
        sky_figure.draw(figure, found, calibrated.header, title)
        if found:
            found.subtract_from(calibrated.data)
        made_references.write_step(output, calibrated)
    except Exception as error:
        reason = made_references.refusal(what, reason_of(error, files or image), files)
        layout.save_refusal(figure, title, reason)
        intermediates.write_refusal(output, reason)


def measured(image, sky, psf, sky_radius, galaxy, mask):
    width = width_of(psf)
    found = sky_around(
        image.data,
        image.header,
        field=made_references.stated_field(image.header),
        galaxy=galaxy,
        sky_radius=sky_radius,
        fwhm=width[1] if width else 0.0,
        masked=masks.masked_pixels(mask, image.header, image.data.shape) if mask else None,
        plane=sky == "plane",
    )
    logging.info("sky %.6g +- %.2g MJy/sr from %.3g of the field", found.level, found.error, found.share)
    if found.flags:
        logging.warning("flags: %s", ", ".join(found.flags))
    return found


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        output=snakemake.output.image,
        figure=snakemake.output.figure,
        sky=snakemake.params.sky,
        psf=snakemake.params.psf,
        sky_radius=snakemake.params.sky_radius,
        what=snakemake.params.what,
        galaxy=snakemake.params.galaxy,
        mask=snakemake.input.get("mask") or None,
    )
