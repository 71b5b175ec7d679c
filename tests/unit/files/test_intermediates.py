"""The workflow's own images are FITS as astropy writes it, complete or absent."""

import numpy as np
import pytest
from astropy.io import fits
from numpy.testing import assert_array_equal

from anchoring.errors import AnchoringError
from anchoring.files import intermediates

HEADER = fits.Header({"CTYPE1": "RA---TAN", "CRVAL1": 24.0, "BUNIT": "MJy/sr", "HISTORY": "of the image"})


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4"])
@pytest.mark.parametrize("shape", [(3, 4), (2880, 1), (701, 403)])
def test_a_product_is_byte_by_byte_what_astropy_writes(tmp_path, rng, dtype, shape):
    data, error = rng.normal(size=(2, *shape)).astype(dtype)
    intermediates.write_product(tmp_path / "a.fits", data, HEADER, error, fwhm=0.9, source="abcd")
    with fits.open(tmp_path / "a.fits") as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "SCI", "ERR"]
        again = fits.HDUList([fits.PrimaryHDU(header=hdus[0].header)])
        again += [fits.ImageHDU(image, hdu.header) for image, hdu in zip((data, error), hdus[1:], strict=True)]
        again.writeto(tmp_path / "b.fits", output_verify="silentfix")
        assert dict(hdus["SCI"].header)["CRVAL1"] == 24.0
        assert "HISTORY" not in hdus["SCI"].header
    assert (tmp_path / "a.fits").read_bytes() == (tmp_path / "b.fits").read_bytes()


def test_a_product_comes_back_as_it_was(tmp_path, rng):
    data, error = rng.normal(size=(2, 50, 60)).astype("f4")
    intermediates.write_product(tmp_path / "a.fits", data, HEADER, error, fwhm=0.9, source="abcd")
    found = intermediates.read_product(tmp_path / "a.fits", with_error=True)
    assert_array_equal(found.data, data)
    assert_array_equal(found.error, error)
    assert (found.fwhm, found.source, found.header["BUNIT"]) == (0.9, "abcd", "MJy/sr")
    intermediates.write_product(tmp_path / "a.fits", data, HEADER)
    found = intermediates.read_product(tmp_path / "a.fits", with_error=True)
    assert (found.error, found.fwhm, found.source) == (None, 0.0, "")


def test_rows_may_come_in_any_order(tmp_path, rng):
    data, error = rng.normal(size=(2, 50, 60)).astype("f4")
    with intermediates.opened_product(tmp_path / "a.fits", HEADER, data.shape, "f4", with_error=True) as write:
        for rows in (slice(20, 50), slice(0, 20)):
            write(rows.start, data[rows], error[rows])
    intermediates.write_product(tmp_path / "b.fits", data, HEADER, error)
    assert (tmp_path / "a.fits").read_bytes() == (tmp_path / "b.fits").read_bytes()


def test_a_product_that_could_not_be_made_whole_is_not_there(tmp_path):
    def half():
        with intermediates.opened_product(tmp_path / "a.fits", HEADER, (9, 9), "f4") as write:
            write(0, np.ones((4, 9), "f4"))
            raise AnchoringError("half-way")

    with pytest.raises(AnchoringError, match="half-way"):
        half()
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_is_read_as_the_reason(tmp_path):
    reason = "no overlap with " + "a very long name " * 20 + "µ"
    intermediates.write_refusal(tmp_path / "a.fits", reason)
    for read in (intermediates.read_product, intermediates.read_any, intermediates.read_grid):
        with pytest.raises(AnchoringError) as refusal:
            read(tmp_path / "a.fits")
        assert str(refusal.value) == reason.replace("µ", "?")
