"""The workflow on a real Slurm: `make test-slurm`, which runs this where `cluster.py` has started one.

Not collected by `make test`: it needs root, and packages of the system.
"""

import os
import re
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml
from runs import ROOT, Project, before_scripts, checksums, products

from simulation.skies import IDEAL

JOB_LOG = Path(os.environ["SLURM_JOB_LOG"])
# A controller that has nothing else to do may be asked at any time.
SLURM = ("--profile", ROOT / "profiles/slurm", "--slurm-init-seconds-before-status-checks", 2,
         "--seconds-between-status-checks", 2, "--latency-wait", 10)  # fmt: skip
SMALLEST = {"bands": ("F770W", "F2100W"), "references": ("irac4_atgauss4",), "sky": IDEAL}


def slurm(project, *arguments, **more):
    return project.snakemake(*SLURM, *arguments, cores=1, **more)


def ended_jobs(project):
    """Lines of Slurm's own log of finished jobs, as dicts, that a project submitted."""
    lines = (dict(re.findall(r"(\w+)=(\S*)", line)) for line in JOB_LOG.read_text().splitlines())
    return [job for job in lines if job["WorkDir"] == str(project.folder)]


def megabytes(job):
    return int(re.search(r"mem=(\d+)M", job["Tres"])[1])


def waited_for(condition, what):
    deadline = time.monotonic() + 120
    while not (value := condition()):
        assert time.monotonic() < deadline, f"no {what} after 120 s"
        time.sleep(0.2)
    return value


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("both"), targets=("ngc0628", "eso097-013"), **SMALLEST)
    done = slurm(project)
    assert done.returncode == 0, done.stderr[-5000:]
    return project


def test_a_target_is_two_submissions_at_most_and_both_nodes_work(finished):
    jobs = ended_jobs(finished)
    # Each target up to its offsets, each with its anchored images, and the tables of the run.
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert len(jobs) == 2 + 2 + 1
    assert {job["NodeList"] for job in jobs[:2]} == {"node1", "node2"}
    assert {job["ProcCnt"] for job in jobs} == {"1"}


def test_results_are_those_of_a_local_run_byte_for_byte(finished, tmp_path):
    local = finished.copied(tmp_path / "local", results=False)
    local.run()
    ours, theirs = (products(project.folder / "results") for project in (finished, local))
    assert ours == theirs
    assert len([path for path in ours if path.name.endswith("_i2d_anchor.fits")]) == 4
    for row in finished.truth:
        found = finished.summary()[row["target"], row["band"], row["image"]]
        assert abs(float(found["offset"]) - row["offset"]) < 2e-3


def test_a_cancelled_job_is_named_and_the_same_command_goes_on(tmp_path):
    project = Project(tmp_path, targets=("ngc0628", "ic5332"), **SMALLEST)
    command = [str(part) for part in ("snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", "config.yaml",
                                      *SLURM, "--retries", 0)]  # fmt: skip
    log = tmp_path / "run.log"
    with open(log, "w") as file, subprocess.Popen(command, cwd=tmp_path, stdout=file, stderr=file) as run:
        try:
            waited_for(lambda: list(tmp_path.glob("results/ngc0628/*/anchored/*_to_*.fits")), "convolved image")
            (job,) = (job for job in running(run_id(log)) if "target=ngc0628" in batch_script(job))
            subprocess.run(["scancel", job], check=True)
            assert run.wait(timeout=600) != 0
        finally:
            run.terminate()
    assert "ngc0628" in log.read_text().rpartition("failed, and what depends on")[2]
    assert Counter(job["JobState"] for job in ended_jobs(project)) == {"CANCELLED": 1, "COMPLETED": 2}

    other = checksums(tmp_path / "results/ic5332")
    done = slurm(project)
    assert done.returncode == 0, done.stderr[-5000:]
    assert "4 of 4 images anchored." in done.stderr
    # Next to those of the other target: the cancelled one, its anchored images, and the tables of the run.
    assert Counter(job["JobState"] for job in ended_jobs(project)) == {"CANCELLED": 1, "COMPLETED": 2 + 3}
    assert checksums(tmp_path / "results/ic5332") == other


def running(run):
    """Numbers of the jobs of a run of Snakemake that are running."""
    command = ["squeue", "--noheader", "--states=RUNNING", "--format=%i", f"--name={run}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def run_id(log):
    return waited_for(lambda: re.search(r"^SLURM run ID: (\S+)$", log.read_text(), re.MULTILINE), "run of Slurm")[1]


def batch_script(job):
    command = ["scontrol", "write", "batch_script", job, "-"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


# Slurm looks at the memory of a job once a second.
HUNGRY = """\
import time
taken = b"x" * 520_000_000
time.sleep(5)
"""


def test_a_job_that_takes_too_much_memory_is_made_again_with_more(tmp_path, monkeypatch):
    environment = before_scripts(".convolve_image.py", HUNGRY, tmp_path / "site")
    project = Project(tmp_path, targets=("ngc0628",), **SMALLEST)
    monkeypatch.setenv("PYTHONPATH", environment["PYTHONPATH"])
    image = "results/ngc0628/F770W/anchored/ngc0628_miri_lv3_f770w_to_gauss4.fits"
    done = slurm(project, image)
    assert done.returncode == 0, done.stderr[-5000:]
    first, second = ended_jobs(project)
    assert (first["JobState"], second["JobState"]) == ("FAILED", "COMPLETED")
    assert abs(megabytes(second) / megabytes(first) - 1.5) < 0.01
    assert (tmp_path / image).is_file()


def test_the_generic_profile_runs_through_three_commands_of_a_scheduler(tmp_path):
    project = Project(tmp_path, targets=("ngc0628",), **SMALLEST)
    text = (ROOT / "profiles/generic/config.yaml").read_text()
    block = re.search(r"^# Slurm .*\n((?:#   .*\n)+)", text, re.MULTILINE)[1]
    commands = yaml.safe_load(re.sub("^#", "", block, flags=re.MULTILINE))
    flags = [part for name in ("submit", "status", "cancel")
             for part in (f"--cluster-generic-{name}-cmd", commands[name])]  # fmt: skip
    done = project.snakemake("--profile", ROOT / "profiles/generic", *flags)
    assert done.returncode == 0, done.stderr[-5000:]
    assert "2 of 2 images anchored." in done.stderr
    jobs = ended_jobs(project)
    assert [(job["Name"], job["JobState"]) for job in jobs] == [("anchoring", "COMPLETED")] * 3
    assert jobs[0]["ProcCnt"] == "2"
