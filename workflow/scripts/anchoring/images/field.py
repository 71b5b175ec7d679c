"""The field of a target: where its mosaics are, and the part of a larger image around them."""

from typing import NamedTuple

import numpy as np

from ..errors import AnchoringError
from . import headers

SAMPLES = 33  # along a side of the field, to find it in another image


class Field(NamedTuple):
    """Centre, degrees (ICRS); radius of the mosaics and half a side of the square that is kept, arcsec."""

    ra: float
    dec: float
    radius: float
    half: float

    @property
    def centre(self):
        from astropy.coordinates import SkyCoord

        return SkyCoord(self.ra, self.dec, unit="deg")


def field_of(grids, margin):
    """The Field of some mosaics and a margin around them, arcsec.

    Parameters
    ----------
    grids : list of (fits.Header, (ny, nx))
    margin : float
    """
    from astropy.coordinates import SkyCoord

    corners = []
    for header, (ny, nx) in grids:
        x, y = np.array([-0.5, -0.5, nx - 0.5, nx - 0.5]), np.array([-0.5, ny - 0.5, -0.5, ny - 0.5])
        place = headers.celestial_wcs(header).pixel_to_world(x, y).icrs
        corners.append((place.ra.deg, place.dec.deg))
    corners = SkyCoord(*np.concatenate(corners, axis=1), unit="deg")
    middle = SkyCoord(corners.cartesian.mean(), representation_type="cartesian")
    centre = SkyCoord(middle.spherical.lon, middle.spherical.lat)
    radius = float(centre.separation(corners).arcsec.max())
    return Field(float(centre.ra.deg), float(centre.dec.deg), radius, radius + margin)


def window_of(field, wcs, shape):
    """Rows and columns of an image (ny, nx) that a Field covers; None if it covers none."""
    from astropy import units as u
    from astropy.wcs import NoConvergence

    steps = np.linspace(-field.half, field.half, SAMPLES) * u.arcsec
    east, north = np.meshgrid(steps, steps)
    try:
        x, y = wcs.world_to_pixel(field.centre.spherical_offsets_by(east, north))
    except NoConvergence:  # of distortions, far outside of the image
        return None
    window = []
    for values, n in ((y, shape[0]), (x, shape[1])):
        if not np.isfinite(values).any():
            return None
        low, high = np.nanmin(values), np.nanmax(values)
        window.append(slice(max(int(np.floor(low)), 0), min(int(np.ceil(high)) + 1, n)))
    return tuple(window) if all(s.stop - s.start > 1 for s in window) else None


def grid_of(field, scale):
    """A new grid of north up for a Field: the WCS (TAN, ICRS) and shape (ny, nx) with pixels of a scale, arcsec."""
    from astropy.wcs import WCS

    side = max(round(2 * field.half / scale), 2)
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval, wcs.wcs.radesys = ["RA---TAN", "DEC--TAN"], [field.ra, field.dec], "ICRS"
    wcs.wcs.cdelt, wcs.wcs.crpix = [-scale / 3600, scale / 3600], [(side + 1) / 2] * 2
    return wcs, (side, side)


def require_window(field, wcs, shape, path):
    """As `window_of`; AnchoringError if there is none."""
    window = window_of(field, wcs, shape)
    if window is None:
        raise AnchoringError(
            f"{path} does not cover the mosaics around RA {field.ra:.4f}, Dec {field.dec:+.4f}; expected an image of "
            "that part of the sky: correct 'from' in 'references'"
        )
    return window
