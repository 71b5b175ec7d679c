"""Units of archive images: the factor that converts their pixels to MJy/sr, and where it is from."""

import math
from typing import NamedTuple

from astropy.io import fits

from ..errors import AnchoringError
from ..labels import normalised
from . import headers
from .units import brightness_unit

AB = 3631.0  # Jy of magnitude 0 in the AB system
SR_PER_ARCSEC2 = (math.pi / 180 / 3600) ** 2
# Flux density of magnitude 0, Jy, by the survey and its bands. Counts c of an image whose zero point is MAGZP are
# c 10^(-0.4 MAGZP) F0 per pixel.
ZERO_MAGNITUDE = {
    # Explanatory Supplement to the AllWISE Data Release, IV.4.h, table 1, for a spectrum F_nu ~ nu^-2.
    "AllWISE": {"w1": 306.682, "w2": 170.663, "w3": 29.045, "w4": 8.284},
    # From Vega to AB: the Explanatory Supplement to the WISE All-Sky Data Release, IV.4.h, table 3.
    "unWISE": {band: AB * 10 ** (-0.4 * d) for band, d in (("w1", 2.683), ("w2", 3.319), ("w3", 5.242), ("w4", 6.604))},
    # Cohen, Wheaton & Megeath 2003, AJ 126, 1090.
    "2MASS": {"j": 1594.0, "h": 1024.0, "ks": 666.7},
}
SOURCES = {
    "AllWISE": "F0 of the AllWISE Explanatory Supplement",
    "unWISE": "Vega to AB of the WISE Expl. Supplement",
    "2MASS": "F0 of Cohen et al. 2003",
}
UNWISE_ZERO_POINT = 22.5
FILTERED = "median_filtered"  # flag: extended light is gone near large galaxies
COUNTS = {"", "dn", "adu", "count", "counts", "vega nanomaggies", "nanomaggies", "vega nanomaggy"}
ALIASES = {"k": "ks", "2massj": "j", "2massh": "h", "2massk": "ks", "2massks": "ks", "mips1": "mips24"}
# Wavelength, m, for units that depend on it where the header has none: isophotal or nominal, of the documents above and
# of the handbooks of IRAC and MIPS.
WAVELENGTHS = {
    "j": 1.235e-6, "h": 1.662e-6, "ks": 2.159e-6, "w1": 3.3526e-6, "w2": 4.6028e-6, "w3": 11.5608e-6, "w4": 22.0883e-6,
    "irac1": 3.550e-6, "irac2": 4.493e-6, "irac3": 5.731e-6, "irac4": 7.872e-6, "mips24": 23.68e-6,
    "mips70": 71.42e-6, "mips160": 155.9e-6,
}  # fmt: skip


class Calibration(NamedTuple):
    """The unit of an archive image, the factor that converts it to MJy/sr, where that is from, and flags."""

    unit: str
    factor: float
    source: str
    flags: tuple = ()


def calibration(header, band, *, unit=None, path="the image"):
    """How the pixels of an archive image are converted to MJy/sr.

    Counts of WISE (unWISE, AllWISE) and 2MASS have the surface brightness

        c 10^(-0.4 MAGZP) F0 / area of a pixel

    with F0 of ZERO_MAGNITUDE. Anything else is converted as a unit (`units.brightness_unit`), with the wavelength of
    the band where its header has none.

    Parameters
    ----------
    header : fits.Header
    band : str
        As w3, irac4, mips24, k; another one has no counts and no wavelength.
    unit : str, optional
        Instead of what the header says: a unit, or unWISE, AllWISE or 2MASS for counts of that survey.
    path : path

    Returns
    -------
    Calibration

    Raises
    ------
    AnchoringError
        If there is neither a unit nor a zero point that is known, or if the header names another band.
    """
    band = band_of(band)
    _require_band(header, band, path)
    surveys = {name.lower(): name for name in ZERO_MAGNITUDE}
    stated = str(header.get("BUNIT") or "").strip()
    survey = surveys.get(unit.lower()) if unit else _survey(header, band) if stated.lower() in COUNTS else None
    if survey:
        return _of_counts(header, band, survey, stated or "counts", path)
    if not unit and stated.lower() in COUNTS:
        known = ", ".join([*ZERO_MAGNITUDE["AllWISE"], *ZERO_MAGNITUDE["2MASS"]])
        what = f"BUNIT {stated!r}" if stated else "no BUNIT"
        raise AnchoringError(
            f"{path} has {what} and MAGZP {header.get('MAGZP')!r} in band {band}; expected a unit, or a zero point of "
            f"counts in {known}: correct 'band', or set 'unit' in 'references' (MJy/sr, unWISE, AllWISE, 2MASS or any "
            "unit that converts)"
        )
    header = fits.Header([card for card in header.cards if card.keyword != "BUNIT"])
    header["BUNIT"] = unit or stated
    if not {"RESTWAV", "RESTFRQ", "RESTFREQ"} & set(header) and band in WAVELENGTHS:
        header["RESTWAV"] = WAVELENGTHS[band]
    name, factor = brightness_unit(header, path)
    return Calibration(name, factor, "BUNIT" if not unit else "configuration")


def band_of(name):
    """One spelling of a band's name."""
    bare = normalised(name).replace("_", "").replace("-", "")
    return ALIASES.get(bare, bare)


def _survey(header, band):
    """The survey whose counts a header without a unit of brightness describes, or None."""
    zero_point = header.get("MAGZP")
    if not headers.is_number(zero_point):
        return None
    if band in ZERO_MAGNITUDE["2MASS"]:
        return "2MASS"
    if band in ZERO_MAGNITUDE["AllWISE"]:
        return "unWISE" if zero_point == UNWISE_ZERO_POINT else "AllWISE"
    return None


def _of_counts(header, band, survey, name, path):
    bands = ZERO_MAGNITUDE[survey]
    if band not in bands:
        raise AnchoringError(f"{path} is of band {band}, which {survey} has not; expected one of {', '.join(bands)}")
    zero_point = header.get("MAGZP", UNWISE_ZERO_POINT if survey == "unWISE" else None)
    if not headers.is_number(zero_point):
        raise AnchoringError(f"{path} has MAGZP = {zero_point!r}; expected the zero point of its counts, mag")
    area = headers.pixel_scale(header, path) ** 2 * SR_PER_ARCSEC2
    factor = 10 ** (-0.4 * zero_point) * bands[band] / 1e6 / area
    flags = (FILTERED,) if survey == "unWISE" and band in ("w3", "w4") else ()
    return Calibration(name, factor, f"MAGZP {zero_point:g}, {SOURCES[survey]}", flags)


def _require_band(header, band, path):
    """AnchoringError if a header names another band of WISE or 2MASS."""
    stated = header.get("BAND"), str(header.get("FILTER", "")).strip().lower()
    own = None
    if band in ZERO_MAGNITUDE["AllWISE"] and stated[0] in (1, 2, 3, 4):
        own = f"w{stated[0]}"
    elif band in ZERO_MAGNITUDE["2MASS"] and stated[1] in ("j", "h", "k", "ks"):
        own = band_of(stated[1])
    if own not in (None, band):
        raise AnchoringError(
            f"{path} is of band {own} by its header; expected {band}: correct 'band' or 'from' in 'references'"
        )
