"""The last thing on the screen after a run that failed is what failed, why, and what to do."""

import functools
import os
import subprocess
import time
from types import SimpleNamespace

import failures
import pytest
from failures import NO_MESSAGE
from runs import Project, before_scripts

from anchoring.script import RECORD
from simulation.skies import IDEAL

REPORT = "report.log"
last_error = functools.partial(failures.last_error, record=RECORD)
failure_summary = functools.partial(failures.failure_summary, reports=[REPORT], record=RECORD)
ERROR = "2026-01-02 03:04:05,678 ERROR "
INFO = "2026-01-02 03:04:05,677 INFO (900, 800) pixels\n"
TRACE = "\nTraceback (most recent call last):\n  File x\nKeyError: 'y'\n"


def job(rule, log, **wildcards):
    return SimpleNamespace(rule=SimpleNamespace(name=rule), log=[log], wildcards_dict=wildcards, is_group=lambda: False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (INFO + ERROR + "the reason\n", "the reason"),
        (ERROR + "first line\nsecond line\n", "first line\nsecond line"),
        (INFO + ERROR + "KeyError: 'y'" + TRACE, "KeyError: 'y'"),
        (ERROR + "of one try\n" + INFO, ""),  # the next try was going well
        (INFO, ""),
        ("", ""),
        ("no record of ours", ""),
    ],
)
def test_the_message_is_the_last_record_of_the_log_if_that_is_an_error(tmp_path, text, message):
    log = tmp_path / "job.log"
    log.write_text(text)
    assert last_error(log, since=0) == message
    os.utime(log, (1000, 1000))
    assert last_error(log, since=2000) == ""  # left by an earlier run
    assert last_error(tmp_path / "none.log", since=0) == ""


def test_a_failure_names_rule_image_log_and_remedy(tmp_path):
    full, killed = tmp_path / "full.log", tmp_path / "killed.log"
    full.write_text(ERROR + "OSError: [Errno 28] No space left on device" + TRACE)
    killed.write_text(INFO)
    summary = failure_summary([
        job("reproject_image", full, target="ngc0628", band="F770W", image="a_f770w", reference="w3"),
        job("convolve_image", killed, target="ic5332", band="F2100W", image="b_f2100w", resolution="gauss4"),
    ], since=0)  # fmt: skip
    assert summary.splitlines() == [
        "2 jobs failed, and what depends on them is not done:",
        f"  convolve_image ic5332 F2100W b_f2100w gauss4: {NO_MESSAGE}",
        f"    log: {killed}",
        "  reproject_image ngc0628 F770W a_f770w w3: OSError: [Errno 28] No space left on device",
        "    The disk is full: make room, or set keep_intermediates to false.",
        f"    log: {full}",
        "Fix this, then run the same command again: finished work is kept.",
    ]


def test_an_input_that_is_newer_than_what_was_made_of_it_is_named_and_memory_is_not(tmp_path):
    """Snakemake refuses the result of a job that went well, and the log of the job knows nothing of it."""
    log, earlier, ahead = (tmp_path / name for name in ("job.log", "earlier.fits", "ahead.fits"))
    for path in (earlier, log, ahead):
        path.write_text(INFO)
    began = log.stat().st_mtime
    os.utime(earlier, (began - 1, began - 1))
    failed = job("reproject_image", log, image="a_f770w")
    failed.input = [str(earlier), str(ahead), str(tmp_path / "none.fits")]
    os.utime(ahead, (began + 60, began + 60))
    for since in (began - 1, began + 1):  # a log of this run, and one that an earlier run left
        summary = failure_summary([failed], since=since)
        assert f"{ahead} is dated {time.strftime('%Y-%m-%d %H:%M', time.localtime(began + 60))}" in summary
        assert "memory" not in summary
    os.utime(ahead, (began - 1, began - 1))
    assert NO_MESSAGE in failure_summary([failed], since=began - 1)


def test_jobs_of_a_group_are_listed_one_by_one(tmp_path):
    group = SimpleNamespace(is_group=lambda: True, jobs=[job("measure_pair", "a", target=t) for t in ("x", "y")])
    summary = failure_summary([group], since=0)
    assert "2 jobs failed" in summary
    assert "measure_pair x:" in summary
    assert "measure_pair y:" in summary


def test_a_job_that_reports_is_known_by_its_log_and_not_by_its_name(tmp_path, monkeypatch):
    """A rule of another workflow may be called healthcheck."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / REPORT).write_text(ERROR + "0 of 1 images anchored.\n")
    summary = failure_summary([job("anchoring_verify_run", REPORT), job("healthcheck", "other.log")], since=0)
    assert summary.splitlines() == [
        "0 of 1 images anchored.",
        "Fix what is named (or set allow_unanchored to true, and it counts as a success), then run the same command "
        "again: finished work is kept.",
        "1 job failed, and what depends on it is not done:",
        f"  healthcheck: {NO_MESSAGE}",
        "    log: other.log",
        "Fix this, then run the same command again: finished work is kept.",
    ]


def test_a_disk_that_has_no_room_for_a_message_is_named(tmp_path, monkeypatch):
    failed = job("measure_pair", tmp_path / "x.log")
    assert NO_MESSAGE in failure_summary([failed], since=0)
    monkeypatch.setattr(failures.shutil, "disk_usage", lambda folder: SimpleNamespace(free=4096))
    assert "No space left" in failure_summary([failed], since=0)
    monkeypatch.setattr(failures.os, "access", lambda folder, mode: False)
    assert "Permission denied" in failure_summary([failed], since=0)


def test_an_interrupted_run_says_how_to_go_on():
    assert failure_summary([], since=0) == "Stopped before the end. The same command goes on from here."


# --- as it is seen --------------------------------------------------------------------------------------------------

END = "At least one job did not complete successfully.\n"


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, targets=["ngc0628"], sky=IDEAL, bands=["F770W"], references=["irac4_atgauss4"])


def test_a_run_that_could_not_anchor_ends_with_what_and_why(project):
    (project.folder / "data/ref/ngc0628_irac4_atgauss4.fits").unlink()
    done = project.snakemake()
    assert done.returncode == 1
    before, last = done.stderr.split(END)
    assert last.strip().splitlines() == [
        "0 of 1 images anchored.",
        "Not anchored:",
        "  ngc0628 F770W ngc0628_miri_lv3_f770w_i2d_align.fits: skipped: irac4_atgauss4: no reference image "
        "data/ref/ngc0628_irac4_atgauss4.fits; w3_atgauss15: no reference image data/ref/ngc0628_w3_atgauss15.fits",
        "Fix what is named (or set allow_unanchored to true, and it counts as a success), then run the same command "
        "again: finished work is kept.",
    ]
    assert "0 of 1 images anchored. (results/logs/verify_run.log says more)" in before
    assert "Not anchored:" not in before


def test_a_file_that_is_given_a_date_in_the_future_during_the_run_is_named(project):
    image = project.image("ngc0628", "F770W")
    ahead = f"import os, time; os.utime({str(image)!r}, (time.time() + 3600,) * 2)"
    environment = before_scripts(".convolve_image.py", ahead, project.folder / "ahead")
    done = subprocess.run(project.command(), cwd=project.folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 1
    last = done.stderr.split(END)[1]
    assert f"{image.relative_to(project.folder)} is dated" in last
    assert "memory" not in last


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nbin": 9}, "The configuration is not right:\n  unknown key 'nbin'; did you mean 'nbins'?\n"),
        (
            {"in_dir": "nowhere"},
            "in_dir nowhere is not a folder; set in_dir to the folder that holds a folder per target\n",
        ),
    ],
)
def test_a_configuration_that_is_wrong_is_refused_without_lines_of_the_workflow(tmp_path, changes, message):
    project = object.__new__(Project)
    project.folder = tmp_path
    project.configure(**changes)
    done = project.snakemake("--dry-run")
    assert done.returncode == 1
    # Snakemake itself says only which profile it uses.
    assert [line for line in done.stderr.splitlines(keepends=True) if "profile" not in line] == message.splitlines(
        keepends=True
    )
