"""Nothing is lost and nothing wrong in silence: killed runs, full disks, no rights, no memory, inputs that change."""

import ctypes
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from failures import NO_MESSAGE
from interruptions import SMALLEST, WAYS, Interrupted
from made import make_fit, make_image
from runs import Project, before_scripts, products
from waiting import wait_for

from anchoring.errors import AnchoringError
from anchoring.files import atomic
from anchoring.files.atomic import RunOver, atomic_write, process_name
from anchoring.files.intermediates import require_one_grid
from anchoring.files.mosaics import read_image
from anchoring.solving.offsets import solve_internal

ANCHORED = "results/ngc0628/F770W/lv3/ngc0628_miri_lv3_f770w_i2d_anchor.fits"
BYTES = 400_000  # of results: more than the first image takes, less than the second


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    return Interrupted(tmp_path_factory.mktemp("interrupted"), bands=["F770W"])


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path, figures=False, **{**SMALLEST, "bands": ["F770W"]})


# --- killed ---------------------------------------------------------------------------------------------------------


def test_a_run_killed_in_every_way_comes_to_the_same_results(interrupted):
    most = len(interrupted.expected)
    for number, way in enumerate(WAYS):
        assert interrupted.go_on(way, number * most // (len(WAYS) + 1), 0.1 * number)
    assert not interrupted.go_on(way, most + 1, 0)
    assert all(interrupted.seen[way] == 1 for way in WAYS)
    assert interrupted.seen["locks"] >= 1
    interrupted.finish()


def test_results_do_not_depend_on_cores_or_the_order_of_jobs(interrupted):
    (last,) = (path for path in interrupted.expected if path.name.endswith("_before_after.png"))
    interrupted.project.run("--scheduler", "greedy", "--prioritize", f"results/{last}", cores=1)
    interrupted.finish()


def test_what_outlives_a_killed_run_cannot_write_over_the_next(project):
    started, go = project.folder / "started", project.folder / "go"
    wait = f"import os, time\nopen({str(started)!r}, 'w')\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)"
    environment = before_scripts(".convolve_image.py", wait, project.folder / "slow")
    run = subprocess.Popen(
        project.command(cores=1),
        cwd=project.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(started.exists)
    run.kill()
    run.wait()
    project.run("--unlock")
    go.touch()
    log = project.folder / "results/ngc0628/logs/convolve_image/F770W_ngc0628_miri_lv3_f770w_to_gauss4.log"
    wait_for(lambda: log.is_file() and "RunOver" in log.read_text())
    assert products(project.folder / "results") == {}
    project.run("--until", "convolve_image")
    assert [path.suffix for path in products(project.folder / "results")] == [".fits"]


# --- whole files ----------------------------------------------------------------------------------------------------


def ended_process():
    """The name of a process that is over."""
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    return f"{int(done.stdout)}-{process_name().partition('-')[2]}"


def test_a_file_is_not_renamed_when_its_run_is_over(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text("of the next run")
    monkeypatch.setenv(atomic.RUN, ended_process())
    with pytest.raises(RunOver, match="was killed"), atomic_write(path) as temporary:
        temporary.write_text("of a run that is over")
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]
    assert path.read_text() == "of the next run"


def test_a_file_is_written_while_its_run_goes_on_or_may_go_on_elsewhere(tmp_path, monkeypatch):
    elsewhere = f"{ended_process().partition('-')[0]}-0000000f"
    for run in ("", process_name(), elsewhere, "something else"):
        monkeypatch.setenv(atomic.RUN, run)
        with atomic_write(tmp_path / "a.json") as temporary:
            temporary.write_text(run)
        assert (tmp_path / "a.json").read_text() == run


def left_over(path, process):
    """What a process that was killed leaves of a file that it was writing, under the name that it had."""
    with atomic_write(path) as temporary:
        name = temporary.name.replace(process_name(), process)
    (path.parent / name).touch()
    return name


def test_what_a_killed_process_left_of_a_file_is_removed_and_nothing_else(tmp_path):
    path, other = tmp_path / "a[1].fits", tmp_path / "b.fits"
    dead, living = ended_process(), process_name()
    kept = {
        left_over(path, living),
        left_over(other, dead),
        left_over(path, f"{dead.partition('-')[0]}-0"),  # a process of another machine
    }
    removed = left_over(path, dead)
    with atomic_write(path):
        pass
    assert {p.name for p in tmp_path.iterdir()} == {path.name, other.name, *kept}
    assert removed not in kept


def test_names_may_be_as_long_as_the_file_system_allows(tmp_path):
    path = tmp_path / f"{'n' * 250}.json"
    left_over(path, ended_process())
    with atomic_write(path) as temporary:
        temporary.write_text("x")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


# --- disks, rights, memory ------------------------------------------------------------------------------------------


def without_rights():
    """In a process of root's, before it becomes another: permissions count."""
    if os.geteuid() == 0:
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH of linux/capability.h
            if ctypes.CDLL(None, use_errno=True).prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP
                raise OSError(ctypes.get_errno(), "permissions cannot be made to count for root")


def limited():
    """In a process, before it becomes another: no file grows beyond BYTES."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES, BYTES))


def run_under(project, before, *arguments):
    command, environment = project.command(*arguments), project.environment
    return subprocess.run(
        command, cwd=project.folder, env=environment, capture_output=True, text=True, timeout=600, preexec_fn=before
    )


def no_half_files(project):
    return all(not path.name.startswith(".") for path in products(project.folder / "results"))


def test_a_full_disk_is_named_and_the_run_goes_on_when_there_is_room(project):
    results = project.folder / "results"
    results.mkdir()
    disk = ["mount", "-t", "tmpfs", "-o", f"size={BYTES}", "tmpfs", str(results)]
    # Only root may mount; for others no file may grow, which ends a job in the same way.
    mounted = subprocess.run(disk, capture_output=True).returncode == 0
    try:
        done = run_under(project, None if mounted else limited)
        assert done.returncode == 1
        last = done.stderr.split("At least one job did not complete successfully.")[1]
        assert "reproject_image ngc0628 F770W" in last
        assert "The disk is full: make room" in last
        assert no_half_files(project)
        kept = {path: content for path, content in products(results).items() if path.suffix == ".fits"}
        assert [path.name for path in kept] == ["ngc0628_miri_lv3_f770w_to_gauss4.fits"]
        if mounted:
            subprocess.run(["mount", "-o", "remount,size=50000000", str(results)], check=True)
        assert "convolve_image" not in project.planned_jobs()
        project.run("--until", "reproject_image")
        assert {path: products(results)[path] for path in kept} == kept
        assert len(products(results)) == 2
    finally:
        if mounted:
            subprocess.run(["umount", str(results)], check=True)


def test_a_folder_that_is_read_only_is_named_and_the_run_goes_on_when_it_is_not(project):
    results = project.folder / "results"
    results.mkdir()
    results.chmod(0o555)
    done = run_under(project, without_rights)
    results.chmod(0o755)
    assert done.returncode == 1
    assert "Failed to create output directory results/ngc0628" in done.stderr
    assert "Permission denied" in done.stderr
    assert products(results) == {}
    # Part of it is there and cannot be written to.
    folder = results / "ngc0628/F770W/lv3"
    folder.mkdir(parents=True)
    folder.chmod(0o555)
    done = run_under(project, without_rights)  # Snakemake removes the empty folder of an output that failed
    assert done.returncode == 1
    last = done.stderr.split("At least one job did not complete successfully.")[1]
    assert "apply_offset ngc0628 F770W ngc0628_miri_lv3_f770w: PermissionError" in last
    assert "Nothing can be written there: set out_dir to a folder of yours." in last
    assert no_half_files(project)
    assert "convolve_image" not in project.planned_jobs()
    project.run(ANCHORED)


@pytest.mark.parametrize("spare", [100_000_000, 225_000_000])
def test_a_job_without_memory_fails_alone_and_says_so(tmp_path, monkeypatch, spare):
    """Whether there is too little for its file, or for what is done with it."""
    project = Project(tmp_path, **{**SMALLEST, "targets": ["ngc0628", "ic5332"], "bands": ["F770W"]})
    path = project.image("ngc0628", "F770W")
    with fits.open(path) as hdus:
        large = [fits.ImageHDU(np.pad(hdu.data, (0, 5000)), hdu.header) for hdu in hdus if hdu.name in ("SCI", "ERR")]
        fits.HDUList([fits.PrimaryHDU(), *large]).writeto(tmp_path / "large.fits")
    (tmp_path / "large.fits").rename(path)
    # Beside what it has loaded. An image of 25 Mpx is a file of 200 MB.
    limit = (
        "import resource\n"
        "if 'ngc0628' in open(file).read():\n"
        "    limit = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        f"    resource.setrlimit(resource.RLIMIT_AS, 2 * (limit + {spare},))"
    )
    environment = before_scripts(".convolve_image.py", limit, tmp_path / "limits")
    monkeypatch.setenv("PYTHONPATH", environment["PYTHONPATH"])
    done = project.snakemake("--until", "reproject_image")
    assert done.returncode == 1
    last = done.stderr.split("At least one job did not complete successfully.")[1]
    assert "1 job failed" in last
    assert "convolve_image ngc0628 F770W ngc0628_miri_lv3_f770w gauss4: " in last
    assert "Not enough memory: run with fewer --cores, or where there is more" in last
    made = {path.name for path in products(project.folder / "results")}
    assert made == {f"ic5332_miri_lv3_f770w_{ending}.fits" for ending in ("to_gauss4", "on_irac4_atgauss4")}


def test_a_target_whose_job_fails_keeps_no_other_from_being_anchored(tmp_path):
    project = Project(tmp_path, **{**SMALLEST, "targets": ["ic5332", "ngc0628"], "bands": ["F770W"]})
    killed = "import os\nif 'ic5332' in open(file).read(): os.kill(os.getpid(), 9)"
    environment = before_scripts(".convolve_image.py", killed, tmp_path / "site")
    done = subprocess.run(project.command(), cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.split("At least one job did not complete successfully.")[1]
    assert last.strip().splitlines() == [
        "1 job failed, and what depends on it is not done:",
        f"  convolve_image ic5332 F770W ic5332_miri_lv3_f770w gauss4: {NO_MESSAGE}",
        "    log: results/ic5332/logs/convolve_image/F770W_ic5332_miri_lv3_f770w_to_gauss4.log",
        "Fix this, then run the same command again: finished work is kept.",
    ]
    assert project.anchored("ngc0628", "F770W").is_file()
    assert "2 of 2 images anchored." in project.run().stderr


# --- inputs that change while a run goes on -------------------------------------------------------------------------


def test_an_image_replaced_after_its_fit_is_not_anchored_with_it(project):
    path = project.image("ngc0628", "F770W")
    other, old = project.folder / "other.fits", path.stat()
    with fits.open(path) as hdus:
        hdus["SCI"].data[hdus["SCI"].data != 0] += np.float32(0.5)
        hdus.writeto(other)
    # As old as what it replaces, so that no date tells.
    os.utime(other, ns=(old.st_atime_ns, old.st_mtime_ns))
    swap = f"import os; os.replace({str(other)!r}, {str(path)!r})"
    environment = before_scripts(".apply_offset.py", swap, project.folder / "swap")
    done = subprocess.run(project.command(), cwd=project.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.split("At least one job did not complete successfully.")[1]
    assert f"{path.relative_to(project.folder)} was changed after it was fitted" in last
    assert not project.anchored("ngc0628", "F770W").exists()
    os.utime(path)
    project.run(ANCHORED)
    offset = fits.getval(project.anchored("ngc0628", "F770W"), "ANCHOFF", "SCI")
    assert abs(offset - (project.truth[0]["offset"] - 0.5)) < 6e-3


def test_a_reference_band_replaced_between_two_fits_anchors_nothing(project):
    errors = ("slope_err", "intercept_err", "covariance", "slope_sys", "intercept_sys", "covariance_sys")
    line = {"slope": 1.2, "intercept": 0.1, "n_pixels": 9, "kind": "internal", **dict.fromkeys(errors, 0.0)}
    image = make_image(make_fit("F770W", reference="x", image_source="a", reference_source="b", **line))
    known = {"status": "anchored", "offset": 0.5, "offset_err": 0.1, "offset_sys": 0.1, "image": "x.fits"}
    same = solve_internal(image, {("F770W", "x"): make_image(**known, source="b")})
    assert (same.status, same.source) == ("anchored", "a")
    other = solve_internal(image, {("F770W", "x"): make_image(**known, source="c")})
    assert other.status == "failed"
    assert "x.fits was changed between its own fit and this one on it" in other.reason


def test_source_tells_images_apart_by_a_pixel_or_a_card(project):
    path = project.image("ngc0628", "F770W")
    before = read_image(path)
    assert read_image(path).source == before.source
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].data[60, 60] *= np.float32(1 + 1e-6)
    pixel = read_image(path)
    fits.setval(path, "CRVAL1", value=before.header["CRVAL1"] + 1e-6, extname="SCI")
    card = read_image(path)
    assert len({before.source, pixel.source, card.source}) == 3
    require_one_grid(before, pixel, "a", "b")
    with pytest.raises(AnchoringError, match="b was changed after a was reprojected onto it"):
        require_one_grid(before, card, "a", "b")
    with pytest.raises(AnchoringError, match="b was changed"):
        require_one_grid(before, before._replace(data=before.data[1:]), "a", "b")


def test_inputs_that_a_run_would_touch_are_told(project, monkeypatch):
    """The check that every test of the workflow goes through sees a change."""
    meddler = project.folder / "meddler"
    meddler.mkdir()
    path = project.image("ngc0628", "F770W")
    (meddler / "sitecustomize.py").write_text(f"import os\nos.utime({str(path)!r})\n")
    monkeypatch.setenv("PYTHONPATH", str(meddler))
    project.environment = None
    with pytest.raises(AssertionError, match=Path(path).name):
        project.snakemake("--list-rules")
