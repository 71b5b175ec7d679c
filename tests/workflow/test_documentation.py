"""The examples of the documentation do what it says."""

import re
import shutil
import subprocess

import matplotlib
import pytest
from astropy.io import fits
from runs import ROOT, read_csv

from simulation.skies import IDEAL
from simulation.trees import simulate_tree

CELL = re.compile(r"^```{code-cell}\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INSTALLED = ("make setup", "source .venv/bin/activate")  # what the tests have


def blocks(page, language):
    """The examples of a page in a language."""
    return [text for name, text in BLOCK.findall((ROOT / "docs" / page).read_text()) if name == language]


def run_notebook(name, folder, monkeypatch, without=""):
    """What a notebook has defined when its cells have run one after the other, without some text of them."""
    monkeypatch.chdir(folder)
    text = (ROOT / f"docs/notebooks/{name}.md").read_text()
    assert without in text
    cells = CELL.findall(text.replace(without, ""))
    known = {}
    with matplotlib.rc_context({"backend": "agg"}):
        for number, cell in enumerate(cells, start=1):
            exec(compile(cell, f"{name}, cell {number}", "exec"), known)
    return known


def test_the_notebook_of_a_galaxy_recovers_its_offset(tmp_path, monkeypatch):
    known = run_notebook("one_galaxy", tmp_path, monkeypatch)
    fit, truth = known["fit"], known["truth"]
    assert abs(fit.offset - truth["offset"]) < fit.offset_total < 0.02
    assert known["corrected"].offset == pytest.approx(fit.offset + known["corrected"].drift_offset, abs=1e-3)
    assert fits.getval(known["anchored"], "ANCHOFF", "SCI") == fit.offset


def test_the_notebook_of_a_survey_names_what_is_wrong_and_knows_its_colours(tmp_path, monkeypatch):
    # One galaxy for each of the two, and none in which all is right.
    known = run_notebook("survey_tables", tmp_path, monkeypatch, without='"ic5332", ')
    assert set(known["shifted"]["target"]) == {"ngc1087"}
    references = known["references"]
    assert [(row["target"], row["reference"]) for row in references if row["suspect"] == "True"] == [
        ("ngc0628", "w3_atgauss15")
    ]
    colours = known["colours"]
    assert all(colours["with covariance"] < colours["without covariance"])
    assert all(abs(colours["true deviation"]) < 3 * colours["with covariance"])


def test_the_quickstart_recovers_the_offsets(tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(
        ROOT, clone, ignore=shutil.ignore_patterns(".*", "tests", "docs", "benchmarks", "cases", "demo", "tutorial")
    )
    lines = "".join(blocks("quickstart.md", "sh")[:-1]).splitlines()  # without a second run
    script = "\n".join(line for line in lines if line not in INSTALLED)
    done = subprocess.run(["bash", "-ec", script], cwd=clone, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "2 of 2" in done.stdout
    rows = read_csv(clone / "tutorial/results/anchor_summary.csv")
    assert [row["status"] for row in rows] == ["anchored", "anchored"]


def test_the_example_in_python_recovers_an_offset(tmp_path, monkeypatch, capsys):
    given = {"bands": ("F770W",), "references": ("irac4_atgauss4",), "field": (90.0, 80.0), "coarsen": 6.0}
    (row,) = simulate_tree(tmp_path, ["ngc0628"], sky=IDEAL, **given)
    monkeypatch.chdir(tmp_path)
    for path in tmp_path.rglob("*.fits"):
        shutil.copy(path, tmp_path / path.name)
    (example,) = blocks("api.md", "python")
    exec(example, {})
    offset, statistical, systematic = map(float, capsys.readouterr().out.split())
    assert abs(offset - row["offset"]) < 0.005
    assert 0 < statistical < 0.01
    assert 0 < systematic < 0.05
