"""Version, licence and ranges of dependencies are the same in all files that state them."""

import re
import subprocess
import sys
import tomllib

import yaml
from runs import ROOT

import anchoring

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text())
ENVIRONMENT = yaml.safe_load((ROOT / "environment.yml").read_text())
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_version_is_the_same_everywhere():
    assert CITATION["version"] == anchoring.__version__
    assert anchoring.__version__ in (ROOT / "CHANGELOG.md").read_text()


def test_citation_has_what_the_format_requires():
    assert {"cff-version", "message", "title", "authors"} <= set(CITATION)
    for reference in CITATION["references"]:
        assert {"type", "title", "authors"} <= set(reference)
        assert "doi" in reference or "identifiers" in reference
        assert re.fullmatch(r"10\.\d{4,}/\S+", reference.get("doi", "10.0000/none"))


def test_licence_is_the_same_everywhere():
    assert CITATION["license"] == PROJECT["license"]
    assert (ROOT / "LICENSE").read_text().startswith("BSD 3-Clause License")


def test_pip_and_conda_install_the_same_versions():
    conda = dict(entry.replace("-base", "").split(" ", 1) for entry in ENVIRONMENT["dependencies"])
    conda |= {"jsonschema": ">=4,<5"}  # which conda installs with Snakemake
    ranges = dict(re.fullmatch(r"(\w+)(.*)", entry).groups() for entry in PROJECT["dependencies"])
    assert ranges == {name: conda[name] for name in ranges}
    assert PROJECT["requires-python"] == conda["python"]


def oldest_snakemake():
    """The version that the Snakefile asks for."""
    return re.search(r'^min_version\("([\d.]+)"\)', (ROOT / "Snakefile").read_text(), re.MULTILINE)[1]


def test_conda_installs_no_snakemake_that_the_workflow_refuses():
    assert f"snakemake-minimal >={oldest_snakemake()},<10" in ENVIRONMENT["dependencies"]
    assert set(ENVIRONMENT["channels"]) == {"conda-forge", "bioconda"}  # not all tools know nodefaults


OLDER = """\
import sys
import snakemake.common, snakemake.script
from snakemake.cli import main
snakemake.common.__version__ = "9.19.99"
del snakemake.script.PythonScript  # as if it did not have what the workflow takes from Snakemake
main(sys.argv[1:])
"""


def test_an_older_snakemake_is_refused_for_its_version_and_nothing_else(tmp_path):
    command = [sys.executable, "-c", OLDER, "--snakefile", ROOT / "Snakefile", "--cores", "1"]
    config = ["--configfile", ROOT / "config/demo.yaml"]
    done = subprocess.run([*command, *config], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert oldest_snakemake() in done.stderr
    assert "ImportError" not in done.stderr
