"""What must hold for any image: of the numbers, what a change of units, order or frame does to them is known."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from array_pairs import fitted
from astropy.wcs import WCS
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from made import make_fit, make_image
from numpy.testing import assert_allclose
from scipy.signal import fftconvolve

from anchoring.errors import AnchoringError
from anchoring.fitting.binned import fit_line
from anchoring.fitting.errors_in_variables import errors_in_variables
from anchoring.fitting.fit_pair import fit_pair
from anchoring.fitting.settings import Settings
from anchoring.images.convolution import convolve_image
from anchoring.images.reprojection import reproject_onto
from anchoring.measuring.binning import bin_medians, equal_edges, fixed_width_edges
from anchoring.measuring.measurement import Measurement
from anchoring.measuring.noise import Noise, sky_noise
from anchoring.measuring.samples import Samples
from anchoring.solving import offsets

SEEDS = st.integers(0, 2**32 - 1)
CONSTANTS = st.floats(-50, 50, allow_subnormal=False)
FACTORS = st.floats(0.01, 100)
SETTINGS = st.builds(
    Settings,
    st.sampled_from(["binned", "errors_in_variables"]),
    st.sampled_from([None, 0.0, 0.5]),
    st.sampled_from(["equal", "count"]),
    st.sampled_from(["std", "mad"]),
)


# --- convolution ----------------------------------------------------------------------------------------------------


@st.composite
def kernels(draw, lobes=False):
    """A kernel of sum 1, of any shape within an odd square, highest in its middle; with `lobes`, negative in part."""
    half = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(SEEDS))
    kernel = rng.random((2 * half + 1, 2 * half + 1)) * rng.choice([1, 0.01])
    if lobes:
        kernel -= rng.uniform(0, 0.3) * kernel.mean()
    kernel[half, half] = 1
    return kernel / kernel.sum()


@st.composite
def holed(draw, smallest=1):
    """Which pixels of an image of any shape are observed: at least one is, in lone holes and large ones."""
    shape = draw(st.tuples(st.integers(smallest, 40), st.integers(smallest, 40)))
    rng = np.random.default_rng(draw(SEEDS))
    seen = rng.random(shape) > draw(st.sampled_from([0.0, 0.1, 0.9]))
    for _ in range(draw(st.integers(0, 3))):
        row, column = (rng.integers(n) for n in shape)
        seen[row : row + rng.integers(20), column : column + rng.integers(20)] = False
    assume(seen.any())
    return seen


@given(seen=holed(), kernel=kernels(), value=st.floats(1e-3, 1e3))
def test_a_constant_image_stays_constant_with_any_holes(seen, kernel, value):
    out, _ = convolve_image(np.where(seen, value, np.nan), kernel)
    assert np.array_equal(np.isfinite(out), seen)
    assert_allclose(out[seen], value, rtol=1e-12)


@given(seen=holed(), kernel=kernels(lobes=True), value=st.floats(1e-3, 1e3))
def test_with_negative_lobes_it_is_the_constant_or_nothing(seen, kernel, value):
    out, _ = convolve_image(np.where(seen, value, np.nan), kernel)
    known = np.isfinite(out)
    assert not (known & ~seen).any()
    assert_allclose(out[known], value, rtol=1e-12)


@given(shape=st.tuples(st.integers(1, 30), st.integers(1, 30)), kernel=kernels(lobes=True), seed=SEEDS)
def test_flux_is_conserved(shape, kernel, seed):
    image = np.random.default_rng(seed).normal(1, 1, shape)
    margin = len(kernel)
    out, _ = convolve_image(np.pad(image, margin), kernel)
    inside = out[margin // 2 : -(margin // 2), margin // 2 : -(margin // 2)]  # beyond it, edges renormalise
    assert_allclose(inside.sum(), image.sum(), atol=1e-11 * np.abs(image).sum())


@given(seen=holed(), kernel=kernels(), seed=SEEDS, factor=FACTORS, constant=CONSTANTS)
def test_convolution_is_linear(seen, kernel, seed, factor, constant):
    image = np.where(seen, np.random.default_rng(seed).normal(size=seen.shape), np.nan)
    out, error = convolve_image(image, kernel, np.abs(image))
    changed, larger = convolve_image(factor * image + constant, kernel, factor * np.abs(image))
    assert_allclose(changed, factor * out + constant, atol=1e-10 * (factor + abs(constant)))
    assert_allclose(larger, factor * error, rtol=1e-9, atol=1e-12 * factor)


@given(seen=holed(), kernel=kernels(lobes=True), seed=SEEDS, threads=st.integers(2, 5))
def test_convolution_does_not_see_the_frame(seen, kernel, seed, threads):
    image = np.where(seen, np.random.default_rng(seed).normal(size=seen.shape), np.nan)
    out, error = convolve_image(image, kernel, np.abs(image))
    again = convolve_image(image, kernel, np.abs(image), threads=threads)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip((out, error), again, strict=True))
    for change in (np.rot90, np.flipud, np.transpose):
        changed = convolve_image(change(image), np.ascontiguousarray(change(kernel)), np.abs(change(image)))
        assert_allclose(changed[0], change(out), atol=1e-10)
        assert_allclose(changed[1], change(error), atol=1e-10)
    margins = ((3, 0), (1, 7))
    padded = np.pad(image, margins, constant_values=np.nan)
    found, _ = convolve_image(padded, kernel)
    assert_allclose(found, np.pad(out, margins, constant_values=np.nan), atol=1e-10)


@given(seen=holed(), kernel=kernels(), seed=SEEDS)
def test_convolution_is_the_sum_it_is_defined_as(seen, kernel, seed):
    image = np.where(seen, np.random.default_rng(seed).normal(size=seen.shape), 0)
    direct = [fftconvolve(plane, kernel, mode="full") for plane in (image, seen.astype(float))]
    half = len(kernel) // 2
    above, below = (plane[half : half + seen.shape[0], half : half + seen.shape[1]] for plane in direct)
    out, _ = convolve_image(np.where(seen, image, np.nan), kernel)
    assert_allclose(out[seen], above[seen] / below[seen], atol=1e-9)


# --- reprojection ---------------------------------------------------------------------------------------------------


def tangent(shape, scale, angle, middle=(0, 0)):
    """A WCS with its reference pixel in the middle of the array, or that far from it."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval, wcs.wcs.crpix = (150.1, 2.2), np.add(shape[::-1], 1) / 2 + middle
    c, s = np.cos(angle), np.sin(angle)
    wcs.wcs.cd = np.array([[c, -s], [s, c]]) @ np.diag([-scale, scale]) / 3600
    return wcs


def changed_frame(wcs, shape, change):
    """The WCS of an array after `np.flipud`, `np.fliplr`, `np.transpose` or a pad of 2 rows and 5 columns before it."""
    new = wcs.deepcopy()
    x, y = wcs.wcs.crpix
    cd = wcs.wcs.cd
    if change is np.flipud:
        new.wcs.crpix, new.wcs.cd = [x, shape[0] + 1 - y], cd * [1, -1]
    elif change is np.fliplr:
        new.wcs.crpix, new.wcs.cd = [shape[1] + 1 - x, y], cd * [-1, 1]
    elif change is np.transpose:
        new.wcs.crpix, new.wcs.cd = [y, x], cd[:, ::-1]
    else:
        new.wcs.crpix = [x + 5, y + 2]
    return new


GEOMETRY = {
    "seen": holed(smallest=12),
    "scale": st.floats(0.2, 0.9),
    "angle": st.floats(0.1, 1.4),
    "seed": SEEDS,
}
GRID = (25, 21)


@given(**GEOMETRY, factor=FACTORS, constant=CONSTANTS)
def test_reprojection_is_linear_and_keeps_a_constant(seen, scale, angle, seed, factor, constant):
    image = np.where(seen, np.random.default_rng(seed).normal(size=seen.shape), np.nan)
    places = tangent(seen.shape, scale, angle), tangent(GRID, 0.75, 0.0), GRID
    out = reproject_onto(image, *places)
    changed = reproject_onto(factor * image + constant, *places)
    assert_allclose(changed, factor * out + constant, atol=1e-12 * (factor + abs(constant)))
    assert_allclose(reproject_onto(0 * image + constant, *places)[np.isfinite(out)], constant, rtol=1e-12)


@given(**GEOMETRY)
def test_reprojection_does_not_see_how_the_arrays_lie(seen, scale, angle, seed):
    # As in the package, a hole beside a border pixel takes it away on one side of the array only.
    seen[:2] = seen[-2:] = seen[:, :2] = seen[:, -2:] = True
    image = np.where(seen, np.random.default_rng(seed).normal(size=seen.shape), np.nan)
    # Where a pixel falls on another, round-off says on which side of a hole it is.
    wcs, grid = tangent(seen.shape, scale, angle, middle=(0.137, 0.261)), tangent(GRID, 0.75, 0.0)
    out = reproject_onto(image, wcs, grid, GRID)
    for change in (np.flipud, np.fliplr, np.transpose):
        array = np.ascontiguousarray(change(image))
        assert_allclose(reproject_onto(array, changed_frame(wcs, seen.shape, change), grid, GRID), out, atol=5e-4)
        turned = reproject_onto(image, wcs, changed_frame(grid, GRID, change), change(out).shape)
        assert_allclose(turned, change(out), atol=5e-4)
    larger = reproject_onto(image, wcs, changed_frame(grid, GRID, "padded"), (GRID[0] + 2, GRID[1] + 5))
    assert_allclose(larger[2:, 5:], out, atol=5e-4)


# --- binning and the line -------------------------------------------------------------------------------------------


VALUES = st.floats(-10, 10, allow_subnormal=False)
POINTS = st.integers(0, 60).flatmap(
    lambda n: st.tuples(*[arrays.arrays(float, n, elements=VALUES)] * 2)
)  # many of them equal, as hypothesis likes


@given(points=POINTS, low=VALUES, width=st.floats(0.05, 10), n=st.integers(1, 30), seed=SEEDS)
def test_bins_count_every_pixel_once_and_know_no_order(points, low, width, n, seed):
    x, y = points
    edges = equal_edges(low, low + width, n)
    bins = bin_medians(x, y, edges)
    assert bins.count.sum() == np.count_nonzero((x >= edges[0]) & (x < edges[-1]))
    for i in range(n):
        members = y[(x >= edges[i]) & (x < edges[i + 1])]
        assert bins.count[i] == members.size
        expected = np.percentile(members, (50, 16, 84)) if members.size else [np.nan] * 3
        assert_allclose([bins.median[i], bins.p16[i], bins.p84[i]], expected)
    order = np.random.default_rng(seed).permutation(x.size)
    again = bin_medians(x[order], y[order], edges)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(bins, again, strict=True))


HOLES = st.one_of(VALUES, st.just(np.nan), st.sampled_from([np.inf, -np.inf]))
BIN_VALUES = st.integers(0, 20).flatmap(lambda n: arrays.arrays(float, n, elements=HOLES))


@given(medians=BIN_VALUES, clip=st.sampled_from(["std", "mad"]), seed=SEEDS)
def test_a_line_is_that_of_at_least_two_bins_or_an_error(medians, clip, seed):
    x = 0.25 + 0.1 * np.arange(medians.size)
    weights = np.random.default_rng(seed).integers(1, 1000, medians.size)
    data = np.isfinite(medians)
    if data.sum() < 2:
        with pytest.raises(AnchoringError, match="a line needs at least 2"):
            fit_line(x, medians, weights=weights, clip=clip)
        return
    line = fit_line(x, medians, weights=weights, clip=clip)
    assert line.used.sum() >= 2
    assert not (line.used & ~data).any()
    assert np.isfinite([line.slope, line.intercept, line.rms]).all()
    expected = np.polyfit(x[line.used], medians[line.used], 1, w=np.sqrt(weights[line.used]))
    size = np.abs(medians[line.used]).max()
    assert_allclose([line.slope, line.intercept], expected, rtol=1e-6, atol=1e-9 * size)


@given(medians=BIN_VALUES, factor=FACTORS, constant=CONSTANTS, slope=CONSTANTS)
def test_a_line_moves_with_its_points(medians, factor, constant, slope):
    x = 0.25 + 0.1 * np.arange(medians.size)
    assume(np.isfinite(medians).sum() > 1)
    line = fit_line(x, medians, passes=1)
    moved = fit_line(x, factor * medians + constant + slope * x, passes=1)
    tolerance = 1e-9 * (1 + factor + abs(constant) + abs(slope)) * 10
    assert_allclose(moved.slope, factor * line.slope + slope, atol=tolerance)
    assert_allclose(moved.intercept, factor * line.intercept + constant, atol=tolerance)
    assert_allclose(moved.rms, factor * line.rms, atol=tolerance)


# --- the fit of a pair ----------------------------------------------------------------------------------------------


@st.composite
def pairs(draw):
    """A disk and its image with noise and holes on one grid."""
    rng = np.random.default_rng(draw(SEEDS))
    shape = draw(st.tuples(st.integers(30, 70), st.integers(30, 70)))
    v, u = np.indices(shape)
    x = 3 * np.exp(-np.hypot(v - shape[0] / 2, u - shape[1] / 3) / draw(st.floats(8, 30)))
    y = draw(st.floats(0.3, 2)) * x + draw(st.floats(-1, 1)) + draw(st.floats(0.001, 0.05)) * rng.normal(size=shape)
    x = x + 0.01 * rng.normal(size=shape)
    x[rng.random(shape) < draw(st.sampled_from([0, 0.02]))] = np.nan
    y[: draw(st.integers(0, 8)), 5:12] = np.nan
    return x, y


def numbers(fit):
    """What the tables hold of a fit: line, errors and scatter."""
    return np.array([fit.slope, fit.intercept, fit.rms, *fit.statistical.ravel(), *fit.systematic.ravel()])


def equal(found, expected, rtol=1e-6, atol=1e-10):
    assert_allclose(numbers(found), expected if isinstance(expected, np.ndarray) else numbers(expected), rtol, atol)


@given(pair=pairs(), settings=SETTINGS, constant=CONSTANTS)
def test_an_added_constant_moves_every_intercept_by_it(pair, settings, constant):
    x, y = pair
    here, there = fitted(x, y, settings=settings)[1], fitted(x, y + constant, settings=settings)[1]
    assert_allclose(there.intercept - here.intercept, constant, atol=1e-8)
    equal(there._replace(intercept=here.intercept), here)
    assert there.flags == here.flags
    assert np.array_equal(there.used, here.used)


@given(pair=pairs(), settings=SETTINGS, factor=FACTORS)
def test_scaling_both_images_scales_the_line(pair, settings, factor):
    x, y = pair
    measured, here = fitted(x, y, settings=settings)
    samples, edges = measured.samples, factor * measured.edges
    both = np.isfinite(x) & np.isfinite(y)
    scaled = replace(
        measured,
        samples=samples._replace(x=factor * samples.x, y=factor * samples.y),
        bins=bin_medians(factor * x[both], factor * y[both], edges),
        limits=(0.25 * factor, 2.0 * factor),
        edges=edges,
        noise=Noise(0.001 * factor, "config"),
    )
    there = fit_pair(scaled, settings)
    powers = np.array([0, 1, 1, 0, 1, 1, 2, 0, 1, 1, 2])
    assert_allclose(numbers(there) / factor**powers, numbers(here), rtol=1e-6, atol=1e-9)


@given(pair=pairs(), settings=SETTINGS, seed=SEEDS)
def test_the_order_of_pixels_does_not_matter(pair, settings, seed):
    x, y = pair
    measured, here = fitted(x, y, settings=settings)
    samples = measured.samples
    order = np.random.default_rng(seed).permutation(samples.x.size)
    shuffled = Samples(*(values[order] for values in samples[:5]), *samples[5:])
    both = np.flatnonzero((np.isfinite(x) & np.isfinite(y)).ravel())
    both = np.random.default_rng(seed).permutation(both)
    bins = bin_medians(x.ravel()[both], y.ravel()[both], measured.edges)
    equal(fit_pair(replace(measured, samples=shuffled, bins=bins), settings), here)


@given(pair=pairs(), settings=SETTINGS, margins=st.tuples(*[st.integers(0, 9)] * 4))
def test_padding_with_nan_changes_nothing(pair, settings, margins):
    here = fitted(*pair, settings=settings)[1]
    wider = [np.pad(image, (margins[:2], margins[2:]), constant_values=np.nan) for image in pair]
    there = fitted(*wider, settings=settings)[1]
    equal(there, here)
    assert there.flags == here.flags
    region = np.ones(pair[0].shape, dtype=bool)
    noise = sky_noise(pair[0], region, beam=1.5)
    assert_allclose(sky_noise(wider[0], np.ones(wider[0].shape, dtype=bool), beam=1.5), noise)


@given(pair=pairs(), settings=SETTINGS)
def test_turning_both_images_changes_no_line(pair, settings):
    here = fitted(*pair, settings=settings)[1]
    for change in (np.rot90, np.flipud, np.fliplr, np.transpose):
        there = fitted(*map(change, pair), settings=settings)[1]
        assert_allclose([there.slope, there.intercept, there.rms], [here.slope, here.intercept, here.rms], rtol=1e-6)
        assert np.array_equal(there.used, here.used)


@st.composite
def any_samples(draw):
    """Samples of anything: few or many, on a line or not, constant, or far apart in size."""
    n = draw(st.integers(0, 120))
    rng = np.random.default_rng(draw(SEEDS))
    x, y = rng.normal(1, draw(st.sampled_from([0, 1e-9, 0.3, 1e6])), (2, n))
    if draw(st.booleans()):
        y = draw(st.sampled_from([-1.0, 0.0, 1e-9, 1.3])) * x + draw(st.sampled_from([0, 1e-12, 0.1])) * y
    row, column = rng.integers(0, draw(st.integers(1, 40)), (2, n))
    return Samples(x, y, row, column, rng.choice([0.5, 1.0], n), 1, draw(st.floats(0, 8)))


# An image of one value everywhere, on a square and in a row.
LEVEL = Samples(np.linspace(0.3, 1.9, 400), np.zeros(400), *np.indices((20, 20)).reshape(2, -1), np.ones(400), 1, 0.0)


@given(samples=any_samples(), settings=SETTINGS, sigma_x=st.sampled_from([0.0, 1e-9, 0.01, 1.0, np.nan]))
@example(samples=LEVEL, settings=Settings(), sigma_x=0.0)
@example(samples=LEVEL._replace(row=np.zeros(400, int), column=np.arange(400)), settings=Settings(), sigma_x=0.01)
def test_any_samples_give_a_justified_line_or_an_error(samples, settings, sigma_x):
    limits = (0.25, 2.0)
    edges = fixed_width_edges(*limits)
    bins = bin_medians(samples.x, samples.y, edges)
    known = {"limits": limits, "edges": edges, "span": (0.0, 0.0), "noise": Noise(sigma_x, "config")}
    try:
        found = fit_pair(Measurement(density=None, samples=samples, bins=bins, **known), settings)
    except AnchoringError:
        return
    assert np.isfinite([found.slope, found.intercept, found.rms, found.n_independent]).all()
    assert found.used.sum() >= 2
    assert not (found.used & (bins.count == 0)).any() or settings.estimator == "errors_in_variables"
    for covariance in (found.statistical, found.systematic):
        variances = np.diag(covariance)
        assert ((variances >= 0) | np.isnan(variances)).all()


ALIKE = Samples(np.ones(30), np.ones(30), *np.zeros((2, 30), dtype=int), np.ones(30), 1, 0.0)


@given(samples=any_samples(), sigma_x=st.sampled_from([0.0, 0.01, 1.0]))
@example(samples=ALIKE, sigma_x=0.0)
@example(samples=ALIKE._replace(x=1 + 1e-16 * np.arange(30)), sigma_x=0.0)
@example(samples=ALIKE._replace(x=1 + 1e-9 * np.arange(30), y=1 + 1e-9 * np.arange(30)), sigma_x=0.0)
def test_errors_in_variables_alone_does_too(samples, sigma_x):
    try:
        found = errors_in_variables(samples.x, samples.y, limits=(0.25, 2.0), sigma_x=sigma_x)
    except AnchoringError:
        return
    assert np.isfinite([found.slope, found.intercept, found.scatter]).all()
    assert found.slope > 0
    assert np.unique(samples.x[found.used]).size >= 2
    assert_allclose(found.weight.sum(), 1)


# --- offsets and their errors ---------------------------------------------------------------------------------------


FITS = st.lists(st.tuples(VALUES, st.floats(1e-4, 1), st.floats(0, 1)), min_size=1, max_size=5)


def external(answers, constant=0.0, factor=1.0):
    """Record of an image fitted on some references."""
    fits = [
        make_fit(
            f"r{i}", intercept=factor * b + constant, intercept_err=factor * error, intercept_sys=factor * systematic
        )
        for i, (b, error, systematic) in enumerate(answers)
    ]
    return offsets.solve_external(make_image(*fits))


@given(answers=FITS, constant=CONSTANTS)
@example(answers=[(0.0, 1e-4, 0.0), (10.0, 1e-4, 0.0)], constant=1.0)
def test_an_offset_takes_a_constant_away_whatever_references_say(answers, constant):
    here, there = external(answers), external(answers, constant)
    assert_allclose(there.offset, here.offset - constant, atol=1e-12)
    assert here.offset_sys >= answers[0][2]
    for name in ("offset_err", "offset_sys"):
        assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-6, atol=1e-9)


@given(answers=FITS, factor=FACTORS)
def test_offsets_and_errors_scale(answers, factor):
    here, there = external(answers), external(answers, factor=factor)
    for name in ("offset", "offset_err", "offset_sys"):
        assert_allclose(getattr(there, name), factor * getattr(here, name), rtol=1e-6, atol=1e-9 * factor)


UNKNOWN = st.sampled_from([np.nan, np.inf])
PARTLY_KNOWN = st.lists(
    st.tuples(
        VALUES, st.one_of(st.floats(1e-4, 1), UNKNOWN), st.one_of(st.floats(0, 1), UNKNOWN), st.integers(0, 10**6)
    ),
    min_size=2,
    max_size=5,
    unique_by=lambda answer: answer[3],
)


@given(answers=PARTLY_KNOWN, seed=SEEDS)
@example(answers=[(0.0, 0.01, 0.0, 0), (0.5, np.nan, 0.0, 1), (1.0, 0.01, 0.0, 2)], seed=3)
@example(answers=[(0.0, 0.01, 0.0, 0), (0.5, 0.01, 0.0, 1), (-0.5, 0.01, 0.0, 2)], seed=1)
def test_what_references_say_of_each_other_does_not_depend_on_their_order(answers, seed):
    def of_each(chosen):
        found = external([answer[:3] for answer in chosen]).fits
        return {
            answer[3]: repr((fit.tension, fit.flags, fit.offset_sys)) for answer, fit in zip(chosen, found, strict=True)
        }

    order = np.random.default_rng(seed).permutation(len(answers))
    assert of_each([answers[i] for i in order]) == of_each(answers)


# --- threads --------------------------------------------------------------------------------------------------------


THREADED = """
import sys
sys.path[:0] = {path!r}
import hashlib, numpy as np
from anchoring.images.convolution import convolve_image, resample_kernel
from anchoring.fitting.settings import Settings
from array_pairs import fitted
y, x = np.indices((601, 601)) - 300
kernel = resample_kernel(np.exp(-np.hypot(x, 0.7 * y) / 40), 0.1, 0.093)
rng = np.random.default_rng(5)
image = rng.normal(size=(700, 650)).astype(np.float32)
image[50:90, 300:400] = np.nan
out, error = convolve_image(image, kernel, np.abs(image), threads=int(sys.argv[1]))
x = 1 + 0.5 * rng.normal(size=(300, 310))
y = 1.3 * x + 0.1 * rng.normal(size=x.shape)
found = [fitted(x, y, settings=Settings(name))[1] for name in ("binned", "errors_in_variables")]
parts = [kernel, out, error] + [np.ravel(part).astype(float) for f in found for part in f[:6]]
print(hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest())
"""


def test_no_number_depends_on_the_number_of_threads():
    found = set()
    for threads in ("1", "3"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        command = [sys.executable, "-c", THREADED.format(path=sys.path), threads]
        environment = {**os.environ, **dict.fromkeys(names, threads)}
        found.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)
    assert len(found) == 1
