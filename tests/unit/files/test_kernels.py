"""Kernels as the programs that make them write them, and whether they are what they are called."""

import gzip
import itertools
import math
import shutil

import numpy as np
import pytest
from astropy.io import fits

from anchoring.errors import AnchoringError
from anchoring.files import kernels
from simulation.trees import write_kernels

DEG = 1 / 3600


def gaussian(fwhm, scale, n=101):
    profile = np.exp(-4 * math.log(2) * ((np.arange(n) - n // 2) * scale / fwhm) ** 2)
    return np.multiply.outer(profile, profile)


@pytest.fixture
def write(tmp_path):
    """Writes a kernel of 4" under a name and gives its path."""

    def kernel(name="f770w_to_gauss4.fits", *, fwhm=4.0, scale=0.2, primary=None, extension=None, shape=(101, 101)):
        data = gaussian(fwhm, scale).reshape(shape).astype("f4")
        hdus = [fits.PrimaryHDU(None if extension is not None else data, fits.Header(primary or {}))]
        if extension is not None:
            hdus.append(fits.ImageHDU(data, fits.Header(extension)))
        fits.HDUList(hdus).writeto(tmp_path / name, overwrite=True)
        return str(tmp_path / name)

    return kernel


@pytest.mark.parametrize(
    "cards",
    [
        *({name: 0.2} for name in ("XPIXSIZE", "PIXELSCL", "PIXSCALE", "PIXSCALX", "SECPIX")),
        {"PIXSCALX": 0.2, "PIXSCALY": 0.2},
        {"CDELT1": -0.2 * DEG, "CDELT2": 0.2 * DEG},
        {"CD1_1": 0.2 * DEG, "CD1_2": 0, "CD2_1": 0, "CD2_2": 0.2 * DEG, "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"},
        {"CDELT1": 0.2, "CDELT2": 0.2, "PC1_1": DEG, "PC2_2": DEG, "CUNIT1": "deg", "CUNIT2": "deg"},
        {"PIXELSCL": 0.2, "CDELT1": -0.2 * DEG, "CDELT2": 0.2 * DEG},
        {"PIXELSCL": 0.2, "CDELT1": 0.201 * DEG, "CDELT2": 0.201 * DEG},
        # One of the two is no scale, or in another unit.
        {"PIXELSCL": 0.2, "CDELT1": 1.0, "CDELT2": 1.0},
        {"PIXELSCL": 0.2, "CD1_1": 1, "CD1_2": 0, "CD2_1": 0, "CD2_2": 1},
        {"PIXELSCL": 0.2, "CDELT1": 0.2, "CDELT2": 0.2},
        {"PIXELSCL": 0.2 * DEG, "CDELT1": 0.2 * DEG, "CDELT2": 0.2 * DEG},
        *(
            {**scale, "CUNIT1": unit, "CUNIT2": unit}
            for unit, size in (("arcsec", 0.2), ("arcmin", 0.2 / 60), ("mas", 200.0))
            for scale in ({"CDELT1": -size, "CDELT2": size}, {"CD1_1": size, "CD2_2": size},
                          {"CDELT1": size, "CDELT2": size, "PIXSCALE": 0.2})
        ),
    ],
)  # fmt: skip
def test_scales(write, cards):
    of_pixels = {key: card for key, card in cards.items() if "PIX" in key}
    of_wcs = {key: card for key, card in cards.items() if "PIX" not in key}
    for headers in ({"primary": cards}, {"extension": cards}, {"primary": of_pixels, "extension": of_wcs}):
        path = write(**headers)
        data, scale = kernels.read_kernel(path)
        assert abs(scale / 0.2 - 1) < 1e-6
        assert kernels.read_kernel_header(path) == (data.shape, scale) == ((101, 101), scale)
        assert kernels.require_width(path, data, scale) == ""


@pytest.mark.parametrize(
    ("cards", "named"),
    [
        ({"PIXELSCL": 0.2, "CDELT1": -0.1 * DEG, "CDELT2": 0.1 * DEG}, ("PIXELSCL", "CDELT", "0.2", "0.1")),
        ({"PIXELSCL": 0.2, "CD1_1": 0.3 * DEG, "CD2_2": 0.3 * DEG}, ("PIXELSCL", "CD")),
        ({"PIXELSCL": 0.2, "PIXSCALE": 0.21}, ("PIXELSCL", "PIXSCALE", "0.2", "0.21")),
        ({"PIXSCALX": 0.2, "PIXSCALY": 0.3}, ("PIXSCALX", "PIXSCALY")),
        ({"XPIXSIZE": 0.2, "SECPIX": 0.1, "CDELT1": 0.2 * DEG, "CDELT2": 0.2 * DEG}, ("XPIXSIZE", "SECPIX")),
    ],
)
def test_scales_that_contradict_each_other_are_refused(write, cards, named):
    path = write(primary=cards)
    for read in (kernels.read_kernel, kernels.read_kernel_header):
        with pytest.raises(AnchoringError, match="expected the same: remove") as refusal:
            read(path)
        assert all(word in str(refusal.value) for word in ("f770w_to_gauss4.fits", *named))


def test_a_kernel_may_be_compressed_and_have_axes_of_length_1(write):
    path = write(primary={"PIXELSCL": 0.2}, shape=(1, 101, 101))
    with open(path, "rb") as plain, gzip.open(f"{path}.gz", "wb") as small:
        shutil.copyfileobj(plain, small)
    header, lossless = fits.Header({"PIXELSCL": 0.2}), {"compression_type": "GZIP_2", "quantize_level": 0}
    tiles = fits.CompImageHDU(gaussian(4.0, 0.2).astype("f4"), header, **lossless)
    fits.HDUList([fits.PrimaryHDU(), tiles]).writeto(f"{path}.fz")
    for name in (path, f"{path}.gz", f"{path}.fz"):
        data, scale = kernels.read_kernel(name)
        np.testing.assert_allclose(data, gaussian(4.0, 0.2), atol=1e-7)
        assert kernels.read_kernel_header(name) == ((101, 101), 0.2)
        assert kernels.require_width(name, data, scale) == ""
        with pytest.raises(AnchoringError):
            kernels.require_width(name, data, 2 * scale)


# --- the width --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "band", "scale"),
    [
        (target, band, scale)
        for target, band, scale in itertools.product((1.0, 4.0, 15.0), (0.04, 0.3, 0.9), (0.02, 0.1, 0.5))
        if target**2 - band**2 > 4 * scale**2  # else it is narrower than its pixels
    ],
)
def test_the_resolution_that_a_gaussian_makes(band, target, scale):
    width = math.sqrt(target**2 - band**2)
    n = 2 * round(min(3 * width / scale, 500)) + 1
    found = kernels.resolution_made(gaussian(width, scale, n), scale, band)
    # Interpolation between its pixels makes it wider.
    assert math.isclose(found, math.hypot(target, scale), rel_tol=0.02)


def wiener(source, target, regularization=1e-4):
    """The kernel between two PSFs, its Fourier transform S* T / (|S|^2 + r |L|^2), L that of the Laplacian."""
    s, t = (np.fft.fft2(np.fft.ifftshift(psf / psf.sum())) for psf in (source, target))
    laplacian = np.zeros(source.shape)
    laplacian[0, 0], laplacian[0, [1, -1]], laplacian[[1, -1], 0] = 4, -1, -1
    penalty = np.abs(np.fft.fft2(laplacian)) ** 2
    return np.fft.fftshift(np.fft.ifft2(s.conj() * t / (np.abs(s) ** 2 + regularization * penalty)).real)


def airy(fwhm, scale, n):
    """The PSF of a round pupil with a fifth of its width obscured, as JWST's: rings and wings."""
    from scipy.special import j1

    y, x = np.indices((n, n)) - n // 2
    u = np.pi * np.hypot(y, x) * scale * 1.0075 / fwhm + 1e-9
    return (2 * j1(u) / u - 0.04 * 2 * j1(u / 5) / (u / 5)) ** 2


@pytest.mark.parametrize("name", ["f770w_to_gauss4", "f2100w_to_gauss4", "f2100w_to_gauss1", "f770w_to_f2100w",
                                  "f300m_to_f2100w", "f200w_to_gauss1p00", "F1130W_to_gauss7.5"])  # fmt: skip
@pytest.mark.parametrize("cut", [1, 2])
def test_kernels_between_diffraction_limited_psfs_pass_and_others_do_not(name, cut):
    """With negative lobes, and where their array is cut."""
    band, target = name.lower().split("_to_")
    fwhm = kernels.FWHM[band][0]
    is_gauss = target.startswith("gauss")
    width = float(target[5:].replace("p", ".")) if is_gauss else kernels.FWHM[target][0]
    scale = max(fwhm / 5, width / 40)
    n = 2 * round(3 * width / scale) + 1
    goal = gaussian(width, scale, n) if is_gauss else airy(width, scale, n)
    kernel = wiener(airy(fwhm, scale, n), goal)
    half = n // 2 // cut
    kernel = kernel[n // 2 - half : n // 2 + half + 1, n // 2 - half : n // 2 + half + 1]
    assert kernels.require_width(f"{name}.fits", kernel, scale) == ""
    for wrong in (0.5, 2.0):
        with pytest.raises(AnchoringError, match=r"\.fits convolves a band of .* expected .* by its name"):
            kernels.require_width(f"{name}.fits", kernel, wrong * scale)


def test_tolerances(write):
    for fwhm, outcome in ((4.3, ""), (3.75, ""), (4.6, "note"), (3.4, "note"), (5.2, "refused"), (3.0, "refused")):
        data = gaussian(fwhm, 0.1, 161)
        if outcome == "refused":
            with pytest.raises(AnchoringError):
                kernels.require_width("a/f770w_to_gauss4.fits", data, 0.1)
        else:
            assert bool(kernels.require_width("a/f770w_to_gauss4.fits", data, 0.1)) == bool(outcome)


@pytest.mark.parametrize(
    "name", ["f770w_to_gauss15", "F770W_to_Gauss15p00", "f300m_to_gauss15.0", "f770w_to_f2100w", "irac4_to_mips24"]
)
def test_the_kernel_of_another_target_is_refused_by_what_its_name_promises(name):
    with pytest.raises(AnchoringError, match=f"{name}.fits.gz convolves"):
        kernels.require_width(f"a/{name}.fits.gz", gaussian(4.0, 0.2, 201), 0.2)


@pytest.mark.parametrize("name", ["irac9_to_gauss15", "f770w_to_lego", "kernel", "f770w_to_f2100w_to_gauss4"])
def test_names_of_unknown_bands_and_targets_promise_nothing(name):
    assert kernels.require_width(f"{name}.fits", gaussian(4.0, 0.2), 0.2) == ""


def test_what_is_no_kernel_has_no_width():
    kernel = gaussian(4.0, 0.2)
    for bad in (kernel * np.nan, -kernel, kernel - kernel.mean(), kernel * 0):
        assert math.isnan(kernels.resolution_made(bad, 0.2, 0.3))


def test_simulated_kernels_pass(tmp_path):
    write_kernels(tmp_path, ("F115W", "F444W", "F770W", "F2100W"))
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == 4 + 4 + 4 + 3
    for path in paths:
        assert kernels.require_width(path, *kernels.read_kernel(path)) == "", path
