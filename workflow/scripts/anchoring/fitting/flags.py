"""Quality flags: what each means, and the limits from which on it is raised."""

import math

from ..labels import split_label

MEANING = {
    "few_bins": "fewer than 5 bins went into the line",
    "range_outside_data": "the reference has data in less than half of the bins of the range",
    "references_disagree": "another reference of the band gives an offset more than 2.5 sigma from this one",
    "reference_suspect": "the adjustment of all pairs finds the zero level of the reference wrong: see the network",
    "not_adjusted": "the adjustment of all pairs has no answer for this image: the offset is that of this fit",
    "slope_unusual": "the slope is outside what is known of this pair of bands, by more than twice its error",
    "gradient": "a plane fitted to the residual image differs from zero by more than 3 sigma",
    "structured_residuals": "residuals differ more between blocks of the field than in them, as by steps of tiles",
    "edge_dominated": "more than half of the pixels in the range are within 0.7 FWHM of an edge or a hole",
    "misaligned": "the image is shifted against the reference by more than 0.3 of the beam and by more than 3 sigma",
    "uncorrelated": "image and reference show one structure with less than 0.6 of the correlation that noise allows",
    "noise_unknown": "the noise of the reference, or what it does to the line, is not known: it is taken as 0",
    "error_unknown": "the statistical error is not known: what is in the range is in fewer than 4 blocks of the sky",
    "not_converged": "errors_in_variables leaves the line open by more than a tenth of its statistical error",
    "kernel_from_model": "a kernel, or one of the ref_band's, is from a drawn PSF of JWST, good to 7 % of its width",
    "kernel_lobes": "W- of a made kernel is above 0.5: its negative lobes amplify noise and edges",
    "kernel_inexact": "D of a made kernel is above 0.02: what it convolves to differs from the PSF that it should be",
    "kernel_cut": "a made kernel has more than 0.001 of its peak at its edge",
    "kernel_narrow": "a made kernel is narrower than 2 pixels of the image",
    "psf_cut": "the file of a PSF cuts its wings and reaches over less than 90 % of the PSF that is convolved to",
}
INHERITED = ("kernel_from_model",)  # an offset on a ref_band rests on what the ref_band's own rests on
FEW_BINS = 5
DISAGREE = 2.5  # sigma: by chance in 1.2 % of honest pairs
EDGE = 0.7  # FWHM
OPEN = 0.1  # statistical errors
PLANE = 11.83  # chi-squared of 2 degrees of freedom at 3 sigma
CONTRAST = 1.7  # of 350 simulated skies whose colours vary 1 has more; with steps of 0.3 MJy/sr 84 to 100 in 100

# (comparison, reference): slopes seen in the fits of 10 PHANGS-JWST galaxies that pjpipe published.
SLOPES = {
    ("F770W", "irac4"): (0.85, 1.10),
    ("F770W", "w3"): (1.53, 1.98),
    ("F300M", "irac1"): (0.75, 1.05),
    ("F300M", "w1"): (0.90, 1.10),
    ("F300M", "irac2"): (1.10, 1.68),
    ("F300M", "w2"): (1.26, 2.03),
}
# (comparison, ref_band): only their median is known; the range is taken as 1/1.35 to 1.35 of it, that of F300M / W2.
MEDIAN_SLOPES = {
    ("F1000W", "F770W"): 0.37,
    ("F1130W", "F770W"): 1.36,
    ("F2100W", "F770W"): 0.57,
    ("F335M", "F300M"): 0.96,
    ("F360M", "F300M"): 0.87,
    ("F200W", "F300M"): 1.81,
}
SPREAD = 1.35


def in_order(words):
    """Some flags, each once, in the order of MEANING."""
    return [word for word in MEANING if word in words]


def known_slopes(band, label):
    """(low, high) slope of a band on a reference (label without resolution, or ref_band); None if not known."""
    reference = split_label(label)[0]
    if (band.upper(), reference.lower()) in SLOPES:
        return SLOPES[band.upper(), reference.lower()]
    median = MEDIAN_SLOPES.get((band.upper(), reference.upper()))
    return None if median is None else (median / SPREAD, median * SPREAD)


def slope_is_unusual(slope, error, known):
    """Outside the range `known` by more than twice its error (an error that is not known counts as 0)."""
    if known is None:
        return False
    low, high = known
    margin = 2 * error if math.isfinite(error) else 0.0
    return not low - margin <= slope <= high + margin


def is_open(change, errors):
    """Whether an iteration left one of some numbers open by more than OPEN of its error, or that error is unknown."""
    return any(left > 0 and not left <= OPEN * error for left, error in zip(change, errors, strict=True))
