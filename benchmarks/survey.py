"""What a survey costs in addition to its computations: jobs, time and memory of Snakemake itself, files and disk.

    python benchmarks/survey.py [--targets 74] [--run 1] [--all] [--cores 2]

Simulates targets of 8 bands in images of a few hundred pixels a side, plans them all, and runs the first few (all with
`--all`): interrupted and resumed, with and without intermediate images. What is made of the others is then
stood in for by copies of those results under their names, so that the survey counts as finished: what a run with
nothing to do costs, and which jobs a touched input starts. Prints a line per question.
"""

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from astropy.io import fits  # noqa: E402

from simulation.trees import simulate_tree  # noqa: E402

FIELD, COARSEN = (60.0, 50.0), 4.0  # arcsec; the coarsest that the kernels of real instruments still sample
SNAKEMAKE = (Path(sys.executable).with_name("snakemake"), "--snakefile", ROOT / "Snakefile")


class Survey:
    """A folder with data, a configuration and results."""

    def __init__(self, folder, n_targets, cores):
        self.folder, self.cores = folder, cores
        self.targets = [f"ngc{i:04}" for i in range(1, n_targets + 1)]
        self.configure()

    def configure(self, **changes):
        places = {"in_dir": "data", "ref_dir": "data/ref", "kernel_dir": "data/kernels"}
        (self.folder / "config.yaml").write_text(json.dumps({**places, **changes}))

    def simulate(self):
        if not (self.folder / "data/truth.csv").exists():
            simulate_tree(self.folder / "data", self.targets, field=FIELD, coarsen=COARSEN)

    def snakemake(self, *targets, options=(), interrupt_after=None):
        """Run Snakemake; its output, wall s, CPU s with its jobs, and the most memory of its own process, MB."""
        command = [*SNAKEMAKE, *targets, "--configfile", "config.yaml", "--cores", self.cores, *options]
        start, peak = time.monotonic(), 0.0
        with open(self.folder / "log", "w") as log:
            run = subprocess.Popen([str(part) for part in command], cwd=self.folder, stdout=log,
                                   stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
            while True:
                peak = max(peak, resident(run.pid))
                ended, status, usage = os.wait4(run.pid, os.WNOHANG)
                if ended:
                    break
                if interrupt_after and time.monotonic() > start + interrupt_after:
                    os.killpg(run.pid, signal.SIGTERM)
                    interrupt_after = None
                time.sleep(0.05)
        run.returncode = os.waitstatus_to_exitcode(status)
        output = (self.folder / "log").read_text()
        return output, time.monotonic() - start, usage.ru_utime + usage.ru_stime, peak, run.returncode

    def good(self, *targets, options=()):
        *figures, status = self.snakemake(*targets, options=options)
        if status:
            sys.exit(f"snakemake {' '.join((*targets, *options))} failed: see {self.folder / 'log'}")
        return figures

    def dry_run(self, *targets):
        """Targets of the jobs that a run would start ("" for those of the run), and wall s, CPU s, MB of planning."""
        output, *figures = self.good(*targets, options=("--dry-run", "--quiet", "host"))
        blocks = re.findall(r"^(?:local)?rule (\w+):\n(.*?)\n[\n[]", output, re.MULTILINE | re.DOTALL)
        blocks = [block for rule, block in blocks if rule not in (*self.targets, "all")]
        jobs = [re.search(r"wildcards: target=([^,\n]*)|$", block)[1] or "" for block in blocks]
        return jobs, figures

    def stand_in(self, done):
        """Copies of the results of targets that were run, under the names of all others; all count as made now."""
        results = self.folder / "results"
        for i, target in enumerate(self.targets):
            if target in done:
                continue
            source = done[i % len(done)]
            shutil.copytree(results / source, results / target)
            for folder, _, files in os.walk(results / target):
                for path in (Path(folder, name) for name in files):
                    if path.suffix == ".json":
                        times = path.stat()
                        path.write_text(path.read_text().replace(source, target))
                        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
                    path.rename(path.with_name(path.name.replace(source, target)))
        self.good()
        self.good(options=("--touch", "--quiet"))


def resident(pid):
    """Most memory that a process has held so far, MB."""
    try:
        return int(re.search(r"VmHWM:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024
    except (OSError, TypeError):  # it has ended
        return 0.0


def on_disk(folder):
    """Number of files below a folder, and MB."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes) / 1e6


def say(question, answer):
    print(f"{question:48}{answer}", flush=True)


def costs(wall, cpu, peak):
    return f"{wall:.0f} s, {cpu:.0f} CPU s, {peak:.0f} MB in Snakemake itself"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=74)
    parser.add_argument("--run", type=int, default=1, help="targets that are run")
    parser.add_argument("--all", action="store_true", help="run all of them")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "run/survey")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    survey = Survey(args.folder, args.targets, args.cores)
    survey.simulate()
    shutil.rmtree(survey.folder / "results", ignore_errors=True)
    shutil.rmtree(survey.folder / ".snakemake", ignore_errors=True)
    done = survey.targets if args.all else survey.targets[: args.run]
    asked = [] if args.all else done

    jobs, figures = survey.dry_run()
    say(f"dry run of {len(survey.targets)} targets", f"{len(jobs)} jobs, {costs(*figures)}")

    first = survey.targets[0]
    survey.configure(keep_intermediates=False)
    _, *figures = survey.good(first)
    files, size = on_disk(survey.folder / "results" / first)
    say("one target without intermediate images", f"{files} files, {size:.1f} MB, {costs(*figures)}")
    shutil.rmtree(survey.folder / "results")
    survey.configure()

    n = len(survey.dry_run(*asked)[0])
    survey.snakemake(*asked, interrupt_after=20 * len(done))
    left = len(survey.dry_run(*asked)[0])
    _, *figures = survey.good(*asked)
    say(f"{len(done)} targets interrupted and resumed", f"{n - left} of {n} jobs kept, the rest {costs(*figures)}")
    files, size = on_disk(survey.folder / "results" / first)
    say("one target with intermediate images", f"{files} files, {size:.1f} MB")

    if not args.all:
        survey.stand_in(done)
    jobs, figures = survey.dry_run()
    say("run with nothing to do", f"{len(jobs)} jobs, {costs(*figures)}")
    for name in ("results", ".snakemake"):
        files, size = on_disk(survey.folder / name)
        say(f"{name} of {len(survey.targets)} targets", f"{files} files, {size:.0f} MB")

    (image,) = (survey.folder / "data" / first / "F2100W/lv3").glob("*.fits")
    # Its content too: Snakemake knows small files by it.
    fits.setval(image, "REDUCED", value=time.time())
    jobs, figures = survey.dry_run()
    own, others = jobs.count(first), len([job for job in jobs if job not in (first, "")])
    say(f"input of {first} touched", f"{own} jobs of it, {others} of other targets, {jobs.count('')} of the run")
    _, *figures = survey.good()
    say("which are made in", costs(*figures))


if __name__ == "__main__":
    main()
