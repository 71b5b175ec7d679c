"""The cluster profiles submit every job with the others of its target, or it runs where Snakemake runs."""

import re
import subprocess

import pytest
import yaml
from runs import ROOT, Project

from simulation.skies import IDEAL

CLUSTERS = ("slurm", "generic")
NO_JOBS = {"all", "ngc0001"}  # rules that only name what is to be made
LOCAL = {"check", "verify_target", "verify_run"}  # on the machine that submits: they read a few small files
# They read records and tables, for which the memory that profiles give to any job is enough.
SMALL = {"collect_offsets", "provenance", "release", "report_target", "show_summary", "show_table", "summarise_run",
         "tabulate_network", "tabulate_target", "write_index"}  # fmt: skip


def profile(name):
    return yaml.safe_load((ROOT / f"profiles/{name}/config.yaml").read_text())


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """Names of all rules of a run on one target."""
    project = object.__new__(Project)
    project.folder = tmp_path_factory.mktemp("rules")
    image = project.folder / "data/ngc0001/F770W/lv3/ngc0001_miri_lv3_f770w_i2d_align.fits"
    image.parent.mkdir(parents=True)
    image.touch()
    project.configure()
    command = ["snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", "config.yaml", "--list-rules"]
    listed = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=True)
    return set(listed.stdout.split())


@pytest.mark.parametrize("name", CLUSTERS)
def test_every_rule_has_its_group_or_is_known_to_be_local(rules, name):
    assert rules >= NO_JOBS | LOCAL
    assert set(profile(name)["groups"]) == rules - NO_JOBS - LOCAL


def test_every_rule_calculates_its_memory_or_is_known_to_be_small(rules):
    own = set()
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        parts = re.split(r"^(?:rule|checkpoint|use rule) (.+):$", path.read_text(), flags=re.MULTILINE)
        for head, body in zip(parts[1::2], parts[2::2], strict=True):
            base, _, name = head.removesuffix(" with").partition(" as ")  # a rule used again has the memory of its base
            own |= {name or base} if base in own or "mem_mb=memory(" in body else set()
    assert rules - own - NO_JOBS - LOCAL == SMALL


@pytest.mark.parametrize("name", CLUSTERS)
def test_groups_before_the_offsets_are_known_are_formed_the_same_again(name):
    """One submission for each component, or one for all of them: whatever else has run meanwhile."""
    numbers = profile(name)["group-components"]
    assert set(numbers) == set(profile(name)["groups"].values())
    assert all(number in (1, 1000) for group, number in numbers.items() if group != "run")


def test_the_default_profile_is_for_this_machine():
    assert not {"executor", "jobs", "groups", "default-resources"} & set(profile("default"))


def test_memory_of_what_is_not_made_yet_is_that_of_what_will_be(tmp_path):
    tree = {"bands": ("F770W", "F2100W"), "references": ("irac4_atgauss4",), "coarsen": 3.0}
    project = Project(tmp_path, targets=("ngc0628",), sky=IDEAL, **tree)
    before = requests(project)
    project.run("--until", "measure_pair")
    after = requests(project)
    assert set(before) == set(after)
    assert {rule for rule, _ in before} >= {"convolve_image", "reproject_image", "measure_pair"}
    for job, asked in before.items():
        assert abs(asked - after[job]) <= 1, job


def requests(project):
    """(rule, log): MB of memory of all jobs of a run on other machines, however far it has come."""
    done = project.snakemake("--dry-run", "--forceall", "--jobs", 1, "--executor", "dryrun", "--quiet", "host")
    assert done.returncode == 0, done.stderr[-5000:]
    blocks = re.findall(r"^(?:local)?rule (\w+):\n(.*?)\n[\n[]", done.stdout + done.stderr, re.MULTILINE | re.DOTALL)
    return {
        (rule, re.search(r"log: (.*)", block)[1]): int(re.search(r"mem_mb=(\d+)", block)[1])
        for rule, block in blocks
        if "mem_mb=" in block
    }
