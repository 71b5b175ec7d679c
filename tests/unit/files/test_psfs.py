"""Files of PSFs."""

import hashlib

import pytest
from astropy.io import fits
from point_sources import gaussian

from anchoring.files.atomic import hash_of
from anchoring.files.psfs import read_psf, source_of


def write(path, *hdus):
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    return path


def image(name, fwhm=5.0, scale=0.05, **cards):
    header = fits.Header({"PIXELSCL": scale, **cards})
    return fits.ImageHDU(gaussian(60, fwhm), header, name=name)


@pytest.mark.parametrize(
    ("names", "used"),
    [
        (("OVERSAMP", "DET_SAMP", "OVERDIST", "DET_DIST"), 2),  # as STPSF writes them
        (("DET_SAMP", "OVERSAMP"), 1),
        (("PSF", "OTHER"), 0),
    ],
)
def test_the_best_extension_is_read(tmp_path, names, used):
    path = write(tmp_path / "f770w.fits", *(image(name, fwhm=8.0 + 2 * i) for i, name in enumerate(names)))
    assert abs(read_psf(path).fwhm / (0.05 * (8.0 + 2 * used)) - 1) < 0.02


def test_the_scale_from_a_wcs_and_an_image_with_axes_of_length_1(tmp_path):
    header = fits.Header({"CD1_1": -0.1 / 3600, "CD2_2": 0.1 / 3600, "CD1_2": 0.0, "CD2_1": 0.0})
    fits.PrimaryHDU(gaussian(61, 5.0)[None, None], header).writeto(tmp_path / "irac4.fits")
    psf = read_psf(tmp_path / "irac4.fits")
    assert abs(psf.scale - 0.1) < 1e-12
    assert abs(psf.fwhm / 0.5 - 1) < 0.02


def test_what_it_is_from(tmp_path):
    path = write(tmp_path / "f770w.fits", image("OVERDIST"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert hash_of(path) == digest
    assert source_of(path, "unused") == ("f770w.fits", digest)
    assert source_of(None, "gauss4") == ("gauss4", "")
