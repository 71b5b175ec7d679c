"""A unit is converted as astropy converts it, with what the header has, or refused with what is missing."""

import math

import pytest
from astropy import units as u
from astropy.io import fits

from anchoring.errors import AnchoringError
from anchoring.images.units import brightness_unit

PIXEL = 1.5**2 * u.arcsec**2
BEAM = math.pi / (4 * math.log(2)) * 6 * u.arcsec * 4 * u.arcsec
HEADER = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CDELT1": -1.5 / 3600, "CDELT2": 1.5 / 3600,
          "BMAJ": 6 / 3600, "BMIN": 4 / 3600}  # fmt: skip
WAVES = {"RESTWAV": 8e-6}
FREQUENCY = 299792458 / 8e-6 * u.Hz


def factor(unit, **cards):
    return brightness_unit(fits.Header({**HEADER, "BUNIT": unit, **cards}), "a.fits").factor


@pytest.mark.parametrize(
    ("unit", "truth"),
    [
        *((unit, 1 * u.MJy / u.sr) for unit in ("MJy.sr**-1", "MJy/sterad", "1e+06 Jy/sr", "10**6 Jy/sr", "1E6 Jy/sr")),
        *((unit, 1 * u.MJy / u.sr) for unit in ("MJy per sr", "MJY/STERADIAN", "megaJansky/steradian", "MJy sr^{-1}")),
        *((unit, 1 * u.Jy / u.sr) for unit in ("Jy/sr", "JY/SR", "Jy sr-1", "jansky / steradian")),
        *((unit, 1 * u.kJy / u.sr) for unit in ("kJy/sr", "KJY/SR", "kJy sr^-1")),
        *((unit, 1 * u.mJy / u.sr) for unit in ("mJy/sr", "mJy sr-1", "milliJansky/sr")),
        *((unit, 1 * u.Jy / PIXEL) for unit in ("Jy/pixel", "JY/PIXEL", "Jy/pix", "Jy pix-1", "Jy/px", "Jy/pixel^2")),
        *((unit, 1 * u.mJy / PIXEL) for unit in ("mJy/pix", "mJy.pixel**-1")),
        *((unit, 1 * u.Jy / u.arcsec**2) for unit in ("Jy/arcsec2", "Jy/arcsec^2", "Jy arcsec-2", "Jy/arcsec**2")),
        *((unit, 1 * u.uJy / u.arcsec**2) for unit in ("uJy/arcsec2", "microJy/arcsec^2", "uJy / (arcsec)^2")),
        *((unit, 1 * u.mJy / BEAM) for unit in ("mJy/beam", "mJy beam-1", "mJy/BEAM")),
        *((unit, 1 * u.Jy / BEAM) for unit in ("Jy/beam", "JY/BEAM")),
        *((unit, 10 * u.nJy / PIXEL) for unit in ("10.0*nanoJansky", "10.0*nJy", "10 nJy/pixel")),
        *((unit, 3631e-9 * u.Jy / PIXEL) for unit in ("nanomaggies", "nmgy", "nanomaggy/pixel")),
        *((unit, 1 * u.erg / u.s / u.cm**2 / u.Hz / u.sr) for unit in ("erg/s/cm2/Hz/sr", "erg s-1 cm-2 Hz-1 sr-1")),
        ("W m-2 Hz-1 sr-1", 1 * u.W / u.m**2 / u.Hz / u.sr),
    ],
)
def test_what_astropy_converts(unit, truth):
    assert math.isclose(factor(unit), truth.to_value(u.MJy / u.sr), rel_tol=1e-9)


@pytest.mark.parametrize("cards", [WAVES, {"RESTFRQ": FREQUENCY.value}])
def test_what_needs_a_wavelength(cards):
    flux = 1 * u.nW / u.m**2 / u.sr
    assert math.isclose(factor("nW/m2/sr", **cards), (flux / FREQUENCY).to_value(u.MJy / u.sr), rel_tol=1e-9)
    per_angstrom = (1 * u.erg / u.s / u.cm**2 / u.AA / u.arcsec**2 * (8 * u.um) / FREQUENCY).to_value(u.MJy / u.sr)
    assert math.isclose(factor("erg/s/cm2/Angstrom/arcsec2", **cards), per_angstrom, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("unit", "cards", "missing"),
    [
        *((unit, {}, "convert the image") for unit in ("DN", "count", "counts/s", "electron/s", "adu", "mag/arcsec2")),
        *((unit, {}, "convert the image") for unit in ("K", "1", "no unit", "MJy2/sr2", "Jy/beam/pixel", "1/(MJy/sr)")),
        *((unit, {}, "area") for unit in ("Jy", "mJy", "MJy", "erg/s/cm2/Hz")),
        *((unit, {}, "milli or mega") for unit in ("mjy/pixel", "MJY/BEAM", "mjy")),
        *((unit, {}, "RESTWAV") for unit in ("nW/m2/sr", "erg/s/cm2/A/sr", "W/m2/um/sr")),
        ("Jy/beam", {"BMAJ": None, "BMIN": None}, "BMAJ"),
        ("Jy/beam", {"BMIN": None}, "BMAJ"),
        ("Jy/beam", {"BMAJ": 6.0, "BMIN": 4.0}, "degrees"),
        ("Jy/beam", {"BMAJ": 6 / 3600**2, "BMIN": 4 / 3600**2}, "degrees"),
        ("Jy/pixel", {"CDELT1": None, "CDELT2": None}, "no pixel scale"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_what_is_missing(unit, cards, missing):
    header = {key: value for key, value in {**HEADER, "BUNIT": unit, **cards}.items() if value is not None}
    with pytest.raises(AnchoringError, match=rf"a\.fits has .*{missing}"):
        brightness_unit(fits.Header(header), "a.fits")


def test_in_words():
    assert str(brightness_unit(fits.Header({"BUNIT": "MJy/sr"}))) == "MJy/sr"
    assert str(brightness_unit(fits.Header({}))) == "no BUNIT: taken as MJy/sr"
    assert str(brightness_unit(fits.Header({"BUNIT": "kJy/sr"}))) == "kJy/sr = 0.001 MJy/sr"
