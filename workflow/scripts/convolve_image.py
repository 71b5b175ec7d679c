"""Convolve an image to the resolution of a pair; a bad image, kernel or mask leaves a product that says why."""

import logging

from anchoring.errors import reason_of
from anchoring.files import intermediates, kernels, made_kernels, masks, mosaics
from anchoring.images import convolution, headers, kernel_quality
from anchoring.script import run


def main(image, kernel, output, threads, band=None, mask=None, with_error=True):
    try:
        mosaic = mosaics.map_image(image, band=band, with_error=with_error)
        headers.celestial_wcs(mosaic.header, image)  # what is reprojected later has another name
        scale = headers.pixel_scale(mosaic.header, image)
        headers.require_square(mosaic.header, image)
        if mask is not None:
            # Before the kernel spreads the light of what is masked.
            mosaic.mask(masks.masked_rows(mask, mosaic.header, mosaic.shape))
        resampled = kernels.resampled_kernel(kernel, scale)
        logging.info("%s pixels, kernel %s", mosaic.shape, resampled.shape)
        stated = {"fwhm": convolution.kernel_fwhm(resampled) * scale, "source": mosaic.source}
        stated |= of_kernel(kernel, resampled)
        grid = mosaic.header, mosaic.shape, mosaic.dtype
        with intermediates.opened_product(output, *grid, with_error=mosaic.has_error, **stated) as write:
            for rows in convolution.convolve_rows(mosaic, resampled, threads=threads):
                write(*rows)
            mosaic.require_observed()
    except Exception as error:
        intermediates.write_refusal(output, reason_of(error, image))


def of_kernel(kernel, resampled):
    """Flags of a kernel that the workflow made, and the FWHM of the PSF that a kernel leads to, arcsec, if known."""
    origin = made_kernels.read_origin(kernel)
    if origin is None:
        return {"beam": kernels.resolution_of(kernel)}
    narrow = convolution.kernel_fwhm(resampled) < kernel_quality.NARROW
    return {"beam": origin.quality.target_fwhm, "kernel_flags": (*origin.flags, *["kernel_narrow"] * narrow)}


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        kernel=snakemake.input.kernel,
        output=snakemake.output[0],
        threads=snakemake.threads,
        band=snakemake.params.band,
        mask=snakemake.input.get("mask") or None,
        with_error=snakemake.params.with_error,
    )
