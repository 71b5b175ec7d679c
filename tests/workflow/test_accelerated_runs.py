"""Snakemake with and without what makes it faster, by results; `make test-snakemake` runs this with other versions."""

import os
import re
import shutil
from pathlib import Path

import pytest
import snakemake
from interruptions import SMALLEST
from runs import Project, products
from starts import Starts, python_path


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("project"), **{**SMALLEST, "bands": ["F770W"]})


@pytest.fixture(scope="module")
def plain(project, tmp_path_factory):
    """What a run makes whose scripts are not forked."""
    starts = Starts(tmp_path_factory.mktemp("plain"))
    project.environment = {**os.environ, **starts.environment}
    made, _ = results(project, preload=False)
    project.environment = None
    servers, scripts, _ = starts.take()
    assert servers == []
    assert len(scripts) > 10
    return made


@pytest.fixture
def starts(tmp_path, monkeypatch):
    starts = Starts(tmp_path)
    for name, value in starts.environment.items():
        monkeypatch.setenv(name, value)
    return starts


def results(project, *arguments, preload=True):
    """What a new run makes, and what it prints."""
    for folder in ("results", ".snakemake"):
        shutil.rmtree(project.folder / folder, ignore_errors=True)
    project.configure(preload=preload)
    printed = project.run(*arguments).stderr
    return products(project.folder / "results"), printed


def test_a_run_of_forks_makes_what_scripts_of_their_own_make(project, plain, starts):
    made, printed = results(project)
    servers, scripts, _ = starts.take()
    assert (len(servers), scripts) == (1, [])
    assert made == plain
    assert "not possible with this version" not in printed


@pytest.mark.parametrize("command", ["--list-rules", "--summary", "--unlock", "--dry-run --forceall", "--touch"])
def test_nothing_starts_where_nothing_is_run(project, plain, starts, command):
    project.configure(preload=True)
    project.run(*command.split())
    servers, scripts, others = starts.take()
    assert (servers, scripts, len(others)) == ([], [], 1)


def test_on_a_node_scripts_are_forked_from_the_second_on(project, starts):
    """A job that is submitted starts Snakemake in this way, for a script or for a group."""
    shutil.rmtree(project.folder / "results", ignore_errors=True)
    project.configure(preload=True)
    project.run("--mode", "remote", "--no-hooks", "--nolock", "--until", "measure_pair", cores=1)
    servers, scripts, _ = starts.take()
    assert (len(servers), len(scripts)) == (1, 1)


REPROJECTED = "results/ngc0628/F770W/anchored/ngc0628_miri_lv3_f770w_on_irac4_atgauss4.fits"
CONVOLVED = "results/ngc0628/F770W/anchored/ngc0628_miri_lv3_f770w_to_gauss4.fits"
# Names in Snakemake's own code, and what is not possible where they are others. Together are those of different parts.
RENAMED = [
    (
        REPROJECTED,
        {
            "execute_script": "fork_scripts",
            "_lock": "end_at_sigterm",
            "_schedule_reevalutation": "schedule_when_limited",
            "_safely_store_params": "load_no_tables",
            "register_resource": "limit_memory",
        },
    ),
    (CONVOLVED, {"bench_record": "fork_scripts", "_build_dag": "load_while_planning"}),
    (CONVOLVED, {"current_basedir": "script_folder"}),
]


@pytest.mark.parametrize(("wanted", "names"), RENAMED)
def test_a_snakemake_that_is_built_otherwise_makes_the_same(project, plain, tmp_path, monkeypatch, wanted, names):
    copy = tmp_path / "snakemake"
    shutil.copytree(Path(snakemake.__file__).parent, copy)
    for path in copy.rglob("*.py"):
        text = path.read_text()
        if (renamed := re.sub(rf"\b({'|'.join(names)})\b", r"\1_renamed", text)) != text:
            path.write_text(renamed)
    monkeypatch.setenv("PYTHONPATH", python_path(tmp_path))
    made, printed = results(project, wanted)
    assert made == {path: plain[path] for path in made}
    assert Path(wanted).relative_to("results") in made
    lines = [line for line in printed.splitlines() if "not possible with this version of Snakemake" in line]
    assert sorted(line.partition(":")[0] for line in lines) == sorted(names.values())
