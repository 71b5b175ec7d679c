"""What is taken from the files that users bring, and what is not believed."""

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal

from anchoring import headers, mosaics, references
from anchoring.errors import AnchoringError

WCS = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 24.0, "CRVAL2": 15.0, "CRPIX1": 5.5, "CRPIX2": 5.5,
       "CDELT1": -1e-4, "CDELT2": 1e-4}  # fmt: skip
SIP = {"A_ORDER": 2, "A_2_0": 1e-3, "B_ORDER": 2, "B_1_1": -1e-3}


@pytest.fixture
def write(tmp_path):
    """Writes a mosaic and gives its path."""

    def mosaic(data=None, primary=None, **cards):
        data = np.ones((10, 10), "f4") if data is None else data
        hdus = [fits.PrimaryHDU(header=fits.Header(primary or {})), fits.ImageHDU(data, fits.Header(cards), name="SCI")]
        fits.HDUList(hdus).writeto(tmp_path / "image.fits", overwrite=True)
        return str(tmp_path / "image.fits")

    return mosaic


def world(header):
    wcs = headers.celestial_wcs(header)
    return np.array(wcs.all_pix2world([[0, 0], [9, 3]], 0))


def test_sip_counts_where_ctype_says_so_and_is_left_over_elsewhere():
    plain, left_over = fits.Header(WCS), fits.Header({**WCS, **SIP})
    stated = fits.Header({**WCS, **SIP, "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP"})
    assert_array_equal(world(left_over), world(plain))
    shift = (world(stated) - world(plain))[0] * [-np.cos(np.radians(15)), 1] / 1e-4
    # A = 1e-3 u^2, B = -1e-3 u v at u = v = -4.5
    assert np.allclose(shift, [1e-3 * 4.5**2, -1e-3 * 4.5**2], atol=1e-5)


@pytest.mark.parametrize(
    "unit", ["MJy/sr", "MJY/SR", "mjy/sr", "MJy / sr", "MJy sr-1", "MJy sr^-1", "MJy.sr-1", "", None]
)
def test_one_unit_in_many_spellings(write, unit):
    mosaics.read_image(write(BUNIT=unit) if unit is not None else write())


@pytest.mark.parametrize("unit", ["mJy/sr", "Jy/sr", "Jy/pixel", "DN", "MJy", "MJy/arcsec2", "electron/s"])
def test_other_units_are_refused(write, unit):
    with pytest.raises(AnchoringError, match=r"image\.fits has BUNIT .*expected MJy/sr: convert"):
        mosaics.read_image(write(BUNIT=unit))


@pytest.mark.parametrize(
    ("band", "cards"),
    [
        ("F770W", {"FILTER": "F770W"}),
        ("f770w", {"FILTER": "F770W"}),
        ("F405N", {"FILTER": "F444W", "PUPIL": "F405N"}),
        ("F200W", {"FILTER": "CLEAR", "PUPIL": "F200W"}),  # NIRISS
        ("F150W2", {"FILTER": "F150W2", "PUPIL": "CLEAR"}),
        ("F770W", {}),
        ("IRAC4", {"FILTER": "F770W"}),
        ("F770W", {"FILTER": "4"}),
        (None, {"FILTER": "F770W"}),
    ],
)
def test_folders_that_agree_with_the_header(write, band, cards):
    mosaics.read_image(write(primary=cards), band=band)


@pytest.mark.parametrize(
    ("band", "cards"),
    [
        ("F770W", {"FILTER": "F1000W"}),
        ("F150W", {"FILTER": "F150W2", "PUPIL": "CLEAR"}),
        ("F360M", {"FILTER": "F444W", "PUPIL": "F405N"}),
    ],
)
def test_folders_that_do_not(write, band, cards):
    with pytest.raises(AnchoringError, match=f"folder of {band}"):
        mosaics.read_image(write(primary=cards), band=band)


def test_what_no_telescope_sees_is_refused_and_such_an_error_is_unknown(write):
    data = np.ones((10, 10), "f4")
    data[3, 3] = -1e12
    with pytest.raises(AnchoringError, match="-1e\\+12 MJy/sr"):
        mosaics.read_image(write(data))
    with fits.open(write(), mode="append") as hdus:
        hdus.append(fits.ImageHDU(-data, name="ERR"))
    error = mosaics.read_image(hdus.filename()).error
    assert np.isnan(error[3, 3])
    assert np.isfinite(error).sum() == 99


def test_a_reference_is_not_observed_where_it_is_0(tmp_path):
    data = np.arange(100.0, dtype="f4").reshape(10, 10)
    fits.PrimaryHDU(data).writeto(tmp_path / "reference.fits")
    read = references.read_reference(str(tmp_path / "reference.fits")).data
    assert np.isnan(read[0, 0])
    assert_array_equal(read.ravel()[1:], data.ravel()[1:])


@pytest.mark.parametrize(
    "cards",
    [
        {"CDELT1": -1e-4, "CDELT2": 1e-4},
        {"CDELT1": 2.0, "CDELT2": 2.0, "PC1_1": -3e-5, "PC1_2": 4e-5, "PC2_1": 4e-5, "PC2_2": 3e-5},
        {"CD1_1": -6e-5, "CD1_2": 8e-5, "CD2_1": 8e-5, "CD2_2": 6e-5},
    ],
)
def test_pixel_scales(cards):
    assert np.isclose(headers.pixel_scale(fits.Header(cards)), 0.36)


@pytest.mark.parametrize(
    "cards",
    [
        {"CDELT1": -1e-4},
        {"CDELT1": -1e-4, "CDELT2": 1.2e-4},
        {"CD1_1": -6e-5, "CD1_2": 8e-5, "CD2_1": 8e-5, "CD2_2": -6e-5},
    ],
)
def test_pixels_that_are_not_square(cards):
    with pytest.raises(AnchoringError, match=r"not square|less than|positive"):
        headers.require_square(fits.Header(cards), "an image")


@pytest.mark.parametrize("value", ["'x'", True, None])
def test_a_scale_that_is_no_number(value):
    with pytest.raises(AnchoringError, match="CDELT1"):
        headers.pixel_scale(fits.Header({"CDELT1": value, "CDELT2": 1e-4}), "an image")
