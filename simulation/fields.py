"""What all simulated skies are made with: Gaussian beams, correlated noise, the plane of a disk."""

import math
import zlib

import numpy as np
from scipy import fft, ndimage, special

FWHM_PER_SIGMA = math.sqrt(8 * math.log(2))
REACH = 5.5  # standard deviations at which a Gaussian is cut: 3e-7 of its peak


def generator(seed, *names):
    """Random numbers that depend on the seed and on what they are for, whatever else is simulated."""
    return np.random.default_rng([seed, *(zlib.crc32(name.lower().encode()) for name in names)])


def convolved(image, fwhm, pixel=1.0):
    """An image convolved with a Gaussian, mirrored at its edges: its cosine transform times the beam's.

    `fwhm` and the size of a `pixel` are in one unit.
    """
    sigma = fwhm / FWHM_PER_SIGMA / pixel
    beam_y, beam_x = (np.exp(-2 * (math.pi * (np.arange(n) / (2 * n)) * sigma) ** 2) for n in image.shape)
    return fft.idctn(fft.dctn(image) * beam_y[:, None] * beam_x)


def correlated_noise(rng, shape, fwhm, sigma):
    """Noise of standard deviation sigma, correlated over a Gaussian beam of that FWHM in pixels."""
    width = fwhm / FWHM_PER_SIGMA
    pad = math.ceil(REACH * width)
    white = rng.standard_normal([n + 2 * pad for n in shape])
    smooth = ndimage.gaussian_filter(white, width, truncate=REACH, mode="wrap")
    offsets = np.arange(-pad, pad + 1)
    profile = np.exp(-0.5 * (offsets / width) ** 2)
    # Variance of a sum of independent pixels with these weights along either axis.
    variance = ((profile / profile.sum()) ** 2).sum() ** 2
    return sigma / math.sqrt(variance) * smooth[pad : pad + shape[0], pad : pad + shape[1]]


def in_plane(x, y, angle, cosine):
    """Coordinates in the plane of a disk: along its major axis, at an angle (radians) from x to y, and across it.

    `cosine` is that of the inclination.
    """
    cos, sin = math.cos(angle), math.sin(angle)
    return x * cos + y * sin, (y * cos - x * sin) / cosine


def gaussian_kernel(fwhm_from, fwhm_to):
    """Kernel from one Gaussian PSF to another, normalised to its peak, and its pixel scale in arcsec.

    25 samples per standard deviation: interpolating it bilinearly widens it by 1 in 7500.
    """
    sigma = math.sqrt(fwhm_to**2 - fwhm_from**2) / FWHM_PER_SIGMA
    scale = sigma / 25
    # The outer two pixels of an image's scale are left out when it is resampled.
    half = math.ceil((REACH * sigma + 0.25) / scale)
    profile = np.exp(-0.5 * (np.arange(-half, half + 1) * scale / sigma) ** 2)
    return np.multiply.outer(profile, profile), scale


def gaussian_psf(fwhm):
    """A Gaussian PSF, what each pixel holds of its light, and its pixel scale in arcsec: 10 pixels in its FWHM."""
    scale = fwhm / 10
    half = math.ceil(REACH * fwhm / FWHM_PER_SIGMA / scale)
    edges = (np.arange(2 * half + 2) - half - 0.5) * scale * FWHM_PER_SIGMA / fwhm
    profile = np.diff(special.ndtr(edges))
    return np.multiply.outer(profile, profile), scale
