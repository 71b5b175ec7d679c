"""The configuration: defaults, refusals in words, and documents that say what the schema says."""

import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from reference import with_table
from settings import problems

ROOT = Path(__file__).parents[1]
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
    assert set(SHIPPED) == set(SCHEMA["properties"])
    for key, entry in SCHEMA["properties"].items():
        if key not in ("in_dir", "ref_dir", "kernel_dir", "instruments"):
            assert SHIPPED[key] == entry["default"], key
    for name, entry in SCHEMA["properties"]["instruments"]["properties"].items():
        assert SHIPPED["instruments"][name] == {k: e["default"] for k, e in entry["properties"].items()}


def test_reference_of_the_keys_says_what_the_schema_says():
    text = (ROOT / "config/README.md").read_text()
    assert with_table(text, SCHEMA) == text


@pytest.mark.parametrize(
    ("changes", "words"),
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
        ({"instruments": {1: {"ref_band": "F770W"}}}, "the key 1 in 'instruments' is not text"),
        ({"intensity_range": {"irac4": [0, 1], False: [0, 1]}}, "the key False in 'intensity_range' is not text"),
    ],
)
def test_what_is_wrong_is_said_in_words(changes, words):
    (sentence,) = problems({**SHIPPED, **changes}, SCHEMA)
    assert words in sentence


def test_every_problem_is_told_at_once():
    assert len(problems({"procs": 4, "nbins": 1, "in_dir": "a"}, SCHEMA)) == 4


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
