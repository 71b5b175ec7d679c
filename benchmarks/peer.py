"""Run pjpipe's own AnchoringStep on a tree, in an environment of its own: the published step to compare with.

    python benchmarks/peer.py TREE results.json [--reproject interp] [--no-figures] [--instrument NAME=BAND:LABEL,...]

pjpipe is fetched from PyPI, as are the packages that its anchoring step needs, into benchmarks/.peer (once). Only that
step is loaded: all of pjpipe would need CRDS and more. pjpipe is GPL-3: it is run and compared with, not copied.

It writes into the tree (convolved files, figures, *_i2d_anchor.fits, a table per target): give it a copy.
"""

import argparse
import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

VERSION = "1.3.0"
NEEDS = ["numpy", "scipy", "astropy", "reproject", "matplotlib", "stdatamodels", "photutils", "tqdm", "pandas"]
HOME = Path(__file__).parent / ".peer"
DEFAULTS = {
    "nircam": "F300M:irac1_atgauss4,w1_atgauss7p5,irac2_atgauss4,w2_atgauss7p5",
    "miri": "F770W:irac4_atgauss4,w3_atgauss15",
}


def environment():
    """The peer's Python, made if it is not there yet."""
    python = HOME / "venv/bin/python"
    if not (HOME / "complete").exists():
        venv.create(HOME / "venv", with_pip=True, clear=True)
        pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *NEEDS], check=True)
        subprocess.run([*pip, "download", "--no-deps", "--dest", HOME, f"pjpipe=={VERSION}"], check=True)
        with zipfile.ZipFile(next(HOME.glob("pjpipe-*.whl"))) as wheel:
            wheel.extractall(HOME / "package")
        (HOME / "complete").touch()
    return python


def versions():
    """The peer's packages, as `name==version` lines."""
    done = subprocess.run([environment(), "-m", "pip", "freeze"], check=True, capture_output=True, text=True)
    return [f"pjpipe=={VERSION}", *done.stdout.split()]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tree", type=Path, help="in_dir; references in its ref/, kernels in its kernels/")
    parser.add_argument("output", type=Path, help="JSON: target: list of rows of its table")
    parser.add_argument("--targets", help="comma-separated; default: every folder with bands")
    parser.add_argument("--instrument", action="append", default=[], metavar="NAME=REF_BAND:LABEL,...")
    parser.add_argument("--internal", default="F2100W", help="internal_conv_band")
    parser.add_argument("--reproject", default="interp", choices=["interp", "adaptive", "exact"])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-figures", action="store_true")
    return parser.parse_args()


def anchoring_step():
    """pjpipe's module of the step, without the rest of the package."""
    import types

    package = types.ModuleType("pjpipe")
    package.__path__, package.__version__ = [str(HOME / "package/pjpipe")], VERSION
    sys.modules["pjpipe"] = package
    import pjpipe.anchoring.anchoring_step as module

    return module


def main(args):
    import warnings

    from astropy.table import Table

    warnings.simplefilter("ignore")
    step = anchoring_step()
    if args.no_figures:
        solve = step.solve_for_offset
        step.solve_for_offset = lambda **known: solve(**{**known, "save_plot": None})
    instruments = dict(text.split("=", 1) for text in args.instrument) or DEFAULTS
    ref_band = {name: text.split(":")[0] for name, text in instruments.items()}
    external = {name: text.split(":")[1].split(",") for name, text in instruments.items()}
    results = {}
    found = sorted({path.parents[1].name for path in args.tree.glob("*/*/lv3")})
    for target in args.targets.split(",") if args.targets else found:
        bands = sorted(path.parent.name for path in (args.tree / target).glob("*/lv3"))
        step.AnchoringStep(
            target, bands, str(args.tree / target), str(args.tree / "ref"), args.processes, "i2d_align",
            in_subdir="lv3", out_subdir="anchored", kernel_dir=str(args.tree / "kernels"), ref_band=ref_band,
            external_bands=external, internal_conv_band=args.internal, reproject_func=args.reproject,
        ).do_step()  # fmt: skip
        rows = Table.read(args.tree / target / f"{target}_anchor_tab.fits")
        results[target] = [{name: plain(row[name]) for name in rows.colnames} for row in rows]
    args.output.write_text(json.dumps(results, indent=1))


def plain(value):
    value = getattr(value, "item", lambda: value)()
    return value.decode() if isinstance(value, bytes) else value


if __name__ == "__main__":
    args = arguments()
    if Path(sys.prefix).resolve() == (HOME / "venv").resolve():
        main(args)
    else:
        sys.exit(subprocess.run([environment(), __file__, *sys.argv[1:]]).returncode)
