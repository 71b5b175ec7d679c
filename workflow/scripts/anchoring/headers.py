"""What the header of an image says of its pixels: where they are, how large, in which unit."""

import math
import re
import warnings

from astropy.io import fits

from .errors import AnchoringError

WHERE_IN_C = re.compile(r"ERROR \d+ in \w+\(\) at line \d+ of file [^:]*:")
SQUARE = 1.1  # largest ratio of a pixel's extents that a kernel for square ones is right for
SIP = re.compile(r"(A|B|AP|BP)_(ORDER|DMAX|\d+_\d+)")
UNITS = {"mjy/sr", "mjysr-1", "mjy.sr-1", "mjy*sr-1", "mjysr^-1", "mjysr**-1", "mjy*sr**-1", "10**6jy/sr", "1e6jy/sr"}
PIXEL_KEYWORDS = {"BUNIT", "RADESYS", "EQUINOX", "LONPOLE", "LATPOLE", "WCSAXES", "WCSNAME", "PHOTMJSR", "PIXAR_SR"}
PIXEL_PREFIXES = ("CTYPE", "CUNIT", "CRVAL", "CRPIX", "CDELT", "CROTA", "CD1_", "CD2_", "PC1_", "PC2_", "PV1_", "PV2_",
                  "A_", "B_", "AP_", "BP_")  # fmt: skip


def pixel_scale(header, path="the image"):
    """Pixel scale, arcsec: the side of a square of a pixel's area, from the CD or the PC and CDELT keywords.

    AnchoringError without them, and for pixels that are not square.
    """
    names = [f"{name}{i}" for name in ("CDELT", "CD1_", "CD2_", "PC1_", "PC2_") for i in (1, 2)]
    wrong = [name for name in names if name in header and not is_number(header[name])]
    if wrong:
        raise AnchoringError(f"{path} has {wrong[0]} = {header[wrong[0]]!r}; expected a number: mend its header")
    if any(f"CD{i}_{j}" in header for i in (1, 2) for j in (1, 2)):
        matrix = [[header.get(f"CD{i}_{j}", 0.0) for j in (1, 2)] for i in (1, 2)]
    else:
        if "CDELT1" not in header and "PC1_1" not in header:
            raise AnchoringError(f"{path} has no pixel scale (CDELT, CD or PC); expected one: add it to the header")
        matrix = [
            [header.get(f"CDELT{i}", 1.0) * header.get(f"PC{i}_{j}", float(i == j)) for j in (1, 2)] for i in (1, 2)
        ]
    (a, b), (c, d) = matrix
    area = abs(a * d - b * c)
    scale = positive_scale(math.sqrt(area) * 3600, path)
    # With s and t the longest and shortest extent of a pixel: (s^2 + t^2) / (s t).
    if (a**2 + b**2 + c**2 + d**2) / area > SQUARE + 1 / SQUARE:
        raise AnchoringError(
            f"{path} has pixels of {math.hypot(a, c) * 3600:.4g} x {math.hypot(b, d) * 3600:.4g} arcsec, and they are "
            "not square; expected square ones: mend its header (CDELT, CD, PC) or resample it"
        )
    return scale


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def positive_scale(value, path):
    if not (is_number(value) and value > 0):
        raise AnchoringError(f"{path} has a pixel scale of {value!r}; expected a positive number of arcsec")
    return float(value)


def celestial_wcs(header, path="the image"):
    """The WCS of a header; AnchoringError if it has no celestial one.

    SIP coefficients count if CTYPE ends in -SIP (Shupe et al. 2005, ASPC 347, 491): others are left over from before
    the image was resampled.
    """
    from astropy.wcs import WCS, FITSFixedWarning

    if not any(str(header.get(f"CTYPE{i}", "")).strip().endswith("-SIP") for i in (1, 2)):
        header = fits.Header([card for card in header.cards if not SIP.fullmatch(card.keyword)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            wcs = WCS(header, naxis=2)
            celestial = wcs.has_celestial
        except Exception as error:  # wcslib's errors have no common base but Exception
            words = " ".join(WHERE_IN_C.sub("", str(error)).split())
            raise AnchoringError(f"{path} has a WCS that cannot be read ({words}); expected a celestial one") from error
    if not celestial:
        raise AnchoringError(f"{path} has no celestial WCS; expected CTYPE such as RA---TAN, DEC--TAN")
    missing = [key for key in ("CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2") if not is_number(header.get(key))]
    if missing:
        # wcslib takes 0 for them, where no image of ours is.
        raise AnchoringError(
            f"{path} has a WCS without numbers in {', '.join(missing)}; expected a whole one: mend its header"
        )
    return wcs


def describes_pixels(keyword):
    """Whether a keyword is of the WCS or the unit."""
    return keyword in PIXEL_KEYWORDS or keyword.startswith(PIXEL_PREFIXES)


def is_megajansky(unit):
    """Whether the text of a unit is MJy/sr, in any spelling in use: in any case of letters but that of milli."""
    bare = str(unit).replace(" ", "")
    return bare.lower() in UNITS and not bare.startswith("mJy")


def require_brightness(header, path):
    unit = header.get("BUNIT")
    if str(unit or "").strip() and not is_megajansky(unit):
        raise AnchoringError(f"{path} has BUNIT {unit!r}; expected MJy/sr: convert the image")
