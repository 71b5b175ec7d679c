"""Jobs hold what they request, and not much less: the peak memory of every script is compared with its mem_mb."""

import json
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
    ("coarsen", "bands", "config"),
    [
        (1.2, ("F300M", "F335M"), {"galaxy_table": "data/galaxies.csv", "reproject_func": "adaptive"}),
        (6.0, ("F300M",), {"kernel_dir": None, "psf_dir": "data/psfs"}),
    ],
    ids=["1.3 Mpx", "0.05 Mpx, kernels from PSFs"],
)
def test_every_job_holds_what_it_requests_and_no_less_than_a_third(tmp_path, coarsen, bands, config):
    psfs = "psf_dir" in config
    tree = {"bands": bands, "references": ("irac1_atgauss4",), "coarsen": coarsen, "psfs": psfs}
    project = Project(tmp_path, targets=("ngc0628",), config={"preload": False, **config}, **tree)
    project.environment = before_scripts("scripts/", NOTE, tmp_path / "site")
    image = project.anchored("ngc0628", bands[-1])
    project.run(image.relative_to(tmp_path), f"results/ngc0628/{bands[-1]}/anchored/{image.name[:-16]}_fit.png")
    jobs = [json.loads(line) for line in (tmp_path / "memory.jsonl").read_text().splitlines()]
    assert {rule for rule, *_ in jobs} == {"convolve_image", "reproject_image", "measure_pair", "solve_external",
                                           "make_kernel" if psfs else "solve_internal", "apply_offset",
                                           "plot_image"}  # fmt: skip
    assert [job for job in jobs if not job[3] / 3 < job[2] < job[3]] == []
