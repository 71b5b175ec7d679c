"""The configuration of a pjpipe project, translated: nothing is lost without a word, and the result runs."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from runs import ROOT, Project

from config_from_pjpipe import TranslationError, translate
from simulation.skies import IDEAL

SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())

# The keys and the layout of pjpipe's own files; the steps and tables of other steps are cut.
CONFIG = """
targets = ['ngc0628', 'ic5332']
version = 'v1p2'
bands = ['F300M', 'F335M', 'F770W', 'F2100W', 'F770W_bgr', 'F2100W_bgr']
steps = ['download', 'lv1', 'lyot_separate.miri', 'astrometric_align', 'anchoring', 'psf_matching']

[parameters.download]
prop_id = '2107'

[parameters.anchoring]
internal_conv_band = 'F2100W'

[parameters.anchoring.ref_band]
miri = 'F770W'
nircam = 'F300M'

[parameters.anchoring.external_bands]
miri = ['irac4_atgauss4', 'w3_atgauss15']
nircam = ['irac1_atgauss4', 'w1_atgauss7p5']
"""
LOCAL = """
crds_path = '/data/crds/'
raw_dir = '/data/raw/'
reprocess_dir = '/data/reprocessed/'
alignment_dir = '/data/alignment/'
anchor_ref_dir = '/data/ref_images/'
kernel_dir = '/data/kernels/'
processors = 20
"""


def translated(config=CONFIG, local=LOCAL):
    new, notes = translate(tomllib.loads(config), tomllib.loads(local))
    errors = [error.message for error in Draft202012Validator(SCHEMA).iter_errors(new)]
    return new, notes, errors


def test_every_key_has_its_place():
    new, notes, errors = translated()
    assert errors == []
    assert new == {
        "in_dir": "/data/reprocessed/v1p2",
        "ref_dir": "/data/ref_images/",
        "kernel_dir": "/data/kernels/",
        "out_dir": "results",
        "in_step_ext": "i2d_align",
        "out_step_ext": "i2d_anchor",
        "in_subdir": "lv3",
        "out_subdir": "anchoring",
        "targets": ["ngc0628", "ic5332"],
        "bands": ["F300M", "F335M", "F770W", "F2100W"],
        "instruments": {
            "nircam": {"ref_band": "F300M", "external_bands": ["irac1_atgauss4", "w1_atgauss7p5"]},
            "miri": {"ref_band": "F770W", "external_bands": ["irac4_atgauss4", "w3_atgauss15"]},
            "niriss": {"ref_band": None},
        },
        "internal_conv_band": "F2100W",
    }
    assert notes == [
        "bands F770W_bgr, F2100W_bgr are left out: backgrounds are not anchored, as in pjpipe",
        "in_dir /data/reprocessed/v1p2 is not on this machine: whether it has all targets could not be checked",
        "processors: use `snakemake --cores 20`",
    ]


def test_inline_tables_and_single_labels_are_the_same():
    lines = CONFIG.split("\n[parameters.anchoring.ref_band]")[0]
    inline = "ref_band = {miri = 'F770W', nircam = 'F300M'}\nexternal_bands = {miri = 'mips24', nircam = 'irac1'}\n"
    new, _, errors = translated(lines + "\n" + inline)
    assert errors == []
    assert new["instruments"]["miri"] == {"ref_band": "F770W", "external_bands": "mips24"}
    assert new["instruments"]["nircam"] == {"ref_band": "F300M", "external_bands": "irac1"}


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("reproject_func = 'exact'", "reproject_func", "exact"),
        ("simplify_labels = false", "simplify_labels", False),
        ("galaxy_table = 'sample.csv'", "galaxy_table", "sample.csv"),
        ("percentile_range = [10, 50]", "percentile_range", [10, 50]),
    ],
)
def test_keys_of_the_same_name_keep_their_value(line, key, value):
    new, _, errors = translated(CONFIG.replace("[parameters.anchoring]\n", f"[parameters.anchoring]\n{line}\n"))
    assert errors == []
    assert new[key] == value


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (
            ("[parameters.anchoring]\n", "[parameters.anchoring]\noverwrite = true\n"),
            "overwrite is left out: what is out",
        ),
        (
            ("[parameters.anchoring]\n", "[parameters.anchoring]\nfudge = 3\n"),
            "fudge is left out: it has no counterpart",
        ),
        (("nircam = 'F300M'", "# nircam = 'F300M'"), "nircam has no ref_band"),
        (("nircam = ['irac1_atgauss4', 'w1_atgauss7p5']", ""), "nircam has no external_bands"),
        (("'astrometric_align', ", ""), "images are taken to end in _i2d.fits"),
        (("'anchoring', ", ""), "steps does not list anchoring"),
        (("anchor_ref_dir", "old_ref_dir"), "anchor_ref_dir is not in local.toml: set ref_dir"),
        (("'F335M'", "'F430M_niriss'"), "its kernels have to be named f430m_niriss_to_"),
    ],
)
def test_what_has_no_counterpart_is_reported(change, note):
    _, notes, errors = translated(CONFIG.replace(*change), LOCAL.replace(*change))
    assert sum(note in line for line in notes) == 1
    # A folder that is not known is refused by the run, in words; all else runs.
    assert bool(errors) == ("ref_dir" in note)


def test_an_instrument_without_ref_band_does_not_fall_back_on_the_default():
    new, _, _ = translated(CONFIG.replace("nircam = 'F300M'", ""))
    assert new["instruments"]["nircam"]["ref_band"] is None


def test_images_that_were_not_aligned_end_as_they_do_there():
    assert translated(CONFIG.replace("'astrometric_align', ", ""))[0]["in_step_ext"] == "i2d"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[parameters.anchoring", "[parameters.other"), "no table [parameters.anchoring]"),
        (("version =", "edition ="), "no version in the first file"),
        (("reprocess_dir", "working_dir"), "no reprocess_dir in the second file"),
    ],
)
def test_what_cannot_be_translated_is_refused(change, words):
    with pytest.raises(TranslationError) as error:
        translated(CONFIG.replace(*change), LOCAL.replace(*change))
    assert words in str(error.value)


def test_the_result_runs(tmp_path):
    project = Project(
        tmp_path, targets=["ngc0628"], sky=IDEAL, bands=("F300M", "F770W", "F2100W"),
        references=("irac1_atgauss4", "irac4_atgauss4"),
    )  # fmt: skip
    (tmp_path / "reprocessed").mkdir()
    (tmp_path / "data").rename(tmp_path / "reprocessed/v1p2")
    (tmp_path / "config.toml").write_text(CONFIG)
    local = LOCAL.replace("/data/reprocessed/", str(tmp_path / "reprocessed"))
    for old, new in (("/data/ref_images/", "ref"), ("/data/kernels/", "kernels")):
        local = local.replace(old, f"{tmp_path}/reprocessed/v1p2/{new}")
    (tmp_path / "local.toml").write_text(local)
    script = Path(ROOT, "workflow/scripts/config_from_pjpipe.py")
    done = subprocess.run(
        [sys.executable, script, "config.toml", "local.toml"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    for absent in ("targets ic5332", "bands F335M"):
        assert f"note: {absent} are left out: they have no folder in {tmp_path}/reprocessed/v1p2" in done.stderr
    (tmp_path / "config.yaml").write_text(done.stdout)
    assert "3 of 3 images ready to be anchored." in project.run("check").stdout
