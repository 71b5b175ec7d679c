"""The workflow from end to end: it recovers known offsets, and reruns only what is out of date."""

import contextlib
import hashlib
import itertools
import json
import os
import re
import subprocess
from collections import Counter
from urllib.parse import unquote

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from crates import Crate
from pages import Page
from runs import Project, jobs_of, set_cards, without_figures
from validating import issues_of

from simulation.skies import IDEAL

TARGETS = ("ngc0628", "eso097-013")


@pytest.fixture(scope="module")
def ideal(tmp_path_factory):
    """A finished run on two ideal galaxies, which tests only read."""
    project = Project(tmp_path_factory.mktemp("ideal"), targets=TARGETS, sky=IDEAL)
    project.output = project.run().stderr
    return project


@pytest.fixture
def finished(ideal, tmp_path):
    """A copy of the finished run, to change."""
    return ideal.copied(tmp_path / "run")


def test_known_offsets_are_recovered(ideal):
    summary = ideal.summary()
    assert len(summary) == len(ideal.truth) == 8
    for row in ideal.truth:
        found = summary[row["target"], row["band"], row["image"]]
        assert found["status"] == "anchored"
        assert abs(float(found["offset"]) - row["offset"]) < 2e-3
        assert abs(float(found["slope"]) / row["slope"] - 1) < 2e-3
        assert found["reference"] == row["reference"]
    assert "8 of 8 images anchored." in ideal.output


def test_anchored_images_are_the_inputs_plus_the_offset(ideal):
    for (target, band, _), row in ideal.summary().items():
        with fits.open(ideal.image(target, band)) as before, fits.open(ideal.anchored(target, band)) as after:
            observed = np.isfinite(before["SCI"].data) & (before["SCI"].data != 0)
            difference = after["SCI"].data.astype(float) - before["SCI"].data
            assert np.abs(difference[observed] - float(row["offset"])).max() < 1e-6
            assert np.array_equal(after["SCI"].data[~observed], before["SCI"].data[~observed], equal_nan=True)
            assert [hdu.name for hdu in before] == [hdu.name for hdu in after]


def test_table_of_a_target_starts_with_the_published_columns(ideal):
    path = ideal.folder / "results/ngc0628/ngc0628_anchor_tab.fits"
    table = Table.read(path)
    assert table.colnames[:6] == ["target", "ref_filter", "compar_filename", "compar_filter", "slope", "intercept"]
    assert str(table["intercept"].unit) == "MJy / sr"
    rows = ideal.rows("ngc0628")
    assert len(table) == len(rows) == 8
    assert sum(r["status"] == "anchored" for r in rows) == 4
    assert [r["reason"][:18] for r in rows if r["status"] == "skipped"] == ["no reference image"] * 3
    external = [r for r in rows if r["ref_filter"] == "ngc0628_w3_atgauss15"]
    assert [(r["compar_filename"], r["compar_filter"]) for r in external] == [
        ("ngc0628_miri_lv3_f770w_i2d_align", "f770w")
    ]
    internal = [r for r in rows if r["compar_filter"] == "f2100w"]
    assert internal[0]["ref_filter"] == "ngc0628_miri_lv3_f770w_i2d_align"
    assert (internal[0]["range_min"], internal[0]["range_max"]) == ("0.25", "2.0")


def test_every_image_has_its_figures(ideal):
    for target in TARGETS:
        figures = list((ideal.folder / "results" / target).glob("*/anchored/*_fit.p*"))
        assert sorted(f.suffix for f in figures) == [".pdf"] * 4 + [".png"] * 4


def test_page_links_to_every_figure_and_to_nothing_else(ideal):
    page = Page((ideal.folder / "results/index.html").read_text())
    files = {link for link in page.links if not link.startswith(("#", "data:"))}
    assert all((ideal.folder / "results" / unquote(link)).is_file() for link in files)
    made = {str(path.relative_to(ideal.folder / "results")) for path in (ideal.folder / "results").rglob("*.p[nd][gf]")}
    assert {unquote(link) for link in files} == made
    assert len(made) == 8 + 2 * 8


def test_report_needs_no_network_and_its_captions_have_the_numbers(ideal):
    ideal.run("--report", "report.html")
    report = (ideal.folder / "report.html").read_text()
    assert not re.search(r"<(script|link|img)[^>]*(src|href)=.https?:", report)
    (results,) = re.findall(r"^ *var results = (\{\".*);$", report, re.MULTILINE)
    results = json.loads(results)
    assert len(results) == 8 + 8 + 2 + 1
    figure = results["results/ngc0628/F770W/anchored/ngc0628_miri_lv3_f770w_before_after.png"]
    assert figure["labels"] == {"figure": "F770W before and after: anchored"}
    offset = next(r for r in ideal.truth if (r["target"], r["band"]) == ("ngc0628", "F770W"))["offset"]
    assert abs(float(re.search(r"offset ([+−][\d.]+)", figure["caption"])[1].replace("−", "-")) - offset) < 2e-3
    assert "system-message" not in "".join(result["caption"] for result in results.values())


def test_nothing_is_left_to_do(ideal):
    assert ideal.planned_jobs() == {}


CHECKS = {"report_target", "verify_run", "collect_offsets", "all"}  # run whenever anything else did
OF_THE_RUN = ("summarise_run", "show_summary", "write_index")  # run once whenever an offset may have changed


REMOVED = {  # outputs in which no rule of one depends on a rule of another
    "ngc0628/F770W/lv3/ngc0628_miri_lv3_f770w_i2d_anchor.fits": ["apply_offset"],
    "ngc0628/F335M/anchored/ngc0628_nircam_lv3_f335m_fit.pdf": ["plot_image"],
    "ngc0628/F770W/anchored/ngc0628_miri_lv3_f770w_before_after.png": ["plot_image"],
    "ngc0628/ngc0628_anchor_tab.fits": ["tabulate_target", "show_table"],
    "anchor_summary.csv": ["summarise_run", "show_summary"],
    "index.html": ["write_index"],
}


def test_removed_outputs_alone_are_made_again(finished):
    paths = [finished.folder / "results" / name for name in REMOVED]
    before = [path.read_bytes() for path in paths]
    for path in paths:
        path.unlink()
    assert without_checks(jobs_of(finished.run())) == Counter(itertools.chain(*REMOVED.values()))
    assert [path.read_bytes() for path in paths] == before


def without_checks(jobs):
    return {rule: count for rule, count in jobs.items() if rule not in CHECKS}


def test_a_changed_image_reruns_what_depends_on_it_and_nothing_else(finished):
    path = finished.image("ngc0628", "F2100W")
    with fits.open(path, mode="update") as hdus:
        hdus["SCI"].data[hdus["SCI"].data != 0] += np.float32(0.25)
    before = float(next(r for (t, b, _), r in finished.summary().items() if (t, b) == ("ngc0628", "F2100W"))["offset"])
    once = (
        "reproject_image",
        "measure_pair",
        "solve_internal",
        "plot_image",
        "tabulate_target",
        "show_table",
        *OF_THE_RUN,
    )
    written = anchored_when(finished)
    assert without_checks(jobs_of(finished.run())) == dict.fromkeys(once, 1)
    # What is anchored is known to Snakemake when all offsets of the target are.
    assert {p.name for p, date in anchored_when(finished).items() if date != written[p]} == {
        finished.anchored("ngc0628", "F2100W").name
    }
    after = float(next(r for (t, b, _), r in finished.summary().items() if (t, b) == ("ngc0628", "F2100W"))["offset"])
    assert abs(after - (before - 0.25)) < 1e-6
    assert finished.planned_jobs() == {}


def anchored_when(project):
    """Anchored image: when it was written."""
    return {path: path.stat().st_mtime_ns for path in (project.folder / "results").rglob("*_i2d_anchor.fits")}


def test_what_a_changed_kernel_reference_or_parameter_reruns(finished):
    once = dict.fromkeys(OF_THE_RUN, 1)
    # A kernel, its band in every target; a reference, its target, from the fit on.
    with (
        edited(finished.folder / "data/kernels/f335m_to_f2100w.fits"),
        edited(finished.folder / "data/ref/eso097-013_irac4_atgauss4.fits"),
    ):
        assert without_checks(finished.planned_jobs()) == {
            "convolve_image": 2, "reproject_image": 2 + 1, "measure_pair": 2 + 1, "solve_external": 1,
            "solve_internal": 2 + 1, "plot_image": 2 + 2, "tabulate_target": 2, "show_table": 2, **once,
        }  # fmt: skip
    # Parameters: their rules and what depends on them.
    finished.configure(keep_intermediates=False, simplify_labels=False)
    assert without_checks(finished.planned_jobs()) == {"plot_image": 8, "write_index": 1}
    finished.configure(reproject_func="adaptive")
    jobs = without_checks(finished.planned_jobs())
    assert "convolve_image" not in jobs
    assert jobs["reproject_image"] == 10
    finished.configure(instruments={"miri": {"external_bands": ["w3_atgauss15", "irac4_atgauss4"]}})
    assert without_checks(finished.planned_jobs()) == {
        "solve_external": 2, "solve_internal": 2, "plot_image": 4, "tabulate_target": 2, "show_table": 2, **once,
    }  # fmt: skip


@contextlib.contextmanager
def edited(path):
    """A FITS file with another header, and as it was afterwards."""
    content, times = path.read_bytes(), path.stat()
    set_cards(path, 0, {"CHANGED": True})
    yield
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_errors_are_convolved_where_they_are_the_noise_of_a_reference(finished):
    with_error = set()
    for path in finished.folder.glob("results/ngc0628/*/anchored/*_to_*.fits"):
        with fits.open(path) as hdus:
            if "ERR" in hdus:
                with_error.add(path.stem.partition("_lv3_")[2])
    assert with_error == {"f300m_to_f2100w", "f770w_to_f2100w"}
    finished.configure(convolved_errors="all")
    assert (
        finished.planned_jobs()["convolve_image"] == len(list(finished.folder.glob("results/*/*/anchored/*_to_*"))) - 4
    )


def test_one_target_runs_by_its_name(ideal, tmp_path):
    project = ideal.copied(tmp_path / "one", results=False)
    project.environment = without_figures(tmp_path / "site")
    project.configure(keep_intermediates=False)
    done = project.run("eso097-013")
    assert "4 of 4 images anchored." in done.stderr
    results = project.folder / "results"
    assert [p.name for p in results.iterdir() if p.is_dir()] == ["eso097-013"]
    assert len(list(results.glob("*/*/lv3/*_i2d_anchor.fits"))) == 4
    assert not list(results.glob("*/*/anchored/*.fits"))
    assert len(list(results.glob("*/*/anchored/*_before_after.png"))) == 4
    table = "results/eso097-013/eso097-013_anchor_tab.csv"
    assert (project.folder / table).read_text() == (ideal.folder / table).read_text()


RELEASE = {"id": "tests", "version": "v1.0", "title": "Galaxies", "lead": "Jane Doe", "doi": "10.17909/none"}


@pytest.fixture(scope="module")
def released(ideal, tmp_path_factory):
    """The finished run with hashes, its provenance and its release, which the last test changes."""
    project = ideal.copied(tmp_path_factory.mktemp("released") / "run")
    project.configure(hashes=True, release=RELEASE)
    project.run("all", "provenance", "release")
    return project


def test_a_release_has_all_images_under_archive_names(released):
    folder = released.folder / "results/release/tests_v1.0"
    mosaics = {path.name for path in folder.glob("*/*_i2d.fits")}
    assert mosaics == {
        f"hlsp_tests_jwst_{row['image'].split('_')[1]}_{row['target']}_{row['band'].lower()}_v1.0_i2d.fits"
        for row in released.truth
    }
    header = fits.getheader(folder / "ngc0628/hlsp_tests_jwst_miri_ngc0628_f770w_v1.0_i2d.fits")
    assert (header["HLSPID"], header["HLSPTARG"], header["FILTER"]) == ("TESTS", "ngc0628", "F770W")
    check = re.search(r"^    (tail .*)$", (folder / "hlsp_tests_readme.md").read_text(), re.MULTILINE)[1]
    checked = subprocess.run(["bash", "-c", check], cwd=folder, capture_output=True, text=True, check=True)
    assert checked.stdout.count(": OK\n") == len([p for p in folder.rglob("*") if p.is_file()]) - 2
    assert released.planned_jobs("release") == {}


def test_one_byte_of_an_input_changes_the_provenance_of_what_depends_on_it_and_nothing_else(released, tmp_path):
    before = Crate(released.folder / "results")
    before.require_true()
    assert issues_of(before.folder, "process-run-crate-0.5", tmp_path) == []
    inputs = set(released.folder.glob("data/*/*/lv3/*.fits")) | set(released.folder.glob("data/ref/*.fits"))
    results = set(released.folder.glob("results/*/*/lv3/*")) | {released.folder / "results/index.html"}
    stated = {before.path(name) for name in before.hashes}
    assert inputs | results <= stated
    assert not list(stated & set(released.folder.glob("results/*/*/anchored/*.fits")))
    image = released.image("ngc0628", "F2100W")
    with fits.open(image) as hdus:
        place = hdus["SCI"].fileinfo()["datLoc"] + 4 * (hdus["SCI"].data.size // 2) + 3
    with open(image, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1]))
    done = released.run("results/run_complete.txt", "provenance")
    assert "earlier runs" not in done.stderr  # images of a release are not taken for some
    after = Crate(released.folder / "results")
    after.require_true()
    changed = {name for name in after.entities if after.entities[name] != before.entities[name]}
    depends = before.made_of(image.as_uri())
    assert {image.as_uri(), "ngc0628/F2100W/lv3/ngc0628_miri_lv3_f2100w_i2d_anchor.fits"} <= changed
    assert changed & after.hashes.keys() <= depends | {image.as_uri()}
    assert not any("F770W" in name or "eso097" in name for name in changed)
    # Of all else, only dates are others: those of what was made again.
    dated = {name for name in changed - after.hashes.keys() if name != "./"}
    assert {after.entities[name]["name"] for name in dated} <= {
        what for what, (_, made) in after.actions.items() if made & depends
    }
    for name in dated:
        assert {key for key in after.entities[name] if after.entities[name][key] != before.entities[name][key]} == {
            "endTime"
        }
    header = fits.getheader(released.anchored("ngc0628", "F2100W"), "SCI")
    stated = {"ANCHSHAM": image, "ANCHSHAR": released.image("ngc0628", "F770W"),
              "ANCHSHRK": released.folder / "data/kernels/f770w_to_f2100w.fits"}  # fmt: skip
    for keyword, path in stated.items():
        assert header[keyword] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert "ANCHSHAK" not in header  # it has the resolution
    assert released.planned_jobs("provenance") == {}
