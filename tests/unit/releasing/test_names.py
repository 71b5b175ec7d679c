"""Names of a release: whatever the configuration and the names of targets and bands, in the grammar or refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchoring.errors import AnchoringError
from anchoring.releasing.names import archive_name, in_grammar

FIELDS = {"id": "phangs-jwst", "observatory": "jwst", "instrument": "miri", "target": "ngc0628", "filter": "F770W",
          "version": "v1.0", "product": "i2d", "ending": "fits"}  # fmt: skip
# As the checker of MAST has it (spacetelescope/mast_contributor_tools), written anew.
LENGTHS = (4, 20, 20, 20, 30, 20, 9)
SAFE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "hlsp_phangs-jwst_jwst_miri_ngc0628_f770w_v1.0_i2d.fits"),
        ({"target": "ESO097_013"}, "hlsp_phangs-jwst_jwst_miri_eso097-013_f770w_v1.0_i2d.fits"),
        ({"target": "M 83"}, "hlsp_phangs-jwst_jwst_miri_m-83_f770w_v1.0_i2d.fits"),
        ({"target": "j1234+56.7"}, "hlsp_phangs-jwst_jwst_miri_j1234+56.7_f770w_v1.0_i2d.fits"),
    ],
)
def test_names_are_those_of_the_archive(changed, name):
    assert archive_name(**{**FIELDS, **changed}) == name


def test_a_readme_and_a_manifest_have_fewer_fields():
    assert archive_name(id="Phangs", product="readme", ending="md") == "hlsp_phangs_readme.md"
    assert archive_name(id="phangs", version="v2", product="list", ending="csv") == "hlsp_phangs_v2_list.csv"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target", "ngc~0628"), ("target", "ngc0628."), ("target", "m83#1"), ("target", "ñgc"), ("target", "m83\n"),
        ("filter", "770"), ("filter", "f770w+"), ("filter", "f--1"), ("id", "1st"), ("id", "a_b"), ("version", "1.0"),
        ("version", "v0"), ("version", "v1.0.0.0"), ("product", "i-2d"), ("instrument", ""),
    ],
)  # fmt: skip
def test_what_the_grammar_does_not_have_is_refused_by_name(field, value):
    with pytest.raises(AnchoringError, match=re.escape(f"the {field} {value!r} cannot be in an archive name; expect")):
        archive_name(**{**FIELDS, field: value})


def test_what_is_too_long_is_refused():
    with pytest.raises(AnchoringError, match=r"the target 'n{31}' has 31 characters; expected at most 30"):
        in_grammar("target", "n" * 31)
    long = {"id": "i" * 20, "target": "t" * 30, "instrument": "a" * 20}
    with pytest.raises(AnchoringError, match="has 102 characters; expected at most 90"):
        archive_name(**{**FIELDS, **long})


@given(st.fixed_dictionaries({}, optional={
    field: st.text(st.sampled_from("aZ09 _.+-~ñé/\n²ſ"), max_size=32) for field in FIELDS
}))  # fmt: skip
def test_any_name_is_in_the_grammar_or_refused(changed):
    try:
        name = archive_name(**{**FIELDS, **changed})
    except AnchoringError:
        return
    assert len(name) <= 90
    *parts, last = name.split("_")
    assert len(parts) == len(LENGTHS)
    assert all(len(part) <= longest and SAFE.fullmatch(part) for part, longest in zip(parts, LENGTHS, strict=True))
    assert SAFE.fullmatch(last)
    assert all(letter in "abcdefghijklmnopqrstuvwxyz" for letter in (parts[1][0], parts[2][0], parts[5][0]))
