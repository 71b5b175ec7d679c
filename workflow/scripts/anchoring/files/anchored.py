"""The anchored file: the image's own file with the offset added and said, and everything else byte for byte.

The file is read once, front to back and in pieces, so that a mosaic larger than memory is no trouble. What changes:

- SCI: pixels (`added`), the keywords of `_provenance`, the beam if it is known, and a HISTORY card at the end of its
  header;
- primary header: the same HISTORY card, if it has HISTORY, which stdatamodels reads in place of the one in ASDF;
- ASDF: `meta.anchor_bkgrdval` and a history entry, in the text of its tree (`asdf_text`);
- CHECKSUM and DATASUM of these, where they have them.

`_fits_hash` in ASDF is left: as it no longer fits the headers, stdatamodels takes the new keywords in and keeps them.
Nothing in it depends on the time of day: the same image and offset give the same file.
"""

import gzip
import math
import os
import re
import shutil
import warnings
import zlib
from collections.abc import Mapping
from contextlib import contextmanager
from os import PathLike

import numpy as np
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning

from ..errors import RUN_AGAIN, AnchoringError
from ..images.headers import beam_cards
from ..images.observed import is_observed
from .atomic import Checksum, atomic_write
from .hdus import damaged
from .mosaics import map_image

HASHES = {  # keywords of the SHA-256 of files, by what they are to the fit; a card has no room for a comment
    "mosaic": "ANCHSHAM",
    "reference": "ANCHSHAR",
    "kernel": "ANCHSHAK",
    "reference_kernel": "ANCHSHRK",
}
CHUNK = 2**20  # bytes: larger pieces leave the processor's cache and take twice as long to add to
BLOCK = 2880  # bytes: FITS headers and data are padded to multiples of it
CARD = 80


def added(data, offset, seen=None):
    """Add an offset to observed pixels.

    Parameters
    ----------
    data : float array of any shape and byte order
    offset : float
        In the unit of data.
    seen : bool array of data's shape, optional
        The observed pixels; without it those of `observed.is_observed`.

    Returns
    -------
    A new array of data's dtype: the float64 sum, rounded once to it. The other pixels keep their bits (the sign of a
    zero, what a NaN carries). An observed pixel whose sum is exactly 0 is 0: that is the sum.
    """
    native = data.astype(data.dtype.newbyteorder("="))
    with np.errstate(invalid="ignore"):  # a signalling NaN
        total = (native.astype(float) + offset).astype(native.dtype)
    return np.where(is_observed(native) if seen is None else seen, total, native).astype(data.dtype)


def write_anchored(
    image: str | PathLike[str],
    path: str | PathLike[str],
    *,
    offset: float,
    reference: str,
    slope: float,
    resolution: str,
    version: str,
    offset_err: float | None = None,
    offset_sys: float | None = None,
    source: str | None = None,
    beam: float | None = None,
    hashes: Mapping[str, str] | None = None,
) -> None:
    """Write the anchored file of an image, whole or not at all.

    Parameters
    ----------
    image : path
        FITS file with a floating-point SCI extension; it may be gzipped, the anchored file is not. Never changed.
    path : path
        File to write; its folder is made.
    offset : float
        MJy/sr, added to the observed pixels of SCI (`mosaics.Mosaic.observed`).
    reference, resolution : str
        What defines the zero, and the resolution at which the two were compared.
    slope : float
        Of the image on the reference.
    version : str
        Of this library.
    offset_err, offset_sys : float, optional
        Statistical and systematic error of offset, MJy/sr. None or NaN, unknown, leaves no keyword.
    source : str, optional
        `hdus.Image.source` of the image that was fitted.
    beam : float, optional
        FWHM of the PSF of the image, arcsec, for BMAJ, BMIN and BPA; None, unknown, leaves them as they are.
    hashes : mapping, optional
        {what it is, a key of HASHES: SHA-256} of files that the offset was found with.

    Raises
    ------
    AnchoringError
        Naming the file: it is not the one of `source`, or `mosaics.map_image` refuses it.
    OSError
        What the file system says, if it cannot read or write.
    """
    if not math.isfinite(offset):
        raise AnchoringError(f"{image} has an offset of {offset} MJy/sr; expected a finite number: fit it again")
    offset, version = float(offset), _printable(version)
    cards = _provenance(offset, offset_err, offset_sys, reference, slope, resolution, version)
    cards += [fits.Card(*card) for card in beam_cards(beam)]
    cards += [fits.Card(HASHES[what], digest) for what, digest in (hashes or {}).items()]
    history = f"anchored {version}: {offset:+.6g} MJy/sr added to SCI, zero of {_printable(reference)}"
    mosaic = map_image(image, with_source=False)
    if os.path.exists(path) and os.path.samefile(image, path):
        raise AnchoringError(f"{image} is also the anchored file; expected another: change its name or folder")
    try:
        with _opened(image) as file, atomic_write(path) as temporary, open(temporary, "wb") as out:
            checksum = _write_hdus(file, out, offset, cards, history, version, mosaic)
            if source is not None and str(checksum) != source:
                raise AnchoringError(f"was changed after it was fitted; expected the image that was: {RUN_AGAIN}")
    except AnchoringError as error:
        raise AnchoringError(f"{image} {error}") from error
    except (EOFError, gzip.BadGzipFile, zlib.error, fits.VerifyError) as error:
        raise damaged(image, error) from error


def copy_with_cards(source, path, cards):
    """Copy a FITS file, whole or not at all, with cards in its primary header; all else is the same, byte for byte.

    `cards` are (keyword, value, comment). Each is put where its keyword stands, or else at the end. CHECKSUM of the
    primary header, if it has one, is put right.
    """
    with open(source, "rb") as file, atomic_write(path) as temporary, open(temporary, "wb") as out:
        raw, header, _, _ = _header(file.read(BLOCK), file)
        changed = _with_cards(raw, [fits.Card(*card) for card in cards])
        _write_changed(out, changed, _pieces(file, header.data_size_padded))
        shutil.copyfileobj(file, out, CHUNK)


@contextmanager
def _opened(image):
    """The bytes of a file, from its beginning; of what is in it if it is gzipped, whatever its name."""
    with open(image, "rb") as file:
        yield gzip.GzipFile(fileobj=file) if file.peek(2)[:2] == b"\x1f\x8b" else file


def _printable(text):
    """Text on one line in the characters that a FITS header can have."""
    return re.sub(r"[^ -~]", "?", " ".join(str(text).split()))


def _provenance(offset, offset_err, offset_sys, reference, slope, resolution, version):
    numbers = [
        ("ANCHOFF", offset, "[MJy/sr] added to the pixels of SCI"),
        ("ANCHERR", offset_err, "[MJy/sr] statistical error of ANCHOFF"),
        ("ANCHSYS", offset_sys, "[MJy/sr] systematic error of ANCHOFF"),
        ("ANCHSLP", slope, "[1] slope of the image on ANCHREF"),
    ]
    words = [
        ("ANCHREF", reference, "reference of the zero"),
        ("ANCHRES", resolution, "resolution of the fit"),
        ("ANCHVER", version, "version of the software"),
    ]
    known = [(key, float(value), says) for key, value, says in numbers if value is not None and math.isfinite(value)]
    return [fits.Card(*card) for card in (*known, *((key, _printable(text), says) for key, text, says in words))]


# ---- FITS: one HDU after the other


def _write_hdus(file, out, offset, cards, history, version, mosaic):
    """Copy a file with what changes; the checksum of its SCI as it was."""
    checksum, first = Checksum(), True
    while raw := file.read(BLOCK):
        if not (first or raw.startswith(b"XTENSION")):
            # Whatever follows the last HDU is not ours to judge.
            out.write(raw)
            shutil.copyfileobj(file, out, CHUNK)
            break
        raw, header, size, name = _header(raw, file)
        padded = header.data_size_padded
        if name == "SCI":
            checksum.add(raw)
            raw = _with_cards(raw, [*cards, fits.Card("HISTORY", history)])
            _write_changed(out, raw, _anchored_pixels(file, padded, offset, checksum, mosaic))
        elif name == "ASDF":
            from .asdf_text import anchored_asdf, size_keywords

            keywords, comments = size_keywords(header)
            asdf = anchored_asdf(b"".join(_pieces(file, size)), offset, history, version)
            for _ in _pieces(file, padded - size):
                pass
            values = {"NAXIS1": len(asdf), "TFORM1": f"{len(asdf)}B"}
            raw = _with_cards(raw, [fits.Card(key, values[key], _printable(comments[key])) for key in keywords])
            _write_changed(out, raw, [asdf + bytes(-len(asdf) % BLOCK)])
        elif first and "HISTORY" in header:
            raw = _with_cards(raw, [fits.Card("HISTORY", history)])
            _write_changed(out, raw, _pieces(file, padded))
        else:
            out.write(raw)
            out.writelines(_pieces(file, padded))
        first = False
    return checksum


def _header(raw, file):
    """Bytes and keywords of the header that begins with the block `raw`, size of its data and upper-case name."""
    while _end(raw) is None:
        raw += b"".join(_pieces(file, BLOCK))
    if len(raw) % BLOCK:
        raise EOFError("its last header is not whole")
    try:
        header = fits.Header.fromstring(raw.decode("latin-1"))
        return raw, header, header.data_size, str(header.get("EXTNAME", "")).strip().upper()
    except (KeyError, TypeError, ValueError, fits.VerifyError) as error:
        raise AnchoringError(f"has a header that cannot be read ({error}); expected FITS: write it again") from error


def _end(raw):
    """Where the END card is, None if there is none yet."""
    return next((i for i in range(0, len(raw), CARD) if raw[i : i + 8] == b"END     "), None)


def _pieces(file, size, largest=CHUNK):
    """The next `size` bytes of a file in pieces; EOFError if there are fewer."""
    while size > 0:
        piece = file.read(min(size, largest))
        if len(piece) < min(size, largest):
            raise EOFError(f"{size - len(piece)} bytes of an HDU are missing")
        size -= len(piece)
        yield piece


def _anchored_pixels(file, padded, offset, checksum, mosaic):
    """The bytes of SCI with the offset added, some rows at a time."""
    ny, nx = mosaic.shape
    dtype = mosaic.dtype.newbyteorder(">")
    row, rows = nx * dtype.itemsize, max(CHUNK // (nx * dtype.itemsize), 1)
    for i, piece in enumerate(checksum.of(_pieces(file, ny * row, rows * row))):
        data = np.frombuffer(piece, dtype).reshape(-1, nx)
        seen = mosaic.observed(data.astype(mosaic.dtype), i * rows)
        yield added(data, offset, seen).tobytes()
    yield from checksum.of(_pieces(file, padded - ny * row))


def _with_cards(raw, cards):
    """A header with cards put where their keyword stands, or else before END; all its other cards as they are."""
    images = [raw[i : i + CARD] for i in range(0, _end(raw), CARD)]
    keywords = [image[:8].rstrip() for image in images]
    with warnings.catch_warnings():
        # A long value leaves its comment less room.
        warnings.simplefilter("ignore", VerifyWarning)
        for card in cards:
            image, keyword = str(card).encode("ascii"), card.keyword.encode("ascii")
            if keyword in keywords and keyword != b"HISTORY":
                at = keywords.index(keyword)
                images[at] = image
                while keywords[at + 1 : at + 2] == [b"CONTINUE"]:  # the rest of a long value
                    del images[at + 1], keywords[at + 1]
            else:
                images.append(image)
    raw = b"".join([*images, b"END".ljust(CARD)])
    return raw + b" " * (-len(raw) % BLOCK)


def _write_changed(out, raw, pieces):
    """Write an HDU; DATASUM and CHECKSUM, if its header has them, are put right when all of it is written."""
    start, total = out.tell(), 0
    out.write(raw)
    for piece in pieces:
        out.write(piece)
        total = _sum32(piece, total)
    end = out.tell()
    out.seek(start)
    out.write(_signed(raw, total))
    out.seek(end)


def _signed(raw, datasum):
    """A header whose DATASUM and CHECKSUM, where it has them, are those of itself and data of this sum."""
    keywords = {raw[i : i + 8] for i in range(0, _end(raw), CARD)}
    if b"DATASUM " in keywords:
        raw = _with_cards(raw, [fits.Card("DATASUM", f"{datasum}", "data unit checksum")])
    if b"CHECKSUM" in keywords:
        raw = _with_cards(raw, [fits.Card("CHECKSUM", "0" * 16, "HDU checksum")])
        checksum = _encoded(~_sum32(raw, datasum) & 0xFFFFFFFF)
        raw = _with_cards(raw, [fits.Card("CHECKSUM", checksum, "HDU checksum")])
    return raw


def _sum32(data, total=0):
    """Ones' complement sum of 32-bit words, FITS Standard 4.0 section 4.4.2.7."""
    total += int(np.frombuffer(data, ">u4").sum(dtype=np.uint64))
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def _encoded(value):
    """A 32-bit number as 16 letters and digits that add up to it, FITS Standard 4.0 appendix J."""
    punctuation = {*range(0x3A, 0x41), *range(0x5B, 0x61)}
    columns = []
    for byte in value.to_bytes(4, "big"):
        quarter, rest = divmod(byte, 4)
        four = [0x30 + quarter + rest, *[0x30 + quarter] * 3]
        for i in (0, 2):
            while punctuation & {four[i], four[i + 1]}:
                four[i] += 1
                four[i + 1] -= 1
        columns.append(four)
    text = bytes(four[i] for i in range(4) for four in columns).decode("ascii")
    # The string begins one byte before a word's boundary.
    return text[-1] + text[:-1]
