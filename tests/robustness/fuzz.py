"""Inputs with bytes of them changed at random: each has to be refused with a reason, or to give a number.

    make fuzz CHANGES=1000 [MOSAIC=image.fits]

tries so many changes of every kind on a small simulated tree, or with a mosaic of yours in place of the simulated one.
"""

import gzip
import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from astropy.io import fits
from runs import ROOT, shipped
from steps import convolve, fit_pair

from anchoring.errors import AnchoringError
from anchoring.files import mosaics
from anchoring.files.anchored import write_anchored
from anchoring.planning.plan import make_plan
from anchoring.planning.settings import PlanError, complete, problems
from simulation.fields import FWHM_PER_SIGMA

CARD, BLOCK = 80, 2880
SCALE, REFERENCE_SCALE = 0.3, 0.75  # arcsec
GZIPPED = b"\x1f\x8b"
PEDESTAL = 0.3  # MJy/sr
LONGEST = 20.0  # seconds that one input may take
BETWEEN = (
    "no overlap",
    "in common",
    "no pixels of the reference",
    "bins with data",
    "image pixels",
    "does not rise",
)  # of two files


class Tree(NamedTuple):
    """A mosaic, its reference and the kernel between them."""

    folder: Path

    @property
    def image(self):
        return self.folder / "ngc0001_miri_lv3_f770w_i2d_align.fits"

    @property
    def reference(self):
        return self.folder / "ngc0001_irac4_atgauss4.fits"

    @property
    def kernel(self):
        return self.folder / "f770w_to_gauss4.fits"

    def answer(self):
        """(slope, intercept), or the reason why there is none; anything raised is an error of the workflow."""
        label = "irac4_atgauss4"
        image = convolve(self.image, self.kernel, self.folder, "F770W")
        found = fit_pair(image, self.reference, label, "F770W", self.folder)
        if found.status != "fitted":
            return found.reason
        written = {"reference": label, "slope": found.slope, "resolution": "gauss4", "version": "0"}
        try:
            write_anchored(self.image, self.folder / "anchored.fits", offset=-found.intercept, **written)
        except AnchoringError as refusal:
            return str(refusal)
        return found.slope, found.intercept


def small_tree(folder, mosaic=None):
    """An i2d with SCI, ERR, WHT and ASDF, with a pedestal of 0.3 MJy/sr; its reference; a Gaussian kernel of 4"."""
    tree = Tree(Path(folder))
    shape, n = (70, 80), 41
    sky = 0.2 + 2.2 * galaxy(shape, SCALE)
    primary = fits.PrimaryHDU()
    primary.header.update({"TELESCOP": "JWST", "INSTRUME": "MIRI", "FILTER": "F770W", "DATAMODL": "ImageModel"})
    planes = [("SCI", sky - PEDESTAL), ("ERR", 0.05 + 0 * sky), ("WHT", 1 + 0 * sky)]
    hdus = [fits.ImageHDU(data.astype("f4"), header(shape, SCALE), name=name) for name, data in planes]
    text = b"#ASDF 1.0.0\n#ASDF_STANDARD 1.5.0\n%YAML 1.1\n--- \nmeta: {bunit_data: MJy/sr}\n...\n"
    cell = fits.Column("ASDF_METADATA", f"{len(text)}B", array=np.frombuffer(text, "u1")[None])
    hdus.append(fits.BinTableHDU.from_columns([cell], name="ASDF"))
    if mosaic is None:
        fits.HDUList([primary, *hdus]).writeto(tree.image, overwrite=True)
    else:
        content = Path(mosaic).read_bytes()
        tree.image.write_bytes(gzip.decompress(content) if content[:2] == GZIPPED else content)
        seen = mosaics.read_image_header(tree.image)
    grid = (n, n)
    if mosaic is None:
        head, values = header(grid, REFERENCE_SCALE), 0.2 + 2.2 * galaxy(grid, REFERENCE_SCALE, 4.0)
    else:
        head, grid = seen.header.copy(), seen.shape
        with fits.open(tree.image) as hdus:
            values = np.nan_to_num(hdus["SCI"].data, nan=0.0)
        low, high = np.percentile(values[values != 0], (2, 98))
        values = np.where(values == 0, np.nan, 0.25 + 1.7 * (values - low) / (high - low))
    kept = [card for card in head.cards if card.keyword.startswith(("C", "PC", "BUNIT"))]
    fits.PrimaryHDU(values.astype("f4"), fits.Header(kept)).writeto(tree.reference, overwrite=True)
    y, x = np.indices((61, 61)) - 30
    kernel = np.exp(-(y**2 + x**2) / (2 * (4 / FWHM_PER_SIGMA / 0.2) ** 2)).astype("f4")
    fits.PrimaryHDU(kernel, fits.Header({"PIXELSCL": 0.2})).writeto(tree.kernel, overwrite=True)
    return tree


def galaxy(shape, scale, beam=0.0):
    """A Gaussian of a FWHM of 8 arcsec and unit peak, seen with a Gaussian beam."""
    y, x = (np.indices(shape) - np.array(shape)[:, None, None] / 2 + 0.5) * scale
    variance, added = ((fwhm / FWHM_PER_SIGMA) ** 2 for fwhm in (8.0, beam))
    return variance / (variance + added) * np.exp(-(x**2 + y**2) / (2 * (variance + added)))


def header(shape, scale):
    return fits.Header(
        {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 24.0, "CRVAL2": 15.0, "CUNIT1": "deg", "CUNIT2": "deg",
         "CRPIX1": (shape[1] + 1) / 2, "CRPIX2": (shape[0] + 1) / 2, "CDELT1": -scale / 3600, "CDELT2": scale / 3600,
         "BUNIT": "MJy/sr"}
    )  # fmt: skip


# --- changes: from a generator and the bytes of a file to other bytes -------------------------------------------------

VALUES = (
    "-1",
    "0",
    "1E400",
    "NaN",
    "1E-300",
    "99999999999",
    "T",
    "'X'",
    "''",
    "0.5",
    "/",
    "'RA---CAR'",
    "2",
    "-32",
    "3",
)


def gzipped(tree):
    """Gzip the mosaic of a tree, under its own name, as archives hand them out."""
    tree.image.write_bytes(gzip.compress(tree.image.read_bytes(), mtime=0))


def cards_of(content):
    """Where the cards of all headers of a FITS file are."""
    places, inside = [], True
    for block in range(0, len(content), BLOCK):
        inside = inside or content[block : block + 9] in (b"XTENSION=", b"SIMPLE  =")
        for place in range(block, block + BLOCK, CARD) if inside else ():
            if content[place : place + 8] == b"END     ":
                inside = False
                break
            if content[place : place + CARD].strip():
                places.append(place)
    return places


def other_byte_in_a_header(rng, content):
    place = rng.choice(cards_of(content)) + rng.integers(CARD)
    return content[:place] + bytes([rng.integers(256)]) + content[place + 1 :]


def other_value(rng, content):
    place = int(rng.choice(cards_of(content))) + 10
    return content[:place] + str(rng.choice(VALUES)).rjust(20).encode() + content[place + 20 :]


def no_card(rng, content):
    place = int(rng.choice(cards_of(content)))
    return content[:place] + b" " * CARD + content[place + CARD :]


def cards_swapped(rng, content):
    a, b = sorted(int(p) for p in rng.choice(cards_of(content), 2, replace=False))
    card = {p: content[p : p + CARD] for p in (a, b)}
    return content[:a] + card[b] + content[a + CARD : b] + card[a] + content[b + CARD :]


def other_bytes(rng, content):
    new = bytearray(content)
    for place in rng.integers(len(content), size=2 ** rng.integers(1, 8)):
        new[place] = rng.integers(256)
    return bytes(new)


def other_letters(rng, content):
    new = bytearray(content)
    for place in rng.integers(len(content), size=2 ** rng.integers(0, 4)):
        new[place] = rng.integers(32, 127)
    return bytes(new)


def cut(rng, content):
    return content[: rng.integers(len(content))]


def some_missing(rng, content):
    place = rng.integers(len(content))
    return content[:place] + content[place + rng.integers(1, 2 * BLOCK) :]


def zeros(rng, content):
    place = rng.integers(len(content))
    n = rng.integers(1, 2 * BLOCK)
    return content[:place] + bytes(n) + content[place + n :]


OF_FITS = (other_byte_in_a_header, other_value, no_card, cards_swapped, other_bytes, cut, some_missing, zeros)
OF_TEXT = (other_bytes, other_letters, cut, some_missing)


# --- what may come of them --------------------------------------------------------------------------------------------


def try_fits(tree, which, change, seed, sound):
    """Outcome of a changed file: refused, same or other; AssertionError for anything else."""
    path = getattr(tree, which)
    content = path.read_bytes()
    started = time.monotonic()
    try:
        path.write_bytes(change(np.random.default_rng(seed), content))
        found = tree.answer()
    finally:
        path.write_bytes(content)
    assert time.monotonic() - started < LONGEST
    if isinstance(found, str):
        assert path.name in found or any(words in found for words in BETWEEN), found
        return "refused"
    assert np.isfinite(found).all(), found
    return "same" if found == sound else "other"


def try_table(folder, change, seed, config, text):
    """Outcome of a changed galaxy table: refused, skipped or read."""
    path = Path(folder, "galaxies.csv")
    path.write_bytes(change(np.random.default_rng(seed), text))
    plan = planned({**config, "galaxy_table": str(path)})
    if isinstance(plan, str):
        assert path.name in plan
        return "refused"
    assert all(path.name in reason for reason in plan.skipped.values())
    assert all(np.isfinite(list(g.values())).all() for g in plan.galaxies.values() if g)
    return "skipped" if plan.skipped else "read"


def try_config(change, seed, text, schema):
    """Outcome of a changed configuration: no YAML or no mapping (which Snakemake refuses), refused or planned."""
    try:
        config = yaml.safe_load(change(np.random.default_rng(seed), text))
    except (yaml.YAMLError, UnicodeDecodeError):
        return "no YAML"
    if not isinstance(config, dict):
        return "no YAML"
    found = problems(config, schema)
    assert all(isinstance(words, str) and words for words in found)
    if found:
        return "refused"
    # As Snakemake does, with what is left out as it is by default.
    complete(config, schema)
    plan = planned(shipped(**config))
    return "refused" if isinstance(plan, str) else "planned"


def planned(config):
    """A plan, or the reason why there is none."""
    try:
        return make_plan(config)
    except PlanError as refusal:
        return str(refusal)


def config_of(folder):
    """The shipped configuration for a tree as `simulate_tree` makes it."""
    return shipped(in_dir=str(folder), ref_dir=str(folder / "ref"), kernel_dir=str(folder / "kernels"))


def schema():
    return yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())


def main(n, mosaic=None):
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        tree = small_tree(folder, mosaic)
        sound = tree.answer()
        print(f"sound: {sound}")
        for which in ("image", "reference", "kernel"):
            for change in OF_FITS:
                report(tree, which, change, n, sound)
        gzipped(tree)
        for change in OF_TEXT:
            report(tree, "image", change, n, sound)


def report(tree, which, change, n, sound):
    outcomes = Counter()
    for seed in range(n):
        try:
            outcomes[try_fits(tree, which, change, seed, sound)] += 1
        except Exception as error:
            outcomes["FAULT"] += 1
            print(f"{which} {change.__name__} {seed}: {type(error).__name__}: {error}"[:300])
    print(f"{which} {change.__name__}: {dict(outcomes)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
