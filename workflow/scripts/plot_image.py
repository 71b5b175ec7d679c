"""The figures of an image, its fits and what it looks like before and after anchoring, and their captions."""

import numpy as np

from anchoring.files.atomic import read_json
from anchoring.script import run
from anchoring.showing.text import band_label, fits_caption, image_caption, picture_words, write_caption
from anchoring.solving import records


def main(image, solved, pairs, figure, picture, simplify_labels):
    # Half of the time of the job is this import: it comes when the log is there.
    from anchoring.showing.before_after_figure import picture as draw_picture
    from anchoring.showing.fit_figure import fits_figure
    from anchoring.showing.layout import save_figure

    (record,) = [r for r in records.read([solved]) if r["image"] == image]
    fits = [fit for fit in record["fits"] if fit["reference"] in pairs]
    drawn = [pair_of(fit, pairs[fit["reference"]], record, simplify_labels) for fit in fits]
    save_figure(fits_figure(drawn), [figure["png"], figure["pdf"]])
    write_caption(figure["caption"], fits_caption(record, fits, simplify_labels))
    fit, view = shown(record, {reference: files["view"] for reference, files in pairs.items()})
    before_after = draw_picture(
        view=view,
        offset=record["offset"],
        line=expected(fit, record["offset"]),
        reference=band_label(fit["label"], simplify_labels),
        title=f"{record['target']}: {band_label(record['band'], simplify_labels)} before and after anchoring",
        paragraphs=picture_words(record, fit, simplify_labels),
    )
    save_figure(before_after, [picture["png"]])
    write_caption(picture["caption"], image_caption(record, fit, simplify_labels))


def pair_of(fit, files, record, simplify_labels):
    """What `fits_figure` shows of a fit."""
    from anchoring.showing.fit_figure import axis_label

    measured = read_json(files["bins"])
    with np.load(files["pixels"]) as stored:
        cells = {name: stored[name] for name in ("density", "x_edges", "y_edges")}
    names = [band_label(name, simplify_labels) for name in (record["band"], fit["label"])]
    return {
        **cells,
        "bins": bins_of(measured, fit.get("used")),
        "fit": fit if fit.get("slope") is not None else None,
        "fit_range": fit.get("range"),
        "x_label": axis_label(fit["label"], simplify_labels),
        "y_label": axis_label(record["band"], simplify_labels),
        "title": f"{record['target']}: {names[0]} on {names[1]}",
        "reason": fit["reason"],
    }


def bins_of(measured, used):
    """The bins as arrays, with the mask of those the fit used (none without a fit)."""
    bins = {name: np.array(measured.get(name, []), dtype=float) for name in ("x", "median", "p16", "p84", "count")}
    bins["used"] = np.array(used, dtype=bool) if used else np.zeros(bins["x"].size, dtype=bool)
    return bins


def shown(record, views):
    """The fit that fixed the offset and its view; without one, the first fit that has pixels to show, or else any."""
    from anchoring.measuring.thumbnails import View

    chosen = [record["fits"][record["chosen"]]] if record["chosen"] is not None else record["fits"]
    for fit in (f for f in chosen if f["reference"] in views):
        with np.load(views[fit["reference"]]) as stored:
            view = View(*(stored[name] for name in View._fields))
        if view.x.size:
            break
    return fit, view


def expected(fit, offset):
    """Slope and shift of what the image should show where it is anchored, by its line: slope * x + shift.

    y = slope * x + intercept, and the offset is added to y. Before that, where there is none, y itself is expected.
    """
    if fit.get("slope") is None:
        return None
    return fit["slope"], fit["intercept"] + (offset or 0.0)


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        image=snakemake.params.image,
        solved=snakemake.input.solved,
        pairs=snakemake.params.pairs,
        figure={name: snakemake.output[f"fit_{name}"] for name in ("png", "pdf", "caption")},
        picture={name: snakemake.output[f"picture_{name}"] for name in ("png", "caption")},
        simplify_labels=snakemake.params.simplify_labels,
    )
