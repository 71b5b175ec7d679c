"""The table of real colours, simulation/spaxels.csv, from spectral cubes and filter curves.

    pip install astro-sedpy
    python -m simulation.spaxels CUBES_FOLDER [--output spaxels.csv]

CUBES_FOLDER holds the cubes of CUBES; simulation/README.md says where they are from. A row of the table is a spaxel
whose spectrum is complete, a column a band: the mean of f_nu over the band's photons,

    S = int f_nu T dlambda / lambda / int T dlambda / lambda,

MJy/sr, with the spectrum straight between its wavelengths. A cell is empty where a cube holds less than LEAST of a
band's transmission. All bands of a cube have one zero level.

Below 5.2 micron the spectrum of M82, the only one, is given without its old stars: f_nu as wavelength^-2 through its
median below 2.8 micron. What is left there is emission of dust, and noise.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from astropy.io import fits

CUBES = {"m83": "m83_irs.fits", "ngc7023": "ngc7023_irs.fits", "m82": "m82_akari_irs.fits"}
FILTERS = {
    "F300M": "jwst_f300m", "F335M": "jwst_f335m", "F360M": "jwst_f360m", "F380M": "jwst_niriss_f380m",
    "F430M": "jwst_f430m", "F444W": "jwst_f444w", "F480M": "jwst_niriss_f480m",
    "IRAC1": "spitzer_irac_ch1", "IRAC2": "spitzer_irac_ch2", "W1": "wise_w1", "W2": "wise_w2", "F560W": "jwst_f560w",
    "IRAC3": "spitzer_irac_ch3", "F770W": "jwst_f770w", "IRAC4": "spitzer_irac_ch4", "F1000W": "jwst_f1000w",
    "F1130W": "jwst_f1130w", "W3": "wise_w3", "F1280W": "jwst_f1280w", "F1500W": "jwst_f1500w",
    "F1800W": "jwst_f1800w", "F2100W": "jwst_f2100w", "W4": "wise_w4", "MIPS24": "spitzer_mips_24",
}  # fmt: skip
LEAST = 0.99
STARS = (2.8, 5.2)  # micron: below the first only stars are taken to shine, beyond the second none


def read_cube(path):
    """Wavelengths, (n,) array, micron; complete spectra, (n, spaxels) array, MJy/sr; and (x, y) of these spaxels."""
    with fits.open(path) as hdus:
        data = hdus[0].data.astype(float)
        wavelength = hdus[1].data
        wavelength = np.ravel(wavelength["WAVELENGTH"] if wavelength.dtype.names else wavelength).astype(float)
    if data.ndim != 3 or data.shape[0] != wavelength.size or not (np.diff(wavelength) > 0).all():
        raise ValueError(f"{path}: {data.shape} with {wavelength.size} wavelengths; expected a cube with rising ones")
    y, x = np.nonzero((np.isfinite(data) & (data != 0)).all(axis=0))
    return wavelength, data[:, y, x], np.stack([x, y], axis=1)


def band_mean(wavelength, spectra, at, transmission):
    """Mean of f_nu over the photons of a band, (spaxels,) array, and which part of its transmission the spectra cover.

    Parameters
    ----------
    wavelength : (n,) array; spectra : (n, spaxels) array
    at, transmission : (m,) arrays
        Of the filter, in the unit of `wavelength`.
    """
    grid = np.union1d(wavelength[(wavelength > at[0]) & (wavelength < at[-1])], at)
    weight = np.interp(grid, at, transmission) / grid
    total = np.trapezoid(weight, grid)
    inside = (grid >= wavelength[0]) & (grid <= wavelength[-1])
    if not inside.any():
        return np.full(spectra.shape[1], np.nan), 0.0
    index = np.clip(np.searchsorted(wavelength, grid) - 1, 0, wavelength.size - 2)
    part = np.clip((grid - wavelength[index]) / np.diff(wavelength)[index], 0, 1)[:, None]
    straight = (1 - part) * spectra[index] + part * spectra[index + 1]
    return np.trapezoid(weight[:, None] * straight, grid, axis=0) / total, np.trapezoid(weight * inside, grid) / total


def without_stars(wavelength, spectra):
    """Spectra less wavelength^-2 through their median below STARS[0], up to STARS[1]; unchanged if all begin later."""
    blue = wavelength < STARS[0]
    if not blue.any():
        return spectra
    square = wavelength[:, None] ** 2
    stars = np.median((spectra * square)[blue], axis=0) / square
    return spectra - stars * (wavelength < STARS[1])[:, None]


def rows(folder):
    """The rows of the table, from the cubes in a folder."""
    from sedpy.observate import load_filters

    filters = dict(zip(FILTERS, load_filters(list(FILTERS.values())), strict=True))
    for name, file in CUBES.items():
        wavelength, spectra, place = read_cube(folder / file)
        spectra = without_stars(wavelength, spectra)
        means = {
            band: band_mean(wavelength, spectra, filter.wavelength / 1e4, filter.transmission)
            for band, filter in filters.items()
        }
        for i, (x, y) in enumerate(place):
            values = {band: f"{mean[i]:.4g}" for band, (mean, part) in means.items() if part >= LEAST}
            yield {"object": name, "x": x, "y": y, **values}


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m simulation.spaxels", description=__doc__.splitlines()[0])
    parser.add_argument("cubes", type=Path)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".csv"))
    given = parser.parse_args(arguments)
    missing = [file for file in CUBES.values() if not (given.cubes / file).is_file()]
    if missing:
        print(f"{given.cubes} has no {', '.join(missing)}; expected the cubes of simulation/README.md", file=sys.stderr)
        return 1
    with open(given.output, "w", newline="") as file:
        writer = csv.DictWriter(file, ("object", "x", "y", *FILTERS), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows(given.cubes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
