"""Units of external references and their noise: the factor that converts to MJy/sr."""

import math
import re
import warnings
from typing import NamedTuple

from astropy import units as u

from ..errors import AnchoringError
from . import headers

CONVERTIBLE = "MJy/sr or what can be converted to it (per sr, arcsec2, pixel or beam)"
LARGEST_BEAM = 1.0  # degrees: a larger BMAJ must be in another unit
# Usual spellings that astropy does not know, in lower case, and its own.
SPELLINGS = {
    **dict.fromkeys(("sr", "sterad", "steradian", "steradians", "ster"), "sr"),
    **dict.fromkeys(("pixel", "pixels", "pix", "px"), "pix"),
    **dict.fromkeys(("beam", "beams", "bm"), "beam"),
    **dict.fromkeys(("arcsec", "arcsecs", "arcsecond", "arcseconds", "asec"), "arcsec"),
    **dict.fromkeys(("erg", "ergs"), "erg"),
    **dict.fromkeys(("s", "sec", "second", "seconds"), "s"),
    **dict.fromkeys(("a", "ang", "angstrom", "angstroms"), "Angstrom"),  # never ampere or year here
    **dict.fromkeys(("um", "micron", "microns"), "um"),
    **dict.fromkeys(("hz", "hertz"), "Hz"),
    **dict.fromkeys(("nanomaggy", "nanomaggie", "nanomaggies", "nmgy"), "nmgy"),
    **dict.fromkeys(("maggy", "maggie", "maggies", "mgy"), "mgy"),
}
JANSKY = re.compile(r"(.*?)(jy|jansky|janskys)", re.IGNORECASE)
PREFIXES = {"": "", "k": "k", "kilo": "k", "mega": "M", "milli": "m", "u": "u", "micro": "u",
            "n": "n", "nano": "n", "g": "G", "giga": "G"}  # fmt: skip


class Unit(NamedTuple):
    """A unit of surface brightness: BUNIT ("" without one) and the factor that converts it to MJy/sr."""

    name: str
    factor: float

    def __str__(self):
        if not self.name:
            return "no BUNIT: taken as MJy/sr"
        return self.name if self.factor == 1 else f"{self.name} = {self.factor:.6g} MJy/sr"


def brightness_unit(header, path="the image"):
    """The unit of an image and the factor that converts it to MJy/sr.

    Per pixel: with the pixel area of the WCS. Per beam: with the area of a Gaussian, pi / (4 ln 2) BMAJ BMIN (degrees).
    Per wavelength, or frequency times flux density: with RESTWAV (m) or RESTFRQ (Hz). nJy and nanomaggies (3631e-9 Jy)
    without an area are per pixel, as in survey archives.

    Parameters
    ----------
    header : fits.Header

    Returns
    -------
    Unit, of factor 1 without BUNIT

    Raises
    ------
    AnchoringError
        If the unit cannot be converted; the message names the file and what is missing.
    """
    name = str(header.get("BUNIT") or "").strip()
    if not name or headers.is_megajansky(name):
        return Unit(name, 1.0)

    def refuse(what, expected=f"expected {CONVERTIBLE}: convert the image"):
        raise AnchoringError(f"{path} has BUNIT {name!r}{what}; {expected}")

    try:
        unit = _parsed(name)
    except _AmbiguousError:
        refuse(", which may be milli or mega", "expected mJy or MJy, in these letters: correct BUNIT")
    except (ValueError, TypeError):
        refuse("")
    flux, powers = _without_zero_points(unit)
    per_pixel, per_beam = (any(powers.get(base) == -n for n in (1, 2)) for base in (u.pix, u.beam))
    if per_pixel:
        flux = flux / u.pix ** powers[u.pix] / _pixel_area(header, path)
    elif per_beam:
        flux = flux / u.beam ** powers[u.beam] / _beam_area(header, path, refuse)
    elif flux.is_equivalent(u.Jy):
        if not _is_of_a_survey(unit):
            refuse(" without an area", "expected a unit per sr, arcsec2, pixel or beam: correct BUNIT")
        flux = flux / _pixel_area(header, path)
    return Unit(name, _factor(flux, header, refuse))


class _AmbiguousError(ValueError):
    pass


def _parsed(name):
    """The astropy unit of a name in usual spellings."""
    text = re.sub(r"\bper\b", "/", name.replace("{", "(").replace("}", ")"), flags=re.IGNORECASE)
    text = re.sub(r"\(([A-Za-z]+)\)", r"\1", text)
    steradian = re.search("sr|ster", name.lower())
    text = re.sub("[A-Za-z]+", lambda match: _spelling(match[0], steradian=steradian), text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", u.UnitsWarning)
        return u.Unit(text, parse_strict="raise")


def _spelling(word, *, steradian):
    """A part of a unit in the spelling of astropy."""
    jansky = JANSKY.fullmatch(word)
    if jansky:
        prefix = jansky[1]
        if prefix in ("m", "M"):
            # In "mjy" and "MJY" the m can be milli or mega; per steradian it is mega in practice.
            one_case = word in (word.lower(), word.upper())
            if one_case and not steradian:
                raise _AmbiguousError
            return ("M" if one_case else prefix) + "Jy"
        if prefix.lower() in PREFIXES:
            return PREFIXES[prefix.lower()] + "Jy"
    return SPELLINGS.get(word.lower(), word)


def _without_zero_points(unit):
    """A unit with maggies replaced by 3631 Jy (their definition), and the powers of its bases."""
    decomposed = unit.decompose()
    powers = dict(zip(decomposed.bases, decomposed.powers, strict=True))
    if u.mgy in powers:
        unit = unit * (3631 * u.Jy / u.mgy) ** powers[u.mgy]
    return u.Unit(unit), powers


def _is_of_a_survey(unit):
    bases = getattr(unit, "bases", [unit])
    return any(base in (u.nJy, u.mgy, u.nmgy) for base in bases)


def _pixel_area(header, path):
    return u.Unit(headers.pixel_scale(header, path) ** 2 * u.arcsec**2)


def _beam_area(header, path, refuse):
    axes = [header.get(key) for key in ("BMAJ", "BMIN")]
    if not all(headers.is_number(axis) and axis > 0 for axis in axes):
        refuse(
            " and no beam in BMAJ and BMIN",
            "expected its FWHM in degrees there: add them to the header, or convert the image to MJy/sr",
        )
    pixel = headers.pixel_scale(header, path) / 3600
    if max(axes) > LARGEST_BEAM or min(axes) < pixel / 2:
        refuse(
            f" and a beam of BMAJ x BMIN = {axes[0]:.4g} x {axes[1]:.4g} degrees on pixels of {pixel:.3g}",
            "expected its FWHM in degrees, larger than a pixel: correct the header",
        )
    return u.Unit(math.pi / (4 * math.log(2)) * math.prod(axes) * u.deg**2)


def _factor(unit, header, refuse):
    """Factor to MJy/sr of a unit without pixels or beams."""
    try:
        return float(unit.to(u.MJy / u.sr))
    except (u.UnitsError, TypeError):
        pass
    wave = [header.get(key) for key in ("RESTWAV", "RESTFRQ", "RESTFREQ")]
    known = [value * one for value, one in zip(wave, (u.m, u.Hz, u.Hz), strict=True) if headers.is_number(value)]
    # Whether spectral densities can be converted does not depend on the number.
    equivalencies = u.spectral_density(known[0] if known else 1 * u.um)
    try:
        factor = float((1 * unit * u.sr).to_value(u.MJy, equivalencies=equivalencies))
    except (u.UnitsError, TypeError):
        refuse("")
    if not known:
        refuse(" and no RESTWAV (m) or RESTFRQ (Hz)", "expected one of them: add it, or convert the image to MJy/sr")
    return factor
