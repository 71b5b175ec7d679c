"""Jobs hold what they request, and not much less: the peak memory of every script is compared with its mem_mb."""

import json
import subprocess
import sys

import pytest
from runs import Project, before_scripts

# Not ru_maxrss, which starts at what the process held before it became this script.
NOTE = """
import atexit, json, re, sys

def note():
    job = vars(sys.modules["__main__"]).get("snakemake")
    if job is not None and "mem_mb" in job.resources.keys():
        with open("/proc/self/status") as status, open("memory.jsonl", "a") as file:
            peak = int(re.search(r"VmHWM:\\s*(\\d+)", status.read())[1]) * 1024 / 1e6
            print(json.dumps([job.rule, job.log[0], peak, job.resources.mem_mb]), file=file)

atexit.register(note)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("coarsen", "config"),
    [
        (6.0, {}),
        (1.2, {"galaxy_table": "data/galaxies.csv", "reproject_func": "adaptive"}),
        (6.0, {"kernel_dir": None, "psf_dir": "data/psfs"}),
    ],
    ids=["0.05 Mpx", "1.3 Mpx", "kernels from PSFs"],
)
def test_every_job_holds_what_it_requests_and_no_less_than_a_third(tmp_path, coarsen, config):
    psfs = "psf_dir" in config
    tree = {"bands": ("F300M", "F335M"), "references": ("irac1_atgauss4",), "coarsen": coarsen, "psfs": psfs}
    project = Project(tmp_path, targets=("ngc0628",), config={"preload": False, **config}, **tree)
    environment = before_scripts("scripts/", NOTE, tmp_path / "site")
    subprocess.run(project.command(), cwd=tmp_path, env=environment, check=True, capture_output=True)
    jobs = [json.loads(line) for line in (tmp_path / "memory.jsonl").read_text().splitlines()]
    assert {rule for rule, *_ in jobs} == {"convolve_image", "reproject_image", "measure_pair", "solve_external",
                                           "solve_internal", "apply_offset", "plot_image",
                                           *["make_kernel"] * psfs}  # fmt: skip
    assert [job for job in jobs if not job[3] / 3 < job[2] < job[3]] == []
