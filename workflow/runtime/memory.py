"""The memory that the jobs of a run may take together, on this machine."""

import os
from pathlib import Path

SHARE = 0.8  # of the memory; the rest is for the system and for Snakemake itself


def limit_memory(workflow):
    """Let never more jobs run at once than fit into memory; `--resources mem_mb=...` of the user wins.

    A module leaves the limits to the workflow that uses it, and a run on a cluster to the nodes.
    """
    here = workflow.modifier.is_main_snakefile() and workflow.is_main_process and not runs_elsewhere(workflow)
    if here and "mem_mb" not in workflow.global_resources:
        workflow.register_resource("mem_mb", int(SHARE * memory_limit() / 1e6))


def runs_elsewhere(workflow):
    """Whether jobs are submitted: only then there is a number of nodes (`--jobs` in addition to `--cores`)."""
    return workflow.resource_settings.nodes is not None


def memory_limit(root="/"):
    """Memory that this process and its children may use, in bytes.

    The installed memory, or less where a control group of Linux limits it (a container, or a job of a cluster): the
    smallest `memory.max` (version 2) or `memory.limit_in_bytes` (version 1) of the group and those that it is in.

    Parameters
    ----------
    root : path
        The folder that holds `proc` and `sys`.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for line in _text(Path(root, "proc/self/cgroup")).splitlines():
        _, controllers, group = line.split(":", 2)
        if not controllers:
            top, name = Path(root, "sys/fs/cgroup"), "memory.max"
        elif "memory" in controllers.split(","):
            top, name = Path(root, "sys/fs/cgroup/memory"), "memory.limit_in_bytes"
        else:
            continue
        # In a container, groups may be called as outside it: the one at the top is there all the same.
        parts = [part for part in group.split("/") if part not in ("", "..")]
        texts = [_text(top.joinpath(*parts[:depth], name)).strip() for depth in range(len(parts) + 1)]
        limits += [int(text) for text in texts if text.isdecimal()]
    return min(limits)


def _text(path):
    try:
        return path.read_text()
    except OSError:
        return ""
