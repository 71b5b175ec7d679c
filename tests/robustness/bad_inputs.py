"""Inputs that are not as they should be, and what the workflow does with them: the cases that tests run through.

`make bad-inputs` runs the workflow on all of them and writes the outcomes and messages into docs/bad-inputs.md.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import bad_archives
import numpy as np
import yaml
from astropy import units
from astropy.coordinates import SkyCoord
from astropy.io import fits
from runs import ROOT, Project, set_cards, shipped, without_figures

from anchoring.planning.plan import make_plan
from anchoring.planning.settings import PlanError, complete, problems
from simulation.fields import gaussian_psf
from simulation.instruments import BANDS
from simulation.skies import IDEAL
from simulation.trees import simulate_tree

PAGE = ROOT / "docs/bad-inputs.md"
BEGIN, END = (
    "<!-- from tests/robustness/bad_inputs.py: begin -->\n",
    "<!-- from tests/robustness/bad_inputs.py: end -->\n",
)
# Texts of other libraries inside our messages, which are not part of the page.
OTHERS = ((r"(cannot be read[^(;]*) \([^;]*\);", r"\1;"), (r"^('\w+'): [^;]*;", r"\1 has a value that is not allowed;"))
SOUND = ("sound", "sound_2")  # targets without bad inputs, whose numbers nothing may change
REFERENCE, RESOLUTION = "irac4_atgauss4", "gauss4"
CONFIG = {
    "instruments": {"miri": {"external_bands": [REFERENCE], "internal_conv_band": RESOLUTION}},
    "mask_dir": "data/masks",
    "psf_dir": "data/psfs",
    "psf": "files",
}
PSF_FWHM = BANDS["F2100W"].fwhm  # of all bands in PSFS, whose mosaics are that of F2100W
WORKS, FAILED, SKIPPED = "anchored", "failed", "skipped"


class Case(NamedTuple):
    """One bad input: a mosaic, a reference with its target, or a kernel or PSF with its band.

    what : str
        As the page describes it.
    spoil : callable
        Makes it so, in a `Target`.
    status : str
        Of its band in the summary.
    words : str
        Part of the reason.
    exact : bool
        Whether an input that works gives exactly the number of a sound one, or one within the tolerance of the truth.
    """

    what: str
    spoil: Callable
    status: str
    words: str = ""
    exact: bool = True


class Target(NamedTuple):
    """Files of a target in a tree, and the mosaic that a case is about: its band and, of several, which."""

    folder: Path
    name: str
    band: str
    tile: str = ""

    @property
    def stem(self):
        return "_".join(filter(None, (self.name, "miri", "lv3", self.band.lower(), self.tile)))

    @property
    def image(self):
        return self.folder / self.name / self.band / "lv3" / f"{self.stem}_i2d_align.fits"

    @property
    def reference(self):
        return self.folder / "ref" / f"{self.name}_{REFERENCE}.fits"

    @property
    def kernel(self):
        return self.folder / "kernels" / f"{self.band.lower()}_to_{RESOLUTION}.fits"

    @property
    def psf(self):
        return self.folder / "psfs" / f"{self.band.lower()}.fits"

    @property
    def all_images(self):
        return list((self.folder / self.name).glob("*/lv3/*.fits"))


# --- ways to spoil a file -------------------------------------------------------------------------------------------


def header(which, hdu=None, **cards):
    """Change cards of the image (SCI), the reference, the kernel or the PSF; None removes one."""

    def spoil(target):
        set_cards(getattr(target, which), ("SCI" if which == "image" else 0) if hdu is None else hdu, cards)

    return spoil


def pixels(which, function, name=None):
    """Put what `function` makes of the pixels in their place."""

    def spoil(target):
        path = getattr(target, which)
        with fits.open(path) as hdus:
            hdus = fits.HDUList([hdu.copy() for hdu in hdus])
        hdu = hdus[name or ("SCI" if which == "image" else 0)]
        hdu.data = function(np.array(hdu.data, dtype=hdu.data.dtype.newbyteorder("=")))
        hdus.writeto(path, overwrite=True)

    return spoil


def content(which, function):
    """Put what `function` makes of a file's bytes in their place."""

    def spoil(target):
        path = getattr(target, which)
        path.write_bytes(function(path.read_bytes()))

    return spoil


def without(name):
    def spoil(target):
        with fits.open(target.image) as hdus:
            hdus = fits.HDUList([hdu.copy() for hdu in hdus if hdu.name != name])
        hdus.writeto(target.image, overwrite=True)

    return spoil


def removed(which):
    return lambda target: getattr(target, which).unlink()


def renamed_kernel(name):
    return lambda target: target.kernel.rename(target.kernel.with_name(name.format(target.band.lower())))


def two_kernels(target):
    shutil.copy(target.kernel, target.kernel.with_name(f"{target.band.lower()}_to_gauss4.0.fits"))


def two_psfs(target):
    shutil.copy(target.psf, target.psf.with_name(f"{target.band}.FITS"))


def psf_of(function):
    """Put what `function` makes of the pixels of a PSF in their place; nothing, for None."""

    def spoil(target):
        with fits.open(target.psf) as hdus:
            data, head = function(np.array(hdus[0].data, dtype=float)), hdus[0].header.copy()
        fits.PrimaryHDU(data, head if data is not None else None).writeto(target.psf, overwrite=True)

    return spoil


def moved(**cards):
    """Put all of the target elsewhere on the sky."""

    def spoil(target):
        for path in (*target.all_images, target.reference):
            with fits.open(path, mode="update") as hdus:
                hdus["SCI" if "SCI" in hdus else 0].header.update(cards)

    return spoil


def galactic(target):
    """The reference's grid in Galactic coordinates: the same tangent point and pixels."""
    with fits.open(target.reference, mode="update") as hdus:
        head = hdus[0].header
        centre = SkyCoord(head["CRVAL1"], head["CRVAL2"], unit="deg")
        north = centre.directional_offset_by(0 * units.deg, 1 * units.arcsec)
        angle = centre.galactic.position_angle(north.galactic).radian
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.array([[cos, sin], [-sin, cos]])  # (east, north) to (l, b)
        matrix = turn @ [[head[f"PC{i}_{j}"] for j in (1, 2)] for i in (1, 2)]
        for i in (1, 2):
            for j in (1, 2):
                head[f"PC{i}_{j}"] = matrix[i - 1, j - 1]
        head["CTYPE1"], head["CTYPE2"] = "GLON-TAN", "GLAT-TAN"
        head["CRVAL1"], head["CRVAL2"] = centre.galactic.l.deg, centre.galactic.b.deg
        head.remove("RADESYS")


def at_a_corner(target):
    """Let the reference show two or three of its pixels of the image only."""
    with fits.open(target.image) as hdus:
        observed = np.argwhere(np.isfinite(hdus["SCI"].data))
        y, x = observed[observed.sum(axis=1).argmin()]
        head = hdus["SCI"].header
        step = [head[f"CDELT{i}"] * (np.array([x, y]) @ [head[f"PC{i}_{j}"] for j in (1, 2)]) for i in (1, 2)]
        middle = [head[f"CDELT{i}"] * sum(head[f"PC{i}_{j}"] * (head[f"CRPIX{j}"] - 1) for j in (1, 2)) for i in (1, 2)]
    offset = np.array(step) - middle
    with fits.open(target.reference, mode="update") as hdus:
        head = hdus[0].header
        scale = abs(head["CDELT1"])
        # The reference's pixel on which the corner lies becomes one next to its own corner.
        place = (
            np.array([head["CRPIX1"] - 1 - offset[0] / scale, head["CRPIX2"] - 1 + offset[1] / scale])
            .round()
            .astype(int)
        )
        hdus[0].data[:] = np.where(
            np.hypot(*(np.indices(hdus[0].data.shape)[::-1] - place[:, None, None])) < 2.5, hdus[0].data, np.nan
        )


def bordered(value):
    def border(data):
        out = np.full_like(data, value)
        out[45:-45, 45:-45] = data[45:-45, 45:-45]
        return out

    return border


def bowl(data):
    return np.where(data < 0.24, data - 0.3, data).astype(data.dtype)


def one_pixel(value):
    def change(data):
        y, x = np.argwhere(np.isfinite(data) & (data != 0))[1000]
        data[y, x] = value
        return data

    return change


def duplicate(target):
    shutil.copy(target.image, target.image.with_name(target.image.name.replace("_i2d", "_copy_i2d")))


def twofold(target):
    with fits.open(target.image, mode="append") as hdus:
        hdus.append(hdus["SCI"].copy())


def dangling(target):
    target.image.unlink()
    target.image.symlink_to("nowhere.fits")


def folder_in_its_place(target):
    target.image.unlink()
    target.image.mkdir()


def with_file(name, make):
    """Write a file next to the reference or into the folder of masks."""

    def spoil(target):
        path = target.folder / name.format(target.name)
        path.parent.mkdir(exist_ok=True)
        make(target).writeto(path)

    return spoil


def like_reference(function, **cards):
    def make(target):
        with fits.open(target.reference) as hdus:
            hdu = fits.PrimaryHDU(function(np.array(hdus[0].data)).astype("f4"), hdus[0].header.copy())
        hdu.header.update(cards)
        return hdu

    return make


def shifted(kernel):
    return np.roll(kernel, (kernel.shape[0] // 8, kernel.shape[0] // 8), axis=(0, 1))


def even(kernel):
    """Of an even side, and as symmetric as the odd one was."""
    n = len(kernel)
    position = np.arange(n - 1) + 0.5
    low = position.astype(int)
    rows = (kernel[low] + kernel[low + 1]) / 2
    return ((rows[:, low] + rows[:, low + 1]) / 2).astype(kernel.dtype)


def lobed(kernel):
    """With a negative ring of a few percent of the sum, as those that sharpen have."""
    y, x = np.indices(kernel.shape) - len(kernel) // 2
    r = np.hypot(x, y)
    ring = np.exp(-(((r - len(kernel) / 4) / (len(kernel) / 40)) ** 2))
    return (kernel - 0.01 * kernel.sum() / ring.sum() * ring).astype(kernel.dtype)


def padded(kernel):
    return np.pad(kernel, 3 * len(kernel))


def coarser(target):
    """Of pixels that are larger than the image's."""
    with fits.open(target.kernel, mode="update") as hdus:
        scale = hdus[0].header["PIXELSCL"]
        n, step = len(hdus[0].data), round(0.9 / scale)
        half = (n // 2) // step * step
        hdus[0].data = (
            hdus[0].data[n // 2 - half : n // 2 + half + 1 : step, n // 2 - half : n // 2 + half + 1 : step].copy()
        )
        hdus[0].header["PIXELSCL"] = scale * step


def twice_as_wide(target):
    with fits.open(target.kernel, mode="update") as hdus:
        hdus[0].header["PIXELSCL"] *= 2


def per_pixel(target):
    """The reference in Jy/pixel."""
    with fits.open(target.reference, mode="update") as hdus:
        area = (abs(hdus[0].header["CDELT1"]) * units.deg) ** 2
        hdus[0].data *= (1 * units.MJy / units.sr * area).to_value(units.Jy)
        hdus[0].header["BUNIT"] = "Jy/pixel"


def in_extensions(*names):
    """The reference in extensions of these names; what is not the signal is 7 times it."""

    def spoil(target):
        with fits.open(target.reference) as hdus:
            data, head = np.array(hdus[0].data), hdus[0].header.copy()
        planes = [fits.ImageHDU(data if name == "IMAGE" else 7 * data, head, name=name) for name in names]
        fits.HDUList([fits.PrimaryHDU(), *planes]).writeto(target.reference, overwrite=True)

    return spoil


def without_image(target):
    fits.PrimaryHDU().writeto(target.kernel, overwrite=True)


SIP = {"A_ORDER": 2, "A_2_0": 2e-3, "B_ORDER": 2, "B_1_1": -2e-3}

# --- the cases: images are mosaics of one target, references and masks have a target each, kernels a band of one ----

IMAGES = {
    "cut": Case("cut short in SCI", content("image", lambda b: b[:20_000]), FAILED, "cannot be read as FITS"),
    "cutlate": Case("cut short after ERR", content("image", lambda b: b[:-3000]), FAILED, "truncated or corrupt"),
    "noheader": Case("not FITS", content("image", lambda b: b"<html>" * 1000), FAILED, "cannot be read as FITS"),
    "zerobytes": Case("zero bytes", content("image", lambda b: b""), FAILED, "cannot be read as FITS"),
    "nodata": Case("FITS without data", content("image", lambda b: b[:2880]), FAILED, "has no SCI extension"),
    "dangling": Case("a link that leads nowhere", dangling, SKIPPED, "a link that leads nowhere"),
    "folder": Case("a folder of that name", folder_in_its_place, SKIPPED, "is no file"),
    "nosci": Case("no SCI", without("SCI"), FAILED, "has no SCI extension"),
    "noerr": Case("no ERR", without("ERR"), WORKS),
    "errshape": Case("ERR of another shape", pixels("image", lambda d: d[1:], "ERR"), FAILED, "ERR has shape"),
    "allnan": Case("all NaN", pixels("image", lambda d: d * np.nan), FAILED, "all pixels of SCI are 0 or not finite"),
    "allzero": Case("all 0", pixels("image", lambda d: d * 0), FAILED, "all pixels of SCI are 0 or not finite"),
    "inf": Case("a pixel that is infinite", pixels("image", one_pixel(np.inf)), WORKS, exact=False),
    "huge": Case("a pixel of 1e30 MJy/sr", pixels("image", one_pixel(1e30)), FAILED, "1e+30"),
    "integer": Case("integers", pixels("image", lambda d: np.nan_to_num(d).astype("i2")), FAILED, "int16"),
    "scaled": Case("scaled integers (BSCALE)", header("image", BSCALE=2.0), FAILED, "BSCALE"),
    "cube": Case("two planes", pixels("image", lambda d: np.stack([d, d])), FAILED, "expected a 2-D image"),
    "degenerate": Case("a third dimension of one plane", pixels("image", lambda d: d[None]), WORKS),
    "errint": Case("ERR of integers", pixels("image", lambda d: np.nan_to_num(d).astype("i2"), "ERR"), WORKS),
    "skyoff": Case("-0.35 where nothing is observed", pixels("image", lambda d: np.nan_to_num(d, nan=-0.35)), WORKS),
    "sliver": Case("1e-20 where nothing is observed", pixels("image", lambda d: np.nan_to_num(d, nan=1e-20)), WORKS),
    "scitwice": Case("SCI twice", twofold, FAILED, "several SCI"),
    "nowcs": Case(
        "no WCS",
        header("image", **dict.fromkeys(["CTYPE1", "CTYPE2", "CRVAL1", "CRVAL2", "CRPIX1", "CRPIX2"])),
        FAILED,
        "no celestial WCS",
    ),
    "linear": Case("a WCS that is not celestial", header("image", CTYPE1="X", CTYPE2="Y"), FAILED, "no celestial WCS"),
    "nocrpix": Case("a WCS without CRPIX", header("image", CRPIX1=None, CRPIX2=None), FAILED, "CRPIX1"),
    "singular": Case("a WCS that has no inverse", header("image", PC1_1=0.0, PC1_2=0.0), FAILED, "cannot be read"),
    "oblong": Case("a WCS with one CDELT", header("image", CDELT2=None), FAILED, "square"),
    "cdleft": Case(
        "a CD matrix left over next to PC and CDELT",
        header("image", CD1_1=-1e-4, CD1_2=0.0, CD2_1=0.0, CD2_2=1e-4),
        FAILED,
        "contradict each other",
    ),
    "jtwothou": Case("RADESYS `J2000`", header("image", RADESYS="J2000"), WORKS, exact=False),
    "apparent": Case("RADESYS `GAPPT`", header("image", RADESYS="GAPPT"), FAILED, "RADESYS 'GAPPT'"),
    "sip": Case("SIP coefficients left over (CTYPE without -SIP)", header("image", **SIP), WORKS),
    "upper": Case("BUNIT `MJY/SR`", header("image", BUNIT="MJY/SR"), WORKS),
    "nounit": Case("no BUNIT", header("image", BUNIT=None), WORKS),
    "milli": Case("BUNIT `mJy/sr`: milli", header("image", BUNIT="mJy/sr"), FAILED, "BUNIT 'mJy/sr'"),
    "dn": Case("BUNIT `DN/s`", header("image", BUNIT="DN/s"), FAILED, "BUNIT 'DN/s'"),
    "jypix": Case("BUNIT `Jy/pixel`", header("image", BUNIT="Jy/pixel"), FAILED, "BUNIT 'Jy/pixel'"),
    "filter": Case("FILTER is another band than the folder", header("image", 0, FILTER="F1130W"), FAILED, "F1130W"),
    "done": Case("anchored already", header("image", ANCHOFF=0.1), FAILED, "already anchored"),
    "twice": Case("the same image under two names", duplicate, WORKS),
}  # fmt: skip

REFERENCES = {
    "noref": Case("no file", removed("reference"), SKIPPED, "no reference image"),
    "refcut": Case("cut short", content("reference", lambda b: b[:20_000]), FAILED, "cannot be read as FITS"),
    "refzero": Case("zero bytes", content("reference", lambda b: b""), FAILED, "cannot be read as FITS"),
    "refnan": Case("all NaN", pixels("reference", lambda d: d * np.nan), FAILED, "all pixels are 0 or not finite"),
    "refint": Case("integers", pixels("reference", lambda d: d.astype("i4")), FAILED, "int32"),
    "refcube": Case(
        "two planes", pixels("reference", lambda d: np.stack([d, d])), FAILED, "expected a 2-D image"
    ),
    "refplane": Case("a third dimension of one plane", pixels("reference", lambda d: d[None]), WORKS),
    "refunit": Case("another unit than the image", header("reference", BUNIT="DN"), FAILED, "BUNIT 'DN'"),
    "refjypix": Case("BUNIT `Jy/pixel`", per_pixel, WORKS, exact=False),
    "refjybeam": Case("BUNIT `Jy/beam` without BMAJ", header("reference", BUNIT="Jy/beam"), FAILED, "BMAJ"),
    "refjansky": Case("BUNIT `Jy`", header("reference", BUNIT="Jy"), FAILED, "without an area"),
    "refnamed": Case("ERR before IMAGE, nothing in the primary HDU", in_extensions("ERR", "IMAGE"), WORKS),
    "refunnamed": Case("two images without names", in_extensions("", ""), FAILED, "has the images"),
    "sentinel": Case("a border of -999", pixels("reference", bordered(-999.0)), WORKS, exact=False),
    "refnounit": Case("no BUNIT", header("reference", BUNIT=None), WORKS),
    "refnowcs": Case("no WCS", header("reference", CTYPE1=None, CTYPE2=None), FAILED, "no celestial WCS"),
    "galactic": Case("Galactic coordinates", galactic, WORKS, exact=False),
    "hour": Case("image and reference across 0h", moved(CRVAL1=0.0001), WORKS, exact=False),
    "pole": Case("image and reference on the pole", moved(CRVAL2=90 - 10 / 3600), WORKS, exact=False),
    "upside": Case("falls where the image rises", pixels("reference", lambda d: 2.2 - d), FAILED, "does not rise"),
    "away": Case("no overlap", header("reference", CRVAL2=-80.0), FAILED, "no overlap"),
    "corner": Case("overlap smaller than a beam", at_a_corner, FAILED, "beam"),
    "border": Case("a border of NaN", pixels("reference", bordered(np.nan)), WORKS, exact=False),
    "zeros": Case("a border of 0", pixels("reference", bordered(0.0)), WORKS, exact=False),
    "bowl": Case("a negative bowl below the range", pixels("reference", bowl), WORKS),
    "bright": Case("nothing in the range", pixels("reference", lambda d: d + 20), FAILED, "no pixels of the reference"),
    "errmap": Case(
        "an uncertainty map of another shape",
        with_file("ref/{}_irac4_atgauss4_err.fits", like_reference(lambda d: d[1:])),
        FAILED,
        "expected the same",
    ),
}  # fmt: skip

INTERNAL = ("noref", "away", "corner", "refplane")  # references of targets with an image that is anchored internally

KERNELS = {
    "F560W": Case("no file", removed("kernel"), SKIPPED, "no kernel data/kernels/f560w_to_gauss4.fits"),
    "F1065C": Case(
        "named in capitals, and `4p00` for `4`", lambda t: renamed_kernel(f"{t.band}_TO_GAUSS4p00.FITS")(t), WORKS
    ),
    "F480M": Case("two by one name: `gauss4` and `gauss4.0`", two_kernels, SKIPPED, "f480m_to_gauss4.0.fits"),
    "F1130W": Case("an even side", pixels("kernel", even), WORKS, exact=False),
    "F1140C": Case("not square", pixels("kernel", lambda k: k[2:]), FAILED, "make it square"),
    "F1280W": Case("off its array's centre", pixels("kernel", shifted), FAILED, "centre"),
    "F1500W": Case("NaN", pixels("kernel", one_pixel(np.nan)), FAILED, "not finite"),
    "F1550C": Case("a sum of 0", pixels("kernel", lambda k: k - k.mean()), FAILED, "sum"),
    "F1800W": Case("a negative sum", pixels("kernel", lambda k: -k), FAILED, "sum"),
    "F430M": Case("negative lobes", pixels("kernel", lobed), WORKS, exact=False),
    "F2300C": Case("no pixel scale", header("kernel", PIXELSCL=None), FAILED, "no pixel scale"),
    "F2550W": Case("pixels larger than the image's", coarser, WORKS, exact=False),
    "F200W": Case("larger than the image", pixels("kernel", padded), WORKS, exact=False),
    "F277W": Case("narrower than the image's pixels", header("kernel", PIXELSCL=1e-4), FAILED, "less than 5 image"),
    "F300M": Case("a pixel scale of 1 degree", header("kernel", PIXELSCL=3600.0), FAILED, "check"),
    "F410M": Case(
        "PIXELSCL and CDELT contradict each other", header("kernel", CDELT1=1e-5, CDELT2=1e-5), FAILED, "by CDELT"
    ),
    "F444W": Case("twice as wide as its name says", twice_as_wide, FAILED, "arcsec (FWHM) to"),
    "F335M": Case("zero bytes", content("kernel", lambda b: b""), FAILED, "cannot be read as FITS"),
    "F360M": Case("no image in its primary HDU", without_image, FAILED, "no image in any HDU"),
}  # fmt: skip

PSFS = {
    "F070W": Case("no file", removed("psf"), SKIPPED, "and no PSF data/psfs/f070w.fits"),
    "F090W": Case("two by one name", two_psfs, SKIPPED, "either can be meant"),
    "F115W": Case("named in capitals", lambda t: t.psf.rename(t.psf.with_name("F115W.FITS")), WORKS, exact=False),
    "F140M": Case("zero bytes", content("psf", lambda b: b""), FAILED, "cannot be read as FITS"),
    "F150W": Case("cut short", content("psf", lambda b: b[:-5000]), FAILED, "cannot be read as FITS"),
    "F162M": Case("no image", psf_of(lambda d: None), FAILED, "no image in any HDU"),
    "F164N": Case("several planes", psf_of(lambda d: np.stack([d, d])), FAILED, "expected a 2-D image"),
    "F182M": Case("no pixel scale", header("psf", PIXELSCL=None), FAILED, "no pixel scale"),
    "F187N": Case(
        "PIXELSCL and CDELT contradict each other", header("psf", CDELT1=1e-5, CDELT2=1e-5), FAILED, "by CDELT"
    ),
    "F210M": Case("a pixel scale of 0", header("psf", PIXELSCL=0.0), FAILED, "pixel scale"),
    "F212N": Case("a pixel scale in words", header("psf", PIXELSCL="fine"), FAILED, "pixel scale"),
    "F250M": Case("NaN", psf_of(one_pixel(np.nan)), FAILED, "not finite"),
    "F322W2": Case("all 0", psf_of(lambda d: d * 0), FAILED, "the sum of the PSF is 0"),
    "F323N": Case("a negative sum", psf_of(lambda d: -d), FAILED, "the sum of the PSF is -1"),
    "F356W": Case("its mean subtracted", psf_of(lambda d: d - 0.99 * d.mean()), FAILED, "without the signs"),
    "F405N": Case("one number", psf_of(lambda d: d * 0 + 1), FAILED, "expected a peak narrower"),
    "F460M": Case("off its array's centre", psf_of(lambda d: d[8:, :-3]), WORKS, exact=False),
    "F466N": Case("far off its array's centre", psf_of(lambda d: d[18:]), FAILED, "wings are cut"),
    "F470N": Case("its peak at an edge", psf_of(lambda d: d[len(d) // 2 :]), FAILED, "at the edge"),
    "F150W2": Case("pixels as large as itself", psf_of(lambda d: d[4::9, 4::9]), FAILED, "with an oversampling"),
    "F158M": Case("wider than the resolution", header("psf", PIXELSCL=0.6), FAILED, "expected it to be wider"),
    "F380M": Case("noisy", psf_of(lambda d: d + np.random.default_rng(1).normal(0, 1e-5, d.shape)), WORKS, exact=False),
    "F140W": Case("not square", psf_of(lambda d: d[:, 6:-6]), WORKS, exact=False),
}  # fmt: skip

MASKS = {
    "maskvalues": Case(
        "a mask of other numbers than 0 and 1",
        with_file("masks/{}_F2100W.fits", like_reference(lambda d: d * 0 + 3)),
        FAILED,
        "values other than 0 and 1",
    ),
    "maskaway": Case(
        "a mask of another field",
        with_file("masks/{}_F2100W.fits", like_reference(lambda d: d * 0, CRVAL2=-80.0)),
        FAILED,
        "no overlap",
    ),
}  # fmt: skip

# --- galaxy tables: refused by the plan, before anything runs -----------------------------------------------------

COLUMNS = "name,ra,dec,posang,inclination,distance_mpc,size_reff\n"
ROW = "sound,24.1,15.8,20.7,30,9.8,60\n"
TABLES = {
    "a row missing": (COLUMNS, SKIPPED, "has no row named sound"),
    "the name in another case": (COLUMNS + ROW.replace("sound", "Sound"), WORKS, ""),
    "the name in two other cases": (
        COLUMNS + ROW.replace("sound", "Sound") + ROW.replace("sound", "SOUND"),
        SKIPPED,
        "2 rows named sound",
    ),
    "columns in capitals, notes after values": (
        "# a survey\nNAME, RA, Dec, PosAng, Inclination, Size_Reff # a note\n" + ROW.replace("9.8,60", "60 # so, so"),
        WORKS,
        "",
    ),
    "a column twice": (COLUMNS.replace("distance_mpc", "RA") + ROW, None, "the column ra twice"),
    "the row twice": (COLUMNS + ROW + ROW.replace("60", "50"), SKIPPED, "2 rows named sound"),
    "NaN": (COLUMNS + ROW.replace("30", "nan"), SKIPPED, "column inclination"),
    "an empty cell": (COLUMNS + ROW.replace("20.7", ""), SKIPPED, "column posang"),
    "RA in hours, minutes and seconds": (COLUMNS + ROW.replace("24.1", "01:36:42"), SKIPPED, "column ra"),
    "a declination beyond the pole": (COLUMNS + ROW.replace("15.8", "158"), SKIPPED, "column dec"),
    "edge-on": (COLUMNS + ROW.replace(",30,", ",90,"), SKIPPED, "column inclination"),
    "a size of 0": (COLUMNS + ROW.replace(",60", ",0"), SKIPPED, "column size_reff"),
    "a column missing": (COLUMNS.replace(",size_reff", "") + ROW, None, "has no column size_reff"),
    "no CSV": ("\0\0", None, "expected"),
    "no file": (None, None, "cannot be read"),
}  # fmt: skip

# --- configurations and trees from which no run starts --------------------------------------------------------------

CONFIGURATIONS = {
    "an unknown key": ({"reproject_fun": "exact"}, "did you mean 'reproject_func'?"),
    "a key of pjpipe": ({"procs": 4}, "--cores N"),
    "a value that is not allowed": ({"reproject_func": "nearest"}, "'reproject_func': "),
    "no `in_dir`": ({"in_dir": None}, "in_dir"),
    "a folder that is not there": ({"in_dir": "dat"}, "is not a folder"),
    "no images of that name": ({"in_step_ext": "i2d_algin"}, "no images to anchor"),
    "a target that is not there": ({"targets": ["ngc9999"]}, "ngc9999"),
    "a band that is not there": ({"bands": ["F770W", "F999W"]}, "F999W"),
    "a range for a reference that is not there": ({"intensity_range": {"irca4": [0, 1]}}, "irca4"),
    "two ranges for one reference": (
        {"intensity_range": {"irac4_atgauss4": [0, 1], "IRAC4_atgauss4.0": [0, 2]}},
        "which are one reference",
    ),
    "a range upside down": ({"intensity_range": {"irac4": [2, 0.25]}}, "intensity_range"),
    "a range wider than any image": ({"intensity_range": {"irac4": [0, 20000]}}, "at most 10,000 MJy/sr"),
    "a range without an end": ({"intensity_range": {"irac4": [0, float("inf")]}}, "at most 10,000 MJy/sr"),
    "percentiles upside down": ({"percentile_range": [60, 15]}, "percentile_range"),
    "a noise for a reference that is not there": ({"reference_noise": {"w9": 0.1}}, "w9"),
    "references of a filter that does not exist": ({"external_bands": {"F21000W": "mips24"}}, "did you mean F2100W?"),
    "an instrument's value in two places": ({"ref_band": {"MIRI": "F770W"}}, "given twice"),
    "a `mask_dir` that is not there": ({"mask_dir": "data/maks"}, "mask_dir"),
    "inputs that would be replaced": ({"out_dir": "data", "out_step_ext": "i2d_align"}, "replace their inputs"),
}


class BadInputs(Project):
    """All cases of images, references, kernels and PSFs in one tree, with sound targets."""

    def __init__(self, folder, *, spoilt=True):
        self.folder = Path(folder)
        self.environment = without_figures(self.folder / "site")
        data = self.folder / "data"
        one = {"sky": IDEAL, "field": (90.0, 80.0), "coarsen": 6.0, "references": (REFERENCE,)}
        self.truth = {}
        for target, band in ((SOUND[0], "F2100W"), ("kernels", "F1000W")):
            rows = simulate_tree(data, targets=[target], bands=("F770W", band), **one)
            self._crop(Target(data, target, band).reference)
            self.truth |= {(row["target"], row["band"]): row["offset"] for row in rows}
        for name in ("masks", "psfs"):
            (data / name).mkdir()
        self.configure(**CONFIG)
        self.cases = {}
        if spoilt:
            self._spoil(data)

    def _spoil(self, data):
        for name in (*SOUND[1:], "images", "psfs", *REFERENCES, *MASKS):
            self._copy(data, name)
        self._all(data, IMAGES, lambda name: Target(data, "images", "F2100W", name))
        self._all(data, REFERENCES, lambda name: Target(data, name, "F770W"))
        self._all(data, MASKS, lambda name: Target(data, name, "F2100W"))
        self._all(data, KERNELS, lambda band: Target(data, "kernels", band))
        self._all(data, PSFS, lambda band: Target(data, "psfs", band))

    def _all(self, data, cases, target_of):
        for name, case in cases.items():
            target = target_of(name)
            like = "F1000W" if cases is KERNELS else "F2100W" if cases is PSFS else target.band
            sound = Target(data, target.name, like)
            if not target.image.exists():
                target.image.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(sound.image, target.image)
                header("image", 0, FILTER=target.band)(target)
            if cases is KERNELS:
                shutil.copy(sound.kernel, target.kernel)
            if cases is PSFS:
                psf, scale = gaussian_psf(PSF_FWHM)
                fits.PrimaryHDU(psf, fits.Header({"PIXELSCL": scale})).writeto(target.psf)
            case.spoil(target)
            self.cases[target.stem] = case, sound

    def _copy(self, data, name):
        """The sound target under another name; F2100W for few references, as each costs time."""
        for band in ("F770W", "F2100W") if name not in REFERENCES or name in INTERNAL else ("F770W",):
            copied = Target(data, name, band)
            copied.image.parent.mkdir(parents=True)
            shutil.copy(Target(data, SOUND[0], band).image, copied.image)
        shutil.copy(Target(data, SOUND[0], "F770W").reference, Target(data, name, "F770W").reference)

    def _crop(self, path, half=90):
        """Leave out of a reference what is far from the images: it takes time only."""
        with fits.open(path) as hdus:
            image, head = np.array(hdus[0].data), hdus[0].header.copy()
        middle = len(image) // 2
        for axis in (1, 2):
            head[f"CRPIX{axis}"] -= middle - half
        part = slice(middle - half, middle + half + 1)
        fits.PrimaryHDU(image[part, part], head).writeto(path, overwrite=True)

    def rows_of_images(self):
        """Name of an image, without what all end in: its row of the summary."""
        return {row["image"].removesuffix("_i2d_align.fits"): row for row in self.summary().values()}


def of_table(folder, text):
    """Status and reason of the target `sound` with a galaxy table; a refused run has no status."""
    path = folder / "galaxies.csv"
    path.unlink(missing_ok=True)
    if text is not None:
        path.write_text(text)
    try:
        plan = make_plan(full_config(galaxy_table="galaxies.csv"))
    except PlanError as error:
        return None, str(error)
    reasons = {plan.skipped.get(image, "") for image in plan.of_target("sound")}
    return (SKIPPED if all(reasons) else WORKS), " ".join(reasons)


def of_configuration(changes):
    """What a configuration is refused with, "" if it is not: a key that is None is left out."""
    config = {key: value for key, value in {**full_config(), **changes}.items() if value is not None}
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    found = problems(config, schema)
    if found:
        return " ".join(found)
    complete(config, schema)
    try:
        make_plan(config)
    except PlanError as error:
        return str(error)
    return ""


def full_config(**changes):
    """The shipped configuration for the tree of the cases."""
    config = shipped()
    config["instruments"]["miri"] |= CONFIG["instruments"]["miri"]
    place = {"in_dir": "data", "ref_dir": "data/ref", "kernel_dir": "data/kernels"}
    place |= {key: CONFIG[key] for key in ("mask_dir", "psf_dir", "psf")}
    return {**config, **place, "targets": ["kernels", "sound"], **changes}


# --- the page -------------------------------------------------------------------------------------------------------

OUTCOMES = {WORKS: "works", SKIPPED: "skipped", FAILED: "refused", None: "no run"}


def tables(project, archives):
    """The tables of the page, from a finished run in whose folder we are, and what comes of archive images."""
    rows = project.rows_of_images()
    of_runs = {"Images": IMAGES, "References": REFERENCES, "Kernels": KERNELS, "PSFs": PSFS, "Masks": MASKS}
    for title, cases in of_runs.items():
        stems = [stem for stem, (case, _) in project.cases.items() if case in cases.values()]
        yield title, [(project.cases[stem][0].what, rows[stem]["status"], rows[stem]["reason"]) for stem in stems]
    cases = {name: case for name, case in bad_archives.CASES.items() if name != "sound"}
    yield "Archive images", [(case.what, case.status, archives[name][1]) for name, case in cases.items()]
    yield "galaxy_table", [(what, *of_table(project.folder, text)) for what, (text, *_) in TABLES.items()]
    yield "Configuration", [(what, None, of_configuration(changes)) for what, (changes, _) in CONFIGURATIONS.items()]


def with_tables(text, found):
    """The text of the page with its tables as found."""
    lines = []
    for title, rows in found:
        lines += [f"## {title}", "", "| what is wrong | outcome | message |", "|---|---|---|"]
        lines += [f"| {what} | {OUTCOMES[status]} | {shown(message)} |" for what, status, message in rows]
        lines.append("")
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{rest.split(END)[1]}"


def shown(words):
    """A message in a cell, without the words of a library, which change with its version."""
    words = re.sub(r" \(details: .*\)$", "", " ".join(words.split()))
    return f"`{words}`".replace("|", "\\|") if words else ""


def main():
    with tempfile.TemporaryDirectory() as folder:
        project = BadInputs(folder)
        done = project.snakemake("results/anchor_summary.csv")
        if done.returncode:
            sys.exit(done.stderr)
        os.chdir(folder)
        Path("archives").mkdir()
        archives = bad_archives.made_of_all(Path(folder, "archives"))
        text = with_tables(PAGE.read_text(), tables(project, archives))
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
