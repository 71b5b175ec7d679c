"""Names of the files of a release, by the grammar of MAST for high-level science products (HLSP):

    hlsp_<id>_<observatory>_<instrument>_<target>_<filter>_<version>_<product>.<ending>

Source: MAST, "File Naming Convention" (outerspace.stsci.edu/display/MASTDOCS/File+Naming+Convention), and the lengths
and patterns of its checker, spacetelescope/mast_contributor_tools.
"""

import re

from ..errors import AnchoringError

LONGEST = 90  # characters of a name
SEVERAL = "multi"  # in place of an instrument, target or filter, of a file that holds several
WORDS = "letters, digits and hyphens, a letter first", re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
TARGET = "letters, digits and .+-, a letter or digit at both ends", re.compile(r"[a-z0-9]([a-z0-9.+-]*[a-z0-9])?")
VERSION = "a version such as v1, v1.0 or v1.0.2", re.compile(r"v[1-9]\d?(\.\d{1,2}(\.[a-z0-9]{1,2})?)?", re.ASCII)
PRODUCT = "letters and digits", re.compile(r"[a-z0-9]+")
ENDING = "the ending of a file", re.compile(r"[a-z0-9]+(\.[a-z0-9]+)?")
FIELDS = {  # in order: most characters, and what they can be
    "id": (20, *WORDS),
    "observatory": (20, *WORDS),
    "instrument": (20, *WORDS),
    "target": (30, *TARGET),
    "filter": (20, *WORDS),
    "version": (9, *VERSION),
    "product": (16, *PRODUCT),
    "ending": (16, *ENDING),
}


def archive_name(**values):
    """The name of a file of a release from values of FIELDS; fields without a value are left out.

    AnchoringError as of `in_grammar`, and for a name that is too long.
    """
    *parts, ending = (in_grammar(field, values[field]) for field in FIELDS if field in values)
    name = f"{'_'.join(['hlsp', *parts])}.{ending}"
    if len(name) > LONGEST:
        raise AnchoringError(
            f"the archive name {name} has {len(name)} characters; expected at most {LONGEST}: shorten the 'id' of "
            "'release', or the name of the target"
        )
    return name


def in_grammar(field, value):
    """A value of one of FIELDS as it is in names: in lower case, and in a target or filter - for a space or _.

    AnchoringError, with field and value, if it is too long or has characters that the grammar does not have.
    """
    longest, expected, pattern = FIELDS[field]
    text = value.lower()
    if field in ("target", "filter"):
        text = re.sub("[ _]", "-", text)
    if not pattern.fullmatch(text):
        raise AnchoringError(f"the {field} {value!r} cannot be in an archive name; expected {expected}: rename it")
    if len(text) > longest:
        raise AnchoringError(
            f"the {field} {value!r} has {len(text)} characters; expected at most {longest} in an archive name: "
            "shorten it"
        )
    return text
