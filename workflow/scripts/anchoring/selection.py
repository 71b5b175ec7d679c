"""Which pixels of an overlap are trusted: away from edges and holes, and not masked."""

import math

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
    from scipy.ndimage import gaussian_filter

    if not beam > 0:
        return inside.astype(np.float32)
    return gaussian_filter(inside.astype(np.float32), beam * SIGMA_PER_FWHM, mode="constant", truncate=4)


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
