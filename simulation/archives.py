"""Archive images of a simulated galaxy, as surveys give them: own units and pixels, tiles, stars, sky, gradients."""

import math
from typing import NamedTuple

import numpy as np
from astropy.io import fits

from simulation.fields import correlated_noise, gaussian_psf, generator
from simulation.instruments import Band
from simulation.skies import Grid, Sources, add_sources
from simulation.trees import wcs_header, write_hdus

AB = 3631.0  # Jy
SR = (math.pi / 180 / 3600) ** 2  # per arcsec^2


class Survey(NamedTuple):
    """Pixels (arcsec), projection, and (Jy of one count, zero point) by band; no counts of images in MJy/sr."""

    scale: float
    projection: str
    counts: dict


# unWISE counts are at a zero point of 22.5 (Vega); AllWISE's Jy per DN are as its supplement lists them.
SURVEYS = {
    "unWISE": Survey(2.75, "TAN", {
        band: (10 ** (-0.4 * (22.5 + d)) * AB, 22.5) for band, d in (("w1", 2.683), ("w2", 3.319), ("w3", 5.242))
    }),
    "AllWISE": Survey(1.375, "SIN", {"w1": (1.9350e-6, 20.5), "w2": (2.7048e-6, 19.5), "w3": (1.8326e-6, 18.0)}),
    "SEIP": Survey(0.6, "TAN", {}),
}  # fmt: skip
# At the resolution of the telescope; noise in MJy/sr over the beam.
NATIVE = {
    "w1": Band("wise", "stars", 3.4, 6.1, 2.75, 0.010, 0.90 / 1.02),
    "w2": Band("wise", "stars", 4.6, 6.4, 2.75, 0.015, 0.90 / 1.72),
    "w3": Band("wise", "dust", 12.0, 6.6, 2.75, 0.080, 1.00 / 1.72),
    "irac1": Band("spitzer", "stars", 3.6, 1.66, 0.6, 0.015, 1.00),
    "irac2": Band("spitzer", "stars", 4.5, 1.72, 0.6, 0.015, 0.90 / 1.34),
    "irac4": Band("spitzer", "dust", 8.0, 1.98, 0.6, 0.04, 1.00),
}
SKY = {"w1": 0.15, "w2": 0.4, "w3": 15.0, "irac1": 0.1, "irac2": 0.25, "irac4": 7.0}  # MJy/sr, zodiacal light
PER_DEGREE = 0.02  # of it, its gradient
NUMBERS = {"w1": 1, "w2": 2, "w3": 3}  # BAND in headers of WISE


def write_archive_images(
    folder, galaxy, centre, band, survey, *, tiles=1, side=1500.0, noise=1.0, sky=1.0, gradient=1.0, stem=None
):
    """Write the images of a field around a galaxy: one, or `tiles` side by side that overlap at the galaxy.

    Parameters
    ----------
    folder : Path
    galaxy : skies.Galaxy
    centre : (RA, Dec)
        Degrees.
    band : str
        Of NATIVE.
    survey : str
        Of SURVEYS.
    side : float
        Of the field, arcsec.
    noise, sky, gradient : float
        Factors; with 0 there is none.

    Returns
    -------
    (paths, MJy/sr of the sky at the galaxy's centre in each, MJy/sr of one unit of the images)
    """
    native, known = NATIVE[band], SURVEYS[survey]
    rng = generator(galaxy.seed, galaxy.name, band, survey, "sky")
    count, zero_point = known.counts.get(band, (1e6 * known.scale**2 * SR, None))
    factor = count / 1e6 / (known.scale**2 * SR)
    direction, levels = rng.uniform(0, 2 * math.pi), SKY[band] * rng.uniform(0.8, 1.2, tiles)
    slope = gradient * PER_DEGREE * SKY[band] / 3600 * rng.uniform(0.5, 1.5)
    stars = field_stars(galaxy, side)
    stem = stem or f"{galaxy.name}_{survey.lower()}_{band}"
    paths, n = [], round(side / known.scale)
    for index in range(tiles):
        # Tiles are strips of a field that is turned by some degrees for each.
        width = n if tiles == 1 else math.ceil(n * 1.2 / tiles)
        first = round((n - width) * index / max(tiles - 1, 1))
        grid = Grid((n, width), known.scale, 3.0 * index, ((n - 1) / 2 - first + 0.3, (n - 1) / 2 - 0.2))
        image = native_image(galaxy, band, native, grid, stars)
        y, x = np.indices(grid.shape)
        east, north = np.tensordot(grid.axes(), [x - grid.centre[0], y - grid.centre[1]], 1)
        image += sky * (levels[index] + slope * (east * math.sin(direction) + north * math.cos(direction)))
        if noise:
            own = generator(galaxy.seed, stem, str(index), "noise")
            image += correlated_noise(own, grid.shape, native.fwhm / known.scale, noise * native.noise)
        header = wcs_header(grid, centre)
        header["CTYPE1"], header["CTYPE2"] = f"RA---{known.projection}", f"DEC--{known.projection}"
        if zero_point is None:
            header["BUNIT"] = "MJy/sr"
        else:
            header["MAGZP"], header["BAND"] = zero_point, NUMBERS[band]
            if survey == "AllWISE":
                header["BUNIT"] = "DN"
        paths.append(folder / (f"{stem}.fits" if tiles == 1 else f"{stem}_{index}.fits"))
        write_hdus(paths[-1], [fits.PrimaryHDU((image / factor).astype(np.float32), header)])
    return paths, sky * levels, factor


def native_image(galaxy, band, native, grid, stars):
    """The galaxy where there is one, and the stars of the field: float64 array, MJy/sr."""
    image = np.zeros(grid.shape)
    reach = galaxy.extent / grid.scale
    rows, columns = (
        slice(max(math.ceil(c - reach), 0), min(math.floor(c + reach), n))
        for c, n in zip(reversed(grid.centre), grid.shape, strict=True)
    )
    if rows.start < rows.stop and columns.start < columns.stop:
        centre = grid.centre[0] - columns.start, grid.centre[1] - rows.start
        inner = Grid((rows.stop - rows.start, columns.stop - columns.start), grid.scale, grid.angle, centre)
        image[rows, columns] = galaxy.image(band, native, inner)
    add_sources(image, grid, stars, (3.0 / native.wavelength) ** 2, native.fwhm)
    return image


def field_stars(galaxy, side):
    """Stars of the field beyond those around the galaxy, as many per area and as bright."""
    rng = generator(galaxy.seed, galaxy.name, "field stars")
    half = 0.75 * side
    n = rng.poisson(galaxy.sky.stars * (2 * half / 60) ** 2)
    east, north = rng.uniform(-half, half, (2, n))
    low, high, index = 0.3, 40.0, -0.8
    flux = (low**index + rng.random(n) * (high**index - low**index)) ** (1 / index)
    outside = np.maximum(np.abs(east), np.abs(north)) > galaxy.extent
    return Sources(east[outside], north[outside], np.zeros(outside.sum()), flux[outside])


def write_native_psf(folder, band):
    """Write the PSF of a band of NATIVE."""
    psf, scale = gaussian_psf(NATIVE[band].fwhm)
    hdu = fits.PrimaryHDU(psf.astype(np.float32))
    hdu.header["PIXELSCL"] = (scale, "[arcsec] pixel scale")
    write_hdus(folder / f"{band}.fits", [hdu])
