"""Bias, rms and coverage of both estimators on simulated galaxies whose zero levels are known.

    python benchmarks/accuracy.py [--seeds N] [--first SEED] [--scene NAME ...] [--output FOLDER]

writes, for each scene, SCENE.csv (a row per reference, noise and estimator) and SCENE.png (recovered minus true offset,
in units of the stated error) into the folder, and invented_colours.csv and real_colours.csv, of all scenes of a kind
together: the tables of benchmarks/README.md. Every galaxy is seen by the four external references, at their noise and
at three times that, and in three internal bands on the ref_band, whose offset is that found on IRAC 4.

In scenes with real colours (simulation.real_scenes) each link is fitted alone: internal bands on a ref_band whose
offset is known. Ranges are the default ones: those of internal bands are on the ref_band as observed for binned, and
above its zero for errors_in_variables.
"""

import argparse
import csv
import functools
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "scripts")]

from anchoring.errors import AnchoringError  # noqa: E402
from anchoring.fitting.drift import drift_of  # noqa: E402
from anchoring.fitting.fit_pair import as_record, fit_pair  # noqa: E402
from anchoring.fitting.settings import Settings  # noqa: E402
from anchoring.measuring.binning import fixed_range  # noqa: E402
from anchoring.measuring.measure import measure_pair  # noqa: E402
from anchoring.measuring.noise import Noise  # noqa: E402
from anchoring.solving import offsets  # noqa: E402
from anchoring.solving.records import FitRecord, ImageRecord  # noqa: E402
from simulation import real_scenes, scenes  # noqa: E402
from simulation.instruments import BANDS, REF_BANDS, REFERENCES  # noqa: E402

ESTIMATORS = ("binned", "errors_in_variables")
NOISE = (1, 3)
SCENES = [*scenes.SCENES, *real_scenes.SCENES]
INTERNAL = {band: BANDS[band].brightness for band in ("F1000W", "F1130W", "F2100W")}  # slopes on F770W
COLUMNS = ("pair", "noise", "estimator", "n", "bias", "rms", "median_error", "stated", "within_1", "within_2",
           "beyond_4", "failed", "flagged")  # fmt: skip
B, E = ESTIMATORS
KNOWN = (0.0, 0.0, 0.0)  # error, offset_err and offset_sys of an offset
EXTERNAL = {reference.label for reference in scenes.REFERENCES}
EXTERNAL |= {link.name for link in real_scenes.LINKS if link.label}


PLACE = {"target": "", "band": "", "image": "", "name": "", "instrument": ""}


def fit(pair, band, label, estimator, *, external=True, anchor=0.0):
    """The fit of a simulated pair, as a record; `anchor` is the offset of an internal reference."""
    as_observed = not external and estimator == B
    measured = measure_pair(
        pair.x,
        pair.y,
        beam=pair.beam,
        intensity_range=fixed_range(label, estimator),
        zero=None if as_observed else -anchor,
        # The noise of an external reference is measured on its own sky.
        stated=None if external else Noise(pair.noise, "config"),
        smoothed=pair.beam,
    )
    known = {"reference": "x", "ref_filter": "x", "label": label, "kind": "external" if external else "internal"}
    measured = replace(measured, zero=-anchor)
    found = as_record(fit_pair(measured, Settings(estimator), None, drift_of(band, label)))
    return FitRecord(**known, resolution="", status="fitted", n_pixels=measured.n_pixels, **found)


def outcomes(seed, scene, colours):
    """(pair, noise, estimator) -> (error, offset_err, offset_sys, flags) of one galaxy; None for a failed fit."""
    found = {}
    for reference in scenes.REFERENCES:
        for factor in NOISE:
            pair = scenes.external_pair(seed, reference, scene=scene, noise=factor, colours=colours)
            for estimator in ESTIMATORS:
                key = (reference.label, factor, estimator)
                found[key] = attempt(lambda p=pair, r=reference, e=estimator: outcomes_of(p, r.label, e))
    for band, slope in INTERNAL.items():
        pair, o_x = scenes.internal_pair(seed, slope, scene=scene, colours=colours)
        for estimator in ESTIMATORS:
            anchor = found["irac4_atgauss4", 1, estimator]
            work = functools.partial(internal_outcome, pair, band, o_x, estimator, anchor)
            found[f"{band} on F770W", 1, estimator] = attempt(work)
    return found


def real_outcomes(seed, scene):
    """As `outcomes`, of a galaxy with real colours, by the bands of each link."""
    galaxy = real_scenes.Galaxy(seed, scene)
    found = {}
    for link in filter(galaxy.shows, real_scenes.LINKS):
        if link.label:
            pair = real_scenes.external_pair(galaxy, link)
        else:
            pair, o_x = real_scenes.internal_pair(galaxy, link)
        for estimator in ESTIMATORS:
            if link.label:
                work = functools.partial(outcomes_of, pair, link.label, estimator, link.band)
            else:
                work = functools.partial(internal_outcome, pair, link.band, o_x, estimator, KNOWN, on=link.on)
            found[link.name, 1, estimator] = attempt(work)
    return found


def attempt(work):
    try:
        return work()
    except AnchoringError:
        return None


def outcomes_of(pair, label, estimator, band=None):
    """(error, offset_err, offset_sys, flags) of the zero level that a pair with an external reference gives.

    Without a `band` it is the ref_band of the camera that shows what the reference shows.
    """
    band = band or REF_BANDS["miri" if REFERENCES[label].kind == "dust" else "nircam"]
    solved = offsets.solve_external(ImageRecord(**PLACE, fits=[fit(pair, band, label, estimator)]))
    return outcome(solved, pair.offset)


def internal_outcome(pair, band, o_x, estimator, anchor, on="F770W"):
    """Of an internal pair on `on`, whose own offset is off by the first of `anchor` and has its errors."""
    if anchor is None:
        raise AnchoringError("its reference band is not anchored")
    found = fit(pair, band, on, estimator, external=False, anchor=o_x + anchor[0])
    errors = {"offset_err": anchor[1], "offset_sys": anchor[2]}
    reference = ImageRecord(**PLACE, status="anchored", offset=o_x + anchor[0], **errors)
    return outcome(offsets.solve_internal(ImageRecord(**PLACE, fits=[found]), {(on, "x"): reference}), pair.offset)


def outcome(solved, truth):
    return solved.offset - truth, solved.offset_err, solved.offset_sys, solved.fits[0].flags


def summary(results):
    """A row per key from many galaxies' outcomes."""
    rows = []
    for key in dict.fromkeys(key for r in results for key in r):
        good = [r[key] for r in results if r.get(key) is not None]
        row = dict(zip(("pair", "noise", "estimator"), key, strict=True))
        if good:
            error, statistical, systematic = np.array([g[:3] for g in good]).T
            stated = np.hypot(statistical, systematic)
            row |= {
                "n": len(good),
                "bias": error.mean(),
                "rms": math.sqrt((error**2).mean()),
                "median_error": np.median(np.abs(error)),
                "stated": stated.mean(),
                "within_1": np.mean(np.abs(error) < stated),
                "within_2": np.mean(np.abs(error) < 2 * stated),
                "beyond_4": np.count_nonzero(~(np.abs(error) < 4 * stated)),
                "flagged": np.mean([bool(g[3]) for g in good]),
            }
        rows.append({**row, "failed": sum(key in r for r in results) - len(good)})
    return rows


def write_table(rows, columns, path):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: f"{v:.4f}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


def figure(results, path):
    """Histograms of (recovered - true) / stated error, external and internal, next to the normal distribution."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained", sharey=True)
    bins = np.linspace(-5, 5, 41)
    at = (bins[:-1] + bins[1:]) / 2
    for axis, title, chosen in (
        (axes[0], "external", lambda key: key[0] in EXTERNAL and key[1] == 1),
        (axes[1], "internal", lambda key: key[0] not in EXTERNAL),
    ):
        for estimator, colour in zip(ESTIMATORS, ("0.6", "C0"), strict=True):
            errors = [r[k] for r in results for k in r if chosen(k) and k[2] == estimator and r[k] is not None]
            pull = [e[0] / math.hypot(e[1], e[2]) for e in errors]
            axis.hist(np.clip(pull, -4.9, 4.9), bins, density=True, histtype="step", color=colour, lw=1.6,
                      label=estimator.replace("_", " "))  # fmt: skip
        axis.plot(at, np.exp(-(at**2) / 2) / math.sqrt(2 * math.pi), "k:", lw=1, label="normal")
        axis.set(title=title, xlabel="(recovered - true) / stated error")
    axes[0].set_ylabel("density")
    axes[0].legend(frameon=False, fontsize=8)
    fig.savefig(path, dpi=150)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=40, help="number of galaxies")
    parser.add_argument("--first", type=int, default=20_000, help="first seed")
    parser.add_argument("--scene", choices=SCENES, nargs="+", default=SCENES)
    parser.add_argument("--colours", type=float, default=0.25, help="amplitude of colour variations; 0 for none")
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/run/accuracy")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    seeds = range(given.first, given.first + given.seeds)
    found = {"real_colours": [], "invented_colours": []}
    for scene in given.scene:
        if scene in real_scenes.SCENES:
            kind, results = "real_colours", [real_outcomes(seed, scene) for seed in seeds]
        else:
            kind, results = "invented_colours", [outcomes(seed, scene, given.colours) for seed in seeds]
        found[kind] += results
        for name, of in ((scene, results), (kind, found[kind])):
            write_table(summary(of), COLUMNS, given.output / f"{name}.csv")
        figure(results, given.output / f"{scene}.png")
        print((given.output / f"{scene}.csv").read_text(), flush=True)


if __name__ == "__main__":
    main()
