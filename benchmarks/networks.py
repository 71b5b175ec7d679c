"""More paths to an offset than one, on simulated galaxies whose zero levels are known: the solutions by the tree, by
the path with the smallest error, and by the adjustment of all pairs.

    python benchmarks/networks.py [--galaxies N] [--first SEED] [--skies plain real] [--output FOLDER]

writes networks.csv and networks.txt into the folder and prints the latter: the rms of the error of every band by each
solution, how often stated errors hold, and how often a reference whose zero level is wrong is named. Mosaics,
references and kernels are files of `simulation`; every step is the script of the workflow, without Snakemake.

Each galaxy is solved with references that are right; DRAWS times with the zero levels of all of them off by
N(0, SCATTER), which is given as reference_zero_err; and each time with each of its NIRCam references off by another
SHIFT in turn. The range of a fit moves with its reference. For the path with the smallest error every band may take any
reference but MIPS 24; with it (`smallest_error_mips24`), F2100W has what is shipped, F770W and MIPS 24. In the
adjustment MIPS 24 is a reference of all bands (`adjustment_mips24`) or of none. Last come gradients of GRADIENT across
an image on IRAC 4 of a galaxy of the same kind of sky that is off the middle, with and without `gradient: nuisance`.
"""

import argparse
import csv
import math
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "scripts")]

import convolve_image  # noqa: E402
import measure_pair  # noqa: E402
import reproject_image  # noqa: E402
from anchoring.fitting import alignment  # noqa: E402
from anchoring.fitting.drift import drift_of  # noqa: E402
from anchoring.fitting.fit_pair import Replicated, fit_pair  # noqa: E402
from anchoring.fitting.settings import Settings  # noqa: E402
from anchoring.fitting.together import fit_together  # noqa: E402
from anchoring.measuring.binning import bin_medians, fixed_range  # noqa: E402
from anchoring.measuring.measure import measure_pair as measure_pair_of_arrays  # noqa: E402
from anchoring.measuring.measurement import read_measurement  # noqa: E402
from anchoring.measuring.noise import Noise  # noqa: E402
from anchoring.planning.plan import make_plan  # noqa: E402
from anchoring.planning.settings import complete  # noqa: E402
from anchoring.solving import network, offsets, records  # noqa: E402
from anchoring.solving.fits import fit_record  # noqa: E402
from simulation import real_scenes, scenes  # noqa: E402
from simulation.colours import OBJECTS  # noqa: E402
from simulation.instruments import REFERENCES  # noqa: E402
from simulation.skies import Sky  # noqa: E402
from simulation.trees import simulate_tree  # noqa: E402

BANDS = ("F300M", "F335M", "F360M", "F770W", "F1000W", "F1130W", "F2100W")
REF_BANDS = ("F300M", "F770W")
NIRCAM = ("irac1_atgauss4", "irac2_atgauss4", "w1_atgauss7p5", "w2_atgauss7p5")
ESTIMATORS = ("errors_in_variables", "binned")
SCATTER, SHIFT, DRAWS = 0.02, 0.15, 8  # MJy/sr
GRADIENT = 0.05  # MJy/sr per 100 arcsec
SOLUTIONS = ("tree", "smallest_error", "smallest_error_mips24", "adjustment", "adjustment_mips24")
COLUMNS = ("sky", "estimator", "zeros", "solution", "band", "n", "rms", "bias", "within_1", "within_2")


ALIGNED = {}  # of one galaxy


def aligned_once(samples, axes, align=alignment.align):
    """`alignment.align`, once for each pair: no constant that is added to an image changes it."""
    if id(samples.row) not in ALIGNED:
        ALIGNED[id(samples.row)] = samples.row, align(samples, axes)  # with the array, so that no other gets its id
    return ALIGNED[id(samples.row)][1]


alignment.align = aligned_once


class Simulated:
    """A galaxy on disk, and the measurements of its pairs by an estimator."""

    def __init__(self, folder, seed, sky):
        self.folder, self.rng = Path(folder), np.random.default_rng(seed)
        # M82 alone shows bands below 5 micron in all objects; NGC 7023 has no spectrum of F2100W.
        colours = {"plain": "", "real": f"{OBJECTS[(seed % 2) * 2]}{'_phangs' if seed % 4 > 1 else ''}"}[sky]
        looks = Sky(
            colours=colours,
            peak=self.rng.uniform(2, 5),
            scale_length=self.rng.uniform(0.22, 0.4),
            arms=self.rng.uniform(0.2, 0.5),
            inclination=self.rng.uniform(15, 65),
        )
        rows = simulate_tree(
            folder, [f"g{seed}"], bands=BANDS, references=tuple(REFERENCES), seed=seed, sky=looks, coarsen=3.0
        )
        self.truth = {row["band"]: row["offset"] for row in rows}
        self.config = _config(folder)
        self.plan = make_plan(self.config)
        self.pairs = [pair for key in self.plan.networks for pair in self.plan.network_pairs(*key)]
        self._done, self._measured = set(), {}

    def measured(self, pair, estimator):
        """The Measurement of a pair."""
        if (pair, estimator) not in self._measured:
            image = self._at_resolution(pair.image, pair)
            reference = self._at_resolution(pair.reference_image, pair) or pair.path
            reprojected = self._file(f"{pair.image.name}_on_{pair.reference}.fits")
            self._once(reprojected, lambda: reproject_image.main(image, reference, reprojected, "interp"))
            files = [self._file(name) for name in ("bins.json", "pixels.npz", "view.npz")]
            options = {"settings": {"estimator": estimator}, "intensity_range": None, "noise": None}
            given = {"options": options, "kind": pair.kind, "anchor": self._anchor(pair, estimator)}
            measure_pair.main(reprojected, reference, *files, pair.label, None, **given)
            self._measured[pair, estimator] = read_measurement(*files[:2])
        return self._measured[pair, estimator]

    def _anchor(self, pair, estimator):
        """What places the range of an internal pair that is above the zero of its reference: its true offset."""
        if pair.kind == "external" or estimator == "binned":
            return None
        other = pair.reference_image
        known = replace(image_record(other), status="anchored", offset=self.truth[other.band])
        records.write(self._file("anchor.json"), [known])
        return {"path": self._file("anchor.json"), "name": other.name}

    def _at_resolution(self, image, pair):
        if image is None:
            return None
        kernel = self.plan.kernels.path(image.band, pair.resolution)
        if kernel is None:
            return image.path
        path = self._file(f"{image.name}_to_{pair.resolution}.fits")
        self._once(path, lambda: convolve_image.main(image.path, kernel, path, 1, image.band))
        return path

    def _file(self, name):
        (self.folder / "work").mkdir(exist_ok=True)
        return str(self.folder / "work" / name)

    def _once(self, path, make):
        if path not in self._done:
            make()
            self._done.add(path)


def _config(folder):
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    places = {"in_dir": folder, "ref_dir": Path(folder, "ref"), "kernel_dir": Path(folder, "kernels")}
    config = {
        **{key: str(path) for key, path in places.items()},
        "out_dir": str(Path(folder, "results")),
        "network": True,
    }
    complete(config, schema)
    return config


class Solved:
    """Offsets of one galaxy by all SOLUTIONS, from the fits of its pairs on references whose zero levels are off."""

    def __init__(self, galaxy, fits, zeros, zero_errors, instruments=("nircam", "miri")):
        self._galaxy, self._zero_errors, self._instruments, self.names = galaxy, zero_errors, instruments, {}
        self._fits, self._records = (
            {pair: moved(fit, zeros.get(pair.label, 0.0)) for pair, fit in of_kind.items()} for of_kind in fits
        )

    def of(self, solution):
        """{band: (offset, error)}"""
        if solution.startswith("adjustment"):
            return self._adjusted("mips24" in solution)
        trees = self._tree("smallest_error" if solution.startswith("smallest") else "order", "mips24" in solution)
        return {r.band: (r.offset, r.error) for r in trees if r.status == "anchored"}

    def _record(self, pair):
        return replace(self._records[pair], reference_zero_err=self._zero_errors.get(pair.label))

    def _tree(self, prefer, with_mips):
        """All images as the workflow solves them; with `smallest_error`, on every reference but MIPS 24, too."""
        plan, found = self._galaxy.plan, {}
        images = sorted(plan.pairs, key=lambda image: not plan.is_reference(image))
        for image in images:
            pairs = plan.fitted_pairs(image)
            if prefer == "smallest_error" and not (with_mips and any(pair.label == "mips24" for pair in pairs)):
                others = (p for p in self._galaxy.pairs if p.image is image and p.kind == "external")
                pairs = list(dict.fromkeys([*pairs, *(p for p in others if p.label != "mips24")]))
            pairs = [pair for pair in pairs if with_mips or pair.label != "mips24"]
            record = image_record(image, [self._record(pair) for pair in pairs])
            references = {(r.band, r.name): r for r in found.values() if r.instrument == image.instrument}
            found[image.band] = offsets.solve_internal(record, references, prefer)
        return list(found.values())

    def _adjusted(self, with_mips):
        found, self.names = {}, {}
        for instrument in self._instruments:
            trees = [image_record(image) for image in self._galaxy.plan.pairs if image.instrument == instrument]
            pairs = [p for p in self._galaxy.pairs if p.image.instrument == instrument]
            pairs = [p for p in pairs if with_mips or p.label != "mips24"]
            labels = dict.fromkeys(p.label for p in pairs if p.kind == "external")
            errors = {label: self._zero_errors.get(label) for label in labels}
            fits_of = [self._fits[p] for p in pairs]
            net = network.network(trees, [described(p) for p in pairs], fits_of, zero_errors=errors)
            self.names[instrument] = net.suspect
            for image in net.images:
                if image.offset is not None:
                    found[image.band] = image.offset, math.hypot(image.offset_err, image.offset_sys)
        return found


def image_record(image, fits=()):
    known = {key: getattr(image, key) for key in ("target", "band", "name", "instrument")}
    return records.ImageRecord(**known, image=image.path, fits=fits)


def described(pair):
    """What a network needs to know of a pair."""
    other = getattr(pair.reference_image, "name", None)
    return {"band": pair.image.band, "name": pair.image.name, **pair.described(), "other": other}


def moved(fit, zero):
    """A fit (Replicated or FitRecord) whose reference is too bright by `zero`, and its range with it.

    With x = x' - zero, y = m x + b is m x' + (b - m zero).
    """
    if isinstance(fit, Replicated):
        turn = np.array([[1.0, 0.0], [-zero, 1.0]])  # of (slope, intercept)
        _, intercept = turn @ [fit.slope, fit.intercept]
        return fit._replace(intercept=intercept, replicates=turn @ fit.replicates, changes=fit.changes @ turn.T)
    if isinstance(fit, str) or fit.status != "fitted":
        return fit
    known = {"intercept": fit.intercept - fit.slope * zero}
    for kind, both in (("err", "covariance"), ("sys", "covariance_sys")):
        slope, intercept, covariance = (getattr(fit, name) for name in (f"slope_{kind}", f"intercept_{kind}", both))
        known[f"intercept_{kind}"] = math.sqrt(intercept**2 + (zero * slope) ** 2 - 2 * zero * covariance)
        known[both] = covariance - zero * slope**2
    return replace(fit, **known)


def fits_of(galaxy, estimator):
    """Fits of all pairs in common blocks of the sky, and each alone, as a tree has them; CPU seconds of the former."""
    settings, found = Settings(estimator), {}
    measured = {pair: galaxy.measured(pair, estimator) for pair in galaxy.pairs}
    start = time.process_time()
    for instrument in ("nircam", "miri"):
        pairs = [pair for pair in galaxy.pairs if pair.image.instrument == instrument]
        names = [f"{pair.image.name} on {pair.reference}" for pair in pairs]
        drifts = [drift_of(pair.image.band, pair.label) for pair in pairs]
        fits = fit_together([measured[pair] for pair in pairs], settings, names, drifts)
        found |= dict(zip(pairs, fits, strict=True))
    seconds = time.process_time() - start
    of_tree = [pair for image in galaxy.plan.pairs for pair in galaxy.plan.fitted_pairs(image)]
    alone = {
        pair: fit_record({**pair.described(), "problem": ""}, measured[pair], settings, pair.image.band)
        for pair in dict.fromkeys([*of_tree, *(pair for pair in galaxy.pairs if pair.kind == "external")])
    }
    return (found, alone), seconds


def outcomes(seed, sky, estimators, timed):
    """Rows (zeros, estimator, solution, band, error, stated), namings (estimator, wrong, named) and gradients."""
    rows, namings, gradients = [], [], []
    ALIGNED.clear()
    with tempfile.TemporaryDirectory() as folder:
        galaxy = Simulated(folder, seed, sky)
        labels = sorted({pair.label for pair in galaxy.pairs if pair.kind == "external"})
        draws = [dict(zip(labels, d, strict=True)) for d in galaxy.rng.normal(0, SCATTER, (DRAWS, len(labels)))]
        given = dict.fromkeys(labels, SCATTER)
        for estimator in estimators:
            fits, seconds = fits_of(galaxy, estimator)
            timed[estimator].append(seconds)
            for name, zeros, errors in (("right", {}, {}), *(("scattered", zeros, given) for zeros in draws)):
                solved = Solved(galaxy, fits, zeros, errors)
                for solution in SOLUTIONS:
                    for band, (offset, error) in solved.of(solution).items():
                        rows.append((name, estimator, solution, band, offset - galaxy.truth[band], error))
                    if name == "scattered" and solution == "adjustment":
                        namings += [(estimator, None, solved.names[instrument]) for instrument in ("nircam", "miri")]
                for wrong in NIRCAM if zeros else ():
                    other = Solved(galaxy, fits, {**zeros, wrong: zeros[wrong] + SHIFT}, given, ["nircam"])
                    other.of("adjustment")
                    namings.append((estimator, wrong, other.names["nircam"]))
            gradients += graded(seed, sky, Settings(estimator))
    return rows, namings, gradients


def graded(seed, sky, settings):
    """(estimator, gradient, setting, error) of a galaxy that is off the middle, on IRAC 4, with a gradient and without.

    It is one of simulation.scenes or real_scenes; in trees galaxies are in the middle, where a gradient moves nothing.
    """
    link, label = real_scenes.LINKS[0], scenes.REFERENCES[0].label
    if sky == "real":
        scene = real_scenes.SCENES[seed % len(real_scenes.SCENES)]
        pair = real_scenes.external_pair(real_scenes.Galaxy(seed, scene), link)
    else:
        scene = list(scenes.SCENES)[seed % len(scenes.SCENES)]
        pair = scenes.external_pair(seed, scenes.REFERENCES[0], scene=scene, colours=0.25)
    stated, drift = Noise(pair.noise, "config"), drift_of(link.band, label)
    limits = fixed_range(label, settings.estimator)
    right = measure_pair_of_arrays(
        pair.x, pair.y, beam=pair.beam, intensity_range=limits, stated=stated, smoothed=pair.beam
    )
    right = replace(right, axes=right.axes * scenes.FINE)
    angle, found = np.random.default_rng(seed).uniform(0, 2 * math.pi), []
    for size in (0.0, GRADIENT):
        measured = with_gradient(right, size, angle) if size else right
        for choice in ("none", "nuisance"):
            fit = fit_pair(measured, settings._replace(gradient=choice), drift=drift)
            found.append((settings.estimator, size, choice, -fit.intercept - pair.offset))
    return found


def with_gradient(measured, size, angle):
    """A measurement whose image has a gradient, MJy/sr per 100 arcsec, of 0 in its middle."""
    samples = measured.samples
    steps = np.stack([samples.column - samples.column.mean(), samples.row - samples.row.mean()]) * samples.side
    east, north = measured.axes @ steps
    y = samples.y + size / 100 * (east * math.cos(angle) + north * math.sin(angle))
    bins = bin_medians(samples.x, y, measured.edges)
    return replace(measured, samples=samples._replace(y=y), bins=bins)


def condensed(sky, rows):
    """A row of COLUMNS per estimator, zeros, solution and band, and for all bands together."""
    found = {}
    for zeros, estimator, solution, band, error, stated in rows:
        for name in (band, "all"):
            found.setdefault((sky, estimator, zeros, solution, name), []).append((error, stated))
    lines = []
    for key, values in found.items():
        error, stated = np.array(values, dtype=float).T
        numbers = {"n": error.size, "rms": math.sqrt(np.mean(error**2)), "bias": error.mean()}
        numbers |= {f"within_{n}": np.mean(np.abs(error) < n * stated) for n in (1, 2)}
        lines.append({**dict(zip(COLUMNS, key, strict=False)), **numbers})
    return lines


def report(sky, lines, namings, gradients, timed, galaxies):
    """What was found, as text."""
    words = [f"{sky}, {galaxies} galaxies; rms of the error of the zero, MJy/sr, and fractions within 1 and 2 errors"]
    names = [*BANDS, "all"]
    for estimator in dict.fromkeys(line["estimator"] for line in lines):
        for zeros in ("right", "scattered"):
            words.append(f"{estimator}, zero levels {zeros}")
            words.append(f"{'':24}" + "".join(f"{band:>9}" for band in names) + "   within 1, 2")
            for solution in SOLUTIONS:
                found = {
                    line["band"]: line
                    for line in lines
                    if (line["estimator"], line["zeros"], line["solution"]) == (estimator, zeros, solution)
                }
                numbers = "".join(f"{found[b]['rms']:9.4f}" if b in found else f"{'-':>9}" for b in names)
                words.append(
                    f"  {solution:22}{numbers}   {found['all']['within_1']:.2f}, {found['all']['within_2']:.2f}"
                )
        mine = [n for n in namings if n[0] == estimator]
        shifted, plain = [n for n in mine if n[1]], [n for n in mine if not n[1]]
        right, wrong = (
            sum(good(n) for n in shifted) for good in (lambda n: n[1] == n[2], lambda n: n[2] not in (None, n[1]))
        )
        false = sum(n[2] is not None for n in plain)
        words.append(
            f"  named rightly {right} of {len(shifted)}, wrongly {wrong}; without a shift {false} of {len(plain)}"
        )
        for size in (0.0, GRADIENT):
            for choice in ("none", "nuisance"):
                errors = [g[3] for g in gradients if g[:3] == (estimator, size, choice)]
                if errors:
                    words.append(f"  F770W, gradient {size:g}, {choice}: rms {np.sqrt(np.mean(np.square(errors))):.4f}")
        words.append(f"  adjustment: {np.median(timed[estimator]):.1f} CPU s a galaxy, without its measurements")
    return "\n".join(words)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--galaxies", type=int, default=12)
    parser.add_argument("--first", type=int, default=30_000, help="first seed")
    parser.add_argument("--skies", nargs="+", default=["plain", "real"], choices=["plain", "real"])
    parser.add_argument("--estimators", nargs="+", default=ESTIMATORS, choices=ESTIMATORS)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks/run/accuracy")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    found = {sky: ([], [], [], {estimator: [] for estimator in given.estimators}) for sky in given.skies}
    for i in range(given.galaxies):
        for sky, (rows, namings, gradients, timed) in found.items():
            more = outcomes(given.first + i, sky, given.estimators, timed)
            for known, one in zip((rows, namings, gradients), more, strict=True):
                known += one
        # After every galaxy, as it takes minutes.
        write_table(given.output / "networks.csv", [line for sky, f in found.items() for line in condensed(sky, f[0])])
        words = [report(sky, condensed(sky, f[0]), *f[1:], i + 1) for sky, f in found.items()]
        (given.output / "networks.txt").write_text("\n\n".join(words) + "\n")
        print(f"{i + 1} of {given.galaxies}", file=sys.stderr, flush=True)
    print((given.output / "networks.txt").read_text())


def write_table(path, lines):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: f"{v:.5f}" if isinstance(v, float) else v for k, v in line.items()} for line in lines)


if __name__ == "__main__":
    main()
