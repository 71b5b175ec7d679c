"""Write the anchored image of an image whose offset is solved, and compare what was written with the image."""

import logging

from anchoring import __version__
from anchoring.errors import AnchoringError
from anchoring.files import anchored, mosaics
from anchoring.files.atomic import hash_of
from anchoring.script import run
from anchoring.solving import records


def main(image, solved, output, psf=None, used=None):
    """`used` are {what it is: path} of the files of each fit, by its reference, to be hashed; None: no hashes.

    Where all pairs are adjusted together, no reference is the one: only the image itself is hashed.
    """
    (solution,) = [r for r in records.read([solved]) if r.image == image]
    if solution.status != "anchored":
        raise AnchoringError(f"{image} cannot be anchored: {solution.reason}")
    fit, hashes = solution.chosen_fit, None
    if used is not None:
        files = {"mosaic": image, **used.get(fit.reference, {})}
        hashes = {what: hash_of(path) for what, path in files.items()}
    anchored.write_anchored(
        image,
        output,
        offset=solution.offset,
        offset_err=solution.offset_err,
        offset_sys=solution.offset_sys,
        source=solution.source,
        reference=fit.label,
        slope=fit.slope,
        resolution=fit.resolution,
        version=__version__,
        beam=psf and width_of(psf),
        hashes=hashes,
    )
    logging.info("%.6g MJy/sr were added", mosaics.offset_between(image, output))


def width_of(psf):
    """FWHM of the PSF in a file, arcsec; None, with a word in the log, if it cannot be used."""
    # Imported here: without PSFs, which is usual, the job takes half of the time.
    from anchoring.files import psfs

    try:
        return psfs.read_psf(psf).fwhm
    except AnchoringError as error:
        logging.warning("no beam in the header: %s", error)
        return None


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        solved=snakemake.input.solved,
        output=snakemake.output[0],
        psf=snakemake.input.get("psf") or None,
        used=snakemake.params.used,
    )
