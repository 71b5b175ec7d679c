"""Which pixels of an overlap are trusted: away from edges and holes, and not masked."""

import math

import ducc0
import numpy as np

from .errors import AnchoringError

SIGMA_PER_FWHM = 1 / math.sqrt(8 * math.log(2))


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
    profiles = [_beam_profile(beam * SIGMA_PER_FWHM, n) for n in inside.shape]
    shape = [ducc0.fft.good_size(n + p.size // 2, True) for n, p in zip(inside.shape, profiles, strict=True)]
    padded = np.zeros(shape, dtype=np.float32)
    padded[: inside.shape[0], : inside.shape[1]] = inside
    spectrum = ducc0.fft.r2c(padded, axes=(0, 1))
    rows, columns = (_transform(p, n) for p, n in zip(profiles, shape, strict=True))
    spectrum *= rows[:, None]
    spectrum *= columns[: shape[1] // 2 + 1]
    ducc0.fft.c2r(spectrum, axes=(0, 1), lastsize=shape[1], forward=False, inorm=2, out=padded)
    # Round-off of an FFT can leave a pixel that sees nothing a hair below 0.
    return np.maximum(padded, 0, out=padded)[: inside.shape[0], : inside.shape[1]]


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
