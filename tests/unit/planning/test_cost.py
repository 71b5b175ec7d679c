"""Costs from sizes: without numpy, larger for larger files, and of sizes that headers tell."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from point_sources import airy_like

from anchoring.images.kernel_making import LARGEST, make_kernel
from anchoring.images.psf import GaussianPSF, measured_psf
from anchoring.planning import cost
from anchoring.planning.sizes import LARGEST_KERNEL, Size, kernel_side, made_kernel_size, overlap

LIBRARY = Path(cost.__file__).parents[2]


def test_planning_does_without_numpy():
    code = "import sys; import anchoring.planning.plan, anchoring.planning.cost; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=LIBRARY).returncode == 0


@pytest.mark.parametrize(
    "step",
    [
        lambda n: cost.of_convolution((n, n), 101),
        *(lambda n, method=m: cost.of_reprojection((n, n), (n, n), (n, n), method) for m in cost.REPROJECTION),
        lambda n: cost.of_bins((n, n)),
        lambda n: cost.of_bins((n, n), in_galaxy=True),
        lambda n: cost.of_writing((n, n)),
    ],
)
def test_four_times_the_pixels_take_at_least_three_times_as_much(step):
    none, some, many = step(1), step(4_000), step(8_000)
    assert many.memory - none.memory > 3 * (some.memory - none.memory) > 0
    assert many.seconds - none.seconds > 3 * (some.seconds - none.seconds) > 0


def test_steps_together_take_all_the_time_and_the_memory_of_the_largest():
    assert cost.together([cost.Cost(1, 5), cost.Cost(2, 3)]) == (3, 5)
    assert cost.together([]) == (0, 0)


def test_the_side_of_a_kernel_on_the_pixels_of_an_image():
    assert kernel_side(Size((301, 301), 0.05), Size((9, 9), 0.1)) == 151
    assert kernel_side(Size((301, 301), math.nan), Size((9, 9), 0.1)) == 301
    assert kernel_side(Size(), Size()) == 1


def test_the_part_of_a_reference_that_an_image_can_cover():
    assert overlap(Size((300, 400), 0.1), Size((1_000, 60), 0.5)) == (101, 60)
    assert overlap(Size((300, 400), math.nan), Size((1_000, 60), 0.5)) == (1_000, 60)


@pytest.mark.parametrize("fwhm", [0.7, 4.0, 15.0])
def test_a_kernel_that_is_made_is_not_larger_than_was_planned(fwhm):
    psf = measured_psf(airy_like(301, 6.0), 0.05)
    made = make_kernel(psf, GaussianPSF(fwhm))
    planned = made_kernel_size(Size(psf.data.shape, psf.scale), Size(), fwhm)
    assert LARGEST_KERNEL == LARGEST
    assert len(made.data) * made.scale <= 1.01 * planned.shape[0] * planned.scale
    assert made_kernel_size(Size(), Size(), None) == Size()


def test_steps_of_references_hold_more_with_more_pixels_and_tiles():
    small, large = (1000, 1000), (4000, 4000)
    for step in (cost.of_sky, lambda field: cost.of_mosaic(field, 2), lambda field: cost.of_reference(field, 33)):
        assert step(large).memory > step(small).memory
    # Measured: 0.67 GB of two tiles, 0.40 GB of smaller ones with errors; 0.37 GB for the sky, 0.40 GB with noise and
    # convolution.
    assert 0.67e9 < cost.of_mosaic((4100, 4100), 2).memory < 2 * 0.67e9
    assert 0.40e9 < cost.of_mosaic((2000, 2000), 2, 2).memory < 2 * 0.40e9
    assert cost.of_sky((4100, 4100)).memory > 0.37e9
    assert cost.of_reference((4100, 4100), 33).memory > 0.40e9
    # A file that is read in parts does not count, however large it is.
    assert cost.of_calibration((0, 0), (4100, 4100)).memory > 0.46e9
    assert cost.of_calibration((11200, 11200), (4100, 4100)).memory > 1e9
