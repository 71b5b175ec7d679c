"""Reprojection equals the reproject package's and computes the overlap only; the map of pixels is exact enough."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS, Sip
from numpy.testing import assert_allclose
from reproject import reproject_adaptive, reproject_exact, reproject_interp

from anchoring.errors import AnchoringError
from anchoring.images.pixelmap import TOLERANCE, PixelMap, exact_map, overlap_window
from anchoring.images.reprojection import reproject_onto


def make_wcs(shape, scale, *, angle=0.0, centre=(150.1, 2.2), frame=("RA---TAN", "DEC--TAN"), flip=False):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = list(frame)
    wcs.wcs.crval = centre
    wcs.wcs.crpix = (shape[1] + 1) / 2, (shape[0] + 1) / 2
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.cd = np.array([[c, -s], [s, c]]) @ np.diag([scale if flip else -scale, scale]) / 3600
    wcs.wcs.set()
    wcs.array_shape = shape
    return wcs


GALACTIC = SkyCoord(150.1, 2.2, unit="deg").galactic
SHAPE, GRID = (120, 140), (60, 70)
CASES = {
    "rotated": (make_wcs(SHAPE, 0.3, angle=33), make_wcs(GRID, 0.75)),
    "partly outside": (make_wcs(SHAPE, 0.3, angle=-120), make_wcs(GRID, 0.75, centre=(150.107, 2.195))),
    "flipped": (make_wcs(SHAPE, 0.3, flip=True), make_wcs(GRID, 0.75)),
    "finer grid": (make_wcs(SHAPE, 1.3), make_wcs((150, 160), 0.4, angle=10)),
    "same grid": (make_wcs(SHAPE, 0.3, angle=33), make_wcs(SHAPE, 0.3, angle=33)),
    "shifted by whole pixels": (make_wcs((124, 142), 0.3, angle=33), make_wcs(SHAPE, 0.3, angle=33)),
    "across 0h": (make_wcs(SHAPE, 0.3, centre=(0.001, -60)), make_wcs(GRID, 0.75, centre=(359.999, -60))),
    "at the pole": (make_wcs(SHAPE, 0.3, centre=(10.0, 89.999)), make_wcs(GRID, 0.75, centre=(200.0, 89.999))),
    "Galactic": (
        make_wcs(SHAPE, 0.3),
        make_wcs(GRID, 0.75, centre=(GALACTIC.l.deg, GALACTIC.b.deg), frame=("GLON-TAN", "GLAT-TAN")),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_interp_equals_the_package(rng, case):
    wcs, grid = CASES[case]
    shape = grid.array_shape
    data = rng.normal(size=SHAPE)
    # Holes: large enough to have an inside, at a corner, of one pixel.
    data[20:30, 40:60] = data[:9, :30] = data[70, 80] = np.nan
    expected, _ = reproject_interp((data, wcs), grid, shape_out=shape)
    out = reproject_onto(data, wcs, grid, shape)
    assert np.isfinite(out).sum() > 500
    # White noise is the steepest image there is: 1e-4 pixels are 1e-4 of its pixel-to-pixel differences.
    assert_allclose(out, expected, atol=8 * TOLERANCE, equal_nan=True)


def test_distortions_are_followed(rng):
    wcs, grid = CASES["rotated"]
    bent = wcs.deepcopy()
    bent.wcs.ctype = "RA---TAN-SIP", "DEC--TAN-SIP"
    quadratic = np.zeros((3, 3))
    quadratic[2, 0] = 1e-4
    bent.sip = Sip(quadratic, quadratic, None, None, bent.wcs.crpix)
    data = rng.normal(size=SHAPE)
    expected, _ = reproject_interp((data, bent), grid, shape_out=GRID)
    out = reproject_onto(data, bent, grid, GRID)
    assert np.isfinite(out).sum() > 500
    assert_allclose(out, expected, atol=8 * TOLERANCE, equal_nan=True)


@pytest.mark.parametrize(("method", "function"), [("adaptive", reproject_adaptive), ("exact", reproject_exact)])
def test_other_methods_equal_the_package_on_the_full_grid(rng, method, function):
    wcs, grid = CASES["partly outside"]
    data = rng.normal(size=SHAPE)
    expected, footprint = function((data, wcs), grid, shape_out=GRID)
    expected[footprint == 0] = np.nan
    assert_allclose(reproject_onto(data, wcs, grid, GRID, method=method), expected, rtol=1e-6, equal_nan=True)


def test_no_overlap_is_refused_in_words():
    wcs = make_wcs(SHAPE, 0.3)
    with pytest.raises(AnchoringError, match="no overlap"):
        reproject_onto(np.ones(SHAPE), wcs, make_wcs(GRID, 0.75, centre=(150.3, 2.2)), GRID)


@pytest.mark.parametrize("declination", [-70.0, -80.0, -89.0])
def test_a_field_on_the_other_side_of_the_sky_has_no_overlap(declination):
    """Where a tangent plane has no place for it, or a far one that it takes great steps in."""
    wcs = make_wcs(SHAPE, 0.75, centre=(24.0, declination))
    with pytest.raises(AnchoringError, match="no overlap"):
        reproject_onto(np.ones(SHAPE), wcs, make_wcs(GRID, 0.75, centre=(24.0, 15.0)), GRID)


def test_float32_stays_float32():
    wcs, grid = CASES["rotated"]
    assert reproject_onto(np.ones(SHAPE, ">f4"), wcs, grid, GRID).dtype == np.float32


def sky_map(projection, shape=(200, 720), scale=1800, crpix=None):
    """A map of much of the sky."""
    wcs = make_wcs(shape, scale, centre=(0.0, 0.0), frame=(f"RA---{projection}", f"DEC--{projection}"))
    if crpix:
        wcs.wcs.crpix = crpix
    wcs.wcs.set()
    return wcs


ZENITHAL = make_wcs((400, 400), 3600, centre=(0.0, 90.0), frame=("RA---ARC", "DEC--ARC"))
TORN = {
    "pole on a plate carree": (make_wcs((60, 70), 180, centre=(30.0, 90.0)), sky_map("CAR", crpix=(360.5, 20))),
    "pole near the edge": (make_wcs((60, 70), 180, centre=(30.0, 88.55)), sky_map("CAR", crpix=(360.5, 20))),
    "pole of an ellipse": (make_wcs((60, 70), 360, centre=(40.0, 88.0)), sky_map("AIT", (220, 400), 3600)),
    "seam under large pixels": (make_wcs((20, 20), 18000, centre=(180.0, 20.0)), sky_map("CAR")),
    "seam of an ellipse": (make_wcs((60, 70), 360, centre=(181.0, 30.0)), sky_map("MOL", (220, 400), 3600)),
    "point opposite the centre": (make_wcs((60, 70), 720, centre=(0.0, -90.0)), ZENITHAL),
}


@pytest.mark.parametrize("case", TORN)
def test_no_pixel_is_lost_where_the_map_of_the_reference_is_torn_in_the_image(rng, case):
    wcs, grid = TORN[case]
    data = rng.normal(size=wcs.array_shape)
    # On the complete grid; the pole's own row has no one place to come back to.
    expected, _ = reproject_interp((data, wcs), grid, shape_out=grid.array_shape, roundtrip_coords=False)
    assert np.isfinite(expected).sum() > 20
    assert_allclose(reproject_onto(data, wcs, grid, grid.array_shape), expected, atol=8 * TOLERANCE, equal_nan=True)


def test_overlap_window_holds_every_pixel_with_data():
    wcs, grid = CASES["partly outside"]
    _, footprint = reproject_interp((np.ones(SHAPE), wcs), grid, shape_out=GRID)
    window = overlap_window(wcs, SHAPE, grid, GRID)
    footprint[window] = 0
    assert footprint.sum() == 0
    assert (window[0].stop - window[0].start) * (window[1].stop - window[1].start) < 0.8 * GRID[0] * GRID[1]


@pytest.mark.parametrize("case", ["rotated", "at the pole", "Galactic"])
def test_interpolated_map_is_within_its_tolerance_everywhere(case):
    wcs, grid = CASES[case]
    window = (slice(3, 60), slice(0, 66))
    positions = PixelMap(grid, wcs, window)
    y, x = np.mgrid[window].astype(float)
    expected = exact_map(grid, wcs, x, y)
    got = positions.at_block(slice(0, 57), slice(0, None))
    assert np.hypot(got[0] - expected[0], got[1] - expected[1]).max() < TOLERANCE


def test_strongly_curved_map_gets_finer_nodes():
    wide = make_wcs((400, 400), 600, centre=(0, 60))
    other = make_wcs((400, 400), 600, centre=(60, 60))
    positions = PixelMap(wide, other, (slice(100, 300), slice(100, 300)))
    assert positions.step < 64
    y, x = np.mgrid[100:300, 100:300].astype(float)
    expected = exact_map(wide, other, x, y)
    got = positions.at_block(slice(0, 200), slice(0, 200))
    assert np.hypot(got[0] - expected[0], got[1] - expected[1]).max() < TOLERANCE
