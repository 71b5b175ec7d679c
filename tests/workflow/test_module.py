"""The workflow as a Snakemake module under a prefix: from a path, and from a git host that a local repository plays."""

import re
import shutil
import subprocess

import matplotlib
import pytest
import yaml
from crates import Crate
from runs import ROOT, Project
from starts import Starts

from simulation.skies import IDEAL

OWN = {"Snakefile", "workflow", "environment.yml", "config"}  # all that a workflow consists of
PREFIXED = """
configfile: "config.yaml"

module anchoring:
    snakefile: {source}
    config: config

use rule * from anchoring as anchoring_*

rule own:
    input: "results/ngc0628/F770W/lv3/ngc0628_miri_lv3_f770w_i2d_anchor.fits"

onerror:
    anchoring.onerror()
"""
JOBS = ("convolve_image", "reproject_image", "measure_pair", "solve_external", "collect_offsets", "plot_image",
        "tabulate_target")  # fmt: skip


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A folder that plays a git host: owner/anchoring.git, bare, with the files as they are now under the tag v1."""
    folder = tmp_path_factory.mktemp("host")
    work = folder / "work"
    work.mkdir()
    for name in OWN:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, work / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, work / name)
    git = ["git", "-C", work, "-c", "user.name=tests", "-c", "user.email=tests@localhost"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "as it is"], ["tag", "v1"],
                    ["clone", "--quiet", "--bare", ".", folder / "owner/anchoring.git"]):  # fmt: skip
        subprocess.run([*git, *command], check=True, capture_output=True)
    return folder


@pytest.fixture
def project(tmp_path, host, monkeypatch):
    """A project of one image whose Snakefile uses the workflow as a module."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # where Snakemake keeps what it fetched
    monkeypatch.setenv("MPLCONFIGDIR", matplotlib.get_cachedir())
    monkeypatch.setenv("GIT_CONFIG_COUNT", "2")
    for index, name in enumerate(("github", "gitlab")):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{index}", f"url.{host}/.insteadOf")
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{index}", f"https://{name}.com/")
    return ModuleProject(tmp_path, targets=["ngc0628"], sky=IDEAL, bands=["F770W"], references=["irac4_atgauss4"])


class ModuleProject(Project):
    def use(self, source):
        (self.folder / "Snakefile").write_text(PREFIXED.format(source=source))

    def command(self, *arguments, cores=2):
        return ["snakemake", "--cores", str(cores), *arguments]


SOURCES = {
    "path": repr(str(ROOT / "workflow/Snakefile")),
    "github": 'github("owner/anchoring", path="workflow/Snakefile", tag="v1")',
    "gitlab": 'gitlab("owner/anchoring", path="workflow/Snakefile", branch="v1")',
}


@pytest.mark.parametrize("source", ["path", "gitlab"])
def test_rules_of_every_source_are_there_under_the_prefix(project, source):
    project.use(SOURCES[source])
    jobs = project.planned_jobs("anchoring_anchor_all", "own")
    assert {f"anchoring_{name}": 1 for name in JOBS}.items() <= jobs.items()
    assert {name for name in jobs if not name.startswith("anchoring_")} == {"own"}
    # An anchored image can be asked for by another rule.
    assert jobs["anchoring_apply_offset"] == 1


def test_one_target_runs_from_the_host_and_nothing_is_left_to_do(project):
    project.use(SOURCES["github"])
    done = project.run("anchoring_check", "anchoring_ngc0628", "anchoring_provenance")
    assert "1 of 1 images ready to be anchored." in done.stdout
    assert "1 of 1 images anchored." in done.stderr
    (row,) = [row for row in project.rows("ngc0628") if row["status"] == "anchored"]
    assert abs(float(row["offset"]) - project.truth[0]["offset"]) < 2e-3
    assert project.anchored("ngc0628", "F770W").is_file()
    assert list((project.folder / "results/ngc0628/F770W/anchored").glob("*.pdf"))
    Crate(project.folder / "results").require_true()
    # Fetched again, it is still what made the results.
    shutil.rmtree(project.folder / "cache")
    assert not project.planned_jobs("anchoring_ngc0628")


CALLER = """
configfile: "config.yaml"

shell.prefix("export CALLER=called; ")

module anchoring:
    snakefile: {source}
    config: config

use rule * from anchoring as anchoring_*

rule own:
    input: "{convolved}"
    output: "own.txt"
    resources: mem_mb=10_000_000
    script: "own.py"
"""


def test_rules_options_and_processes_of_a_caller_stay_the_callers(project, monkeypatch):
    """No limit of memory, no fork server, and what the caller puts before every command."""
    starts = Starts(project.folder)
    for name, value in starts.environment.items():
        monkeypatch.setenv(name, value)
    convolved = "results/ngc0628/F770W/anchored/ngc0628_miri_lv3_f770w_to_gauss4.fits"
    (project.folder / "Snakefile").write_text(CALLER.format(source=SOURCES["path"], convolved=convolved))
    (project.folder / "own.py").write_text("open(snakemake.output[0], 'w').write(str(snakemake.resources.mem_mb))\n")
    done = project.run("own")
    assert (project.folder / "own.txt").read_text() == "10000000"
    assert "Provided resources" not in done.stderr
    servers, scripts, others = starts.take()
    assert (servers, len(scripts), len(others)) == ([], 2, 1)
    assert all(script.endswith(" called") for script in scripts)


def test_the_summary_of_failures_and_refusals_reach_the_user_of_a_module(project):
    project.use(SOURCES["path"])
    (project.folder / "data/ref/ngc0628_irac4_atgauss4.fits").unlink()
    done = project.snakemake("anchoring_check")
    assert done.returncode == 1
    assert "Not ready to be anchored:\n  ngc0628 F770W" in done.stderr.split("At least one job did not complete")[1]
    project.configure(sigmma=3)
    done = project.snakemake("--dry-run")
    assert done.returncode == 1
    assert re.match(r"(Using .*\n)?The configuration is not right:\n  unknown key 'sigmma'", done.stderr)


def test_the_workflow_is_where_the_catalog_looks_for_it(project):
    catalog = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert catalog["software-stack-deployment"]["conda"]
    assert catalog["report"]
    assert (ROOT / "config/README.md").is_file()
    assert (ROOT / "config/config.yaml").is_file()
    # snakedeploy writes such a Snakefile; alone, workflow/Snakefile does all as the root's does.
    done = project.run("--snakefile", str(ROOT / "workflow/Snakefile"), "--configfile", "config.yaml", "--dry-run")
    assert "collect_offsets" in done.stdout + done.stderr
