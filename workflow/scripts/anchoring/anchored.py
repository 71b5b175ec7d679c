"""The anchored file: the image's own file with the offset added and said, and everything else byte for byte.

The file is read once, front to back and in pieces, so that a mosaic larger than memory is no trouble. What changes:

- SCI: pixels (`added`), the keywords of `_provenance` and a HISTORY card at the end of its header;
- primary header: the same HISTORY card, if it has HISTORY, which stdatamodels reads in place of the one in ASDF;
- ASDF: `meta.anchor_bkgrdval` and a history entry, in the text of its tree (`anchored_asdf`);
- CHECKSUM and DATASUM of these, where they have them.

`_fits_hash` in ASDF is left: as it no longer fits the headers, stdatamodels takes the new keywords in and keeps them.
Nothing in it depends on the time of day: the same image and offset give the same file.
"""

import gzip
import json
import math
import os
import re
import shutil
import struct
import warnings
import zlib
from contextlib import contextmanager

import numpy as np
import yaml
from astropy.io import fits
from astropy.io.fits.verify import VerifyWarning

from .errors import AnchoringError
from .files import Checksum, whole_file

CHUNK = 2**20  # bytes: larger pieces leave the processor's cache and take twice as long to add to
BLOCK = 2880  # bytes: FITS headers and data are padded to multiples of it
CARD = 80

ASDF_BLOCK = b"\xd3BLK"
ASDF_INDEX = b"#ASDF BLOCK INDEX"
ASDF_TAG = "tag:stsci.edu:asdf/core"
# Tags and numbers are left as text; libyaml reads a tree ten times as fast, where PyYAML has it.
YAML_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def added(data, offset):
    """Add an offset to observed pixels: those that are finite and not 0.

    Parameters
    ----------
    data : float array of any shape and byte order
    offset : float
        In the unit of data.

    Returns
    -------
    A new array of data's dtype: the float64 sum, rounded once to it. The other pixels keep their bits (the sign of a
    zero, what a NaN carries). An observed pixel whose sum is exactly 0 is 0: that is the sum.
    """
    native = data.astype(data.dtype.newbyteorder("="))
    with np.errstate(invalid="ignore"):  # a signalling NaN
        total = (native.astype(float) + offset).astype(native.dtype)
    return np.where(np.isfinite(native) & (native != 0), total, native).astype(data.dtype)


def write_anchored(
    image, path, *, offset, reference, slope, resolution, version, offset_err=None, offset_sys=None, source=None
):
    """Write the anchored file of an image, whole or not at all.

    Parameters
    ----------
    image : path
        FITS file with a floating-point SCI extension; it may be gzipped, the anchored file is not. Never changed.
    path : path
        File to write; its folder is made.
    offset : float
        MJy/sr, added to the pixels of SCI that are finite and not 0.
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

    Raises
    ------
    AnchoringError
        Naming the file: it is not the one of `source`, is anchored already, is cut short, has no or several SCI, SCI is
        not floating-point, is scaled (BSCALE, BZERO) or tile-compressed, or the ASDF extension is not understood.
    OSError
        What the file system says, if it cannot read or write.
    """
    if not math.isfinite(offset):
        raise AnchoringError(f"{image} has an offset of {offset} MJy/sr; expected a finite number: fit it anew")
    offset, version = float(offset), _printable(version)
    cards = _provenance(offset, offset_err, offset_sys, reference, slope, resolution, version)
    history = f"anchored {version}: {offset:+.6g} MJy/sr added to SCI, zero of {_printable(reference)}"
    try:
        with _opened(image) as file:
            if os.path.exists(path) and os.path.samefile(image, path):
                raise AnchoringError("is also the anchored file; expected another: change its name or folder")
            with whole_file(path) as temporary, open(temporary, "wb") as out:
                _write_hdus(file, out, offset, cards, history, version, source)
    except AnchoringError as error:
        raise AnchoringError(f"{image} {error}") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise AnchoringError(
            f"{image} is cut short or damaged ({error}); expected a whole file: fetch it anew"
        ) from error
    except (KeyError, TypeError, ValueError, fits.VerifyError) as error:
        raise AnchoringError(
            f"{image} has a header that cannot be read ({error}); expected FITS: fetch it anew"
        ) from error


@contextmanager
def _opened(image):
    """The bytes of a file, from its beginning; of what is in it if it is gzipped, whatever its name."""
    if not os.path.exists(image):
        raise AnchoringError("does not exist; expected a FITS file")
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


def _write_hdus(file, out, offset, cards, history, version, source):
    seen = []
    while raw := file.read(BLOCK):
        if not raw.startswith(b"XTENSION" if seen else b"SIMPLE  ="):
            if not seen:
                raise AnchoringError("is not a FITS file; expected a level-3 mosaic (i2d)")
            # Whatever follows the last HDU is not ours to judge.
            out.write(raw)
            shutil.copyfileobj(file, out, CHUNK)
            break
        raw, header, size, name = _header(raw, file)
        if "ANCHOFF" in header:
            raise AnchoringError("is already anchored (ANCHOFF); expected the image before anchoring")
        if name in ("SCI", "ASDF") and name in seen:
            raise AnchoringError(f"has several {name} extensions; expected one, as in a mosaic (i2d): split the file")
        padded = header.data_size_padded
        if name == "SCI":
            checksum = Checksum(raw)
            raw = _with_cards(raw, [*cards, fits.Card("HISTORY", history)])
            _write_changed(out, raw, _anchored_pixels(file, header, offset, checksum))
            if source is not None and str(checksum) != source:
                raise AnchoringError("was changed after it was fitted; expected the image that was: run again")
        elif name == "ASDF":
            keywords, comments = _size_keywords(header)
            asdf = anchored_asdf(b"".join(_pieces(file, size)), offset, history, version)
            for _ in _pieces(file, padded - size):
                pass
            values = {"NAXIS1": len(asdf), "TFORM1": f"{len(asdf)}B"}
            raw = _with_cards(raw, [fits.Card(key, values[key], comments[key]) for key in keywords])
            _write_changed(out, raw, [asdf + bytes(-len(asdf) % BLOCK)])
        elif not seen and "HISTORY" in header:
            raw = _with_cards(raw, [fits.Card("HISTORY", history)])
            _write_changed(out, raw, _pieces(file, padded))
        else:
            out.write(raw)
            out.writelines(_pieces(file, padded))
        seen.append(name)
    if "SCI" not in seen:
        raise AnchoringError("has no SCI extension; expected a level-3 mosaic (i2d)")


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
        raise AnchoringError(f"has a header that cannot be read ({error}); expected FITS: write it anew") from error


def _end(raw):
    """Where the END card is, None if there is none yet."""
    return next((i for i in range(0, len(raw), CARD) if raw[i : i + 8] == b"END     "), None)


def _pieces(file, size):
    """The next `size` bytes of a file in pieces; EOFError if there are fewer."""
    while size > 0:
        piece = file.read(min(size, CHUNK))
        if len(piece) < min(size, CHUNK):
            raise EOFError(f"{size - len(piece)} bytes of an HDU are missing")
        size -= len(piece)
        yield piece


def _anchored_pixels(file, header, offset, checksum):
    if header.get("ZIMAGE"):
        raise AnchoringError("has a tile-compressed SCI; expected an uncompressed one: run funpack on it")
    if header["BITPIX"] not in (-32, -64) or not header.data_size:
        raise AnchoringError(f"has a SCI with BITPIX {header['BITPIX']}; expected a floating-point image: convert it")
    if (header.get("BSCALE", 1), header.get("BZERO", 0)) != (1, 0):
        raise AnchoringError("has a scaled SCI (BSCALE, BZERO); expected numbers in MJy/sr themselves: write it anew")
    dtype = np.dtype(f">f{-header['BITPIX'] // 8}")
    for piece in checksum.of(_pieces(file, header.data_size)):
        yield added(np.frombuffer(piece, dtype), offset).tobytes()
    yield from checksum.of(_pieces(file, header.data_size_padded - header.data_size))


def _size_keywords(header):
    """Keywords, and comments, of the size of an ASDF extension, which is a table of one cell or an image of bytes."""
    image = {"XTENSION": "IMAGE", "BITPIX": 8, "NAXIS": 1}
    table = {"XTENSION": "BINTABLE", "NAXIS2": 1, "PCOUNT": 0, "TFIELDS": 1, "TFORM1": f"{header.get('NAXIS1')}B"}
    for keywords, layout in ((("NAXIS1",), image), (("NAXIS1", "TFORM1"), table)):
        if all(header.get(key) == value for key, value in layout.items()) and "TDIM1" not in header:
            return keywords, {key: _printable(header.comments[key]) for key in keywords}
    raise _not_understood("neither a table of one cell nor an image of bytes")


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
                images[keywords.index(keyword)] = image
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


# ---- ASDF: a tree of YAML text, binary blocks, and perhaps an index of the blocks


def anchored_asdf(asdf, offset, description, version):
    """The bytes of an ASDF file with an offset in `meta.anchor_bkgrdval` and an entry at the end of its history.

    Lines are inserted into the text of the tree; what else is in it, the unused space that may follow it and the
    blocks stay byte for byte. The block index, if there is one, is moved along with the blocks.

    Parameters
    ----------
    asdf : bytes
    offset : float
    description, version : str
        Of the history entry and of the software that makes it, in printable ASCII.

    Raises
    ------
    AnchoringError
        If the offset of an anchoring is there already, or the layout or the tree is not understood.
    """
    # The end of the tree is the first line of three dots (ASDF Standard, low-level file layout).
    end = re.search(rb"\n\.\.\.\r?(?=\n|\Z)", asdf)
    if not asdf.startswith(b"#ASDF ") or end is None:
        raise _not_understood("no tree")
    tree, rest = asdf[: end.start() + 1], asdf[end.start() + 1 :]
    try:
        new = _anchored_tree(tree.decode("utf-8"), offset, description, version).encode("utf-8")
        index = _index_position(rest)
    except (UnicodeDecodeError, yaml.YAMLError, struct.error) as error:
        raise _not_understood(" ".join(str(error).split())) from error
    return new + rest[:index] + _shifted(rest[index:], len(new) - len(tree))


def _not_understood(what):
    return AnchoringError(
        f"has an ASDF extension that is not understood ({what}); "
        "expected one as the pipeline writes it: remove the extension or open and save the file with stdatamodels"
    )


def _anchored_tree(text, offset, description, version):
    """The text of a tree with the two members inserted."""
    # YAML 1.1 takes 1.0e-05 for a number, but not 1e-05.
    number = yaml.safe_dump(float(offset)).split()[0]
    entry = {"description": description, "software": {"name": "anchoring", "version": version}}
    before = yaml.load(text, YAML_LOADER)
    if isinstance(before, dict) and isinstance(before.get("meta"), dict) and "anchor_bkgrdval" in before["meta"]:
        raise AnchoringError("is already anchored (meta.anchor_bkgrdval in ASDF); expected the image before anchoring")
    new = text
    for position, insertion in sorted(_insertions(text, number, entry), reverse=True):
        new = new[:position] + insertion + new[position:]
    # YAML can be written in more ways than these insertions know of: what is read back decides.
    if yaml.load(new, YAML_LOADER) != _with_members(before, number, entry):
        raise _not_understood("its YAML is written in an unusual way")
    return new


def _with_members(tree, number, entry):
    """What reading the new tree has to give, given what reading the old one gave."""
    tree.setdefault("meta", {})["anchor_bkgrdval"] = number
    history = tree.setdefault("history", {})
    (history if isinstance(history, list) else history.setdefault("entries", [])).append(entry)
    return tree


def _insertions(text, number, entry):
    """Positions in the text of a tree and what to insert there."""
    root = yaml.compose(text, YAML_LOADER)
    if not isinstance(root, yaml.MappingNode):
        raise _not_understood("its tree is not a mapping")
    members = _members(root)
    meta, history = members.get("meta"), members.get("history")
    value = f"anchor_bkgrdval: {number}"
    entry = (
        f"!<{ASDF_TAG}/history_entry-1.0.0> {{description: {json.dumps(entry['description'])}, "
        f"software: !<{ASDF_TAG}/software-1.0.0> {json.dumps(entry['software'])}}}"
    )
    yield _member(text, root, f"meta: {{{value}}}") if meta is None else _member(text, meta, value)
    if history is None:
        yield _member(text, root, f"history: {{entries: [{entry}]}}")
    elif isinstance(history, yaml.SequenceNode):
        yield _item(text, history, entry)
    else:
        entries = _members(history).get("entries")
        yield _member(text, history, f"entries: [{entry}]") if entries is None else _item(text, entries, entry)


def _members(node):
    if not isinstance(node, yaml.MappingNode):
        raise _not_understood("its history is neither a list nor a mapping")
    return {key.value: value for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _member(text, mapping, member):
    """Insertion of a first member into a mapping: in block style a line, in flow style behind the brace."""
    if not isinstance(mapping, yaml.MappingNode):
        raise _not_understood("its meta is not a mapping")
    if not mapping.value:
        return mapping.end_mark.index - 1, member
    first = mapping.value[0][0].start_mark
    if text[: first.index].rstrip().endswith("?"):
        raise _not_understood("a key over several lines")
    return first.index, f"{member}, " if mapping.flow_style else f"{member}\n{' ' * first.column}"


def _item(text, sequence, item):
    """Insertion of a last item into a sequence: in block style a line, in flow style before the bracket."""
    if not isinstance(sequence, yaml.SequenceNode):
        raise _not_understood("its history entries are not a list")
    end = sequence.end_mark
    if sequence.flow_style:
        return end.index - 1, f", {item}" if sequence.value else item
    dash = text.rfind("-", 0, sequence.value[0].start_mark.index)
    indent = dash - text.rfind("\n", 0, dash) - 1
    # A block ends where the next thing begins, which is on a line of its own.
    return end.index - end.column, f"{' ' * indent}- {item}\n"


def _index_position(rest):
    """Where the block index begins in what follows the tree; the end if there is none."""
    position = max(rest.find(ASDF_BLOCK), 0)
    while rest.startswith(ASDF_BLOCK, position):
        # Size of the rest of the header; then flags, compression, allocated size.
        size, flags, allocated = struct.unpack_from(">HI4xQ", rest, position + 4)
        if flags & 1:  # streamed: it extends to the end
            return len(rest)
        position += 6 + size + allocated
    if position > len(rest):
        raise _not_understood("its last block is cut short")
    index = rest.find(ASDF_INDEX, position)
    return len(rest) if index < 0 else index


def _shifted(index, shift):
    """A block index with every offset moved; its lines with # and % hold other numbers."""
    lines = index.splitlines(keepends=True)
    return b"".join(
        line if line[:1] in (b"#", b"%") else re.sub(rb"\d+", lambda number: b"%d" % (int(number[0]) + shift), line)
        for line in lines
    )
