"""Deprojected radii of places that are known."""

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from numpy.testing import assert_allclose

from anchoring.images.galaxies import deprojected_radius

FRAMES = {"icrs": ("RA---TAN", "DEC--TAN"), "fk4": ("RA---TAN", "DEC--TAN"), "galactic": ("GLON-TAN", "GLAT-TAN")}


def one_pixel_at(place, frame="icrs"):
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = FRAMES[frame]
    if frame == "fk4":
        wcs.wcs.radesys, wcs.wcs.equinox = "FK4", 1950
    place = place.transform_to(frame).spherical
    wcs.wcs.crval = place.lon.deg, place.lat.deg
    wcs.wcs.crpix = 1, 1
    wcs.wcs.cdelt = -1 / 3600, 1 / 3600
    return wcs


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("centre", [(24.17, 15.78), (0.0005, -40.0), (359.9999, 75.0)])
@pytest.mark.parametrize(("angle", "stretch"), [(0, 1.0), (90, 2.0), (45, np.hypot(0.5**0.5, 2 * 0.5**0.5))])
def test_radius_along_and_across_the_major_axis(centre, angle, stretch, frame):
    galaxy = SkyCoord(*centre, unit="deg")
    place = galaxy.directional_offset_by((30 + angle) * u.deg, 60 * u.arcsec)
    wcs = one_pixel_at(place, frame)
    radius = deprojected_radius(wcs, (1, 1), ra=centre[0], dec=centre[1], posang=30.0, inclination=60.0)
    assert_allclose(radius, 60 * stretch, rtol=1e-6 if frame != "fk4" else 1e-3)  # FK4 has the aberration in it


def test_far_side_of_the_sky_is_infinitely_far():
    wcs = one_pixel_at(SkyCoord(200.0, 10.0, unit="deg"))
    assert np.isinf(deprojected_radius(wcs, (1, 1), ra=20.0, dec=-10.0, posang=0.0, inclination=0.0)).all()
