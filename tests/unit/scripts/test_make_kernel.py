"""The script that makes a kernel: what it writes, and what it leaves of PSFs that cannot be used."""

import numpy as np
import pytest
from astropy.io import fits
from point_sources import gaussian

import convolve_image
import make_kernel
from anchoring.errors import AnchoringError
from anchoring.files.atomic import hash_of
from anchoring.files.hdus import REFUSED
from anchoring.files.intermediates import read_product
from anchoring.files.kernels import read_kernel
from anchoring.files.made_kernels import read_origin


def write_psf(path, fwhm, scale=0.05, side=121):
    header = fits.Header({"PIXELSCL": scale})
    fits.PrimaryHDU(gaussian(side, fwhm / scale), header).writeto(path, overwrite=True)
    return str(path)


def made(folder, source, target, names, **options):
    kernel, figure = str(folder / f"{'_to_'.join(names)}.fits"), str(folder / "kernel.png")
    make_kernel.main(source, target, kernel, figure, names, **options)
    assert (folder / "kernel.png").read_bytes()[1:4] == b"PNG"
    return kernel


def test_a_kernel_of_two_files_states_where_it_is_from_and_how_good_it_is(tmp_path):
    source, target = write_psf(tmp_path / "a.fits", 0.3), write_psf(tmp_path / "b.fits", 0.7)
    path = made(tmp_path, source, target, ["A", "b"], circularise=True)
    data, scale = read_kernel(path)
    origin = read_origin(path)
    assert abs(data.sum() - 1) < 1e-5
    assert 0 < scale < 0.05
    assert (origin.source, origin.target) == (("a.fits", hash_of(source)), ("b.fits", hash_of(target)))
    assert origin.circularised
    assert abs(origin.quality.source_fwhm / 0.3 - 1) < 0.02
    assert abs(origin.quality.target_fwhm / 0.7 - 1) < 0.02
    assert origin.quality.difference < 0.005
    assert origin.flags == ()


def test_the_same_psfs_give_the_same_bytes(tmp_path):
    source = write_psf(tmp_path / "a.fits", 0.3)
    first, second = (tmp_path / name for name in ("1", "2"))
    for folder in (first, second):
        folder.mkdir()
        made(folder, source, None, ["A", "gauss1"])
    for name in ("A_to_gauss1.fits", "kernel.png"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_a_drawn_psf_is_flagged(tmp_path):
    origin = read_origin(made(tmp_path, None, None, ["F770W", "gauss4"]))
    assert origin.flags == ("kernel_from_model",)
    assert origin.source == ("model of the pupil", "")
    assert origin.target == ("gauss4", "")


def mosaic(path, scale):
    header = fits.Header({"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 24.0, "CRVAL2": 15.0, "CRPIX1": 30.0})
    header.update({"CRPIX2": 30.0, "CDELT1": -scale / 3600, "CDELT2": scale / 3600, "BUNIT": "MJy/sr"})
    sky = np.random.default_rng(1).normal(5, 1, (60, 60)).astype(np.float32)
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(sky, header, name="SCI")]).writeto(path)
    return str(path)


@pytest.mark.parametrize(("scale", "flags"), [(0.1, ()), (0.6, ("kernel_narrow",))])
def test_an_image_convolved_with_it_has_its_beam_and_its_flags(tmp_path, scale, flags):
    kernel = made(tmp_path, write_psf(tmp_path / "a.fits", 0.3), None, ["A", "gauss1"])
    image, output = mosaic(tmp_path / "a_i2d.fits", scale), str(tmp_path / "out.fits")
    convolve_image.main(image, kernel, output, 1)
    product = read_product(output)
    assert product.kernel_flags == flags
    assert [round(product.header[key] * 3600, 9) for key in ("BMAJ", "BMIN", "BPA")] == [1, 1, 0]


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [(0.3, 0.2, "expected it to be wider"), (0.3, 0.3, "expected it to be wider"), (0.02, 0.7, "1.5 pixels")],
)
def test_what_cannot_be_made_leaves_a_file_that_says_why(tmp_path, source, target, words):
    source, target = write_psf(tmp_path / "a.fits", source), write_psf(tmp_path / "b.fits", target)
    path = made(tmp_path, source, target, ["A", "b"])
    reason = fits.getheader(path)[REFUSED]
    assert reason.startswith(f"no kernel A to b: {source}")
    assert words in reason
    for read in (read_kernel, read_origin):
        with pytest.raises(AnchoringError) as error:
            read(path)
        assert str(error.value) == reason
    output = str(tmp_path / "out.fits")
    convolve_image.main(mosaic(tmp_path / "a_i2d.fits", 0.1), path, output, 1)
    with pytest.raises(AnchoringError, match="no kernel A to b"):
        read_product(output)
