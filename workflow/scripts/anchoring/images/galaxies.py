"""Galactocentric radius of pixels."""

import numpy as np


def deprojected_radius(wcs, shape, *, ra, dec, posang, inclination):
    """Galactocentric radius of every pixel in the plane of an inclined disk.

    dx (east) and dy (north) are offsets from the centre on its tangent plane, u is the coordinate along the major axis
    and v that along the minor axis divided by cos(inclination). The radius is hypot(u, v).

    Parameters
    ----------
    wcs : astropy.wcs.WCS
        Celestial, of any frame.
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
    """An ICRS position and position angle (degrees) in the frame of a WCS: longitude, latitude and angle, radians."""
    from astropy import units
    from astropy.coordinates import ICRS, SkyCoord
    from astropy.wcs.utils import wcs_to_celestial_frame

    frame = wcs_to_celestial_frame(wcs)
    if isinstance(frame, ICRS):
        return np.radians(ra), np.radians(dec), np.radians(posang)
    centre = SkyCoord(ra, dec, unit="deg")
    along = centre.directional_offset_by(posang * units.deg, 1 * units.arcsec).transform_to(frame)
    centre = centre.transform_to(frame)
    position = centre.spherical
    return position.lon.radian, position.lat.radian, centre.position_angle(along).radian


def pixel_of(wcs, ra, dec):
    """Pixel (x, y), from 0, of an ICRS position, degrees, in an image of any frame."""
    return tuple(float(v) for v in wcs.all_world2pix(*np.degrees(in_frame_of(wcs, ra, dec, 0.0)[:2]), 0))


def tangent_plane_offsets(lon, lat, lon_0, lat_0):
    """Gnomonic offsets (east, north), radians, from a centre; NaN 90 degrees from it and beyond.

    Standard coordinates (Smart, Textbook on Spherical Astronomy, section 160); continuous across 0h.
    """
    d_lon = lon - lon_0
    cosine = np.sin(lat_0) * np.sin(lat) + np.cos(lat_0) * np.cos(lat) * np.cos(d_lon)
    cosine = np.where(cosine > 0, cosine, np.nan)
    east = np.cos(lat) * np.sin(d_lon) / cosine
    north = (np.cos(lat_0) * np.sin(lat) - np.sin(lat_0) * np.cos(lat) * np.cos(d_lon)) / cosine
    return east, north
