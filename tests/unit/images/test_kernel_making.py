"""Kernels that are made: between PSFs whose kernel is known, and as good as they say."""

import math

import numpy as np
import pytest
from point_sources import airy_like, gaussian
from scipy.signal import fftconvolve

from anchoring.errors import AnchoringError
from anchoring.fitting.flags import MEANING
from anchoring.images.convolution import resample_kernel
from anchoring.images.kernel_making import make_kernel
from anchoring.images.kernel_quality import LIMITS, Quality
from anchoring.images.psf import GaussianPSF, measured_psf

GOOD = Quality(0.001, 0.2, 3e-4, 1e-4, 0.99, 0.3, 4.0)


def narrow(**how):
    """A PSF of 0.3 arcsec on pixels of 0.05, 0.05 arcsec and a bit off the middle."""
    return measured_psf(gaussian(120, 6.0, **{"shift": (0.3, -1.2), **how}), 0.05)


@pytest.mark.parametrize("fwhm", [0.6, 4.0, 15.0])
def test_between_gaussians_it_is_the_gaussian_of_their_difference(fwhm):
    made = make_kernel(narrow(), GaussianPSF(fwhm))
    exact = GaussianPSF(math.sqrt(fwhm**2 - 0.3**2))
    expected = exact.on_grid(made.scale, len(made.data))
    assert np.abs(made.data - expected / expected.sum()).max() < 0.003 * expected.max()
    assert abs(made.data.sum() - 1) < 1e-12
    assert abs(made.quality.cut - (1 - exact.within(len(made.data) / 2 * made.scale))) < 1e-4
    assert max(made.quality.difference, made.quality.negative) < 0.003
    assert abs(made.quality.source_fwhm / 0.3 - 1) < 0.02
    assert made.quality.flags == ()


def test_an_image_convolved_with_it_is_as_if_seen_with_the_target():
    source = measured_psf(airy_like(201, 6.0), 0.05)
    kernel = make_kernel(source, GaussianPSF(1.2))
    rng = np.random.default_rng(4)
    stars = np.zeros((400, 400))
    stars[rng.integers(150, 250, 30), rng.integers(150, 250, 30)] = rng.uniform(1, 10, 30)
    seen = fftconvolve(stars, source.on_grid(0.05, 301), mode="same")
    convolved = fftconvolve(seen, resample_kernel(kernel.data, kernel.scale, 0.05), mode="same")
    expected = fftconvolve(stars, GaussianPSF(1.2).on_grid(0.05, 301), mode="same")
    assert np.abs(convolved - expected).max() < 0.005 * expected.max()


def test_one_that_is_wider_along_x_makes_up_for_it_along_x_unless_circularised():
    source = measured_psf(gaussian(161, 6.0, ratio=1.5), 0.05)
    kernel, circular = (make_kernel(source, GaussianPSF(0.9), circularise=c).data for c in (False, True))
    steps = np.arange(len(kernel)) - len(kernel) // 2
    along_y, along_x = kernel.sum(axis=1) @ steps**2, kernel.sum(axis=0) @ steps**2
    assert abs(along_y / along_x - (0.9**2 - 0.3**2) / (0.9**2 - 0.45**2)) < 0.02
    assert np.allclose(circular, circular.T, atol=1e-6 * circular.max())


def test_quality_is_what_a_direct_convolution_finds():
    source, target = measured_psf(airy_like(201, 8.0), 0.05), measured_psf(airy_like(161, 14.0), 0.06)
    made = make_kernel(source, target)
    n = 2 * len(made.data) + 1
    s, t = (psf.on_grid(made.scale, n) for psf in (source, target))
    difference = np.abs(fftconvolve(s / s.sum(), made.data, mode="same") - t / t.sum()).sum()
    assert abs(made.quality.difference - difference) < 0.2 * difference
    negative = -made.data[made.data < 0].sum()
    assert abs(made.quality.negative - negative) < 1e-6 + 1e-3 * negative
    middle = np.abs(made.data).max()
    assert abs(made.quality.edge - max(np.abs(made.data[0]).max(), np.abs(made.data[:, 0]).max()) / middle) < 2e-4


def test_the_share_of_the_target_that_a_small_file_holds():
    small = measured_psf(airy_like(40, 6.0), 0.05)
    quality = make_kernel(small, GaussianPSF(2.0)).quality
    expected = math.erf(1.0 / (2.0 / math.sqrt(8 * math.log(2)) * math.sqrt(2))) ** 2
    assert abs(quality.held - expected) < 1e-3
    assert quality.flags == ("psf_cut",)
    # A file that ends where its PSF is dark misses nothing.
    assert make_kernel(measured_psf(gaussian(28, 6.0), 0.05), GaussianPSF(2.0)).quality.held == 1


@pytest.mark.parametrize(("name", "flag"), [("negative", "kernel_lobes"), ("difference", "kernel_inexact"),
                                            ("edge", "kernel_cut"), ("held", "psf_cut")])  # fmt: skip
def test_flags_beyond_their_limits(name, flag):
    beyond = 0.99 * LIMITS[flag] if name == "held" else 1.01 * LIMITS[flag]
    assert GOOD.flags == ()
    assert GOOD._replace(**{name: beyond}).flags == (flag,)
    assert flag in MEANING


@pytest.mark.parametrize("fwhm", [0.1, 0.3])
def test_a_target_that_is_not_wider_is_refused(fwhm):
    with pytest.raises(AnchoringError, match="expected it to be wider"):
        make_kernel(narrow(), GaussianPSF(fwhm))


def test_profiles_are_those_of_the_psfs():
    radius, source, target, convolved = make_kernel(narrow(), GaussianPSF(1.0)).profiles
    assert np.allclose(np.interp(0.5, radius, target), 0.5, atol=0.01)
    assert np.allclose(np.interp(0.15, radius, source) / source[0], 0.5, atol=0.02)
    assert np.abs(convolved - target).max() < 0.003
