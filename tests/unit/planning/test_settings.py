"""The configuration: defaults, messages on what is wrong, and documents that agree with the schema."""

import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from reference import with_table
from runs import Project, shipped
from snakemake.utils import update_config
from trees import plan_of_one

from anchoring.planning.settings import PlanError, complete, external_bands, is_shipped, problems

ROOT = Path(__file__).parents[3]
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
SHIPPED = yaml.safe_load((ROOT / "config/config.yaml").read_text())
PUBLISHED = {"in_dir", "ref_dir", "kernel_dir", "in_step_ext", "out_step_ext", "in_subdir", "out_subdir",
             "internal_conv_band", "reproject_func", "simplify_labels", "galaxy_table", "reff_factor",
             "percentile_range"}  # fmt: skip


def test_schema_is_a_schema_and_the_published_names_are_in_it():
    Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["properties"]) >= PUBLISHED
    assert set(SCHEMA["$defs"]["instrument"]["properties"]) >= {"ref_band", "external_bands"}


def test_shipped_configuration_shows_every_key_with_its_default():
    assert problems(SHIPPED, SCHEMA) == []
    assert list(SHIPPED) != sorted(SHIPPED)  # in the order of a run, not of the alphabet
    text = (ROOT / "config/config.yaml").read_text()
    # As comments: a value that is given counts, next to one at the top too.
    commented = re.search(r"^# instruments:.*\n(#  .*\n)*", text, re.MULTILINE)[0]
    instruments = yaml.safe_load(re.sub("^# ", "", commented, flags=re.MULTILINE))["instruments"]
    assert instruments == shipped()["instruments"]
    assert set(SHIPPED) == set(SCHEMA["properties"]) - {"instruments"}
    for key, entry in SCHEMA["properties"].items():
        if key not in ("in_dir", "ref_dir", "kernel_dir", "instruments"):
            assert SHIPPED[key] == entry["default"], key


def test_reference_of_the_keys_says_what_the_schema_says():
    text = (ROOT / "config/README.md").read_text()
    assert with_table(text, SCHEMA) == text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"procs": 4}, "--cores N"),
        ({"overwrite": True}, "--forceall"),
        ({"sigmma": 3}, "unknown key 'sigmma'"),
        ({"reproject_fun": "exact"}, "did you mean 'reproject_func'?"),
        ({"reproject_func": "nearest"}, "'reproject_func': 'nearest' is not one of ['interp', 'adaptive', 'exact']"),
        ({"percentile_range": [15]}, "'percentile_range'"),
        ({"reff_factor": 0}, "'reff_factor'"),
        ({"instruments": {"miri": {"refband": "F770W"}}}, "unknown key 'refband' in 'instruments.miri'"),
        ({"targets": []}, "'targets'"),
        ({"ref_band": "F770W"}, "'ref_band': 'F770W' is not of type 'object', 'null'; expected: {instrument: band}"),
        ({"ref_band": {"mi ri": "F770W"}}, "'ref_band'"),
        ({"external_bands": {"miri": [4]}}, "'external_bands.miri"),
        ({"internal_conv_band": ["F2100W"]}, "'internal_conv_band'"),
        (
            {"ref_band": {"MIRI": "F770W"}, "instruments": {"miri": {"ref_band": "F770W"}}},
            "'ref_band' of miri is given twice",
        ),
        (
            {"external_bands": "mips24", "instruments": {"acme": {"external_bands": ["mips24"]}}},
            "'external_bands' of acme is given twice",
        ),
        (
            {"external_bands": {"F2100W": "mips24"}, "instruments": {"miri": {"external_bands": {"f2100w": ["w4"]}}}},
            "'external_bands' of miri, F2100W, is given twice",
        ),
        (
            {"external_bands": {"miri": "mips24"}, "instruments": {"miri": {"external_bands": {"F770W": ["w4"]}}}},
            "'external_bands' of miri is given twice",
        ),
        ({"external_bands": {"F2100W": [4]}}, "'external_bands.F2100W"),
        (
            {"internal_conv_band": {"miri": "gauss4"}, "instruments": {"miri": {"internal_conv_band": "gauss4"}}},
            "'internal_conv_band' of miri is given twice",
        ),
        ({"ref_band": {"miri": "F770W", "MIRI": "F770W"}}, "'ref_band' of miri is given twice"),
        ({"colour_drift": {"w3": [0.06]}}, "'colour_drift.w3'"),
        ({"colour_drift": {"w3": [0.06, -0.03]}}, "'colour_drift.w3.1': -0.03 is less than the minimum of 0"),
        ({"instruments": {1: {"ref_band": "F770W"}}}, "the key 1 in 'instruments' is not text"),
        ({"intensity_range": {"irac4": [0, 1], False: [0, 1]}}, "the key False in 'intensity_range' is not text"),
    ],
)
def test_what_is_wrong_is_reported_with_what_is_expected(changes, message):
    (sentence,) = problems({**SHIPPED, **changes}, SCHEMA)
    assert message in sentence


def test_all_problems_are_reported_at_once():
    assert len(problems({"procs": 4, "nbins": 1, "psf": "yes", "in_dir": "a"}, SCHEMA)) == 4


PLACES = {"in_dir": "a", "ref_dir": "b", "kernel_dir": "c"}


def completed(config):
    """A configuration as the workflow uses it."""
    assert problems(config, SCHEMA) == []
    complete(config, SCHEMA)
    return config


@pytest.mark.parametrize("base", [PLACES, SHIPPED], ids=["alone", "with the shipped one"])
@pytest.mark.parametrize(
    ("published", "instruments"),
    [
        ({"ref_band": {"miri": "F1000W"}}, {"miri": {"ref_band": "F1000W"}}),
        ({"ref_band": {"MIRI": "F1000W", "acme": "H"}}, {"miri": {"ref_band": "F1000W"}, "acme": {"ref_band": "H"}}),
        ({"external_bands": {"miri": ["mips24"]}}, {"miri": {"external_bands": ["mips24"]}}),
        (
            {"external_bands": {"miri": "mips24"}, "internal_conv_band": {"nircam": "gauss4"}},
            {"miri": {"external_bands": "mips24"}, "nircam": {"internal_conv_band": "gauss4"}},
        ),
        (
            {"external_bands": "mips24", "ref_band": {"acme": "H"}},
            {
                **{name: {"external_bands": "mips24"} for name in ("nircam", "miri", "niriss")},
                "acme": {"ref_band": "H", "external_bands": "mips24"},
            },
        ),
        ({"ref_band": None, "external_bands": None}, {}),
        (
            {"external_bands": {"miri": ["w3_atgauss15"], "f2100w": ["mips24"]}, "ref_band": {"miri": "F560W"}},
            {
                "miri": {"ref_band": "F560W", "external_bands": {"F560W": ["w3_atgauss15"], "f2100w": ["mips24"]}},
                **{name: {"external_bands": {"f2100w": ["mips24"]}} for name in ("nircam", "niriss")},
            },
        ),
    ],
)
def test_published_parameters_are_those_of_the_instruments(base, published, instruments):
    found, expected = {}, {}
    for config, changes in ((found, published), (expected, {"instruments": instruments})):
        update_config(config, base)  # as Snakemake does with --configfile
        update_config(config, changes)
        completed(config)
    assert found == expected


def test_references_of_a_band_leave_those_of_the_ref_band_as_they_are():
    for given in (
        {"external_bands": {"F2100W": "mips24"}},
        {"instruments": {"miri": {"external_bands": {"F2100W": "mips24"}}}},
    ):
        config = completed({**PLACES, **given})
        assert external_bands(config, "miri") == ["irac4_atgauss4", "w3_atgauss15"]
        assert external_bands(config, "miri", "f2100W") == ["ref_band", "mips24"]
        assert external_bands(config, "miri", "F1000W") == ["ref_band"]
        assert not is_shipped(config, "miri", "F2100W")
    assert is_shipped(completed(dict(PLACES)), "miri", "F2100W")


def test_an_instrument_that_is_switched_off_stays_so():
    for switched in ({"instruments": {"miri": None}}, {"ref_band": {"miri": None}}):
        instruments = completed({**PLACES, **switched})["instruments"]
        assert instruments["miri"]["ref_band"] is None
        assert instruments["nircam"]["ref_band"] == "F300M"


def test_a_run_takes_published_parameters_next_to_the_shipped_configuration(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text((ROOT / "config/config.yaml").read_text())
    project = Project(tmp_path, targets=["ngc0628"], bands=["F770W"], references=["irac4_atgauss4"])
    project.configure(ref_band={"miri": "F770W"}, external_bands={"miri": ["irac4_atgauss4"]})
    assert project.planned_jobs()["measure_pair"] == 1


@pytest.mark.parametrize("key", ["in_dir", "out_dir", "kernel_dir"])
def test_braces_in_a_folder_are_refused_by_its_key(tmp_path, key):
    with pytest.raises(PlanError, match=f"{key} is .*\\{{a\\}}.*expected no braces"):
        plan_of_one(tmp_path, **{key: str(tmp_path / "{a}")})


def test_anchored_images_may_not_replace_their_inputs(tmp_path):
    with pytest.raises(PlanError, match="replace their inputs"):
        plan_of_one(tmp_path, out_dir=str(tmp_path / "in"), out_step_ext="i2d_align")


CONDA_NAMES = {"snakemake-minimal": "snakemake", "matplotlib-base": "matplotlib"}


def test_conda_and_pip_users_get_the_same():
    pinned = dict(line.split("==") for line in (ROOT / "requirements.txt").read_text().split() if "==" in line)
    pinned = {name.lower(): version for name, version in pinned.items()}
    wanted = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    direct = (ROOT / "requirements.txt").read_text().split("# and what those need:")[0]
    names = set()
    for name, limits in (entry.split(" ") for entry in wanted if not entry.startswith("python ")):
        name = CONDA_NAMES.get(name, name)
        names.add(name)
        low, _, high = limits.removeprefix(">=").partition(",<")
        assert numbers(low) <= numbers(pinned[name]) < numbers(high), name
    assert names == {line.split("==")[0].lower() for line in direct.splitlines() if "==" in line}


def numbers(version):
    return [int(part) for part in re.findall(r"\d+", version)]
