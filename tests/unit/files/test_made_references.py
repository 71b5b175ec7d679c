"""Archive images as they are read, and what the headers of references state."""

import gzip

import numpy as np
import pytest
from astropy.io import fits

from anchoring.errors import AnchoringError
from anchoring.files import made_references
from anchoring.files.intermediates import write_refusal
from anchoring.files.references import read_reference
from anchoring.images.field import Field
from anchoring.images.headers import celestial_wcs

FIELD = Field(24.0, 15.0, 50.0, 120.0)


def write(path, data, **cards):
    place = {"CRVAL1": 24.0, "CRVAL2": 15.0, "CRPIX1": 150.0, "CRPIX2": 100.0, "CDELT1": -2 / 3600, "CDELT2": 2 / 3600}
    cards = {"CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN", **place, "BUNIT": "MJy/sr", **cards}
    fits.PrimaryHDU(data, fits.Header(cards)).writeto(path)
    return path


@pytest.fixture
def pixels(rng):
    return rng.normal(3, 1, (260, 280)).astype(np.float32)


def test_the_part_around_the_mosaics_is_read_with_its_wcs(tmp_path, pixels):
    path = write(tmp_path / "a.fits", pixels)
    image = made_references.read_archive_image(path, "irac4", FIELD)
    assert abs(image.data.shape[0] - 120) <= 3
    x, y = np.rint(celestial_wcs(image.header).world_to_pixel_values(24.0, 15.0)).astype(int)
    assert image.data[y, x] == pixels[99, 149]
    assert image.header["BUNIT"] == "MJy/sr"


def test_scaled_integers_and_compressed_files_are_the_same_image(tmp_path, pixels):
    plain = made_references.read_archive_image(write(tmp_path / "a.fits", pixels), "irac4", FIELD)
    packed = tmp_path / "a.fits.gz"
    packed.write_bytes(gzip.compress((tmp_path / "a.fits").read_bytes()))
    assert np.array_equal(made_references.read_archive_image(packed, "irac4", FIELD).data, plain.data)
    hdu = fits.PrimaryHDU(pixels, fits.getheader(tmp_path / "a.fits"))
    hdu.scale("int16", bscale=1e-3, bzero=3.0)
    hdu.writeto(tmp_path / "i.fits")
    whole = made_references.read_archive_image(tmp_path / "i.fits", "irac4", FIELD)
    assert np.allclose(whole.data, plain.data, atol=6e-4)
    counts = write(tmp_path / "c.fits", np.rint(pixels * 100).astype(np.int32), MAGZP=20.5, BUNIT="DN")
    image = made_references.read_archive_image(counts, "W1", FIELD)
    y, x = (int(np.rint(v)) for v in celestial_wcs(image.header).world_to_pixel_values(24.0, 15.0)[::-1])
    per_count = 1.9350e-6 / (2**2 * 2.350443e-11) / 1e6
    assert image.data[y, x] == pytest.approx(np.rint(pixels[99, 149] * 100) * per_count, rel=1e-3)


def test_unobserved_pixels_are_nan_and_an_image_elsewhere_has_no_data(tmp_path, pixels):
    pixels[95, 145], pixels[96, 140:150] = 0, -999
    image = made_references.read_archive_image(write(tmp_path / "a.fits", pixels), "irac4", FIELD)
    assert np.isnan(image.data).sum() == 11
    other = write(tmp_path / "b.fits", pixels, CRVAL1=25.0)
    image = made_references.read_archive_image(other, "irac4", FIELD)
    assert image.data is None
    made_references.write_step(tmp_path / "step.fits", image)
    assert made_references.read_step(tmp_path / "step.fits").data is None


def test_the_header_of_a_reference_states_where_it_is_from(tmp_path, pixels):
    image = made_references.read_archive_image(write(tmp_path / "a.fits", pixels), "irac4", FIELD, number=2)
    made_references.describe(image.header, FIELD, "irac4")
    assert made_references.stated_field(image.header) == FIELD
    image.header["REFSKYM"], image.header["REFSKY"], image.header["REFZERR"] = "constant", 3.0, 0.01
    made_references.write_step(tmp_path / "r.fits", image)
    origin = made_references.read_origin(tmp_path / "r.fits")
    assert origin.files == ("a.fits",)
    assert origin.units == ("MJy/sr = 1 MJy/sr (BUNIT)",)
    assert (origin.sky, origin.level, origin.zero_err) == ("constant", 3.0, 0.01)
    header = fits.getheader(tmp_path / "r.fits")
    assert len(header["REFSHA2"]) == 64
    assert header["REFEXT"] == 0.74
    assert made_references.read_origin(tmp_path / "a.fits") is None
    assert np.array_equal(read_reference(tmp_path / "r.fits").data, image.data)


def test_uncertainty_maps_are_read_from_files_and_extensions(tmp_path, pixels):
    counts = {"MAGZP": 20.5, "BUNIT": "DN"}
    path = write(tmp_path / "a.fits", pixels, **counts)
    sigma = np.full(pixels.shape, 0.2, np.float32)
    sigma[99, 149:151] = np.nan, -1
    image = made_references.read_archive_image(
        path, "w1", FIELD, uncertainty=write(tmp_path / "u.fits", sigma, **counts)
    )
    assert image.error.shape == image.data.shape
    assert np.isnan(image.error).sum() == 2
    assert np.nanmedian(image.error) == pytest.approx(0.2 * image.header["REFFAC1"], rel=1e-5)
    made_references.write_step(tmp_path / "step.fits", image)
    assert np.array_equal(made_references.read_step(tmp_path / "step.fits").error, image.error, equal_nan=True)
    with fits.open(path, mode="append") as hdus:
        hdus.append(fits.ImageHDU(sigma, name="SIGMA"))
    again = made_references.read_archive_image(path, "w1", FIELD, extension="SIGMA")
    assert np.array_equal(again.error, image.error, equal_nan=True)
    with pytest.raises(AnchoringError, match=r"a.fits has no extension ERR"):
        made_references.read_archive_image(path, "w1", FIELD, extension="ERR")
    with pytest.raises(AnchoringError, match=r"v.fits has an uncertainty map of shape \(259, 280\)"):
        made_references.read_archive_image(path, "w1", FIELD, uncertainty=write(tmp_path / "v.fits", sigma[1:]))


FLAGGED = [("W3", 22.5, ("median_filtered",)), ("W3", 18.0, ()), ("W1", 22.5, ())]


@pytest.mark.parametrize(("band", "zero_point", "flags"), FLAGGED)
def test_filtered_images_are_flagged(tmp_path, pixels, band, zero_point, flags):
    path = write(tmp_path / "a.fits", pixels, MAGZP=zero_point, BUNIT="DN")
    image = made_references.read_archive_image(path, band, FIELD)
    image.header["REFSKYM"] = "none"
    made_references.write_step(tmp_path / "r.fits", image)
    assert made_references.read_origin(tmp_path / "r.fits").flags == flags


def test_what_could_not_be_made_says_why_to_everybody(tmp_path):
    write_refusal(tmp_path / "r.fits", "no sky")
    for read in (made_references.read_origin, made_references.read_step, read_reference):
        with pytest.raises(AnchoringError, match=r"^no sky$"):
            read(tmp_path / "r.fits")


@pytest.mark.parametrize(
    ("cards", "message"),
    [({"BUNIT": "DN"}, "BUNIT 'DN'"), ({"CTYPE1": "X", "CTYPE2": "Y"}, "no celestial WCS")],
)
def test_images_that_cannot_be_used_are_named(tmp_path, pixels, cards, message):
    path = write(tmp_path / "a.fits", pixels, **cards)
    with pytest.raises(AnchoringError, match=message) as caught:
        made_references.read_archive_image(path, "irac4", FIELD)
    assert str(path) in str(caught.value)
