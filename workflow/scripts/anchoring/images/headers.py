"""Pixel scale, WCS and unit from the header of an image."""

from __future__ import annotations

import math
import re
import warnings
from os import PathLike
from typing import TYPE_CHECKING

from astropy.io import fits

from ..errors import AnchoringError

if TYPE_CHECKING:
    from astropy.wcs import WCS

WHERE_IN_C = re.compile(r"ERROR \d+ in \w+\(\) at line \d+ of file [^:]*:")
SQUARE = 1.1  # largest axis ratio of a pixel to which a kernel of square pixels can be applied
AGREEMENT = 1e-3  # of a pixel: more than the rounding of keywords makes two descriptions of one grid differ
SIP = re.compile(r"(A|B|AP|BP)_(ORDER|DMAX|\d+_\d+)")
OF_AXIS = re.compile(r"(NAXIS|CTYPE|CUNIT|CRVAL|CRPIX|CDELT|CROTA|CNAME|CRDER|CSYER)([1-9]\d?)")
OF_AXIS_PARAMETER = re.compile(r"(PV|PS)([1-9]\d?)_(\d+)")
OF_TWO_AXES = re.compile(r"(PC|CD)([1-9]\d?)_([1-9]\d?)")
OF_TWO_AXES_OLD = re.compile(r"(PC|CD)(\d{3})(\d{3})")  # in drafts of the standard
UNITS = {"mjy/sr", "mjysr-1", "mjy.sr-1", "mjy*sr-1", "mjysr^-1", "mjysr**-1", "mjy*sr**-1", "10**6jy/sr", "1e6jy/sr"}
DEGREES = {"deg": 1.0, "arcmin": 1 / 60, "arcsec": 1 / 3600, "mas": 1 / 3.6e6, "rad": 180 / math.pi}
ANGLES = {"": "deg", "degree": "deg", "degrees": "deg", "arcminute": "arcmin", "arcminutes": "arcmin",
          "arcsecond": "arcsec", "arcseconds": "arcsec", "radian": "rad", "radians": "rad",
          **{name: name for name in DEGREES}}  # fmt: skip
# RADESYS in use: the name in the FITS standard, and the equinox it implies.
FRAMES = {"ICRS": ("ICRS", None), "ICRF": ("ICRS", None), "ICRF2": ("ICRS", None), "ICRF3": ("ICRS", None),
          "FK5": ("FK5", None), "J2000": ("FK5", 2000.0), "J2000.0": ("FK5", 2000.0), "FK5 J2000": ("FK5", 2000.0),
          "FK4": ("FK4", None), "FK4-NO-E": ("FK4-NO-E", None), "B1950": ("FK4", 1950.0), "B1950.0": ("FK4", 1950.0),
          "FK4 B1950": ("FK4", 1950.0)}  # fmt: skip
PIXEL_KEYWORDS = {"BUNIT", "RADESYS", "RADECSYS", "EQUINOX", "EPOCH", "LONPOLE", "LATPOLE", "WCSAXES", "WCSNAME",
                  "PHOTMJSR", "PIXAR_SR"}  # fmt: skip
PIXEL_PREFIXES = ("CTYPE", "CUNIT", "CRVAL", "CRPIX", "CDELT", "CROTA", "CD1_", "CD2_", "PC1_", "PC2_", "PV1_", "PV2_",
                  "PS1_", "PS2_", "A_", "B_", "AP_", "BP_")  # fmt: skip
REMOVE = "remove the wrong keywords from its header"


def _refused(path, got, expected, remedy="correct its header"):
    return AnchoringError(f"{path} has {got}; expected {expected}: {remedy}")


def plane_axes(shape):
    """Axes of the image plane in numpy order: with more than two axes, those longer than 1."""
    axes = tuple(range(len(shape)))
    return axes if len(axes) <= 2 else tuple(axis for axis in axes if shape[axis] != 1)


def plane_header(header, path="the image"):
    """The header of the image plane, its axes numbered 1 and 2; axes of length 1 or only in the WCS are dropped.

    PC001001, the spelling of early drafts of the standard, becomes PC1_1. AnchoringError if the WCS rotates a dropped
    axis into the plane.
    """
    n = header.get("NAXIS", 0)
    shape = [header.get(f"NAXIS{i}") for i in range(n, 0, -1)]
    # FITS counts axes from the fastest one, numpy from the slowest.
    axes = sorted(n - axis for axis in plane_axes(shape)) if n > 2 else [1, 2]
    if len(axes) != 2:
        return header
    number = {axis: i for i, axis in enumerate(axes, start=1)}
    cards = []
    for card in header.cards:
        keyword = card.keyword
        if match := OF_TWO_AXES.fullmatch(keyword) or OF_TWO_AXES_OLD.fullmatch(keyword):
            pair = tuple(map(int, match.groups()[1:]))
            old, keyword = keyword, "{}{}_{}".format(match[1], *(number.get(i, 0) for i in pair))
            if len(number.keys() & set(pair)) == 1 and pair[0] != pair[1] and card.value != 0:
                raise _refused(path, f"{old} = {card.value!r}, which mixes an axis of the sky with another one", "0")
            if "0" in keyword[2:] or (keyword != old and keyword in header):
                continue
        elif match := OF_AXIS.fullmatch(keyword):
            keyword = f"{match[1]}{number.get(int(match[2]), 0)}"
        elif match := OF_AXIS_PARAMETER.fullmatch(keyword):
            keyword = f"{match[1]}{number.get(int(match[2]), 0)}_{match[3]}"
        if keyword in ("NAXIS", "WCSAXES"):
            cards.append((keyword, min(card.value, 2), card.comment))
        elif keyword == card.keyword:
            cards.append(card)
        elif not re.match("(PV|PS)0_|[A-Z]+0$", keyword):
            cards.append((keyword, card.value, card.comment))
    return fits.Header(cards)


def pixel_scale(header: fits.Header, path: str | PathLike[str] = "the image") -> float:
    """Pixel scale, arcsec: the square root of the pixel area, from CD or from PC, CDELT and CUNIT.

    The same as `astropy.wcs.utils.proj_plane_pixel_area`, but for headers without CTYPE (kernels) and with a check:
    AnchoringError if these keywords are missing or contradict each other. Pixels need not be square
    (`require_square`).
    """
    (a, b), (c, d) = _linear(header, path)
    return positive_scale(math.sqrt(abs(a * d - b * c)) * 3600, path)


def require_square(header, path="the image"):
    """AnchoringError unless pixels are square, as a kernel needs in its own image and in the one it is applied to."""
    (a, b), (c, d) = _linear(header, path)
    # Singular values s and t of the matrix: s^2 + t^2 <= s t (SQUARE + 1 / SQUARE).
    if (a**2 + b**2 + c**2 + d**2) > abs(a * d - b * c) * (SQUARE + 1 / SQUARE):
        sides = f"pixels of {math.hypot(a, c) * 3600:.4g} x {math.hypot(b, d) * 3600:.4g} arcsec, which are not square"
        raise _refused(path, sides, "square pixels", "correct its header (CDELT, CD, PC) or resample it")


def _linear(header, path):
    """Matrix from pixel offsets to offsets on the sky, degrees per pixel, without a rotation by CROTA.

    From CD, or PC and CDELT (FITS Standard 4.0, section 8.1); AnchoringError if both are there and disagree.
    """
    both = (1, 2)
    names = [f"{name}{i}" for name in ("CDELT", "CROTA", "CD1_", "CD2_", "PC1_", "PC2_") for i in both]
    wrong = [name for name in names if name in header and not is_number(header[name])]
    if wrong:
        raise _refused(path, f"{wrong[0]} = {header[wrong[0]]!r}", "a number")
    has_cd, has_pc = (any(f"{name}{i}_{j}" in header for i in both for j in both) for name in ("CD", "PC"))
    if not (has_cd or "PC1_1" in header or "CDELT1" in header):
        raise _refused(path, "no pixel scale (CDELT, CD or PC)", "one", "add it to the header")
    unit = [DEGREES[_angle(header, i, path)] for i in both]
    delta = [header.get(f"CDELT{i}", 1.0) for i in both]
    cd = [[unit[i - 1] * header.get(f"CD{i}_{j}", 0.0) for j in both] for i in both]
    pc = [[unit[i - 1] * delta[i - 1] * header.get(f"PC{i}_{j}", float(i == j)) for j in both] for i in both]
    if not has_cd:
        return pc
    # Some programs write CDELT = 1 next to CD, without a meaning.
    if has_pc or any(abs(value) != 1 for value in delta):
        other = pc if has_pc or not _rotation(header) else _rotated(pc, _rotation(header))
        _require_agreement(cd, other, has_pc or bool(_rotation(header)), path)
    return cd


def _rotation(header):
    """CROTA of the latitude axis, degrees."""
    first = str(header.get("CTYPE1", "")).strip()[1:4] == "LAT" or str(header.get("CTYPE1", "")).startswith("DEC")
    return header.get("CROTA1" if first else "CROTA2", 0.0) * (-1 if first else 1)


def _rotated(matrix, angle):
    """A diagonal matrix rotated by CROTA: Calabretta & Greisen 2002, A&A 395, 1077, eq. 188."""
    (a, _), (_, d) = matrix
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return [[a * cos, -d * sin], [a * sin, d * cos]]


def _require_agreement(cd, other, rotated, path):
    """AnchoringError if CD and another description differ in area or, if its rotation is known, in any element."""
    areas = [abs(a * d - b * c) for (a, b), (c, d) in (cd, other)]
    size = math.sqrt(areas[0])
    differences = [math.sqrt(areas[1]) - size]
    if rotated:
        differences += [u - v for row in zip(cd, other, strict=True) for u, v in zip(*row, strict=True)]
    if max(map(abs, differences)) > AGREEMENT * size:
        by_cd, by_other = (
            f'{math.sqrt(area) * 3600:.6g}" at {_direction(matrix):.4g} deg'
            for area, matrix in zip(areas, (cd, other), strict=True)
        )
        both = f"{by_cd} by CD and {by_other} by PC, CDELT or CROTA"
        raise _refused(path, f"two descriptions of its pixels that contradict each other: {both}", "one", REMOVE)


def _direction(matrix):
    """Direction of the second pixel axis on the sky, degrees."""
    return math.degrees(math.atan2(matrix[0][1], matrix[1][1]))


def _angle(header, axis, path):
    """CUNIT of an axis, in the spelling of the FITS standard."""
    unit = str(header.get(f"CUNIT{axis}", "")).strip()
    if unit.lower() not in ANGLES:
        raise _refused(path, f"CUNIT{axis} = {unit!r}", "deg, arcmin, arcsec, mas or rad")
    return ANGLES[unit.lower()]


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def positive_scale(value, path):
    if not (is_number(value) and value > 0):
        raise _refused(path, f"a pixel scale of {value!r}", "a positive number of arcsec")
    return float(value)


def celestial_wcs(header: fits.Header, path: str | PathLike[str] = "the image") -> WCS:
    """The celestial WCS of a header; AnchoringError if there is none or it is incomplete or inconsistent.

    SIP coefficients are used if CTYPE ends in -SIP (Shupe et al. 2005, ASPC 347, 491); others are remnants of the image
    before it was resampled.
    """
    from astropy.wcs import WCS, FITSFixedWarning
    from astropy.wcs.utils import proj_plane_pixel_area

    scale_header = header
    if not any(str(header.get(f"CTYPE{i}", "")).strip().endswith("-SIP") for i in (1, 2)):
        header = fits.Header([card for card in header.cards if not SIP.fullmatch(card.keyword)])
    header = _standard(header, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        try:
            wcs = WCS(header, naxis=2)
            celestial = wcs.has_celestial
        except Exception as error:  # the errors of wcslib have no other common base
            details = " ".join(WHERE_IN_C.sub("", str(error)).split())
            remedy = f"correct its header (details: {details})"
            raise _refused(path, "a WCS that cannot be read", "a celestial WCS", remedy) from error
    if not celestial:
        raise _refused(path, "no celestial WCS", "CTYPE such as RA---TAN, DEC--TAN", "add one to its header")
    if wcs.wcs.lngtyp not in ("RA", "GLON"):
        raise _refused(path, f"coordinates {', '.join(wcs.wcs.ctype)}", "RA and DEC, or GLON and GLAT", "reproject it")
    missing = [key for key in ("CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2") if not is_number(header.get(key))]
    if missing:
        # wcslib would use 0.
        raise _refused(path, f"a WCS without numbers in {', '.join(missing)}", "a complete WCS")
    # Kernels are resampled to the one, positions calculated with the other.
    scale, by_wcs = pixel_scale(scale_header, path), math.sqrt(proj_plane_pixel_area(wcs)) * 3600
    if abs(by_wcs - scale) > AGREEMENT * scale:
        both = f"pixels of {by_wcs:.6g} arcsec by its WCS and of {scale:.6g} by CD, or CDELT and PC"
        raise _refused(path, both, "the same", REMOVE)
    return wcs


def _standard(header, path):
    """A copy of a header with CUNIT, RADESYS and EQUINOX in the spelling of the FITS standard."""
    header = header.copy()
    for axis in (1, 2):
        if f"CUNIT{axis}" in header and str(header.get(f"CTYPE{axis}", "")).strip():
            header[f"CUNIT{axis}"] = _angle(header, axis, path)
    stated = " ".join(str(header.get("RADESYS", header.get("RADECSYS", ""))).upper().split())
    for keyword in ("RADESYS", "RADECSYS"):
        header.remove(keyword, ignore_missing=True)
    if not any(str(header.get(f"CTYPE{axis}", "")).startswith("RA-") for axis in (1, 2)):
        return header  # RADESYS applies to equatorial coordinates only
    if stated and stated not in FRAMES:
        raise _refused(path, f"RADESYS {stated!r}", "ICRS, FK5 or FK4", "reproject it to one of them")
    frame, implied = FRAMES.get(stated, ("", None))
    equinox = _equinox(header, path)
    for keyword in ("EQUINOX", "EPOCH"):
        header.remove(keyword, ignore_missing=True)
    if None not in (implied, equinox) and implied != equinox:
        raise _refused(path, f"RADESYS {stated!r} and EQUINOX {equinox:g}", "one equinox")
    if frame:
        header["RADESYS"] = frame
    if (equinox := implied or equinox) is not None:
        header["EQUINOX"] = equinox
    return header


def _equinox(header, path):
    """EQUINOX or, in old headers, EPOCH, years; None if neither is there."""
    keyword = "EQUINOX" if "EQUINOX" in header else "EPOCH"
    value = header.get(keyword)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        year = float(str(value).strip().upper().lstrip("JB"))
    except ValueError:
        year = math.nan
    if not 1800 < year < 2200:
        raise _refused(path, f"{keyword} {value!r}", "a year such as 2000.0")
    return year


def describes_pixels(keyword):
    """Whether a keyword belongs to the WCS or the unit."""
    return keyword in PIXEL_KEYWORDS or keyword.startswith(PIXEL_PREFIXES)


def is_megajansky(unit):
    """Whether a unit is MJy/sr in any usual spelling; case is ignored, except that mJy is milli."""
    bare = str(unit).replace(" ", "")
    return bare.lower() in UNITS and not bare.startswith("mJy")


def require_brightness(header, path):
    """AnchoringError if BUNIT is there and not MJy/sr."""
    unit = header.get("BUNIT")
    if str(unit or "").strip() and not is_megajansky(unit):
        raise _refused(path, f"BUNIT {unit!r}", "MJy/sr", "convert the image")


def beam_cards(fwhm):
    """(keyword, value, comment) of a round beam of a FWHM, arcsec, as tools of radio astronomers expect; or none."""
    if not fwhm:
        return []
    side = fwhm / 3600
    return [
        ("BMAJ", side, "[deg] FWHM of the PSF, major axis"),
        ("BMIN", side, "[deg] FWHM of the PSF, minor axis"),
        ("BPA", 0.0, "[deg] position angle of the major axis"),
    ]


def beam_of(header):
    """FWHM of the beam in a header, arcsec: the geometric mean of both axes; None if there is none."""
    axes = [header.get(key) for key in ("BMAJ", "BMIN")]
    if not all(is_number(axis) and axis > 0 for axis in axes):
        return None
    return 3600 * math.sqrt(axes[0] * axes[1])
