"""The steps of a reference one after the other, on images whose noise is known."""

import numpy as np
import pytest
from astropy.io import fits

import calibrate_reference
import convolve_reference
import mosaic_reference
import zero_reference
from simulation.fields import gaussian_kernel

SHAPE, SCALE = (300, 320), 2.0
BRIGHT = np.s_[110:190, 120:200]  # where the noise is twice that of the sky
PLACE = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 24.0, "CRVAL2": 15.0, "CRPIX1": 160.0, "CRPIX2": 150.0,
         "CDELT1": -SCALE / 3600, "CDELT2": SCALE / 3600, "BUNIT": "MJy/sr"}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch, rng):
    """Two exposures of one field with maps of their uncertainty, a mosaic in the middle, and a kernel."""
    monkeypatch.chdir(tmp_path)
    sigma = np.full(SHAPE, 0.1, np.float32)
    sigma[BRIGHT] = 0.2
    for name in ("a", "b"):
        fits.PrimaryHDU((2.0 + sigma * rng.normal(size=SHAPE)).astype(np.float32), fits.Header(PLACE)).writeto(
            f"{name}_int.fits"
        )
        fits.PrimaryHDU(sigma, fits.Header(PLACE)).writeto(f"{name}_unc.fits")
    middle = fits.Header({**PLACE, "CRPIX1": 30.0, "CRPIX2": 30.0})
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((60, 60), np.float32), middle, name="SCI")]).writeto(
        "m.fits"
    )
    kernel, scale = gaussian_kernel(4.0, 15.0)
    fits.PrimaryHDU(kernel, fits.Header({"PIXELSCL": scale})).writeto("k.fits")
    return tmp_path


@pytest.mark.parametrize("mapped", [True, False])
def test_the_noise_of_a_reference_is_that_of_its_pixels_where_its_images_say_so(folder, mapped):
    for number, name in enumerate("ab", start=1):
        calibrate_reference.main(
            f"{name}_int.fits", ["m.fits"], f"{number}.fits", "w1", 4.5, number=number,
            uncertainty=f"{name}_unc.fits" if mapped else None,
        )  # fmt: skip
    mosaic_reference.main(["1.fits", "2.fits"], "all.fits")
    what = "the reference w1_atgauss15 of ngc0628"
    zero_reference.main("all.fits", "zeroed.fits", "sky.png", "none", "gauss4", 4.0, what)
    convolve_reference.main("zeroed.fits", "out.fits", "out_err.fits", "gauss15", 1, what, "k.fits")
    data, error = (fits.getdata(f"{name}.fits")[50:-50, 50:-50] for name in ("out", "out_err"))
    # The images are in the middle of the field.
    middle = tuple((n - b) // 2 for n, b in zip(data.shape, (60, 60), strict=True))
    bright = np.s_[middle[0] : middle[0] + 60, middle[1] : middle[1] + 60]
    sky = np.s_[10:50, 10:-10]
    assert np.median(error[sky]) == pytest.approx(np.std(data[sky]), rel=0.15)
    ratio = np.median(error[bright]) / np.std(data[bright])
    assert ratio == pytest.approx(1.0, abs=0.2) if mapped else ratio < 0.7
