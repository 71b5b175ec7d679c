"""The files in cases/data, cut from what archives give; cases/README.md says where each original is from.

Pixels keep their values, but for the unit of mosaics, which becomes MJy/sr, for references, whose noise is kept to 1/64
of itself, and for PSFs, which are made coarser.
"""

import csv
import gzip
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.nddata import Cutout2D, block_reduce
from astropy.wcs import WCS

from anchoring.files.references import image_hdu
from anchoring.images.archive_units import calibration
from simulation import colours

SPAXELS = Path(colours.__file__).parent / "spaxels.csv"
M83, NGC309 = SkyCoord(204.2217, -29.8490, unit="deg"), SkyCoord(14.1778, -9.9139, unit="deg")
# original, file in cases/data, band and side that is kept, arcsec
MOSAICS = (
    ("ngc5236_irac4.fits", "ngc5236/IRAC4/lv3/ngc5236_irac_lv3_irac4_i2d.fits", "irac4", M83, 225),
    ("ngc5236_irac3.fits", "ngc5236/IRAC3/lv3/ngc5236_irac_lv3_irac3_i2d.fits", "irac3", M83, 225),
    ("ngc309_2mass_k.fits", "ngc309/K/lv3/ngc309_2mass_lv3_k_i2d.fits", "ks", NGC309, 300),
)
REFERENCES = (
    ("ngc5236_mips24.fits", "ref/ngc5236_mips24.fits.fz", M83, 565),
    ("ngc309_allwise_w1.fits", "archive/ngc309_w1.fits.fz", NGC309, 840),
)
PRODUCT = "jw01288015001_26101_00003_mirimage_i2d.fits"
CUBE = "m83_irs.fits"
PSFS = {"irac3": (3, 30), "irac4": (3, 30), "mips24": (1, 90)}  # pixels that are averaged, side that is kept, arcsec
# Gaussians in place of PSFs, FWHM and pixel, arcsec: medians of 22 stars in the AllWISE image, which is wider than WISE
# (6") as an average weighted by its PSF, and of 12 in that of 2MASS.
GAUSSIANS = {"gauss8p8": (8.8, 0.7), "k": (2.95, 0.25)}
# Slope and offset to add of the one reference that is not real.
MADE_UP = (0.8, 12.5)
ORIGINALS = (*(cut[0] for cut in (*MOSAICS, *REFERENCES)), PRODUCT, CUBE, *(f"{name}.fits" for name in PSFS))
NOISE_LEVELS = 64
GZIPPED = b"\x1f\x8b"
WORDS = ("TELESCOP", "INSTRUME", "INSTRMNT", "FILTER", "BAND", "BUNIT", "WVLNGTH", "MAGZP", "SKYVAL", "SEESH",
         "COADDID", "ORDATE", "SCANNO", "MIDOBS")  # fmt: skip


def cut_all(originals, data):
    """Write all files of a folder `data` from those of a folder of originals."""
    missing = [name for name in ORIGINALS if not Path(originals, name).is_file()]
    if missing:
        raise FileNotFoundError(f"{originals} has no {', '.join(missing)}; expected the originals of cases/README.md")
    for name, file, band, centre, side in MOSAICS:
        pixels, header, found = _cut(originals / name, centre, side)
        factor = calibration(found, band, path=name).factor
        header["BUNIT"] = "MJy/sr"
        header["UNITFAC"] = (factor, "MJy/sr of the unit of the original")
        science = fits.ImageHDU(pixels * np.float32(factor), header, name="SCI")
        _write(data / file, fits.PrimaryHDU(), science)
    for name, file, centre, side in REFERENCES:
        pixels, header, _ = _cut(originals / name, centre, side)
        packed = fits.CompImageHDU(pixels, header, quantize_level=NOISE_LEVELS, dither_seed=1)
        _write(data / file, fits.PrimaryHDU(), packed)
    for name, (step, side) in PSFS.items():
        pixels, header = fits.getdata(originals / f"{name}.fits", header=True)
        kept = Cutout2D(pixels, (pixels.shape[1] // 2, pixels.shape[0] // 2), round(side / header["PIXELSCL"])).data
        _write_psf(data / f"psfs/{name}.fits", block_reduce(kept, step), step * header["PIXELSCL"])
    for name, (fwhm, scale) in GAUSSIANS.items():
        profile = np.exp(-4 * np.log(2) * (np.arange(-60, 61) * scale / fwhm) ** 2)
        _write_psf(data / f"psfs/{name}.fits", np.outer(profile, profile), scale)
    _write_synthetic(originals / CUBE, data / "ref/ngc5236_irs_atgauss6.fits")
    _write_product(originals / PRODUCT, data)


def _cut(path, centre, side):
    """Pixels around a place, their header, and that of the original."""
    with fits.open(path) as hdus:
        found = image_hdu(hdus, path)
        cut = Cutout2D(found.data, centre, side * u.arcsec, wcs=WCS(found.header))
        header = cut.wcs.to_header()
        header.update({key: found.header[key] for key in WORDS if key in found.header})
        header["ORIGINAL"] = path.name
        return cut.data.astype(np.float32), header, found.header


def _write(path, *hdus):
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList(list(hdus)).writeto(path, overwrite=True)


def _write_psf(path, pixels, scale):
    _write(path, fits.PrimaryHDU((pixels / pixels.sum()).astype(np.float32), fits.Header({"PIXELSCL": scale})))


def _write_synthetic(cube, path):
    """IRAC4 of the spaxels of M83 whose spectra are complete, on the pixels of the cube."""
    header = fits.getheader(cube)
    pixels = np.full((header["NAXIS2"], header["NAXIS1"]), np.nan, np.float32)
    with open(SPAXELS, newline="") as file:
        for row in (row for row in csv.DictReader(file) if row["object"] == "m83"):
            pixels[int(row["y"]), int(row["x"])] = float(row["IRAC4"])
    _write(path, fits.PrimaryHDU(pixels, WCS(header).celestial.to_header() + fits.Header({"BUNIT": "MJy/sr"})))


def _write_product(path, data):
    """The product of the JWST pipeline, byte for byte, and a reference whose line with it is MADE_UP."""
    copy = data / "oribar/F770W/lv3" / PRODUCT
    copy.parent.mkdir(parents=True, exist_ok=True)
    packed = path.read_bytes()
    copy.write_bytes(gzip.decompress(packed) if packed.startswith(GZIPPED) else packed)
    with fits.open(copy) as hdus:
        science = hdus["SCI"]
        slope, offset = MADE_UP
        pixels = np.where(science.data == 0, np.nan, (science.data + offset) / slope).astype(np.float32)
        header = WCS(science.header).to_header() + fits.Header({"BUNIT": "MJy/sr"})
    _write(data / "ref/oribar_madeup_atf770w.fits", fits.PrimaryHDU(pixels, header))
