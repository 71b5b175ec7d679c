"""The errors of a reference image: its noise, stated by its maker or measured on its own sky, and that of its zero."""

import math
from typing import NamedTuple

import numpy as np

from ..errors import AnchoringError
from ..images.coverage import SIGMA_PER_FWHM
from ..images.headers import is_number
from .robust import robust_std

FAINT = 30.0  # percentile of the local level up to which sky counts as blank
RELATIVE_ERROR = 0.1  # of any stated or measured noise
LEAST_BEAMS = 20  # areas of sky a measurement needs
ZERO_ERROR = "REFZERR"  # keyword


class Noise(NamedTuple):
    """Standard deviation, MJy/sr, and where it is from: config, map, header, sky, faint or unknown."""

    sigma: float
    source: str


def stated_noise(configured, header, factor):
    """The noise of a pixel of a reference that the configuration states, or None.

    Parameters
    ----------
    configured : float, str or None
        MJy/sr, or the keyword of `header` that holds it in the unit of the image.
    header : mapping
    factor : float
        MJy/sr per unit of the image in its file.

    Returns
    -------
    Noise or None

    Raises
    ------
    AnchoringError
        If the keyword is not there or is no noise.
    """
    if isinstance(configured, str):
        return Noise(factor * noise_of_header(header, configured), "header")
    return None if configured is None else Noise(float(configured), "config")


def reference_noise(image, outside, *, beam, stated=None, uncertainty=None, averaged=1.0):
    """Noise of the samples of a reference: as stated, or from an uncertainty map, or of its own sky.

    Parameters
    ----------
    image : (ny, nx) array
        The samples of the reference, each a pixel or the mean of a square of pixels, MJy/sr.
    outside : (ny, nx) bool array
        Samples beyond the comparison image's footprint.
    beam : float
        FWHM, samples.
    stated : Noise, optional
        Of a pixel.
    uncertainty : (ny, nx) array, optional
        One standard deviation of a pixel, MJy/sr, its rms in each sample; the median of its finite values inside the
        footprint is taken.
    averaged : float
        `noise_of_mean` of the pixels of a sample: what is stated of a pixel is multiplied by it. What is measured is
        measured on the samples.

    Returns
    -------
    Noise
        sigma is NaN, from "unknown", if nothing is known.
    """
    if stated is not None:
        return Noise(averaged * stated.sigma, stated.source)
    if uncertainty is not None:
        inside = uncertainty[~outside & np.isfinite(uncertainty)]
        if inside.size:
            return Noise(averaged * float(np.median(inside)), "map")
    for region, source in ((outside, "sky"), (np.ones_like(outside), "faint")):
        sigma = sky_noise(image, region, beam=beam)
        if math.isfinite(sigma):
            return Noise(sigma, source)
    return Noise(math.nan, "unknown")


def noise_map(sigma, image, uncertainty=None):
    """The noise of the pixels of a reference: that of its sky and, in quadrature, what its uncertainty map has more.

        sqrt(sigma^2 + max(u^2 - u_sky^2, 0))

    with u_sky the percentile FAINT of the map: the noise of the sky is in both, and is counted as it is measured.

    Parameters
    ----------
    sigma : float
        Noise of a pixel of sky, MJy/sr.
    image : (ny, nx) array
        NaN where unobserved.
    uncertainty : (ny, nx) array, optional
        One standard deviation, MJy/sr; where it is not finite, it has no more than its sky.

    Returns
    -------
    (ny, nx) float32 array, NaN where unobserved
    """
    more = 0.0
    if uncertainty is not None and np.isfinite(uncertainty).any():
        sky = np.nanpercentile(uncertainty, FAINT)
        more = np.nan_to_num(np.maximum(np.square(uncertainty) - sky**2, 0))
    return np.where(np.isfinite(image), np.sqrt(sigma**2 + more), np.nan).astype(np.float32)


def noise_of_mean(side, fwhm):
    """Noise of the mean of side x side pixels, in units of the noise of one.

    For noise that was white before a Gaussian of this FWHM (sigma s, pixels), whose autocorrelation is a Gaussian of
    sqrt(2) s. Along each axis the variance of a mean is

        1 / side^2 sum over k = -(side - 1) to side - 1 of (side - |k|) exp(-k^2 / 4 s^2)

    and the two axes are alike, so that this is the ratio of standard deviations. It is 1 / side for white noise.

    Parameters
    ----------
    side : int
        Pixels.
    fwhm : float
        Of what smoothed the noise, pixels; 0 if nothing did.
    """
    lag = np.arange(1, side)
    width = max(2 * fwhm * SIGMA_PER_FWHM, 1e-3)
    return float((side + 2 * np.sum((side - lag) * np.exp(-((lag / width) ** 2)))) / side**2)


def noise_of_header(header, name):
    """The noise, in the unit of the image, that a header has under a keyword; AnchoringError without one."""
    value = header.get(name)
    if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
        raise AnchoringError(f"the reference's header has {name} = {value!r}; expected its noise in its own unit")
    return float(value)


def zero_error(header, path):
    """Error of the zero level of a reference, MJy/sr, that its header states as REFZERR; None without it.

    AnchoringError if it is not a number >= 0.
    """
    value = header.get(ZERO_ERROR)
    if value is None:
        return None
    if not (is_number(value) and value >= 0):
        raise AnchoringError(
            f"{path} has {ZERO_ERROR} = {value!r}; expected the error of its zero level, MJy/sr: correct or remove it"
        )
    return float(value)


def sky_noise(image, region, *, beam):
    """Noise of pixels that are correlated over a beam, on the faintest part of a region.

    From second differences d = x(p - l) - 2 x(p) + x(p + l) along both axes with l = 2 FWHM, where noise that was
    white before the beam (autocorrelation a Gaussian of sqrt(2) FWHM) is independent to 0.4 %, so that var(d) =
    6 sigma^2, and a sky with a gradient adds nothing. Of these, those whose level, the mean of the three pixels, is
    among the lowest FAINT percent: level and d are uncorrelated, so this choice leaves the noise as it is. Stars go by
    sigma = 1.4826 MAD(d) / sqrt(6).

    Parameters
    ----------
    image : (ny, nx) array, MJy/sr
    region : (ny, nx) bool array
    beam : float
        FWHM, pixels.

    Returns
    -------
    sigma, MJy/sr; NaN with fewer than LEAST_BEAMS beams of sky.
    """
    lag = max(round(2 * beam), 1)
    image = np.where(region, image, np.nan)
    differences, levels = [], []
    for plane in (image, image.T):
        if plane.shape[0] > 2 * lag:
            before, here, after = plane[: -2 * lag], plane[lag:-lag], plane[2 * lag :]
            differences.append((before - 2 * here + after).ravel())
            levels.append((before + here + after).ravel())
    if not differences:
        return math.nan
    difference, level = np.concatenate(differences), np.concatenate(levels)
    known = np.isfinite(difference)
    # Every pixel is in two differences.
    if known.sum() < 2 * LEAST_BEAMS * max(beam, 1) ** 2 * 100 / FAINT:
        return math.nan
    difference, level = difference[known], level[known]
    faint = difference[level <= np.percentile(level, FAINT)]
    return float(robust_std(faint) / math.sqrt(6))
