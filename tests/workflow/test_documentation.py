"""The examples of the documentation do what it says."""

import re
import shutil
import subprocess

from runs import ROOT, read_csv

from simulation.skies import IDEAL
from simulation.trees import simulate_tree

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INSTALLED = ("make setup", "source .venv/bin/activate")  # what the tests have


def blocks(page, language):
    """The examples of a page in a language."""
    return [text for name, text in BLOCK.findall((ROOT / "docs" / page).read_text()) if name == language]


def test_the_quickstart_recovers_the_offsets(tmp_path):
    clone = tmp_path / "clone"
    shutil.copytree(
        ROOT, clone, ignore=shutil.ignore_patterns(".*", "tests", "docs", "benchmarks", "cases", "demo", "tutorial")
    )
    lines = "".join(blocks("quickstart.md", "sh")).splitlines()
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
