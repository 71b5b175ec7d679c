"""Adjust the offsets of all images of an instrument from all of their pairs at once, next to those of the tree."""

import logging
from dataclasses import replace

from anchoring.fitting import flags
from anchoring.fitting.drift import drift_of
from anchoring.fitting.settings import Settings
from anchoring.fitting.together import fit_together
from anchoring.measuring.measurement import read_measurement
from anchoring.script import run
from anchoring.solving import network, network_records, records


def main(solved, images, pairs, output, network_output, settings=None, solution="tree"):
    known = records.read(solved)
    known = [record for record in known if record.image in images]
    there = [pair for pair in pairs if not pair["problem"]]
    measured = [with_zero(read_measurement(pair["bins"], pair["pixels"]), pair, known) for pair in there]
    names = [f"{pair['band']} {pair['name']} on {pair['reference']}" for pair in there]
    drifts = [drift_of(pair["band"], pair["label"], pair["drift"]) for pair in there]
    fits = iter(fit_together(measured, Settings(**(settings or {})), names, drifts))
    fits = [pair["problem"] or next(fits) for pair in pairs]
    zeros, sources = zero_errors(there, measured), sources_of(there, measured)
    found = network.network(known, pairs, fits, solution=solution, zero_errors=zeros)
    for pair in found.pairs:
        if pair.reason:
            logging.info("%s %s on %s is not used: %s", pair.band, pair.name, pair.reference, pair.reason)
    network_records.write(network_output, found)
    records.write(output, network.adjusted(known, found, sources, inherited_flags(measured)))


def with_zero(measurement, pair, known):
    """A measurement with the value of its reference where there is no light: of an image, minus its offset."""
    offset = next((r.offset for r in known if (r.band, r.name) == (pair["label"], pair["other"])), None)
    return measurement if measurement.zero is not None or offset is None else replace(measurement, zero=-offset)


def zero_errors(pairs, measured):
    """{label: error of its zero level, MJy/sr, or None} of the external references: as configured, else its header."""
    found = {}
    for pair, m in zip(pairs, measured, strict=True):
        if pair["kind"] == "external":
            given = pair["reference_zero_err"]
            found[pair["label"]] = given if given is not None else found.get(pair["label"]) or m.zero_err
    return found


def inherited_flags(measured):
    """Flags of kernels that all offsets of an adjustment have from its pairs."""
    return flags.in_order({word for m in measured for word in m.kernel_flags} & set(flags.INHERITED))


def sources_of(pairs, measured):
    """{(band, name): checksums} of every image, as its pairs saw it."""
    found = {}
    for pair, m in zip(pairs, measured, strict=True):
        if m.refused:
            continue
        found.setdefault((pair["band"], pair["name"]), set()).add(m.image_source)
        if pair["kind"] == "internal":
            found.setdefault((pair["label"], pair["other"]), set()).add(m.reference_source)
    return found


if __name__ == "__main__":
    run(
        main,
        snakemake.log[0],
        solved=snakemake.input.solved,
        images=snakemake.params.images,
        pairs=snakemake.params.pairs,
        output=snakemake.output.records,
        network_output=snakemake.output.network,
        settings=snakemake.params.settings,
        solution=snakemake.params.solution,
    )
