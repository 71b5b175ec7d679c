"""The figure of a pair, the density of its pixels, the medians and the line, or why there is none; its caption."""

import gc
import json
from pathlib import Path

import numpy as np

from anchoring.stage import run
from anchoring.words import band_label, fit_caption, write_caption


def main(bins, pixels, fit, png, pdf, caption, target, band, label, simplify_labels):
    # Half of the time of the job is this import: it comes after the collector is off and the log is there.
    from anchoring.figures import axis_label, pair_figure, save_figure

    measured, line = json.loads(Path(bins).read_text()), json.loads(Path(fit).read_text())
    figure = pair_figure(
        **arrays_of(pixels),
        bins=bins_of(measured, line["used"]),
        fit=line if line["status"] == "fitted" else None,
        x_label=axis_label(label, simplify_labels),
        y_label=axis_label(band, simplify_labels),
        title=f"{target}: {band_label(band, simplify_labels)} on {band_label(label, simplify_labels)}",
        reason=line["reason"],
        fit_range=line["range"],
    )
    save_figure(figure, [png, pdf])
    write_caption(caption, fit_caption(target, band, label, line, simplify_labels))


def arrays_of(pixels):
    with np.load(pixels) as stored:
        return {name: stored[name] for name in ("density", "x_edges", "y_edges")}


def bins_of(measured, used):
    """The bins as arrays, with the mask of those the fit used (none without a fit)."""
    bins = {name: np.array(measured.get(name, []), dtype=float) for name in ("x", "median", "p16", "p84", "count")}
    bins["used"] = np.array(used, dtype=bool) if used else np.zeros(bins["x"].size, dtype=bool)
    return bins


if __name__ == "__main__":
    gc.disable()  # a twelfth of the time of a process that ends before there is much to collect
    run(
        main,
        snakemake.log[0],
        bins=snakemake.input.bins,
        pixels=snakemake.input.pixels,
        fit=snakemake.input.fit,
        png=snakemake.output.png,
        pdf=snakemake.output.pdf,
        caption=snakemake.output.caption,
        target=snakemake.wildcards.target,
        band=snakemake.wildcards.band,
        label=snakemake.params.label,
        simplify_labels=snakemake.params.simplify_labels,
    )
