"""Where in a galaxy a pixel is."""

import numpy as np


def deprojected_radius(wcs, shape, *, ra, dec, posang, inclination):
    """Galactocentric radius of every pixel in the plane of an inclined disk.

    With dx (east) and dy (north) the offsets from the centre on the tangent plane there, u runs along the major axis
    and v across it, stretched by 1 / cos(inclination); the radius is hypot(u, v).

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Celestial, in any frame.
    shape : (ny, nx)
    ra, dec : float
        Centre, degrees (ICRS).
    posang : float
        Position angle of the major axis, degrees east of north.
    inclination : float
        degrees, 0 for face-on.

    Returns
    -------
    (ny, nx) array, arcsec; infinite on the far side of the sky.
    """
    y, x = np.indices(shape)
    lon, lat = (np.radians(v) for v in wcs.all_pix2world(x, y, 0))
    lon_0, lat_0, angle = in_frame_of(wcs, ra, dec, posang)
    dx, dy = tangent_plane_offsets(lon, lat, lon_0, lat_0)
    u = dx * np.sin(angle) + dy * np.cos(angle)
    v = (dx * np.cos(angle) - dy * np.sin(angle)) / np.cos(np.radians(inclination))
    return np.nan_to_num(np.degrees(np.hypot(u, v)) * 3600, nan=np.inf)


def in_frame_of(wcs, ra, dec, posang):
    """An ICRS place and position angle (degrees) in the frame of a WCS: longitude, latitude and angle, radians."""
    from astropy import units
    from astropy.coordinates import ICRS, SkyCoord
    from astropy.wcs.utils import wcs_to_celestial_frame

    frame = wcs_to_celestial_frame(wcs)
    if isinstance(frame, ICRS):
        return np.radians(ra), np.radians(dec), np.radians(posang)
    centre = SkyCoord(ra, dec, unit="deg")
    along = centre.directional_offset_by(posang * units.deg, 1 * units.arcsec).transform_to(frame)
    centre = centre.transform_to(frame)
    place = centre.spherical
    return place.lon.radian, place.lat.radian, centre.position_angle(along).radian


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
