"""Sizes of FITS images from their headers alone."""

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from anchoring.planning import cost
from anchoring.planning.sizes import image_size, kernel_side, overlap

NO_FITS = {"empty": b"", "text": b"no FITS" * 5000, "cut gzip": gzip.compress(b"no FITS" * 5000, mtime=0)[:-20]}


@pytest.mark.parametrize("kind", ["primary", "extension", "after a table"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i2"])
def test_sizes_of_images_are_those_that_they_are_read_with(tmp_path, rng, dtype, kind):
    data = (rng.normal(size=(300, 200)) * 100).astype(dtype)
    table = fits.BinTableHDU.from_columns([fits.Column("a", "D", array=np.zeros(5000))])
    plain, gzipped, tiled = (tmp_path / f"a.fits{ending}" for ending in ("", ".gz", ".fz"))
    first = {"primary": [], "extension": [fits.PrimaryHDU()], "after a table": [fits.PrimaryHDU(), table]}[kind]
    image = fits.ImageHDU(data) if first else fits.PrimaryHDU(data)
    fits.HDUList([*first, image]).writeto(plain)
    gzipped.write_bytes(gzip.compress(plain.read_bytes()))
    fits.HDUList([*(first or [fits.PrimaryHDU()]), fits.CompImageHDU(data)]).writeto(tiled)
    for path in (plain, gzipped, tiled):
        assert image_size(str(path)).shape == data.shape


@pytest.mark.parametrize("keyword", ["NAXIS", "NAXIS1", "NAXIS2", "BITPIX", "CDELT1", "PIXELSCL"])
@pytest.mark.parametrize("value", ["-5", "0", "1", "99999999999", "1e300", "-1e-300", "nan", "inf", "T", "'x'", ""])
def test_a_job_on_a_damaged_header_requests_memory_that_there_is(tmp_path, keyword, value):
    """The job is what reports the damage: its request must not end the run, nor wait for memory that nobody has."""
    good, damaged = (str(tmp_path / name) for name in ("good.fits", "damaged.fits"))
    image = fits.PrimaryHDU(np.zeros((40, 30), dtype=np.float32))
    image.header.update({"CDELT1": -1e-4, "CDELT2": 1e-4, "PIXELSCL": 0.36})
    image.writeto(good)
    card = f"{keyword:8}= {value:>20}".ljust(80)
    content = Path(good).read_bytes()
    start = content.index(f"{keyword:8}=".encode())
    Path(damaged).write_bytes(content[:start] + card.encode() + content[start + 80 :])
    for mosaic, kernel in ((good, damaged), (damaged, good), (damaged, damaged)):
        sizes = image_size(mosaic), image_size(kernel)
        steps = [cost.of_convolution(sizes[0].shape, kernel_side(sizes[1], sizes[0]))]
        steps += [cost.of_reprojection(sizes[0].shape, overlap(*sizes), sizes[1].shape)]
        steps += [cost.of_bins(sizes[1].shape), cost.of_fit(sizes[1].shape), cost.of_writing(sizes[0].shape)]
        assert all(0 < step.memory < 0.3e9 for step in steps)


@pytest.mark.parametrize("content", NO_FITS.values(), ids=NO_FITS)
def test_sizes_of_what_cannot_be_read(tmp_path, content):
    path = tmp_path / "a.fits.gz"
    path.write_bytes(content)
    assert image_size(str(path)).shape == (0, 0)


@pytest.mark.parametrize(
    "cards",
    [
        {"PIXELSCL": 0.11},
        {"CDELT1": -0.11 / 3600},
        {"CDELT1": 0.11 / 3600, "PC1_1": -0.6, "PC2_1": 0.8},
        {"CD1_1": -0.066 / 3600, "CD2_1": 0.088 / 3600},
    ],
)
def test_pixel_scales_by_the_usual_cards(tmp_path, cards):
    fits.PrimaryHDU(np.zeros((3, 4)), fits.Header(cards)).writeto(tmp_path / "a.fits")
    assert image_size(str(tmp_path / "a.fits")).scale == pytest.approx(0.11)


def test_a_pixel_scale_that_no_card_tells(tmp_path):
    fits.PrimaryHDU(np.zeros((3, 4)), fits.Header({"PIXELSCL": "fine"})).writeto(tmp_path / "a.fits")
    assert math.isnan(image_size(str(tmp_path / "a.fits")).scale)
