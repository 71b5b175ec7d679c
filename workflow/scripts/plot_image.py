"""The figures of an image, its fits and what it looks like before and after anchoring, and their captions."""

from anchoring.measuring.measurement import read_measurement
from anchoring.measuring.thumbnails import read_thumbnails
from anchoring.script import run
from anchoring.showing.text import band_label, fits_caption, image_caption, picture_words, write_caption
from anchoring.solving import records


def main(image, solved, pairs, figure, picture, simplify_labels):
    # Half of the time of the job is this import: it comes when the log is there.
    from anchoring.showing.before_after_figure import picture as draw_picture
    from anchoring.showing.fit_figure import fits_figure, pair_of
    from anchoring.showing.layout import save_figure

    (record,) = [r for r in records.read([solved]) if r.image == image]
    fits = [fit for fit in record.fits if fit.reference in pairs]
    measured = [read_measurement(pairs[fit.reference]["bins"], pairs[fit.reference]["pixels"]) for fit in fits]
    drawn = [
        pair_of(of_pair, fit, record.band, record.target, simplify_labels=simplify_labels)
        for of_pair, fit in zip(measured, fits, strict=True)
    ]
    save_figure(fits_figure(drawn), [figure["png"], figure["pdf"]])
    write_caption(figure["caption"], fits_caption(record, fits, simplify_labels))
    fit, thumbnails = shown(record, {reference: files["view"] for reference, files in pairs.items()})
    before_after = draw_picture(
        view=thumbnails,
        offset=record.offset,
        line=expected(fit, record.offset),
        reference=band_label(fit.label, simplify_labels),
        title=f"{record.target}: {band_label(record.band, simplify_labels)} before and after anchoring",
        paragraphs=picture_words(record, fit, simplify_labels),
    )
    save_figure(before_after, [picture["png"]])
    write_caption(picture["caption"], image_caption(record, fit, simplify_labels))


def shown(record, views):
    """The fit that fixed the offset and its thumbnails; without one, of the first fit that has pixels, or else any.

    An adjustment has no pixels of its own: what it fixed is shown on the first fit that has.
    """
    chosen = [] if record.chosen is None else [record.chosen_fit]
    fits = [fit for fit in (*chosen, *record.fits) if fit.reference in views]
    for fit in fits:
        thumbnails = read_thumbnails(views[fit.reference])
        if thumbnails.x.size or fit in chosen:
            break
    return fit, thumbnails


def expected(fit, offset):
    """Slope and shift of what the image should show where it is anchored, by its line: slope * x + shift.

    y = slope * x + intercept, and the offset is added to y. Before that, where there is none, y itself is expected.
    """
    return None if fit.slope is None else (fit.slope, fit.intercept + (offset or 0.0))


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
