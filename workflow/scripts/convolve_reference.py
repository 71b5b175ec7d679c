"""Convolve a reference with its sky subtracted to the resolution of its label, and measure its noise."""

import logging
import math

import numpy as np

from anchoring.errors import AnchoringError, reason_of
from anchoring.files import intermediates, kernels, made_references
from anchoring.files.hdus import Image
from anchoring.images import convolution, headers
from anchoring.labels import gaussian_fwhm
from anchoring.measuring import noise
from anchoring.script import run

MOST_ROWS = 1024  # around the centre, and columns: on which the noise is measured


def main(image, output, error, resolution, threads, what, kernel=None):
    """`what` is the reference in words."""
    try:
        data, uncertainty, header = made_references.read_step(image)[:3]
        headers.require_square(header, image)
        scale = headers.pixel_scale(header, image)
        if kernel is not None:
            resampled = kernels.resampled_kernel(kernel, scale)
            data, uncertainty = convolution.convolve_image(data, resampled, uncertainty, threads=threads)
            header["REFKERN"] = (kernel.rsplit("/", 1)[-1], "kernel that it was convolved with")
        fwhm = gaussian_fwhm(resolution)
        for key, value, comment in headers.beam_cards(fwhm):
            header[key] = (value, comment)
        sigma = measured_noise(data, (fwhm or 2 * scale) / scale, image)
        header["REFNOISE"] = (float(f"{sigma:.4g}"), "[MJy/sr] noise of a pixel of sky")
        made_references.write_step(error, Image(noise.noise_map(sigma, data, uncertainty), None, header))
        made_references.write_step(output, Image(data, None, header))
    except Exception as failure:
        reason = made_references.refusal(what, reason_of(failure, image))
        intermediates.write_refusal(error, reason)
        intermediates.write_refusal(output, reason)


def measured_noise(data, beam, path):
    """Noise of a pixel, MJy/sr, on the faintest sky around the middle of an image."""
    middle = tuple(slice(max((n - MOST_ROWS) // 2, 0), (n + MOST_ROWS) // 2) for n in data.shape)
    sigma = noise.sky_noise(data[middle], np.isfinite(data[middle]), beam=beam)
    if not math.isfinite(sigma):
        raise AnchoringError(f"{path} is too small to measure its noise; expected more sky: give a larger 'margin'")
    logging.info("noise of a pixel %.3g MJy/sr", sigma)
    return sigma


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.input.image,
        output=snakemake.output.image,
        error=snakemake.output.error,
        resolution=snakemake.params.resolution,
        threads=snakemake.threads,
        what=snakemake.params.what,
        kernel=snakemake.input.get("kernel") or None,
    )
