"""One image of the calibrated archive images of a reference."""

import logging

from anchoring.errors import AnchoringError, reason_of
from anchoring.files import intermediates, made_references
from anchoring.files.hdus import Image
from anchoring.images import field, headers, mosaicking
from anchoring.script import run


def main(images, output):
    try:
        made_references.write_step(output, mosaic_of(images))
    except Exception as error:
        intermediates.write_refusal(output, reason_of(error, ", ".join(images)))


def mosaic_of(paths):
    steps = [made_references.read_step(path) for path in paths]
    there = [step for step in steps if step.data is not None]
    if not there:
        names = ", ".join(made_references.files_in_words(step.header) for step in steps)
        raise AnchoringError(f"none of {names} has a pixel around the mosaics; expected images of them: correct 'from'")
    around = made_references.stated_field(there[0].header)
    scale = min(headers.pixel_scale(step.header) for step in there)
    wcs, shape = field.grid_of(around, scale)
    images = [(step.data, headers.celestial_wcs(step.header)) for step in there]
    mosaicking.require_overlap(images, wcs, shape, [made_references.files_in_words(step.header) for step in there])
    data = mosaicking.coadd(images, wcs, shape)
    error = None
    if all(step.error is not None for step in there):
        errors = [(step.error, own) for step, (_, own) in zip(there, images, strict=True)]
        error = mosaicking.coadd_errors(errors, wcs, shape)
    logging.info("%d of %d images, %s pixels of %.4g arcsec", len(there), len(steps), shape, scale)
    header = wcs.to_header()
    header["BUNIT"] = "MJy/sr"
    for step in there:
        header.update({c.keyword: (c.value, c.comment) for c in step.header.cards if c.keyword.startswith("REF")})
    return Image(data, error, header)


if __name__ == "__main__":
    run(main, snakemake.log[0], images=snakemake.input.images, output=snakemake.output[0])
