"""Every bad input works, is skipped or is refused as its case says, for its reason, and affects nothing else."""

import re

import bad_archives
import bad_inputs
import pytest
from astropy.io import fits
from bad_inputs import (
    CONFIGURATIONS,
    FAILED,
    IMAGES,
    INTERNAL,
    KERNELS,
    MASKS,
    PAGE,
    PSFS,
    REFERENCES,
    SKIPPED,
    TABLES,
    WORKS,
    BadInputs,
)

from anchoring import inspection
from anchoring.planning.plan import inspected, make_plan

STEMS = [
    *(f"images_miri_lv3_f2100w_{name}" for name in IMAGES),
    *(f"{name}_miri_lv3_f770w" for name in REFERENCES),
    *(f"{name}_miri_lv3_f2100w" for name in MASKS),
    *(f"kernels_miri_lv3_{band.lower()}" for band in KERNELS),
    *(f"psfs_miri_lv3_{band.lower()}" for band in PSFS),
]
# What only pixels show, which `check` does not read.
IN_PIXELS = {
    *("images_miri_lv3_f2100w_" + name for name in ("allnan", "allzero", "huge")),
    *(f"{name}_miri_lv3_f770w" for name in ("refnan", "upside", "corner", "bright")),
    "maskvalues_miri_lv3_f2100w",
    *(f"kernels_miri_lv3_{band}" for band in ("f1280w", "f1500w", "f1550c", "f1800w")),
}
NUMBERS = ("offset", "offset_err", "offset_sys", "slope", "intercept", "n_bins", "n_pixels", "reference", "status")
TOLERANCE = 6e-3  # MJy/sr, of an offset in a sky without noise


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = BadInputs(tmp_path_factory.mktemp("bad"))
    # Without figures, which take longer than everything else.
    project.run("results/anchor_summary.csv")
    project.run(*anchored_paths(project))
    return project


def anchored_paths(project):
    """Where the images that have an offset are anchored."""
    for stem, row in project.rows_of_images().items():
        if row["status"] == "anchored":
            yield f"results/{row['target']}/{row['band']}/lv3/{stem}_i2d_anchor.fits"


@pytest.fixture(scope="module")
def rows(project):
    return project.rows_of_images()


@pytest.fixture(scope="module")
def sound_rows(tmp_path_factory):
    """The rows of a tree without bad inputs."""
    project = BadInputs(tmp_path_factory.mktemp("sound"), spoilt=False)
    project.run("results/anchor_summary.csv")
    return project.rows_of_images()


@pytest.fixture
def inside(project, monkeypatch):
    monkeypatch.chdir(project.folder)


def test_every_case_is_in_the_run(project):
    assert list(project.cases) == [*STEMS]


@pytest.mark.parametrize("stem", STEMS)
def test_outcome_and_reason_of_each_case(project, rows, sound_rows, stem):
    case, sound = project.cases[stem]
    row = rows[stem]
    assert row["status"] == case.status
    assert case.words in row["reason"]
    assert (row["reason"] == "") == (case.status == WORKS)
    anchored = project.folder / "results" / row["target"] / row["band"] / "lv3" / f"{stem}_i2d_anchor.fits"
    assert anchored.is_file() == (case.status == WORKS)
    if case.status == WORKS:
        target = "kernels" if row["target"] == "kernels" else "sound"
        assert abs(float(row["offset"]) - project.truth[target, sound.band]) < TOLERANCE
        if case.exact:
            expected = sound_rows[sound.stem.replace(sound.name, target, 1)]
            assert row["offset"] == expected["offset"]


def test_everything_else_has_exactly_the_numbers_of_a_tree_without_bad_inputs(project, rows, sound_rows):
    references = {f"{name}_miri_lv3_f2100w" for name in INTERNAL}  # these are anchored on bad inputs
    others = {stem: row for stem, row in rows.items() if stem not in {*project.cases, *references}}
    assert len(others) == 2 * len(bad_inputs.SOUND) + 2 + 2 + 2 + len(MASKS) + 1
    for stem, row in others.items():
        copied = row["target"] if row["target"] in ("sound", "kernels") else "sound"
        band = "_copy" not in stem and row["band"].lower()
        expected = sound_rows[f"{copied}_miri_lv3_{band or 'f2100w'}"]
        assert {name: row[name] for name in NUMBERS} == {name: expected[name] for name in NUMBERS}, stem


def test_an_image_on_one_that_is_not_anchored_is_not_either_for_the_same_reason(rows):
    for name in INTERNAL:
        row, reference = rows[f"{name}_miri_lv3_f2100w"], rows[f"{name}_miri_lv3_f770w"]
        assert row["status"] == reference["status"], name
        assert (row["offset"] == "") == (reference["offset"] == ""), name
        assert reference["status"] == WORKS or reference["reason"] in row["reason"], name


def test_check_reports_the_same_beforehand(project, rows, inside):
    config = {**bad_inputs.full_config(), "targets": None}
    found = {record.name: record for record in inspection.inspect(inspected(make_plan(config)))}
    reported = {stem: (found[stem].status, found[stem].reason) for stem in STEMS}
    expected = {stem: (rows[stem]["status"], rows[stem]["reason"]) for stem in STEMS}
    assert reported == {**expected, **dict.fromkeys(IN_PIXELS, (WORKS, ""))}


@pytest.mark.parametrize("what", TABLES)
def test_galaxy_tables(project, inside, what):
    text, status, words = TABLES[what]
    found, reason = bad_inputs.of_table(project.folder, text)
    assert found == status
    assert words in reason


def test_only_targets_without_a_row_in_the_galaxy_table_are_skipped(project, inside):
    (project.folder / "galaxies.csv").write_text(bad_inputs.COLUMNS + bad_inputs.ROW)
    plan = make_plan(bad_inputs.full_config(galaxy_table="galaxies.csv"))
    assert not [image for image in plan.skipped if image.target == "sound"]
    assert {image.target for image in plan.skipped} == {"kernels"}


@pytest.mark.parametrize("what", CONFIGURATIONS)
def test_configurations_that_no_run_starts_from(inside, what):
    changes, words = CONFIGURATIONS[what]
    assert words in bad_inputs.of_configuration(changes)
    assert bad_inputs.of_configuration({}) == ""


@pytest.fixture(scope="module")
def archives(tmp_path_factory):
    """Where references are made of archive images, and what comes of each case."""
    folder = tmp_path_factory.mktemp("archives")
    return folder, bad_archives.made_of_all(folder)


@pytest.mark.parametrize("name", bad_archives.CASES)
def test_outcome_and_message_of_each_archive_image(archives, name):
    folder, made = archives
    case, (origin, reason) = bad_archives.CASES[name], made[name]
    assert (folder / name / "sky.png").is_file()
    if case.status == WORKS:
        assert reason == ""
        if name != "elsewhere":  # of one tile, whose level is its own
            assert origin.level == pytest.approx(made["sound"][0].level, abs=1e-4)
        return
    assert case.status == FAILED
    assert reason.startswith("the reference w3_atgauss15 of ngc0628 cannot be made: ")
    assert case.words in reason
    assert "tile_0.fits" in reason or "tile_1.fits" in reason
    assert "expected" in reason
    assert not {"SIMPLE", "REFSKY"} <= set(fits.getheader(folder / name / "out.fits"))


def test_the_page_has_the_messages_of_the_workflow(project, inside, archives):
    text = PAGE.read_text()
    assert bad_inputs.with_tables(text, bad_inputs.tables(project, archives[1])) == text
    for word in (WORKS, SKIPPED, FAILED):
        assert f"| {bad_inputs.OUTCOMES[word]} |" in text
    assert not re.search(r"Error\b|Traceback", text)
