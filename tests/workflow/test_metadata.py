"""What stands in several places is the same in all of them."""

import re
import subprocess
import sys

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


def oldest_snakemake():
    """The version that the Snakefile asks for."""
    return re.search(r'^min_version\("([\d.]+)"\)', (ROOT / "Snakefile").read_text(), re.MULTILINE)[1]


def test_conda_installs_no_snakemake_that_the_workflow_refuses():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert f"snakemake-minimal >={oldest_snakemake()},<10" in environment["dependencies"]
    assert set(environment["channels"]) == {"conda-forge", "bioconda"}  # not all tools know nodefaults


OLDER = """\
import sys
import snakemake.common, snakemake.script
from snakemake.cli import main
snakemake.common.__version__ = "9.19.99"
del snakemake.script.PythonScript  # as if it did not have what the workflow takes from Snakemake
main(sys.argv[1:])
"""


def test_an_older_snakemake_is_told_so_and_not_what_it_does_not_have(tmp_path):
    command = [sys.executable, "-c", OLDER, "--snakefile", ROOT / "Snakefile", "--cores", "1"]
    config = ["--configfile", ROOT / "config/demo.yaml"]
    done = subprocess.run([*command, *config], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"Expecting Snakemake version {oldest_snakemake()} or higher" in done.stderr
    assert "ImportError" not in done.stderr
