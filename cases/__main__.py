"""Anchor the images in cases/data with both estimators, and write the table and figures of docs/cases.md.

    python -m cases [--originals FOLDER] [--cores N]

With --originals, the files in cases/data are cut again from those of archives, which cases/README.md names.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from cases import cut, show  # noqa: E402


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m cases", description=__doc__.splitlines()[0])
    parser.add_argument("--originals", type=Path, help="folder of the files that the images are cut from")
    parser.add_argument("--cores", default="2")
    given = parser.parse_args(arguments)
    data, results = ROOT / "cases/data", ROOT / "cases/results"
    if given.originals:
        try:
            cut.cut_all(given.originals, data)
        except FileNotFoundError as error:
            parser.error(str(error))
    command = ["snakemake", "--cores", given.cores, "--quiet", "rules", "--configfile", "cases/config.yaml", "--config"]
    for estimator in show.ESTIMATORS:
        out_dir = f"out_dir=cases/results/{estimator}"
        subprocess.run([*command, f"estimator={estimator}", out_dir], cwd=ROOT, check=True)
    show.write_page(results, data, ROOT / "docs")
    print(show.table(results, data))


if __name__ == "__main__":
    main()
