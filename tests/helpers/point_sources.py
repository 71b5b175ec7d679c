"""Arrays of point-spread functions."""

import math

import numpy as np
from scipy.special import erf


def gaussian(side, fwhm, *, shift=(0.0, 0.0), ratio=1.0):
    """What the pixels of a square hold of a Gaussian of sum 1.

    Its centre is `shift` (y, x) from the middle, its width along x `ratio` times its FWHM.
    """
    profiles = [_profile(side, width, off) for width, off in zip((fwhm, fwhm * ratio), shift, strict=True)]
    return np.multiply.outer(*profiles)


def _profile(side, fwhm, off):
    sigma = fwhm / math.sqrt(8 * math.log(2))
    return np.diff(erf((np.arange(side + 1) - side / 2 - off) / (sigma * math.sqrt(2)))) / 2


def airy_like(side, fwhm, *, shift=(0.0, 0.0)):
    """A peak with wings that fall with the third power of the radius, as those of a telescope do; of sum 1."""
    y, x = (np.arange(side) - (side - 1) / 2 - off for off in shift)
    radius = np.hypot(y[:, None], x) / fwhm
    array = (1 + (2 * radius) ** 2 * (2 ** (1 / 1.5) - 1)) ** -1.5
    return array / array.sum()
