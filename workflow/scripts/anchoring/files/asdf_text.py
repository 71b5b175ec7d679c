"""Edit the ASDF extension of a mosaic: a YAML tree, binary blocks and, optionally, a block index."""

import json
import re
import struct

import yaml

from ..errors import AnchoringError

ASDF_BLOCK = b"\xd3BLK"
ASDF_INDEX = b"#ASDF BLOCK INDEX"
ASDF_TAG = "tag:stsci.edu:asdf/core"
# Tags and numbers stay text. libyaml, if PyYAML was built with it, is ten times as fast.
YAML_LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def size_keywords(header):
    """Keywords that hold the size of an ASDF extension, and their comments; AnchoringError for an unknown layout.

    The extension is a table of one cell or an image of bytes.
    """
    image = {"XTENSION": "IMAGE", "BITPIX": 8, "NAXIS": 1}
    table = {"XTENSION": "BINTABLE", "NAXIS2": 1, "PCOUNT": 0, "TFIELDS": 1, "TFORM1": f"{header.get('NAXIS1')}B"}
    for keywords, layout in ((("NAXIS1",), image), (("NAXIS1", "TFORM1"), table)):
        if all(header.get(key) == value for key, value in layout.items()) and "TDIM1" not in header:
            return keywords, {key: header.comments[key] for key in keywords}
    raise _not_understood("neither a table of one cell nor an image of bytes")


def anchored_asdf(asdf, offset, description, version):
    """The bytes of an ASDF file with an offset in `meta.anchor_bkgrdval` and an entry at the end of its history.

    Lines are inserted into the text of the tree; its other lines, the padding after it and the blocks stay byte for
    byte the same. The offsets in the block index, if there is one, are shifted.

    Parameters
    ----------
    asdf : bytes
    offset : float
    description, version : str
        Of the history entry and of the software that writes it, in printable ASCII.

    Raises
    ------
    AnchoringError
        If the file is already anchored, or its layout or tree is not understood.
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
        raise _not_understood("it cannot be parsed", details=" ".join(str(error).split())) from error
    return new + rest[:index] + _shifted(rest[index:], len(new) - len(tree))


def _not_understood(what, details=""):
    return AnchoringError(
        f"has an ASDF extension that is not understood ({what}); "
        "expected one as the pipeline writes it: remove the extension or open and save the file with stdatamodels"
        + (f" (details: {details})" if details else "")
    )


def _anchored_tree(text, offset, description, version):
    """The text of a tree with the two members inserted."""
    # In YAML 1.1, 1.0e-05 is a number and 1e-05 is text.
    number = yaml.safe_dump(float(offset)).split()[0]
    entry = {"description": description, "software": {"name": "anchoring", "version": version}}
    before = yaml.load(text, YAML_LOADER)
    if isinstance(before, dict) and isinstance(before.get("meta"), dict) and "anchor_bkgrdval" in before["meta"]:
        raise AnchoringError("is already anchored (meta.anchor_bkgrdval in ASDF); expected the image before anchoring")
    new = text
    for position, insertion in sorted(_insertions(text, number, entry), reverse=True):
        new = new[:position] + insertion + new[position:]
    # Insertions cannot foresee every style of YAML, so the result is read back and compared.
    if yaml.load(new, YAML_LOADER) != _with_members(before, number, entry):
        raise _not_understood("its YAML is written in an unusual way")
    return new


def _with_members(tree, number, entry):
    """The parsed tree that is expected after the insertions into a parsed tree."""
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
    """Insertion of a first member into a mapping: a line in block style, after the brace in flow style."""
    if not isinstance(mapping, yaml.MappingNode):
        raise _not_understood("its meta is not a mapping")
    if not mapping.value:
        return mapping.end_mark.index - 1, member
    first = mapping.value[0][0].start_mark
    if text[: first.index].rstrip().endswith("?"):
        raise _not_understood("a key over several lines")
    return first.index, f"{member}, " if mapping.flow_style else f"{member}\n{' ' * first.column}"


def _item(text, sequence, item):
    """Insertion of a last item into a sequence: a line in block style, before the bracket in flow style."""
    if not isinstance(sequence, yaml.SequenceNode):
        raise _not_understood("its history entries are not a list")
    end = sequence.end_mark
    if sequence.flow_style:
        return end.index - 1, f", {item}" if sequence.value else item
    dash = text.rfind("-", 0, sequence.value[0].start_mark.index)
    indent = dash - text.rfind("\n", 0, dash) - 1
    # The end mark of a block is the start of the line after it.
    return end.index - end.column, f"{' ' * indent}- {item}\n"


def _index_position(rest):
    """Position of the block index in the bytes after the tree; their length if there is none."""
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
    """A block index with every offset shifted; lines with # and % hold other numbers."""
    lines = index.splitlines(keepends=True)
    return b"".join(
        line if line[:1] in (b"#", b"%") else re.sub(rb"\d+", lambda number: b"%d" % (int(number[0]) + shift), line)
        for line in lines
    )
