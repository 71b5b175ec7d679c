"""Archive units: factors of the surveys, of units, and what is refused."""

import pytest
from astropy.io import fits

from anchoring.errors import AnchoringError
from anchoring.images.archive_units import calibration


def header(scale, **cards):
    return fits.Header({"CDELT1": -scale / 3600, "CDELT2": scale / 3600, **cards})


@pytest.mark.parametrize(
    ("band", "scale", "cards", "expected"),
    [
        # From the zero points that the surveys publish, calculated apart: MJy/sr of one count.
        ("W1", 2.75, {"MAGZP": 22.5}, 1.72588e-3),
        ("W2", 2.75, {"MAGZP": 22.5}, 9.60752e-4),
        ("W3", 2.75, {"MAGZP": 22.5, "BUNIT": "nanomaggies"}, 1.63460e-4),
        ("W4", 2.75, {"MAGZP": 22.5}, 4.66242e-5),
        ("W1", 1.375, {"MAGZP": 20.5, "BUNIT": "DN", "BAND": 1}, 0.04354),
        ("W2", 1.375, {"MAGZP": 19.5, "BUNIT": "DN"}, 0.06087),
        ("W3", 1.375, {"MAGZP": 18.0, "BUNIT": "DN"}, 0.04124),
        ("W4", 1.375, {"MAGZP": 13.0, "BUNIT": "DN"}, 1.1762),
        ("K", 1.0, {"MAGZP": 20.0, "FILTER": "k"}, 666.7e-14 / 2.350443e-11),
        ("irac4", 0.6, {"BUNIT": "MJy/sr"}, 1.0),
        ("mips24", 1.5, {"BUNIT": "Jy/pixel"}, 1e-6 / (1.5**2 * 2.350443e-11)),
        ("w3", 2.0, {"BUNIT": "kJy/sr"}, 1e-3),
        # nu I_nu of 1 nW/m2/sr at 3.55 um is 1e-9 / 8.445e13 W/m2/sr/Hz = 1.18417e-3 MJy/sr.
        ("irac1", 0.6, {"BUNIT": "nW/m2/sr"}, 1.18417e-3),
    ],
)
def test_factors_are_those_of_the_surveys(band, scale, cards, expected):
    assert calibration(header(scale, **cards), band).factor == pytest.approx(expected, rel=1e-3)


def test_a_unit_or_survey_of_the_configuration_wins():
    images = header(2.75, MAGZP=20.5, BUNIT="DN")
    assert calibration(images, "W1", unit="MJy/sr").factor == 1
    assert calibration(header(2.75), "W1", unit="unwise").factor == pytest.approx(1.72588e-3, rel=1e-3)


@pytest.mark.parametrize(
    ("band", "cards", "unit", "message"),
    [
        ("W3", {"MAGZP": 20.5, "BAND": 1, "BUNIT": "DN"}, None, "of band w1 by its header; expected w3"),
        ("J", {"MAGZP": 20.5, "FILTER": "k"}, None, "of band ks by its header; expected j"),
        ("W1", {}, None, "has no BUNIT and MAGZP None in band w1"),
        ("IRAC4", {"MAGZP": 20.0}, None, "has no BUNIT and MAGZP 20.0 in band irac4"),
        ("IRAC4", {"BUNIT": "DN"}, None, "BUNIT 'DN'"),
        ("W1", {"MAGZP": "high"}, "AllWISE", "MAGZP = 'high'"),
        ("J", {"MAGZP": 20.0}, "AllWISE", "which AllWISE has not"),
    ],
)
def test_what_cannot_be_converted_is_refused(band, cards, unit, message):
    with pytest.raises(AnchoringError, match=message):
        calibration(header(1.375, **cards), band, unit=unit)
