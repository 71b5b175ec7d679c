"""Convolve an image to the resolution of a pair; a bad image or kernel leaves a product that says why."""

import logging

from anchoring.stage import run
from anchoring import convolution, images
from anchoring.errors import AnchoringError


def main(image, kernel, output, threads, band=None):
    try:
        mosaic = images.read_image(image, band=band)
        images.celestial_wcs(mosaic.header, image)  # what is reprojected later has another name
        scale = images.pixel_scale(mosaic.header, image)
        kernel_data, kernel_scale = images.read_kernel(kernel)
        try:
            resampled = convolution.resample_kernel(kernel_data, kernel_scale, scale)
        except AnchoringError as error:
            raise AnchoringError(f"{kernel}: {error}") from error
        logging.info("%s pixels, kernel %s", mosaic.data.shape, resampled.shape)
        data, error = convolution.convolve_image(mosaic.data, resampled, mosaic.error, threads=threads)
        fwhm = convolution.kernel_fwhm(resampled) * scale
        images.write_product(output, data, mosaic.header, error, fwhm=fwhm, source=mosaic.source)
    except AnchoringError as refusal:
        logging.error("%s", refusal)
        images.write_refusal(output, str(refusal))


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        kernel=snakemake.input.kernel,
        output=snakemake.output[0],
        threads=snakemake.threads,
        band=snakemake.params.band,
    )
