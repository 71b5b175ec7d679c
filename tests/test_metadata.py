"""What stands in several places is the same in all of them."""

import re

import yaml
from runs import ROOT

import anchoring

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())


def test_version_is_the_same_everywhere():
    assert CITATION["version"] == anchoring.__version__
    assert anchoring.__version__ in (ROOT / "CHANGELOG.md").read_text()


def test_citation_has_what_the_format_requires():
    assert {"cff-version", "message", "title", "authors"} <= set(CITATION)
    for reference in CITATION["references"]:
        assert {"type", "title", "authors"} <= set(reference)
        assert "doi" in reference or "identifiers" in reference
        assert re.fullmatch(r"10\.\d{4,}/\S+", reference.get("doi", "10.0000/none"))


def test_licence_is_that_of_the_citation():
    assert CITATION["license"] == "BSD-3-Clause"
    assert (ROOT / "LICENSE").read_text().startswith("BSD 3-Clause License")
