"""Kill runs at random moments and go on: what comes out in the end must be what an undisturbed run makes.

    make test-faults        (interruptions.py FOLDER [--kills 60] [--seed 1] [--cores 2] [--bands F770W] [--discard])

In a new FOLDER with a simulated galaxy a run is started, killed, checked and started again, until one comes to its
end; then all over, until there were so many kills. Files get their final names slowly, so that kills fall there too.
`tests/robustness/test_interruptions.py` does the same with a few.
"""

import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import time

from runs import Project, before_scripts, checksums, products

from simulation.skies import IDEAL

# Ctrl-C on a terminal and the end of a batch job's time reach every process; `kill` and the kernel take one.
WAYS = {
    "SIGKILL to all": (os.killpg, signal.SIGKILL),
    "SIGKILL to Snakemake": (os.kill, signal.SIGKILL),
    "SIGTERM to all": (os.killpg, signal.SIGTERM),
    "SIGTERM to Snakemake": (os.kill, signal.SIGTERM),
    "Ctrl-C": (os.killpg, signal.SIGINT),
}
# Before a script: its files wait before and after they get their names.
SLOW_NAMES = """
import os, time
def replace(*names, fast=os.replace):
    time.sleep(0.3)
    fast(*names)
    time.sleep(0.2)
os.replace = replace
"""
SMALLEST = {"targets": ["ngc0628"], "sky": IDEAL, "bands": ("F770W", "F2100W"), "references": ("irac4_atgauss4",)}


def is_intermediate(path):
    return path.parent.name == "anchored" and path.suffix == ".fits"


class Interrupted:
    """A project whose runs are killed, and what an undisturbed run of it makes.

    `seen` counts what was met on the way: kills by their kind, locks, temporary files that a killed job left.
    """

    def __init__(self, folder, *, keep=True, cores=2, **tree):
        self.project = Project(folder, **{**SMALLEST, **tree})
        self.results = self.project.folder / "results"
        self.cores = cores
        self.seen = collections.Counter()
        self.inputs = checksums(self.project.folder / "data")
        self.project.run()
        self.known = products(self.results)
        self.expected = {path: self.known[path] for path in self.known if keep or not is_intermediate(path)}
        self.project.configure(keep_intermediates=keep)
        self.clear()
        self.slowed = before_scripts(".snakemake/scripts/", SLOW_NAMES, self.project.folder / "slow")

    def clear(self):
        """Remove all that runs made."""
        shutil.rmtree(self.results)
        shutil.rmtree(self.project.folder / ".snakemake")

    def kill(self, way, files, pause):
        """Start a run and kill it so many seconds after there are so many files; whether it was, and its messages."""
        send, number = WAYS[way]
        printed = self.project.folder / "printed.txt"
        # A file, as what outlives Snakemake would keep a pipe open.
        with open(printed, "w") as stream:
            run = subprocess.Popen(
                self.project.command(cores=self.cores),
                cwd=self.project.folder,
                env=self.slowed,
                start_new_session=True,
                # What a shell starts in the background ignores Ctrl-C.
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
                stdout=stream,
                stderr=stream,
            )
        while self.count() < files and run.poll() is None:
            time.sleep(0.02)
        try:
            run.wait(pause)
        except subprocess.TimeoutExpired:
            send(run.pid, number)
            run.wait(120)
        killed = run.returncode != 0
        self.seen[way] += killed
        return killed, printed.read_text()

    def count(self):
        """Files under their final names."""
        return sum((self.results / path).exists() for path in self.expected)

    def check(self):
        """Files under their final names are those of an undisturbed run, and inputs are as they were."""
        found = products(self.results) if self.results.is_dir() else {}
        hidden = [path for path in found if path.name.startswith(".")]
        self.seen["temporary files"] += len(hidden)
        wrong = [path for path in found if path not in hidden and found[path] != self.known.get(path)]
        assert not wrong, wrong
        assert checksums(self.project.folder / "data") == self.inputs

    def go_on(self, way, files, pause):
        """Start a run after a killed one, unlocking if that left a lock, and kill it in turn; True if it was killed."""
        killed, printed = self.kill(way, files, pause)
        if "cannot be locked" in printed:
            self.seen[way] -= 1
            self.seen["locks"] += 1
            self.project.run("--unlock")
            killed, printed = self.kill(way, files, pause)
        assert killed or " images anchored." in printed or "Nothing to be done" in printed, printed
        self.check()
        return killed

    def finish(self):
        """After a run that came to its end: all is there, once, and there is nothing left to do."""
        assert products(self.results) == self.expected
        assert self.project.planned_jobs() == {}
        self.clear()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--bands", nargs="+", default=SMALLEST["bands"])
    parser.add_argument("--discard", action="store_true", help="with keep_intermediates: false")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    interrupted = Interrupted(options.folder, keep=not options.discard, cores=options.cores, bands=options.bands)
    print(f"an undisturbed run makes {len(interrupted.expected)} files", flush=True)
    kills = 0
    while kills < options.kills:
        way, pause = draw.choice(list(WAYS)), draw.uniform(0, 2)
        there, most = interrupted.count(), len(interrupted.expected)
        # Two in ten while Snakemake starts, one goes on to its end, the others are killed on the way.
        files = draw.choices([0, most + 1, draw.randint(there, min(there + most // 4, most))], [2, 1, 7])[0]
        killed = interrupted.go_on(way, files, pause)
        kills += killed
        after = f"{pause:.2f} s after {files} files"
        print(f"{way} {after}" if killed else "came to its end", dict(interrupted.seen), flush=True)
        if not killed:
            interrupted.finish()
    interrupted.go_on(way, most + 1, 0)
    interrupted.finish()
    print(f"{kills} kills: {dict(interrupted.seen)}")


if __name__ == "__main__":
    main()
