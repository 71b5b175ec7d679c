"""The picture of an image before and after anchoring, and its caption."""

import gc

import numpy as np

from anchoring import records
from anchoring.stage import run
from anchoring.words import band_label, image_caption, picture_words, write_caption


def main(image, solved, applied, views, png, caption, simplify_labels):
    from anchoring.figures import save_figure
    from anchoring.pictures import picture

    (record,) = [r for r in records.applied(records.read([solved]), [applied]) if r["image"] == image]
    fit, view = shown(record, views)
    figure = picture(
        view=view,
        offset=record["offset"],
        line=expected(fit, record["offset"]),
        reference=band_label(fit["label"], simplify_labels),
        title=f"{record['target']}: {band_label(record['band'], simplify_labels)} before and after anchoring",
        paragraphs=picture_words(record, fit, simplify_labels),
    )
    save_figure(figure, [png])
    write_caption(caption, image_caption(record, fit, simplify_labels))


def shown(record, views):
    """The fit that fixed the offset and its view; without one, the first fit that has pixels to show, or else any."""
    from anchoring.views import View

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
    gc.disable()  # as in plot_pair
    run(
        main,
        snakemake.log[0],
        image=snakemake.params.image,
        solved=snakemake.input.solved,
        applied=snakemake.input.applied,
        views=snakemake.params.views,
        png=snakemake.output.png,
        caption=snakemake.output.caption,
        simplify_labels=snakemake.params.simplify_labels,
    )
