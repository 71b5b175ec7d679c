"""Fit every pair of some images and solve their offsets: on external references, or on the images these anchored."""

from anchoring.fitting.settings import Settings
from anchoring.measuring.measurement import read_measurement
from anchoring.script import run
from anchoring.solving import offsets, records
from anchoring.solving.fits import fit_record, with_closure


def main(images, output, settings=None, prefer="order", external=None):
    settings = Settings(**(settings or {}))
    references = {(r.band, r.name): r for r in records.read([external])} if external else {}
    records.write(output, [solved(image, settings, references, prefer) for image in images])


def solved(image, settings, references, prefer):
    """The record of an image of the plan; `references` are the records of the ref_band, if it is not in that itself."""
    known, pairs = {key: value for key, value in image.items() if key != "pairs"}, image["pairs"]
    measured = [None if pair["problem"] else read_measurement(pair["bins"], pair["pixels"]) for pair in pairs]
    fits = [
        fit_record(pair, m, settings, known["band"], zero_of(pair, references))
        for pair, m in zip(pairs, measured, strict=True)
    ]
    record = records.ImageRecord(**known, fits=fits)
    record = offsets.solve_internal(record, references, prefer)
    if record.chosen is None:
        return record
    fit = record.chosen_fit
    return with_closure(
        record,
        measured[record.chosen],
        settings,
        reference_offset=references[fit.label, fit.reference].offset if fit.kind == "internal" else 0.0,
        range_follows=pairs[record.chosen]["range_follows"],
    )


def zero_of(pair, references):
    """Value of a ref_band image where there is no light, minus its offset; None where that is not known."""
    record = (references or {}).get((pair["label"], pair["reference"]))
    return None if record is None or record.offset is None else -record.offset


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        images=snakemake.params.images,
        output=snakemake.output[0],
        settings=snakemake.params.settings,
        prefer=snakemake.params.prefer,
        external=snakemake.input.get("external"),
    )
