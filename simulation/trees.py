"""Trees of simulated mosaics, references and kernels, as `config/config.yaml` expects them, and their truth."""

import csv
import math
from pathlib import Path

import numpy as np
from astropy.io import fits

from simulation.fields import correlated_noise, gaussian_kernel, generator
from simulation.instruments import (
    BANDS,
    FIRST_REFERENCE,
    OUTSIDE,
    REF_BANDS,
    REFERENCES,
    RESOLUTIONS,
    ROTATION,
    USUAL_REFERENCES,
    slope,
)
from simulation.skies import Galaxy, Grid, Sky

TARGETS = ("ngc0628", "ic5332")
DEMO_BANDS = ("F200W", "F300M", "F335M", "F360M", "F770W", "F1000W", "F1130W", "F2100W")
PLACES = {"ngc0628": (24.1739, 15.7836, 20.7), "ic5332": (353.6145, -36.1011, 74.4)}  # RA, Dec, position angle
ONE = ("",)  # the names of a band's mosaics if it comes in one
TRUTH_COLUMNS = ("target", "band", "image", "offset", "reference", "slope")


def simulate_tree(
    out_dir,
    targets=TARGETS,
    *,
    field=(140.0, 120.0),
    bands=DEMO_BANDS,
    references=USUAL_REFERENCES,
    tiles=None,
    seed=1,
    sky=None,
    coarsen=2.0,
    tilt=3.0,
    offsets=None,
    offset_range=(0.05, 0.8),
    positive=0.8,
):
    """Write mosaics, references, kernels, `truth.csv` and `galaxies.csv`.

    Parameters
    ----------
    out_dir : path
    targets : names
        Known ones are where they are on the sky, others somewhere.
    field : (width, height)
        Of a mosaic's array, arcsec.
    bands, references : names
        From `instruments.BANDS` and `instruments.REFERENCES`.
    tiles : mapping, optional
        Band: names of the mosaics it comes in, side by side along x with a tenth of their width in common.
    seed : int
        The same seed gives the same bytes, for an image also if others are left out.
    sky : skies.Sky, optional
        Brightness, structure and all complications; `skies.IDEAL` has none.
    coarsen : float
        Factor on the native pixel scales; noise per pixel falls by it.
    tilt : float
        Degrees between the edges of the footprint and the array; outside it NIRCam is 0, others NaN.
    offsets : mapping, optional
        Band: offset, MJy/sr, that will have to be added. Others are random.
    offset_range : (low, high)
        Sizes of the random ones, MJy/sr.
    positive : float
        Chance that a random one is positive.

    Returns
    -------
    Rows of truth.csv: dicts of target, band, image (file name), offset (to add, minus the pedestal injected, MJy/sr),
    reference, slope (on that reference; both empty if it is not there, and no slope where colours are of real spectra,
    as none holds everywhere).
    """
    out_dir, sky, tiles, offsets = Path(out_dir), sky or Sky(), tiles or {}, offsets or {}
    unknown = [band for band in (*bands, *tiles, *offsets) if band not in BANDS]
    unknown += [label for label in references if label not in REFERENCES]
    if unknown:
        known = ", ".join([*BANDS, *REFERENCES])
        raise ValueError(f"{', '.join(unknown)} cannot be simulated; expected names from {known}")
    truth = []
    for target in targets:
        *centre, posang = place(target, seed)
        galaxy = Galaxy(target, field, sky, seed=seed, posang=posang)
        for label in references:
            write_reference(out_dir / "ref" / f"{target}_{label}.fits", galaxy, label, centre)
        orientation = generator(seed, target, "orientation").uniform(0, 360)
        for band, index, stem in mosaic_names(target, bands, tiles):
            offset = offsets.get(band)
            if offset is None:
                offset = random_offset(generator(seed, stem, "offset"), offset_range, positive)
            angle = orientation + ROTATION[BANDS[band].instrument]
            window = strip(index, len(tiles.get(band, ONE)))
            grid = mosaic_grid(field, BANDS[band].scale * coarsen, angle, window)
            path = out_dir / target / band / "lv3" / f"{stem}_i2d_align.fits"
            write_mosaic(path, galaxy, band, grid, field, centre, tilt=tilt, pedestal=-offset, coarsen=coarsen)
            reference, typical = slope_on_reference(band, bands, references)
            row = (target, band, path.name, offset, reference, "" if sky.colours else typical)
            truth.append(dict(zip(TRUTH_COLUMNS, row, strict=True)))
    own = {label: REFERENCES[label].fwhm for label in references if "_at" not in label}
    write_kernels(out_dir / "kernels", bands, RESOLUTIONS | own)
    write_csv(out_dir / "truth.csv", truth, TRUTH_COLUMNS)
    write_galaxies(out_dir / "galaxies.csv", targets, field, sky, seed)
    return truth


def mosaic_names(target, bands, tiles):
    """Band, index among the band's mosaics, and file name up to `_i2d_align.fits`, of every mosaic of a target."""
    for band in bands:
        for index, tile in enumerate(tiles.get(band, ONE)):
            parts = (target, BANDS[band].instrument, "lv3", band.lower(), tile)
            yield band, index, "_".join(filter(None, parts))


def place(target, seed):
    """RA, Dec and position angle of a target, degrees."""
    if target in PLACES:
        return PLACES[target]
    rng = generator(seed, target, "place")
    return round(rng.uniform(0, 360), 4), round(rng.uniform(-60, 60), 4), round(rng.uniform(0, 180), 1)


def random_offset(rng, size, positive):
    return round(rng.uniform(*size) * (1 if rng.random() < positive else -1), 4)


def slope_on_reference(band, bands=DEMO_BANDS, references=USUAL_REFERENCES):
    """The reference that a band is to be anchored on and the slope of the band on it; ("", "") without one."""
    instrument = BANDS[band].instrument
    label = FIRST_REFERENCE[instrument] if band == REF_BANDS[instrument] else REF_BANDS[instrument]
    if label not in (*bands, *references):
        return "", ""
    return label, round(slope(band, label), 6)


# --- mosaics --------------------------------------------------------------------------------------------------------


def strip(index, n):
    """Left and right edge of the index-th of n mosaics side by side, as fractions of the field's width."""
    overlap = 0.05 / n if n > 1 else 0.0
    return max(index / n - overlap, 0.0), min((index + 1) / n + overlap, 1.0)


def mosaic_grid(field, scale, angle, window):
    """Pixels of the part of a field between two fractions of its width."""
    nx, ny = (round(side / scale) for side in field)
    first, last = (round(fraction * nx) for fraction in window)
    # A centre that is not on a pixel's centre, as in life.
    return Grid((ny, last - first), scale, angle, ((nx - 1) / 2 - first + 0.2, (ny - 1) / 2 - 0.3))


def covered(grid, field, tilt):
    """Pixels inside the largest rectangle that touches all four sides of the field at an angle."""
    cos, sin, cos2 = (math.cos(math.radians(a)) for a in (tilt, 90 - tilt, 2 * tilt))
    width, height = field
    half_u = (width * cos - height * sin) / cos2 / 2
    half_v = (height * cos - width * sin) / cos2 / 2
    y = (np.arange(grid.shape[0], dtype=np.float32) - grid.centre[1])[:, None] * grid.scale
    x = (np.arange(grid.shape[1], dtype=np.float32) - grid.centre[0])[None, :] * grid.scale
    inside = np.abs(x * cos + y * sin) <= half_u
    inside &= np.abs(y * cos - x * sin) <= half_v
    return inside


def write_mosaic(path, galaxy, label, grid, field, centre, *, tilt, pedestal, coarsen=1.0):
    """Write a mosaic like a level-3 product of the JWST pipeline, with a pedestal (MJy/sr) added to its sky."""
    band, sky = BANDS[label], galaxy.sky
    sci = galaxy.image(label, band, grid)
    err = np.sqrt(1 + np.maximum(sci, 0) / 10)
    err *= band.noise / coarsen * sky.noise
    if sky.noise:
        sci += err * generator(galaxy.seed, path.name, "noise").standard_normal(grid.shape, dtype=np.float32)
    sci += np.float32(pedestal)
    outside = ~covered(grid, field, tilt)
    for plane in (sci, err):
        plane[outside] = OUTSIDE[band.instrument]
        if sky.hole and band.instrument == "miri":
            bore(plane, grid, sky.hole)
    primary = fits.Header()
    primary["TELESCOP"] = ("JWST", "Telescope used to acquire the data")
    primary["INSTRUME"] = (band.instrument.upper(), "Instrument used to acquire the data")
    primary["FILTER"] = (label, "Name of the filter element used")
    primary["TARGPROP"] = (galaxy.name.upper(), "Proposer's name for the target")
    primary["TARG_RA"], primary["TARG_DEC"] = centre
    primary["DATAMODL"] = ("ImageModel", "Type of data model")
    primary["S_RESAMP"] = ("COMPLETE", "Resampling")
    header = wcs_header(grid, centre)
    header["BUNIT"] = "MJy/sr"
    header["PIXAR_SR"] = (grid.scale**2 / (180 / math.pi * 3600) ** 2, "Nominal pixel area in steradians")
    header["PIXAR_A2"] = (grid.scale**2, "Nominal pixel area in arcsec^2")
    hdus = [fits.PrimaryHDU(header=primary), fits.ImageHDU(sci, header, name="SCI"), fits.ImageHDU(err, name="ERR")]
    hdus[2].header["BUNIT"] = "MJy/sr"
    # Only that the others come through untouched matters: a few pixels of each will do.
    hdus.append(fits.ImageHDU(np.full((1, 8, 8), 7, dtype=np.int32), name="CON"))
    hdus += [fits.ImageHDU(np.full((8, 8), value, np.float32), name=name) for name, value in SMALL_PLANES.items()]
    write_hdus(path, hdus)


SMALL_PLANES = {"WHT": 1000.0, "VAR_POISSON": 1e-3, "VAR_RNOISE": 2e-3, "VAR_FLAT": 3e-5}


def bore(image, grid, radius):
    """Make a disk around the galaxy's centre NaN, in place."""
    y, x = np.ogrid[: grid.shape[0], : grid.shape[1]]
    image[np.hypot(x - grid.centre[0], y - grid.centre[1]) * grid.scale < radius] = np.nan


def wcs_header(grid, centre):
    """Header cards of a tangential projection about the galaxy's centre (RA, Dec in degrees)."""
    matrix = grid.axes() / grid.scale
    header = fits.Header()
    header["WCSAXES"] = 2
    for i, (name, value) in enumerate(zip(("RA---TAN", "DEC--TAN"), centre, strict=True), start=1):
        header[f"CRPIX{i}"] = grid.centre[i - 1] + 1
        header[f"CRVAL{i}"] = value
        header[f"CTYPE{i}"] = name
        header[f"CUNIT{i}"] = "deg"
        header[f"CDELT{i}"] = grid.scale / 3600
        for j in (1, 2):
            header[f"PC{i}_{j}"] = matrix[i - 1, j - 1]
    header["RADESYS"] = "ICRS"
    return header


# --- references, kernels, tables --------------------------------------------------------------------------------------


def write_reference(path, galaxy, label, centre):
    """Write an external reference: north up, larger than the mosaics, its zero level right."""
    band = REFERENCES[label]
    n = 2 * math.ceil(galaxy.extent / band.scale) + 1
    grid = Grid((n, n), band.scale, 0.0, (n // 2 + 0.3, n // 2 - 0.2))
    image = galaxy.image(label, band, grid)
    if galaxy.sky.reference_noise:
        sigma = band.noise * galaxy.sky.reference_noise
        rng = generator(galaxy.seed, path.name, "noise")
        image += correlated_noise(rng, grid.shape, band.fwhm / band.scale, sigma).astype(np.float32)
    header = wcs_header(grid, centre)
    header["BUNIT"] = "MJy/sr"
    header["TELESCOP"] = band.instrument.upper()
    header["OBJECT"] = galaxy.name.upper()
    write_hdus(path, [fits.PrimaryHDU(image, header)])


def write_kernels(folder, bands, resolutions=RESOLUTIONS):
    """Write the kernels from every band's PSF to every resolution that is coarser."""
    for label in bands:
        for name, fwhm in resolutions.items():
            if fwhm <= BANDS[label].fwhm:
                continue
            kernel, scale = gaussian_kernel(BANDS[label].fwhm, fwhm)
            hdu = fits.PrimaryHDU(kernel.astype(np.float32))
            hdu.header["PIXELSCL"] = (scale, "[arcsec] pixel scale")
            write_hdus(folder / f"{label.lower()}_to_{name}.fits", [hdu])


def write_hdus(path, hdus):
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(hdus).writeto(path, overwrite=True)


def write_csv(path, rows, columns):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_galaxies(path, targets, field, sky, seed):
    """Write a galaxy_table; size_reff holds half the light of an exponential disk of the galaxy's scale length."""
    columns = ("name", "ra", "dec", "posang", "inclination", "distance_mpc", "size_reff")
    reff = round(1.678 * sky.scale_length * math.hypot(*field) / 2, 2)
    rows = [(target, *place(target, seed), sky.inclination, 9.8, reff) for target in targets]
    write_csv(path, [dict(zip(columns, row, strict=True)) for row in rows], columns)
