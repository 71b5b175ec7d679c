"""Where the workflow runs, and what folders and targets are called: it works, or is refused by name with a reason."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest
from pages import Page
from runs import ROOT, Project, checksums, read_csv, without_figures
from trees import touch

from simulation.skies import IDEAL

ONE = {"bands": ("F770W",), "references": ("irac4_atgauss4",), "sky": IDEAL}
ODD = "it's a +#é% [x]*;&$HOME -1"  # a folder
SURVEYS = {"mine": ("ngc4496a", "NGC4496A"), "yours": ("m 83",)}
# Root may write whatever the permissions say, unless it gives that up.
OBEDIENT = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"] if os.geteuid() == 0 else []


@pytest.fixture(scope="module")
def surveys(tmp_path_factory):
    """Two users' runs of one checkout at the same time, in odd folders, on read-only inputs of another file system."""
    memory = Path("/dev/shm")
    inputs = memory if os.access(memory, os.W_OK) else tmp_path_factory.mktemp("inputs")
    inputs = Path(shutil.copytree(tmp_path_factory.mktemp("empty"), inputs / f"anchoring-{os.getpid()} {ODD}"))
    code = checksums(ROOT / "workflow")
    projects = {}
    try:
        for user, targets in SURVEYS.items():
            project = Project(tmp_path_factory.mktemp(user) / ODD, targets=targets, **ONE)
            shutil.move(project.folder / "data", inputs / user)
            places = {
                "in_dir": inputs / user,
                "ref_dir": inputs / user / "ref",
                "kernel_dir": inputs / user / "kernels",
            }
            project.configure(**{key: str(place) for key, place in places.items()}, out_dir=f"results of {ODD}")
            projects[user] = project
        for folder, _, files in os.walk(inputs, topdown=False):
            for path in [Path(folder, name) for name in files] + [Path(folder)]:
                path.chmod(0o555 if path.is_dir() else 0o444)
        before = checksums(inputs)
        command = [*OBEDIENT, "snakemake", "--snakefile", ROOT / "Snakefile", "--cores", "1"]
        options = {"cwd": inputs, "env": without_figures(tmp_path_factory.mktemp("site") / "site"), "text": True}
        runs = {
            user: subprocess.Popen([*command, "--directory", project.folder, "--configfile",
                                    project.folder / "config.yaml"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   **options)
            for user, project in projects.items()
        }  # fmt: skip
        for user, run in runs.items():
            projects[user].output = run.communicate(timeout=600)[0]
            projects[user].status = run.returncode
        assert checksums(inputs) == before
        refused = subprocess.run([*OBEDIENT, "touch", inputs / "new"], capture_output=True)
        assert refused.returncode != 0, "the inputs were not read-only"
        changed = {path for path, found in checksums(ROOT / "workflow").items() if code.get(path) != found}
        assert not [path for path in changed if "__pycache__" not in path.parts]
        yield projects
    finally:
        for folder, _, _ in os.walk(inputs):
            os.chmod(folder, 0o755)
        shutil.rmtree(inputs)


@pytest.mark.parametrize("user", SURVEYS)
def test_known_offsets_come_back_wherever_it_runs(surveys, user):
    project = surveys[user]
    assert project.status == 0, project.output[-5000:]
    results = project.folder / f"results of {ODD}"
    rows = {row["target"]: row for row in read_csv(results / "anchor_summary.csv")}
    assert set(rows) == set(SURVEYS[user])
    for truth in project.truth:
        assert rows[truth["target"]]["status"] == "anchored"
        assert abs(float(rows[truth["target"]]["offset"]) - truth["offset"]) < 6e-3
        name = truth["image"].replace("align", "anchor")
        assert (results / truth["target"] / "F770W/lv3" / name).is_file()
    links = {link for link in Page((results / "index.html").read_text()).links if not link.startswith(("#", "data:"))}
    assert links
    assert all((results / unquote(link)).is_file() for link in links)


@pytest.mark.parametrize("name", ["all", "anchor_all"])
def test_a_target_named_like_a_rule_is_refused_by_its_name(tmp_path, name):
    touch(tmp_path / "data" / name / "F770W/lv3" / f"{name}_miri_lv3_f770w_i2d_align.fits")
    project = object.__new__(Project)
    project.folder = tmp_path
    project.configure()
    done = project.snakemake("--dry-run")
    assert done.returncode != 0
    assert f"data/{name}: a rule of the workflow is called {name}; expected another name" in done.stderr
