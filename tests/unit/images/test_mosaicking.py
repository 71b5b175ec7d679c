"""Mosaics of tiles."""

import numpy as np
import pytest
from astropy.wcs import WCS

from anchoring.errors import AnchoringError
from anchoring.images.mosaicking import coadd, coadd_errors, require_overlap
from simulation.fields import convolved


def tile(first, angle):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [24.0, 15.0], [-2 / 3600, 2 / 3600]
    wcs.wcs.crpix = [100.5 - first, 100.5]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.pc = [[cos, -sin], [sin, cos]]
    return wcs


def test_levels_are_matched_and_brightness_is_kept(rng):
    whole = convolved(rng.normal(size=(240, 240)), 6.0)
    whole = whole[20:-20, 20:-20] * 3 / whole.std()
    east = (whole[:, :120] + 5.0).astype(np.float32), tile(0, 0)
    west = (whole[:, 80:] - 2.0).astype(np.float32), tile(80, 0)
    west[0][50, 60] = np.nan
    out = coadd([east, west], tile(0, 0), (200, 200))
    difference = out - whole
    # One constant is left, which is free.
    assert np.nanstd(difference[:, 5:-5]) < 0.02
    assert np.isnan(out[50, 140])
    assert np.isfinite(out[50, 100])


def test_a_turned_tile_is_brought_to_the_grid(rng):
    y, x = np.indices((200, 200))

    def star(wcs):
        x0, y0 = wcs.world_to_pixel_values(24.005, 15.01)
        return np.exp(-4 * np.log(2) * ((x - x0) ** 2 + (y - y0) ** 2) / 3.0**2)

    out = coadd([(star(tile(0, 20)), tile(0, 20))], tile(0, 0), (200, 200))
    expected = star(tile(0, 0))
    assert abs(np.nansum(out) / expected.sum() - 1) < 1e-3
    assert abs(np.nanmax(out) / expected.max() - 1) < 0.05


def test_rows_at_a_time_make_no_difference(rng, monkeypatch):
    images = [(rng.normal(size=(200, 120)), tile(0, 15)), (rng.normal(size=(200, 120)), tile(80, 0))]
    images[0][0][60:70, 40:50] = np.nan
    one = coadd(images, tile(0, 0), (200, 200))
    monkeypatch.setattr("anchoring.images.mosaicking.ROWS", 23)
    assert np.allclose(coadd(images, tile(0, 0), (200, 200)), one, atol=1e-5, equal_nan=True)


def test_errors_are_those_of_means():
    errors = [(np.full((200, 120), 0.3, np.float32), tile(0, 0)), (np.full((200, 120), 0.4, np.float32), tile(80, 0))]
    out = coadd_errors(errors, tile(0, 0), (200, 200))
    assert np.allclose(out[5:-5, 5:75], 0.3, atol=1e-5)
    assert np.allclose(out[5:-5, 85:115], 0.25, atol=1e-5)  # sqrt(0.09 + 0.16) / 2
    assert np.allclose(out[5:-5, 125:-5], 0.4, atol=1e-5)


def test_images_that_do_not_overlap_are_named():
    images = [(np.ones((200, width), np.float32), tile(first, 0)) for first, width in ((0, 60), (50, 60), (130, 70))]
    require_overlap(images[:2], tile(0, 0), (200, 200), ["a", "b"])
    with pytest.raises(AnchoringError, match=r"^c does not overlap a, b around"):
        require_overlap(images, tile(0, 0), (200, 200), ["a", "b", "c"])
