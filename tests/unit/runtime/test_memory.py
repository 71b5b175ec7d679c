"""The memory of a run is what the machine has, or what a control group leaves of it."""

import os

import pytest
from memory import memory_limit

INSTALLED = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
MAX_V1 = 2**63 - 4096  # what version 1 has where nothing is limited


@pytest.fixture
def root(tmp_path):
    def made(groups, **limits):
        for path, text in {"proc/self/cgroup": groups, **{f"sys/fs/cgroup/{p}": t for p, t in limits.items()}}.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(f"{text}\n")
        return tmp_path

    return made


def test_without_control_groups_it_is_what_is_installed(tmp_path):
    assert memory_limit(tmp_path) == INSTALLED
    assert 0 < memory_limit() <= INSTALLED


@pytest.mark.parametrize(
    ("own", "parent", "expected"),
    [("4000", "max", 4000), ("max", "3000", 3000), ("4000", "3000", 3000), ("max", "max", INSTALLED),
     (f"{2**60}", "max", INSTALLED)],
)  # fmt: skip
def test_version_2_counts_all_groups_above(root, own, parent, expected):
    limits = {"job/step/memory.max": own, "job/memory.max": parent}
    assert memory_limit(root("0::/job/step", **limits)) == expected


def test_version_1_counts_the_groups_of_the_memory_controller(root):
    groups = "5:cpu,cpuacct:/slurm\n4:memory:/slurm/job\n0::/"
    limits = {"memory/slurm/job/memory.limit_in_bytes": MAX_V1, "memory/slurm/memory.limit_in_bytes": 5000}
    assert memory_limit(root(groups, **limits)) == 5000
    assert memory_limit(root(groups, **{"memory/slurm/memory.limit_in_bytes": MAX_V1})) == INSTALLED


def test_in_a_container_the_group_at_the_top_counts(root):
    assert memory_limit(root("0::/../../outside", **{"memory.max": 6000})) == 6000
