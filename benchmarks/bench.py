"""Race the workflow against the published step: complete command against complete command, on the same tree, in turn.

    python benchmarks/bench.py [--trees small real] [--runs 1] [--cores 2]        (`make bench`)

Simulates the trees, fetches pjpipe into an environment of its own, runs both in turn, each on a copy of its own, and
prints, for each tree, wall and CPU time, peak memory of the largest process, their ratios (median and range over the
runs), and the largest difference of slopes and intercepts.
The workflow's time includes Snakemake's own; both make their figures.
"""

import argparse
import csv
import importlib.metadata
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import peer

ROOT = Path(__file__).parents[1]
RUN = Path(__file__).parent / "run"
TREES = {
    "small": ["--field", "70", "60", "--coarsen", "1", "--targets", "ngc0628"],
    "real": ["--field", "230", "190", "--coarsen", "1", "--targets", "ngc0628"],
}


def measured(command, log, **more):
    """Run a command; its wall seconds, CPU seconds and the peak memory, MB, of its largest process."""
    os.sync()  # else what was written before is on its way to the disk while this runs
    start = time.monotonic()
    with open(log, "w") as file:
        child = subprocess.Popen([str(c) for c in command], stdout=file, stderr=subprocess.STDOUT, **more)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed: see {log}")
    return {
        "wall s": time.monotonic() - start,
        "CPU s": usage.ru_utime + usage.ru_stime,
        "peak MB": usage.ru_maxrss / 1024,
    }


def run_workflow(tree, cores):
    folder = RUN / "workflow"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copy = shutil.copytree(tree, folder / "data")  # as the peer has it: just written, thus in memory
    places = {"in_dir": copy, "ref_dir": copy / "ref", "kernel_dir": copy / "kernels", "out_dir": "results"}
    (folder / "config.yaml").write_text(json.dumps({key: str(place) for key, place in places.items()}))
    snakemake = Path(sys.executable).with_name("snakemake")
    command = [snakemake, "--snakefile", ROOT / "Snakefile", "--configfile", "config.yaml", "--cores", cores]
    figures = measured(command, RUN / "workflow.log", cwd=folder)
    fits = {}
    for table in (folder / "results").glob("*/*_anchor_tab.csv"):
        with open(table, newline="") as file:
            for row in csv.DictReader(file):
                fits[row["ref_filter"], row["compar_filename"]] = float(row["slope"]), float(row["intercept"])
    return figures, fits


def run_peer(tree, cores):
    copy, output = RUN / "peer", RUN / "peer.json"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(tree, copy)
    command = [peer.environment(), Path(peer.__file__), copy, output, "--processes", cores]
    figures = measured(command, RUN / "peer.log")
    rows = [row for target in json.loads(output.read_text()).values() for row in target]
    shutil.rmtree(copy)
    return figures, {(r["ref_filter"], r["compar_filename"]): (r["slope"], r["intercept"]) for r in rows}


def difference(ours, theirs):
    """Largest difference of a slope and of an intercept between two sets of fits of the same pairs."""
    if ours.keys() != theirs.keys():
        sys.exit(f"not the same fits: {sorted(ours.keys() ^ theirs.keys())}")
    return [max(abs(ours[pair][i] - theirs[pair][i]) for pair in ours) for i in (0, 1)]


def race(name, runs, cores):
    tree = RUN / f"tree_{name}"
    if not (tree / "truth.csv").exists():
        subprocess.run([sys.executable, "-m", "simulation", tree, *TREES[name]], cwd=ROOT, check=True)
    ours, theirs = [], []
    for _ in range(runs):
        mine, fits = run_workflow(tree, cores)
        published, peer_fits = run_peer(tree, cores)
        ours.append(mine)
        theirs.append(published)
        apart = difference(fits, peer_fits)
        print(f"{name}: {mine['wall s']:.1f} and {published['wall s']:.1f} s", file=sys.stderr)
    print(f"\n{name}: one galaxy, {len(fits)} fits; {runs} run(s) in turn, medians")
    print(f"{'':10}{'workflow':>12}{'pjpipe':>12}{'ratio':>9}")
    for quantity in ours[0]:
        a, b = (statistics.median(run[quantity] for run in side) for side in (ours, theirs))
        ratios = [t[quantity] / o[quantity] for o, t in zip(ours, theirs, strict=True)]
        least, middle, most = min(ratios), statistics.median(ratios), max(ratios)
        print(f"{quantity:10}{a:12.1f}{b:12.1f}{middle:9.2f}  ({least:.2f} to {most:.2f})")
    print(f"largest difference: slope {apart[0]:.1e}, intercept {apart[1]:.1e} MJy/sr", flush=True)


def machine():
    models = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = models[0] if models else platform.processor()
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, load {os.getloadavg()[0]:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trees", nargs="+", default=list(TREES), choices=TREES)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    args = parser.parse_args()
    peer.environment()
    RUN.mkdir(exist_ok=True)
    print(machine())
    names = ("snakemake", "numpy", "scipy", "astropy", "reproject", "ducc0")
    print("workflow:", ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names))
    print(
        "pjpipe:  ", ", ".join(v.replace("==", " ") for v in peer.versions() if v.split("==")[0] in ("pjpipe", *names))
    )
    for name in args.trees:
        race(name, args.runs, args.cores)


if __name__ == "__main__":
    main()
