"""Provenance as an RO-Crate: what is stated is true, and valid for the profiles it names."""

import sys

import pytest
from crates import Crate
from validating import issues_of

from anchoring.errors import AnchoringError
from anchoring.releasing.crate import write_crate

SOFTWARE = {"Python": "3.12.1", "numpy": "2.4.6", "snakemake": "9.27.0"}


@pytest.fixture
def made(tmp_path):
    """Inputs outside of and in a folder of results, with names that have to be quoted."""
    for name in ("in/a b#1.fits", "in/ref.fits.gz", "out/in place.fits", "out/m 83/a+(1)~@.fits", "out/tab.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    first = [str(tmp_path / name) for name in ("in/a b#1.fits", "in/ref.fits.gz", "out/in place.fits")]
    image, table = str(tmp_path / "out/m 83/a+(1)~@.fits"), str(tmp_path / "out/tab.csv")
    return {"image m 83 F770W a#1": (first, [image]), "tables of the run": ([image], [table])}


def written(folder, made, **configuration):
    path = folder / "out/ro-crate-metadata.json"
    write_crate(path, made, {"estimator": "binned", "release": {}, **configuration}, SOFTWARE, threads=2)
    return Crate(folder / "out")


def test_what_is_stated_is_true(made, tmp_path):
    crate = written(tmp_path, made)
    crate.require_true()
    files = {str(crate.path(name)) for name in crate.hashes}
    assert files == {path for pair in made.values() for paths in pair for path in paths}
    assert {name for name in crate.hashes if name.startswith("file:")} == {
        f"{(tmp_path / 'in').as_uri()}/{name}" for name in ("a%20b%231.fits", "ref.fits.gz")
    }
    assert {part["@id"] for part in crate.entities["./"]["hasPart"]} == set(crate.hashes)
    needed, results = crate.actions["tables of the run"]
    assert needed == {"m%2083/a%2B%281%29~%40.fits", "#configuration"}
    assert results == {"tab.csv"}
    assert crate.made_of(f"{(tmp_path / 'in').as_uri()}/ref.fits.gz") == {"tab.csv", "m%2083/a%2B%281%29~%40.fits"}


def test_names_that_are_nearly_the_same_are_two(made, tmp_path):
    files = made["image m 83 F770W a#1"]
    crate = written(tmp_path, dict.fromkeys(("image m 83 a", "image m-83 a"), files))
    assert set(crate.actions) == {"image m 83 a", "image m-83 a"}


def test_software_and_configuration_are_stated(made, tmp_path):
    crate = written(
        tmp_path, made, release={"license": "CC BY 4.0", "license_url": "https://example.org/by", "lead": "A"}
    )
    required = crate.entities["#workflow"]["softwareRequirements"]
    versions = {crate.entities[one["@id"]]["name"]: crate.entities[one["@id"]]["softwareVersion"] for one in required}
    assert versions == SOFTWARE
    assert crate.entities["#configuration-estimator"]["value"] == '"binned"'
    assert crate.entities["./"]["license"] == {"@id": "https://example.org/by"}
    assert crate.entities[crate.entities["./"]["author"]["@id"]]["name"] == "A"


def test_a_relative_path_is_the_same_file(made, tmp_path, monkeypatch):
    before = written(tmp_path, made).entities
    monkeypatch.chdir(tmp_path / "out")
    made = {what: tuple([path.replace(str(tmp_path), "..") for path in paths] for paths in pair)
            for what, pair in made.items()}  # fmt: skip
    assert written(tmp_path, made).entities == before


def test_another_byte_changes_its_own_entity_alone(made, tmp_path):
    before = written(tmp_path, made).entities
    (tmp_path / "in/ref.fits.gz").write_text("in/ref.fits.gy")
    after = written(tmp_path, made).entities
    assert before.keys() == after.keys()
    assert {name for name in after if after[name] != before[name]} == {f"{(tmp_path / 'in').as_uri()}/ref.fits.gz"}


def test_without_the_package_the_message_says_what_to_install(made, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rocrate.rocrate", None)
    with pytest.raises(AnchoringError, match=r"the package rocrate cannot be used .* pip install -r requirements"):
        written(tmp_path, made)
    assert not (tmp_path / "out/ro-crate-metadata.json").exists()


def test_a_file_that_is_gone_is_all_that_is_wrong_with_the_crate(made, tmp_path):
    """Without it the validator has nothing to say: see the tests of the workflow."""
    written(tmp_path, made)
    (tmp_path / "out/tab.csv").unlink()
    issues = issues_of(tmp_path / "out", "process-run-crate-0.5", tmp_path)
    assert issues
    assert all("tab.csv" in issue for issue in issues)
