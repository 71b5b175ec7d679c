"""Archive images that are not as they should be, and what the steps that make a reference of them say."""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from astropy.io import fits
from runs import set_cards

import calibrate_reference
import convolve_reference
import mosaic_reference
import zero_reference
from anchoring.errors import AnchoringError
from anchoring.files.made_references import read_origin
from simulation.archives import write_archive_images
from simulation.skies import Galaxy, Sky
from simulation.trees import mosaic_grid, wcs_header, write_hdus

CENTRE, FIELD, SIDE = (24.17, 15.78), (60.0, 50.0), 300.0
GALAXY = {"ra": CENTRE[0], "dec": CENTRE[1], "posang": 0.0, "inclination": 25.0, "size_reff": 20.0}
WORKS, FAILED = "anchored", "failed"  # as in bad_inputs


class Case(NamedTuple):
    """What is wrong, as the page describes it; what makes it so, of two tiles; what comes of it; how it is made."""

    what: str
    spoil: Callable
    status: str
    words: str = ""
    settings: dict = {}  # noqa: RUF012 (never changed)


def cards(*which, **changes):
    """Change cards of some of the two tiles; None removes one."""

    def spoil(tiles):
        for index in which:
            set_cards(tiles[index], 0, changes)

    return spoil


def pixels(*which, function):
    def spoil(tiles):
        for index in which:
            data, header = fits.getdata(tiles[index]), fits.getheader(tiles[index])
            fits.PrimaryHDU(function(data).astype(np.float32), header).writeto(tiles[index], overwrite=True)

    return spoil


def in_brightness(tiles):
    """The second tile in MJy/sr."""
    header = fits.getheader(tiles[1])
    factor = 1.8326e-6 / (1.375**2 * 2.350443e-11) / 1e6
    pixels(1, function=lambda d: d * factor)(tiles)
    set_cards(tiles[1], 0, {"BUNIT": "MJy/sr", "MAGZP": None})
    assert header["MAGZP"] == 18.0


def apart(tiles):
    """A gap between both."""
    pixels(0, function=lambda d: np.where(np.arange(d.shape[1]) < 100, d, np.nan))(tiles)
    pixels(1, function=lambda d: np.where(np.arange(d.shape[1]) > 30, d, np.nan))(tiles)


def masked(tiles):
    header = fits.getheader(tiles[0])
    fits.PrimaryHDU(np.ones((900, 900), np.uint8), header).writeto("mask.fits")
    set_cards("mask.fits", 0, {"CRPIX1": 450.0, "CRPIX2": 450.0})


NO_SCALE = {f"{name}{i}": None for name in ("CDELT", "PC1_", "PC2_") for i in (1, 2)}
CASES = {
    "sound": Case("nothing", lambda tiles: None, WORKS),
    "unit": Case("BUNIT `frogs`", cards(1, BUNIT="frogs"), FAILED, "tile_1.fits has BUNIT 'frogs'"),
    "nozero": Case("DN without MAGZP", cards(0, MAGZP=None), FAILED, "tile_0.fits has BUNIT 'DN' and MAGZP None"),
    "nounit": Case("neither BUNIT nor MAGZP", cards(0, BUNIT=None, MAGZP=None), FAILED, "tile_0.fits has no BUNIT"),
    "zerotext": Case("MAGZP in words", cards(0, MAGZP="18 mag"), FAILED, "MAGZP"),
    "noscale": Case("no pixel scale", cards(1, **NO_SCALE), FAILED, "tile_1.fits has no pixel scale"),
    "nowcs": Case("no WCS", cards(1, CTYPE1=None, CTYPE2=None), FAILED, "tile_1.fits"),
    "mixed": Case("tiles of different units", in_brightness, WORKS),
    "elsewhere": Case("one of the tiles is elsewhere", cards(1, CRVAL2=-40.0), WORKS),
    "away": Case("no tile around the mosaics", cards(0, 1, CRVAL2=-40.0), FAILED, "tile_1.fits has a pixel"),
    "apart": Case("tiles that do not overlap one another", apart, FAILED, "tile_1.fits does not overlap tile_0.fits"),
    "cut": Case("cut short", lambda tiles: tiles[1].write_bytes(tiles[1].read_bytes()[:9000]), FAILED, "tile_1.fits"),
    "empty": Case("all 0", pixels(0, 1, function=lambda d: d * 0), FAILED, "tile_1.fits has a pixel"),
    "masked": Case("a mask of all", masked, FAILED, "is sky; expected", {"mask": "mask.fits"}),
    "nosky": Case("a galaxy larger than the image", lambda tiles: None, FAILED, "is sky; expected", {"sky_radius": 20}),
    "band": Case("a band that is not known", lambda tiles: None, FAILED, "band w9", {"band": "w9"}),
    "another": Case("BAND is another one", cards(0, BAND=1), FAILED, "tile_0.fits is of band w1 by its header"),
}  # fmt: skip


def prepare(folder):
    """Write a mosaic and two tiles, which `made` copies."""
    grid = mosaic_grid(FIELD, 2.0, 10.0, (0.0, 1.0))
    hdu = fits.ImageHDU(np.ones(grid.shape, np.float32), wcs_header(grid, CENTRE), name="SCI")
    write_hdus(Path(folder, "mosaic.fits"), [fits.PrimaryHDU(), hdu])
    galaxy = Galaxy("bad", FIELD, Sky(stars=3.0), seed=5)
    return write_archive_images(Path(folder), galaxy, CENTRE, "w3", "AllWISE", tiles=2, side=SIDE, stem="tile")[0]


def made_of_all(folder):
    """{case: what `made` gives}, each in a folder of its own."""
    sound, found = prepare(folder), {}
    for name, case in CASES.items():
        (folder / name).mkdir()
        with contextlib.chdir(folder / name):
            found[name] = made(sound, case)
    return found


def made(sound, case):
    """Origin of the reference that is made in the working folder, or None, and the reason why there is none."""
    tiles = [Path(shutil.copy(path, Path(path).name)) for path in sound]
    mosaic = shutil.copy(sound[0].with_name("mosaic.fits"), "mosaic.fits")
    case.spoil(tiles)
    what, settings = "the reference w3_atgauss15 of ngc0628", case.settings
    steps = [f"step_{index}.fits" for index in range(len(tiles))]
    for number, (tile, step) in enumerate(zip(tiles, steps, strict=True), start=1):
        calibrate_reference.main(str(tile), [mosaic], step, settings.get("band", "w3"), 2.5, number=number)
    mosaic_reference.main(steps, "all.fits")
    zeroed = {"sky": "plane", "psf": "gauss15", "sky_radius": settings.get("sky_radius", 4.0), "galaxy": GALAXY}
    zero_reference.main("all.fits", "zeroed.fits", "sky.png", what=what, mask=settings.get("mask"), **zeroed)
    convolve_reference.main("zeroed.fits", "out.fits", "out_err.fits", "gauss15", 1, what)
    try:
        return read_origin("out.fits"), ""
    except AnchoringError as error:
        return None, str(error)
