"""Running the workflow in tests, as a user does: `snakemake` in a folder with a configuration and data."""

import csv
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import yaml
from astropy.io import fits

from simulation.trees import simulate_tree

ROOT = Path(__file__).parents[2]
SMALL = {"field": (90.0, 80.0), "coarsen": 6.0}  # mosaics of 140 or 240 pixels: a job takes what its imports take
BANDS = ("F300M", "F335M", "F770W", "F2100W")
REFERENCES = ("irac1_atgauss4", "irac4_atgauss4", "w3_atgauss15")

# Figures take a third of the time of a small run; these are empty.
WITH_FIGURES = r"plot_\w+\.py|make_kernel\.py|zero_reference\.py"
NO_FIGURES = (
    "import matplotlib.figure\nmatplotlib.figure.Figure.savefig = lambda self, path, **_: open(path, 'wb').close()"
)


class Project:
    """A user's folder: simulated data in `data`, a configuration, results in `results`.

    Every run is checked to leave its inputs in `data` as they are, also where out_dir is `data` too.
    """

    made = frozenset()  # files that runs wrote into `data`
    environment = None  # of runs: that of the tests

    def __init__(self, folder, *, config=None, figures=True, **tree):
        self.folder = Path(folder)
        if not figures:
            self.environment = without_figures(self.folder.with_name(f"{self.folder.name}_site"))
        self.truth = simulate_tree(self.folder / "data", **{"bands": BANDS, "references": REFERENCES, **SMALL, **tree})
        self.configure(**(config or {}))

    def configure(self, **changes):
        """Write the configuration: the folders of the data, and changes of the defaults."""
        place = {"in_dir": "data", "ref_dir": "data/ref", "kernel_dir": "data/kernels"}
        (self.folder / "config.yaml").write_text(yaml.safe_dump({**place, **changes}))

    def copied(self, folder, *, results=True):
        """The project in another folder, with or without its results."""
        other = object.__new__(type(self))
        other.folder, other.truth, other.environment = Path(folder), self.truth, self.environment
        left_out = () if results else ("results", ".snakemake")
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns(*left_out))
        return other

    def command(self, *arguments, cores=2):
        command = ["snakemake", "--snakefile", ROOT / "Snakefile", "--configfile", "config.yaml", "--cores", cores]
        return [str(part) for part in (*command, *arguments)]

    def snakemake(self, *arguments, **options):
        before = checksums(self.folder / "data")
        command = self.command(*arguments, **options)
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, timeout=600, env=self.environment
        )
        after = checksums(self.folder / "data")
        self.made |= after.keys() - before.keys()
        touched = [path for path in before if path not in self.made and after.get(path) != before[path]]
        assert not touched, f"inputs were changed: {touched}"
        return done

    def run(self, *arguments, **options):
        """Run, and require that it succeeds."""
        done = self.snakemake(*arguments, **options)
        assert done.returncode == 0, done.stderr[-5000:]
        return done

    def planned_jobs(self, *arguments):
        """Rule: number of its jobs that a run would start."""
        return jobs_of(self.run("--quiet", "reason", "--dry-run", *arguments))

    def image(self, target, band):
        folder = self.folder / "data" / target / band / "lv3"
        (path,) = (path for path in folder.glob("*_i2d_align.fits") if "_bgr_" not in path.name)
        return path

    def anchored(self, target, band):
        return (
            self.folder / "results" / target / band / "lv3" / self.image(target, band).name.replace("align", "anchor")
        )

    def summary(self):
        """(target, band, image): row of the summary of the run."""
        return {(r["target"], r["band"], r["image"]): r for r in read_csv(self.folder / "results/anchor_summary.csv")}

    def rows(self, target):
        """Rows of a target's table."""
        return read_csv(self.folder / "results" / target / f"{target}_anchor_tab.csv")


def jobs_of(done):
    """Rule: number of its jobs, by the table that a run, or a dry one, starts with."""
    table = re.search(r"^job +count\n[- ]+\n(.*?)^total", done.stdout + done.stderr, re.MULTILINE | re.DOTALL)
    rows = [line.rsplit(maxsplit=1) for line in table[1].splitlines()] if table else []
    return {rule: int(count) for rule, count in rows}


STARTER = """\
import re, runpy, sys

def before(file):
    if re.search({pattern!r}, file):
        exec({code!r}, {{"file": file}})

def run_path(file, *args, run=runpy.run_path, **options):
    before(file)
    return run(file, *args, **options)

runpy.run_path = run_path
for argument in sys.orig_argv:
    before(argument)
"""


def before_scripts(pattern, code, folder):
    """The environment of a run in which Python code is run before each script whose path, `file`, has that pattern.

    Python imports a `sitecustomize` wherever it starts; a script may start as a fork as well.
    """
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(STARTER.format(pattern=pattern, code=code))
    return {**os.environ, "PYTHONPATH": str(folder)}


def without_figures(folder):
    """The environment of a run whose figures are empty files."""
    return before_scripts(WITH_FIGURES, NO_FIGURES, folder)


def set_cards(path, hdu, cards):
    """Change cards of an HDU of a FITS file, in the file; None removes one."""
    with fits.open(path, mode="update") as hdus:
        header = hdus[hdu].header
        for keyword, value in cards.items():
            if value is None:
                header.remove(keyword)
            else:
                header[keyword] = value


def shipped(**changes):
    """The shipped configuration, with the instruments that the schema has by default."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    instruments = {
        name: {key: setting["default"] for key, setting in entry["properties"].items()}
        for name, entry in schema["properties"]["instruments"]["properties"].items()
    }
    return {**config, "instruments": instruments, **changes}


def read_csv(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


OF_THE_DAY = {"logs", "benchmarks"}  # folders of results whose files depend on the time of day


def products(folder):
    """Path: content of all files below a folder of results that do not depend on the time of day, the hidden too."""
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file() and not OF_THE_DAY & set(path.parts)
    }


def checksums(folder):
    """Path: content and time of change of all files below a folder."""
    return {
        path.relative_to(folder): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }
