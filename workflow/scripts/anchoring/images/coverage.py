"""Which pixels of an overlap are trusted: away from edges and holes, and not masked."""

import math

import ducc0
import numpy as np

from ..errors import AnchoringError

SIGMA_PER_FWHM = 1 / math.sqrt(8 * math.log(2))
BAND = 256  # rows convolved at a time
BLOCK = 2**16  # pixels worked on at a time: what the processor's cache holds


def blocks(inside, *images):
    """The pixels of some images that are inside a mask of their shape, in order and so many at a time.

    Yields
    ------
    list of 1-D arrays, one of each image; images may be as they lie in a file.
    """
    inside, *images = (array.ravel() for array in (inside, *images))
    for start in range(0, inside.size, BLOCK):
        block = slice(start, start + BLOCK)
        chosen = inside[block]
        values = [image[block][chosen] for image in images]
        yield [v.astype(v.dtype.newbyteorder("="), copy=False) for v in values]


def extremes(image, inside):
    """The lowest and the highest value of an image inside a mask, in which there is at least one."""
    found = [(v.min(), v.max()) for (v,) in blocks(inside, image) if v.size]
    return [float(min(low for low, _ in found)), float(max(high for _, high in found))]


def thinned(image, inside, n=200_000):
    """About n of the pixels of an image inside a mask (all of fewer), evenly spread: enough for a picture's limits."""
    step = max(np.count_nonzero(inside) // n, 1)
    return np.concatenate([values[::step] for (values,) in blocks(inside, image)])


def beam_coverage(inside, beam):
    """Fraction of a Gaussian beam, centred on each pixel, that falls on observed pixels.

    A convolution that renormalises by its observed weights, K*(m SCI) / K*m, is a one-sided average where this
    fraction, K*m, is below 1.

    Parameters
    ----------
    inside : (ny, nx) bool array
        Observed pixels; none is outside the array.
    beam : float
        FWHM, pixels.

    Returns
    -------
    (ny, nx) float32 array, 0 to 1.
    """
    if not beam > 0:
        return inside.astype(np.float32)
    ny, nx = inside.shape
    down, across = (_beam_profile(beam * SIGMA_PER_FWHM, n) for n in inside.shape)
    reach, band = down.size // 2, min(max(BAND, 4 * down.size), ny)
    shape = ducc0.fft.good_size(band + 2 * reach, True), ducc0.fft.good_size(nx + across.size // 2, True)
    beam_y, beam_x = (_transform(p, n) for p, n in zip((down, across), shape, strict=True))
    padded, spectrum = np.empty(shape, dtype=np.float32), np.empty((shape[0], shape[1] // 2 + 1), dtype=np.complex64)
    out = np.empty(inside.shape, dtype=np.float32)
    for start in range(0, ny, band):
        stop, first, last = min(start + band, ny), max(start - reach, 0), min(start + band + reach, ny)
        padded[...] = 0
        padded[: last - first, :nx] = inside[first:last]
        ducc0.fft.r2c(padded, axes=(0, 1), out=spectrum)
        spectrum *= beam_y[:, None]
        spectrum *= beam_x[: spectrum.shape[1]]
        ducc0.fft.c2r(spectrum, axes=(0, 1), lastsize=shape[1], forward=False, inorm=2, out=padded)
        # Round-off of an FFT can leave a pixel that sees nothing a hair below 0.
        np.maximum(padded[start - first : stop - first, :nx], 0, out=out[start:stop])
    return out


def _beam_profile(sigma, n):
    """A Gaussian of sum 1 to 4 sigma, without what is farther from its centre than n pixels reach."""
    reach = int(4 * sigma + 0.5)
    profile = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    profile /= profile.sum()
    return profile[max(reach - n + 1, 0) : reach + n]


def _transform(profile, n):
    """The (real) transform of a symmetric profile about the origin of a grid of n."""
    padded = np.zeros(n)
    padded[: profile.size] = profile
    return np.fft.fft(np.roll(padded, -(profile.size // 2))).real.astype(np.float32)


def beam_area(beam):
    """Area of a Gaussian beam of a FWHM, pi / (4 ln 2) FWHM^2; at least 1 pixel."""
    return max(math.pi / (4 * math.log(2)) * beam**2, 1.0)


def least_coverage(erode_fwhm):
    """The beam coverage of a pixel `erode_fwhm` FWHM inside a straight edge.

    It is Phi(erode_fwhm FWHM / sigma), Phi the normal distribution's integral: 0.95 for 0.7. Unlike a distance it
    weighs a hole by its area: a lone missing pixel takes nothing away, a hole as large as the beam its surroundings.
    """
    if erode_fwhm == 0:
        return 0.0
    return 0.5 * (1 + math.erf(erode_fwhm / SIGMA_PER_FWHM / math.sqrt(2)))


def left_out(mask):
    """The pixels a mask image leaves out: its value is 1 (0: keep; not finite, or beyond the mask: keep).

    Raises
    ------
    AnchoringError
        If it holds anything else.
    """
    known = np.isfinite(mask)
    if np.any((mask[known] != 0) & (mask[known] != 1)):
        raise AnchoringError("the mask holds values other than 0 and 1; expected 1 = leave out, 0 = keep")
    return known & (mask == 1)
