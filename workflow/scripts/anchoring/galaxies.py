"""Where in a galaxy a pixel is."""

import numpy as np


def deprojected_radius(wcs, shape, *, ra, dec, posang, inclination):
    """Galactocentric radius of every pixel in the plane of an inclined disk.

    With dx (east) and dy (north) the offsets from the centre on the tangent plane there, u runs along the major axis
    and v across it, stretched by 1 / cos(inclination); the radius is hypot(u, v).

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Celestial, equatorial.
    shape : (ny, nx)
    ra, dec : float
        Centre, degrees.
    posang : float
        Position angle of the major axis, degrees east of north.
    inclination : float
        degrees, 0 for face-on.

    Returns
    -------
    (ny, nx) array, arcsec; infinite on the far side of the sky.
    """
    y, x = np.indices(shape)
    lon, lat = (np.radians(v) for v in wcs.wcs_pix2world(x, y, 0))
    dx, dy = tangent_plane_offsets(lon, lat, np.radians(ra), np.radians(dec))
    angle = np.radians(posang)
    u = dx * np.sin(angle) + dy * np.cos(angle)
    v = (dx * np.cos(angle) - dy * np.sin(angle)) / np.cos(np.radians(inclination))
    return np.nan_to_num(np.degrees(np.hypot(u, v)) * 3600, nan=np.inf)


def tangent_plane_offsets(lon, lat, lon_0, lat_0):
    """Gnomonic offsets (east, north), radians, from a centre; NaN 90 degrees from it and beyond.

    Standard coordinates (Smart, Textbook on Spherical Astronomy, section 160); they have no seam at 0h / 24h.
    """
    d_lon = lon - lon_0
    cosine = np.sin(lat_0) * np.sin(lat) + np.cos(lat_0) * np.cos(lat) * np.cos(d_lon)
    cosine = np.where(cosine > 0, cosine, np.nan)
    east = np.cos(lat) * np.sin(d_lon) / cosine
    north = (np.cos(lat_0) * np.sin(lat) - np.sin(lat_0) * np.cos(lat) * np.cos(d_lon)) / cosine
    return east, north
