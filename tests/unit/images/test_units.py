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
    ("spellings", "truth"),
    [
        (("MJy.sr**-1", "MJy/sterad", "1e+06 Jy/sr", "10**6 Jy/sr", "1E6 Jy/sr"), 1 * u.MJy / u.sr),
        (("MJy per sr", "MJY/STERADIAN", "megaJansky/steradian", "MJy sr^{-1}"), 1 * u.MJy / u.sr),
        (("Jy/sr", "JY/SR", "Jy sr-1", "jansky / steradian"), 1 * u.Jy / u.sr),
        (("kJy/sr", "KJY/SR", "kJy sr^-1"), 1 * u.kJy / u.sr),
        (("mJy/sr", "mJy sr-1", "milliJansky/sr"), 1 * u.mJy / u.sr),
        (("Jy/pixel", "JY/PIXEL", "Jy/pix", "Jy pix-1", "Jy/px", "Jy/pixel^2"), 1 * u.Jy / PIXEL),
        (("mJy/pix", "mJy.pixel**-1"), 1 * u.mJy / PIXEL),
        (("Jy/arcsec2", "Jy/arcsec^2", "Jy arcsec-2", "Jy/arcsec**2"), 1 * u.Jy / u.arcsec**2),
        (("uJy/arcsec2", "microJy/arcsec^2", "uJy / (arcsec)^2"), 1 * u.uJy / u.arcsec**2),
        (("mJy/beam", "mJy beam-1", "mJy/BEAM"), 1 * u.mJy / BEAM),
        (("Jy/beam", "JY/BEAM"), 1 * u.Jy / BEAM),
        (("10.0*nanoJansky", "10.0*nJy", "10 nJy/pixel"), 10 * u.nJy / PIXEL),
        (("nanomaggies", "nmgy", "nanomaggy/pixel"), 3631e-9 * u.Jy / PIXEL),
        (("erg/s/cm2/Hz/sr", "erg s-1 cm-2 Hz-1 sr-1"), 1 * u.erg / u.s / u.cm**2 / u.Hz / u.sr),
        (("W m-2 Hz-1 sr-1",), 1 * u.W / u.m**2 / u.Hz / u.sr),
    ],
)
def test_what_astropy_converts(spellings, truth):
    for unit in spellings:
        assert math.isclose(factor(unit), truth.to_value(u.MJy / u.sr), rel_tol=1e-9), unit


@pytest.mark.parametrize("cards", [WAVES, {"RESTFRQ": FREQUENCY.value}])
def test_what_needs_a_wavelength(cards):
    flux = 1 * u.nW / u.m**2 / u.sr
    assert math.isclose(factor("nW/m2/sr", **cards), (flux / FREQUENCY).to_value(u.MJy / u.sr), rel_tol=1e-9)
    per_angstrom = (1 * u.erg / u.s / u.cm**2 / u.AA / u.arcsec**2 * (8 * u.um) / FREQUENCY).to_value(u.MJy / u.sr)
    assert math.isclose(factor("erg/s/cm2/Angstrom/arcsec2", **cards), per_angstrom, rel_tol=1e-9)


@pytest.mark.parametrize(
    ("units", "cards", "missing"),
    [
        (("DN", "count", "counts/s", "electron/s", "adu", "mag/arcsec2"), {}, "convert the image"),
        (("K", "1", "no unit", "MJy2/sr2", "Jy/beam/pixel", "1/(MJy/sr)"), {}, "convert the image"),
        (("Jy", "mJy", "MJy", "erg/s/cm2/Hz"), {}, "area"),
        (("mjy/pixel", "MJY/BEAM", "mjy"), {}, "milli or mega"),
        (("nW/m2/sr", "erg/s/cm2/A/sr", "W/m2/um/sr"), {}, "RESTWAV"),
        (("Jy/beam",), {"BMAJ": None, "BMIN": None}, "BMAJ"),
        (("Jy/beam",), {"BMIN": None}, "BMAJ"),
        (("Jy/beam",), {"BMAJ": 6.0, "BMIN": 4.0}, "degrees"),
        (("Jy/beam",), {"BMAJ": 6 / 3600**2, "BMIN": 4 / 3600**2}, "degrees"),
        (("Jy/pixel",), {"CDELT1": None, "CDELT2": None}, "no pixel scale"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_what_is_missing(units, cards, missing):
    for unit in units:
        header = {key: value for key, value in {**HEADER, "BUNIT": unit, **cards}.items() if value is not None}
        with pytest.raises(AnchoringError, match=rf"a\.fits has .*{missing}"):
            brightness_unit(fits.Header(header), "a.fits")


def test_in_words():
    assert str(brightness_unit(fits.Header({"BUNIT": "MJy/sr"}))) == "MJy/sr"
    assert str(brightness_unit(fits.Header({}))) == "no BUNIT: taken as MJy/sr"
    assert str(brightness_unit(fits.Header({"BUNIT": "kJy/sr"}))) == "kJy/sr = 0.001 MJy/sr"
