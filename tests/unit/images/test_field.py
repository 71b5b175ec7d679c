"""The field of a target in other images."""

import numpy as np
import pytest
from astropy.wcs import WCS

from anchoring.images.field import field_of, grid_of, window_of
from anchoring.images.headers import celestial_wcs


def grid(ra, dec, shape, scale, projection="TAN", angle=0.0, at=None):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = [f"RA---{projection}", f"DEC--{projection}"], [ra, dec]
    wcs.wcs.cdelt = [-scale / 3600, scale / 3600]
    wcs.wcs.crpix = at or [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.pc = [[cos, -sin], [sin, cos]]
    return wcs.to_header()


@pytest.mark.parametrize(("ra", "dec"), [(24.0, 15.0), (0.001, -36.0), (180.0, 89.5)])
def test_the_field_is_about_the_middle_of_the_mosaics(ra, dec):
    field = field_of([(grid(ra, dec, (100, 200), 1.0, angle=30), (100, 200))], 300)
    assert abs((field.ra - ra + 180) % 360 - 180) * np.cos(np.radians(dec)) < 1e-6
    assert field.dec == pytest.approx(dec, abs=1e-5)
    assert field.radius == pytest.approx(np.hypot(100, 50), rel=1e-3)
    assert field.half == field.radius + 300


@pytest.mark.parametrize("ra", [24.0, 359.999])
def test_the_window_holds_the_field_and_no_more(ra):
    field = field_of([(grid(ra, 15.0, (10, 10), 1.0), (10, 10))], 100)
    header = grid(ra, 15.0, (1000, 1200), 2.0, "SIN", at=[900, 300])
    rows, columns = window_of(field, celestial_wcs(header), (1000, 1200))
    side = 2 * field.half / 2.0
    assert abs(rows.stop - rows.start - side) <= 3
    assert abs(columns.stop - columns.start - side) <= 3
    assert abs((rows.start + rows.stop - 1) / 2 - 299) <= 1
    assert abs((columns.start + columns.stop - 1) / 2 - 899) <= 1


def test_an_image_elsewhere_has_no_window():
    field = field_of([(grid(24.0, 15.0, (10, 10), 1.0), (10, 10))], 100)
    for ra in (25.0, 204.0):
        assert window_of(field, celestial_wcs(grid(ra, 15.0, (100, 100), 2.0)), (100, 100)) is None


def test_a_new_grid_covers_the_field():
    field = field_of([(grid(24.0, 15.0, (10, 10), 1.0), (10, 10))], 100)
    wcs, shape = grid_of(field, 2.0)
    x, y = wcs.world_to_pixel(field.centre)
    assert (x, y) == pytest.approx(((shape[1] - 1) / 2, (shape[0] - 1) / 2))
    assert shape[0] == round(field.half)
