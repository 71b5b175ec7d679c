"""Bands: their order, and the widths of point sources in those in use; plain numbers, for the planning as well."""

import math
import re

from .labels import gaussian_fwhm, normalised

# FWHM of point sources, arcsec, the narrowest and the widest value in use. JWST: User Documentation, "NIRCam Point
# Spread Functions" and "MIRI Point Spread Functions", measured in flight; F380M is NIRISS. Model PSFs (STPSF) agree to
# 3 % in the seven of these bands that were compared, to 7 % in F770W. IRAC: in-flight point response functions, and the
# wider PSFs of Aniano et al. 2011, PASP 123, 1218. WISE, MIPS: Aniano et al., unWISE and the Explanatory Supplements.
FWHM = {
    **{name: (fwhm, fwhm) for name, fwhm in {
        "f070w": 0.029, "f090w": 0.033, "f115w": 0.040, "f140m": 0.048, "f150w": 0.050, "f162m": 0.055, "f164n": 0.056,
        "f182m": 0.062, "f187n": 0.064, "f200w": 0.066, "f210m": 0.071, "f212n": 0.072, "f250m": 0.085, "f277w": 0.092,
        "f300m": 0.100, "f323n": 0.108, "f335m": 0.111, "f356w": 0.116, "f360m": 0.120, "f380m": 0.130, "f405n": 0.136,
        "f410m": 0.137, "f430m": 0.145, "f444w": 0.145, "f460m": 0.155, "f466n": 0.158, "f470n": 0.160, "f480m": 0.164,
        "f560w": 0.207, "f770w": 0.269, "f1000w": 0.328, "f1130w": 0.375, "f1280w": 0.420, "f1500w": 0.488,
        "f1800w": 0.591, "f2100w": 0.674, "f2550w": 0.803,
    }.items()},
    "irac1": (1.40, 1.90), "irac2": (1.40, 1.81), "irac3": (1.63, 2.11), "irac4": (1.95, 2.82),
    "w1": (5.79, 6.08), "w2": (6.37, 6.84), "w3": (6.60, 7.36), "mips24": (6.0, 6.43),
}  # fmt: skip
JWST = re.compile(r"f(\d{3,4})(?:w2?|m|n|c|wr)", re.IGNORECASE)  # names of its filters
FILTERS = {name for name in FWHM if JWST.fullmatch(name)}
FILTERS |= {"f150w2", "f158m", "f322w2", "f1065c", "f1140c", "f1550c", "f2300c", "f2550wr"}
PER_MICRON = 0.0335  # arcsec: FWHM of the diffraction of JWST
LEAST_RATIO = 8  # of a resolution to a PSF: a PSF that is 7 % too wide then changes the width of a kernel by 0.1 %
FINEST = 0.674  # arcsec, F2100W: what is as narrow shows the wings of a PSF, which the model does not have


def band_order(band):
    """Sort key: bands by the number in their name, which for JWST is their wavelength."""
    number = re.search(r"\d+", band)
    return (int(number.group()) if number else math.inf, band)


def width_of(name):
    """(narrowest, widest) FWHM, arcsec, of a band or of a resolution such as gauss7p5; None if it is not known."""
    width = gaussian_fwhm(name)
    return (width, width) if width else FWHM.get(normalised(name))


def single_width(name):
    """FWHM, arcsec, where only one value is in use; None for others."""
    low, high = width_of(name) or (None, None)
    return low if low == high else None


def wavelength(band):
    """Wavelength of a filter of JWST, micron, from its name; None for any other band."""
    parts = JWST.fullmatch(band)
    return int(parts[1]) / 100 if parts else None


def can_be_modelled(band, resolution):
    """Whether a drawn PSF of a band is good enough for a kernel to a resolution.

    It is for a filter of JWST whose PSF is LEAST_RATIO times narrower than the resolution, this being above FINEST.
    """
    micron, target = wavelength(band), width_of(resolution)
    if micron is None or target is None:
        return False
    return target[0] > FINEST and target[0] >= LEAST_RATIO * (single_width(band) or PER_MICRON * micron)
