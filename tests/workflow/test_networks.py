"""More paths to an offset than one, from end to end: own references, wrong ones, and the adjustment of all pairs."""

import csv

import pytest
from astropy.io import fits
from pages import Page
from runs import Project, jobs_of

BANDS = ("F300M", "F335M", "F360M", "F770W", "F2100W")
REFERENCES = ("irac1_atgauss4", "w1_atgauss7p5", "irac2_atgauss4", "irac4_atgauss4", "w3_atgauss15", "mips24")
ZEROS = dict.fromkeys(("irac1", "w1", "irac2", "irac4", "w3", "mips24"), 0.01)
FIT = {"estimator": "errors_in_variables", "reference_zero_err": ZEROS}
WRONG = 0.4  # MJy/sr, of the zero level of W1
NETWORK = {"adjust_offsets", "tabulate_network", "plot_network"}
TABLES = ("results/anchor_summary.csv", "results/ngc0628/ngc0628_anchor_tab.csv")
NETWORK_FILES = ("results/index.html", *(f"results/ngc0628/ngc0628_network.{ending}" for ending in ("fits", "png")))


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A finished run whose W1 has a wrong zero level, which tests only read."""
    project = Project(
        tmp_path_factory.mktemp("tree"), targets=["ngc0628"], bands=BANDS, references=REFERENCES, config=FIT
    )
    with fits.open(project.folder / "data/ref/ngc0628_w1_atgauss7p5.fits", mode="update") as hdus:
        hdus[0].data += WRONG
    project.run(*TABLES, "results/reference_summary.csv")
    return project


@pytest.fixture(scope="module")
def network(tree, tmp_path_factory):
    """The same with its network next to it, which tests only read."""
    project = tree.copied(tmp_path_factory.mktemp("network") / "run")
    project.configure(**FIT, network=True)
    project.jobs = jobs_of(project.run(*TABLES, *NETWORK_FILES))
    return project


def rows(project, part):
    with open(project.folder / f"results/ngc0628/ngc0628_network_{part}.csv", newline="") as file:
        return list(csv.DictReader(file))


def offsets(project):
    return {band: float(row["offset"]) for (_, band, _), row in project.summary().items()}


def off(project):
    truth = {row["band"]: row["offset"] for row in project.truth}
    return {band: abs(offset - truth[band]) for band, offset in offsets(project).items()}


def test_a_shipped_reference_of_a_band_is_a_row_and_changes_nothing_else(tree):
    found = {row["ref_filter"]: row for row in tree.rows("ngc0628") if row["compar_filter"] == "f2100w"}
    through, own = found["ngc0628_miri_lv3_f770w_i2d_align"], found["ngc0628_mips24"]
    assert (through["status"], own["status"], len(found)) == ("anchored", "unused", 2)
    assert float(own["tension"]) == -float(through["tension"])
    assert (through["zero_reference"], own["zero_reference"]) == ("irac4_atgauss4", "mips24")
    assert not NETWORK & set(tree.planned_jobs())


def test_the_table_of_references_shows_which_one_is_off(tree):
    with open(tree.folder / "results/reference_summary.csv", newline="") as file:
        means = {row["reference"]: float(row["mean"]) for row in csv.DictReader(file)}
    assert abs(means["w1_atgauss7p5"] - WRONG) < 0.1
    assert abs(means["w1_atgauss7p5"]) > 1.5 * max(abs(means["irac1_atgauss4"]), abs(means["irac2_atgauss4"]))


def test_another_reference_first_is_one_key_away(tree, tmp_path):
    project = tree.copied(tmp_path / "run")
    own = {"F2100W": ["mips24", "w4_atgauss15", "ref_band"], "F1500W": "mips24"}
    project.configure(**FIT, external_bands=own)
    done = project.run(*TABLES)
    assert "external_bands of F1500W is not used: this run has no image of it" in done.stderr
    assert {row["band"]: row["reference"] for row in project.summary().values()}["F2100W"] == "mips24"
    (missing,) = [
        row for row in project.rows("ngc0628") if row["compar_filter"] == "f2100w" and row["status"] == "skipped"
    ]
    assert "no reference image data/ref/ngc0628_w4_atgauss15.fits" in missing["reason"]


def test_a_network_is_a_diagnosis_and_leaves_the_offsets(tree, network):
    assert offsets(network) == offsets(tree)
    assert set(network.jobs) >= NETWORK
    assert network.jobs["adjust_offsets"] == 2
    references = {row["reference"]: row for row in rows(network, "references")}
    assert [name for name, row in references.items() if row["suspect"] == "True"] == ["w1_atgauss7p5"]
    assert abs(float(references["w1_atgauss7p5"]["zero"]) - WRONG) < 0.1
    flagged = {row["ref_filter"]: row["flags"] for row in network.rows("ngc0628") if row["compar_filter"] == "f300m"}
    assert "reference_suspect" in flagged["ngc0628_w1_atgauss7p5"]
    assert "reference_suspect" not in flagged["ngc0628_irac1_atgauss4"]
    assert len(rows(network, "images")) == len(BANDS)
    with fits.open(network.folder / "results/ngc0628/ngc0628_network.fits") as hdus:
        assert [hdu.name for hdu in hdus[1:]] == ["IMAGES", "PAIRS", "REFERENCES", "COVARIANCES"]
    page = Page((network.folder / "results/index.html").read_text())
    assert "W1 is suspect: by all others, its zero level is" in page.text
    assert (network.folder / "results/ngc0628/ngc0628_network.png").stat().st_size > 10_000
    assert network.planned_jobs(*TABLES, *NETWORK_FILES) == {}


def test_the_adjustment_anchors_the_images(network, tmp_path):
    """Without the reference that it has named, as a person would decide."""
    project = network.copied(tmp_path / "run")
    anchored = [str(project.anchored("ngc0628", band).relative_to(project.folder)) for band in BANDS]
    instruments = {"nircam": {"external_bands": ["irac1_atgauss4", "irac2_atgauss4"]}}
    zeros = {label: error for label, error in ZEROS.items() if label != "w1"}
    project.configure(**{**FIT, "reference_zero_err": zeros}, solution="adjustment", instruments=instruments)
    project.run(*TABLES, *NETWORK_FILES, *anchored)
    assert all(error < 0.02 for error in off(project).values()), off(project)
    for row in project.summary().values():
        assert (row["status"], row["reference"]) == ("anchored", "adjustment")
        header = fits.getheader(project.anchored("ngc0628", row["band"]), "SCI")
        assert (header["ANCHREF"], header["ANCHOFF"]) == ("adjustment", float(row["offset"]))
        assert abs(header["ANCHSYS"] - float(row["offset_sys"])) < 1e-12
    of_images = {row["band"]: float(row["offset"]) for row in rows(project, "images")}
    assert of_images == offsets(project)
