"""Sizes and cards of FITS files from their headers; without astropy, which takes longer to import than a plan."""

import contextlib
import functools
import gzip
import math
import os
import zlib
from typing import NamedTuple

LARGEST_KERNEL = 1201  # pixels of a side of a kernel that is made
LARGEST_RATIO = 1000  # of the bytes of an image to those of its compressed file
SCALES = ("XPIXSIZE", "PIXELSCL", "PIXSCALE", "PIXSCALX", "SECPIX", "SECPIX1", "PIXSCAL1", "PXSCAL1")  # arcsec


def header_card(path, keyword):
    """The string value of a card of a primary header, "" without one."""
    return next(_headers(path), {}).get(keyword, "").strip("'").strip()


def _headers(path):
    """The headers of a FITS file, compressed by gzip or not, as {keyword: value}, up to one that cannot be read."""
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            unpacked = gzip.GzipFile(fileobj=file) if packed else file
            while header := _header(unpacked):
                yield header
                unpacked.seek(_data_size(header), os.SEEK_CUR)
    except (OSError, EOFError, ValueError, OverflowError, zlib.error):
        return


def _header(file):
    """The header at the current position of a file, to its end or 100 blocks; empty if there is none."""
    header = {}
    for _ in range(100):
        block = file.read(2880).decode("ascii", "replace")
        for start in range(0, len(block), 80):
            card = block[start : start + 80]
            name = card[:8].rstrip()
            if name == "END" or not (header or name in ("SIMPLE", "XTENSION")):
                return header
            header.setdefault(name, card[10:].split("/")[0].strip())
        if len(block) < 2880:
            break
    return header


def _data_size(header):
    """Bytes from the end of a header to the next one."""
    sides = _sides(header)
    numbers = [int(header.get(name, default)) for name, default in (("BITPIX", 8), ("GCOUNT", 1), ("PCOUNT", 0))]
    size = abs(numbers[0]) // 8 * numbers[1] * (numbers[2] + math.prod(sides)) if sides else 0
    return -(-size // 2880) * 2880


def _sides(header, tiled=""):
    return [int(header[f"{tiled}NAXIS{i + 1}"]) for i in range(int(header.get(f"{tiled}NAXIS", 0)))]


class Size(NamedTuple):
    """Shape (ny, nx) of an image and side of its pixels, arcsec; NaN if no usual card tells it."""

    shape: tuple = (0, 0)
    scale: float = math.nan


@functools.cache
def image_size(path):
    """Size of the first image in a FITS file; (0, 0) pixels if there is none, or more than the file can hold."""
    first = {}
    for header in _headers(path):
        first = first or header
        tiled = "Z" if header.get("ZIMAGE") == "T" else ""
        if not (tiled or "SIMPLE" in header or header["XTENSION"].startswith("'IMAGE")):
            continue
        try:
            sides = _sides(header, tiled)
            size = math.prod(sides) * abs(int(header[f"{tiled}BITPIX"])) / 8
        except (KeyError, ValueError):
            break
        if len(sides) > 1:
            packed = tiled or str(path).lower().endswith(".gz")
            plausible = min(sides) > 0 and size <= os.path.getsize(path) * (LARGEST_RATIO if packed else 1)
            return Size((sides[1], sides[0]), _scale(header) or _scale(first) or math.nan) if plausible else Size()
    return Size()


def _scale(header):
    """Side of a pixel, arcsec, by the usual cards; None without one."""
    cards = {}
    for name in (*SCALES, "CD1_1", "CD2_1", "CDELT1", "PC1_1", "PC2_1"):
        with contextlib.suppress(KeyError, ValueError):
            cards[name] = float(header[name])
    stated = next((cards[name] for name in SCALES if name in cards), None)
    if stated is None and "CD1_1" in cards:
        stated = 3600 * math.hypot(cards["CD1_1"], cards.get("CD2_1", 0))
    if stated is None and "CDELT1" in cards:
        stated = 3600 * cards["CDELT1"] * math.hypot(cards.get("PC1_1", 1), cards.get("PC2_1", 0))
    return abs(stated) if stated and math.isfinite(stated) else None


def kernel_side(kernel, image):
    """Side, image pixels, of a kernel with a Size; where a pixel scale is unknown, its own pixels count."""
    ratio = kernel.scale / image.scale
    return math.ceil(max(kernel.shape) * (1 if math.isnan(ratio) else ratio)) or 1


def made_kernel_size(source, target, fwhm):
    """Largest Size of a kernel that is made of PSFs with a Size; of a Gaussian that of no file, with its FWHM, arcsec.

    As `images.kernel_making` chooses its grid: 1.25 times the wings of both, those of a Gaussian 3 FWHM.
    """
    widths = [max(size.shape) * size.scale for size in (source, target)] + [6 * (fwhm or 0)]
    width = 1.25 * max((width for width in widths if width > 0), default=0)
    return Size((LARGEST_KERNEL,) * 2, width / LARGEST_KERNEL) if width else Size()


def field_size(archive, mosaics, margin):
    """Largest Size of the part of some archive images around some mosaics, all Sizes, and a margin, arcmin."""
    scales = [size.scale for size in archive if size.scale > 0]
    reach = sum(math.hypot(*size.shape) * size.scale for size in mosaics if size.scale > 0) + 120 * margin
    if not scales:
        return max(archive, key=lambda size: math.prod(size.shape), default=Size())
    # Of an image that is turned by 45 degrees, the square around the field.
    side = math.ceil(reach / min(scales) * (1 if len(archive) > 1 else math.sqrt(2)))
    if len(archive) == 1:
        return Size(tuple(min(side, n) for n in archive[0].shape), scales[0])
    return Size((side, side), min(scales))


def overlap(image, reference):
    """Shape (ny, nx) of the part of a reference that an image can cover, however they are rotated; of two Sizes."""
    reach = math.hypot(*image.shape) * image.scale / reference.scale
    return reference.shape if math.isnan(reach) else tuple(min(n, math.ceil(reach) + 1) for n in reference.shape)
