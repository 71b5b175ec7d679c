"""Simulate a tree of JWST mosaics of nearby galaxies whose zero levels are off by known amounts.

    python -m simulation OUT_DIR [--targets ngc0628 ic5332] [--field 140 120] [--seed 1] ...

Writes mosaics, external references and kernels where `config/config.yaml` looks for them below one folder, `truth.csv`
with the offset that has to be added to each mosaic, and `galaxies.csv`, a galaxy_table.
"""

import argparse
import dataclasses
import sys

from simulation.instruments import BANDS, REFERENCES, USUAL_REFERENCES
from simulation.skies import IDEAL, Sky
from simulation.trees import DEMO_BANDS, TARGETS, simulate_tree


def parse(arguments):
    parser = argparse.ArgumentParser("python -m simulation", description=__doc__.splitlines()[0])
    parser.add_argument("out_dir")
    parser.add_argument("--targets", nargs="+", default=TARGETS, metavar="NAME")
    parser.add_argument("--field", nargs=2, type=float, default=(140.0, 120.0), metavar="ARCSEC", help="width, height")
    parser.add_argument("--bands", nargs="+", default=DEMO_BANDS, metavar="BAND", choices=BANDS)
    parser.add_argument("--references", nargs="*", default=USUAL_REFERENCES, metavar="LABEL", choices=REFERENCES)
    parser.add_argument("--tiles", nargs="+", default=[], metavar="BAND=NAME,NAME", help="bands in several mosaics")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--coarsen", type=float, default=2.0, help="factor on the pixel scales")
    parser.add_argument("--ideal", action="store_true", help="no noise, sources, holes or colours")
    parser.add_argument(
        "--sky", nargs="+", default=[], metavar="KEY=VALUE", help="attributes of skies.Sky, as stars=0 or colours=m83"
    )
    options = parser.parse_args(arguments)
    options.tiles = {band: names.split(",") for band, _, names in (item.partition("=") for item in options.tiles)}
    sky = IDEAL if options.ideal else Sky()
    kinds = {f.name: f.type for f in dataclasses.fields(Sky)}
    for key, _, value in (item.partition("=") for item in options.sky):
        if key not in kinds:
            parser.error(f"--sky {key}: expected one of {', '.join(kinds)}")
        try:
            sky = dataclasses.replace(sky, **{key: kinds[key](value)})
        except ValueError:
            parser.error(f"--sky {key}={value}: expected a number")
    options.sky = sky
    return options


def main(arguments=None):
    options = parse(arguments)
    truth = simulate_tree(
        options.out_dir,
        options.targets,
        field=options.field,
        bands=options.bands,
        references=options.references,
        tiles=options.tiles,
        seed=options.seed,
        sky=options.sky,
        coarsen=options.coarsen,
        tilt=0.0 if options.ideal else 3.0,
    )
    print(f"{len(truth)} mosaics with known zero levels in {options.out_dir}")


if __name__ == "__main__":
    sys.exit(main())
