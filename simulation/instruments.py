"""Bands of JWST and of the external references: PSF widths, pixels, noise, and how bright a galaxy is in each."""

import math
from typing import NamedTuple


class Band(NamedTuple):
    """What is observed, and how.

    `brightness` is relative to IRAC 1 (kind stars) or IRAC 4 (kind dust); between bands of one kind it gives the slope.
    Wavelength in micron, fwhm and (pixel) scale in arcsec, noise in MJy/sr: per pixel, or of a reference over its beam.
    """

    instrument: str
    kind: str
    wavelength: float
    fwhm: float
    scale: float
    noise: float
    brightness: float


# PSF widths: JWST User Documentation. Brightness: typical slopes of PHANGS-JWST on IRAC, WISE and each other.
BANDS = {
    "F115W": Band("nircam", "stars", 1.15, 0.040, 0.031, 0.15, 1.30),
    "F150W": Band("nircam", "stars", 1.50, 0.050, 0.031, 0.14, 1.60),
    "F187N": Band("nircam", "stars", 1.87, 0.064, 0.031, 0.20, 1.65),
    "F200W": Band("nircam", "stars", 1.99, 0.066, 0.031, 0.12, 0.90 * 1.81),
    "F300M": Band("nircam", "stars", 3.00, 0.100, 0.063, 0.05, 0.90),
    "F335M": Band("nircam", "stars", 3.36, 0.111, 0.063, 0.05, 0.90 * 0.96),
    "F360M": Band("nircam", "stars", 3.62, 0.120, 0.063, 0.06, 0.90 * 0.87),
    "F430M": Band("nircam", "stars", 4.28, 0.145, 0.063, 0.07, 0.55),
    "F444W": Band("nircam", "stars", 4.40, 0.145, 0.063, 0.05, 0.53),
    "F380M": Band("niriss", "stars", 3.83, 0.130, 0.065, 0.06, 0.75),
    "F480M": Band("niriss", "stars", 4.81, 0.164, 0.065, 0.07, 0.50),
    "F560W": Band("miri", "dust", 5.6, 0.207, 0.11, 0.06, 0.45),
    "F770W": Band("miri", "dust", 7.7, 0.269, 0.11, 0.08, 1.00),
    "F1000W": Band("miri", "dust", 10.0, 0.328, 0.11, 0.09, 0.37),
    "F1130W": Band("miri", "dust", 11.3, 0.375, 0.11, 0.12, 1.36),
    "F1500W": Band("miri", "dust", 15.0, 0.488, 0.11, 0.10, 0.45),
    "F2100W": Band("miri", "dust", 21.0, 0.674, 0.11, 0.20, 0.57),
}
REFERENCES = {
    "irac1_atgauss4": Band("spitzer", "stars", 3.6, 4.0, 0.75, 0.010, 1.00),
    "irac2_atgauss4": Band("spitzer", "stars", 4.5, 4.0, 0.75, 0.010, 0.90 / 1.34),
    "irac4_atgauss4": Band("spitzer", "dust", 8.0, 4.0, 0.75, 0.015, 1.00),
    "w1_atgauss7p5": Band("wise", "stars", 3.4, 7.5, 2.75, 0.010, 0.90 / 1.02),
    "w2_atgauss7p5": Band("wise", "stars", 4.6, 7.5, 2.75, 0.010, 0.90 / 1.72),
    "w3_atgauss15": Band("wise", "dust", 12.0, 15.0, 2.75, 0.040, 1.00 / 1.72),
    # As F2100W / MIPS 24 of M83's spectra; a Gaussian in place of its own PSF.
    "mips24": Band("spitzer", "dust", 23.7, 6.4, 1.5, 0.020, 0.57 * 1.38),
}
USUAL_REFERENCES = tuple(REFERENCES)[:-1]
RESOLUTIONS = {"gauss4": 4.0, "gauss7p5": 7.5, "gauss15": 15.0, "f2100w": BANDS["F2100W"].fwhm}
REF_BANDS = {"nircam": "F300M", "miri": "F770W", "niriss": "F380M"}
FIRST_REFERENCE = {"nircam": "irac1_atgauss4", "miri": "irac4_atgauss4", "niriss": "irac1_atgauss4"}
OUTSIDE = {"nircam": 0.0, "miri": math.nan, "niriss": math.nan}  # what an uncovered pixel holds
ROTATION = {"nircam": 0.0, "miri": 4.8, "niriss": -0.5}  # of the cameras in JWST's focal plane, degrees


def slope(band, reference):
    """Of a band on a reference or on another band of its kind."""
    known = {**BANDS, **REFERENCES}
    if known[band].kind != known[reference].kind:
        raise ValueError(f"{band} shows {known[band].kind}, {reference} does not; expected two of one kind")
    return known[band].brightness / known[reference].brightness
