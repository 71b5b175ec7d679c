"""What would make the offsets of a run better: few sentences on what `inspection` found, each for all its targets."""

from .fitting.drift import drift_of
from .labels import split_label
from .planning.settings import SHIPPED

LESS = 2.0  # times as small has the drift of a colour to be: below that, noise and resolution decide
CLOSER = 4  # F2100W on MIPS 24 against on F770W: rms on skies with the colours of real spectra (benchmarks/README.md)


def advice(mosaics, solved, *, estimator, prefer, solution):
    """Sentences on what is there, or could be, and better than what would be used; none if nothing is known to be.

    Parameters
    ----------
    mosaics : list of mappings
        As of `inspection.inspect`, with `there`: the labels of all references of the target in ref_dir.
    solved : list of InspectedImage
        From it.
    estimator, prefer, solution : str
        As configured.
    """
    of_image = {mosaic["image"]: mosaic for mosaic in mosaics}
    records = [record for record in solved if record.chosen is not None]
    found = {}  # sentence, with a place for the targets: targets
    for record in records:
        there = of_image[record.image]["there"]
        sentences = [_steadier(record, there, prefer)]
        if estimator == "binned":
            sentences.append(_noisy(record))
        if solution == "tree":
            sentences.append(_hot_dust(record, there, prefer))
        for sentence in filter(None, sentences):
            found.setdefault(sentence, {})[record.target] = None
    if estimator != "binned":
        unknown = [(record.target, _without_noise(record, of_image[record.image]["pairs"])) for record in records]
        labels = dict.fromkeys(label for _, of_record in unknown for label in of_record)
        if labels:
            found[_unknown_noise(labels)] = dict.fromkeys(target for target, of_record in unknown if of_record)
    return [sentence.replace("<targets>", _words(list(targets))) for sentence, targets in found.items()]


def _words(targets):
    return targets[0] if len(targets) == 1 else f"{len(targets)} targets"


def _external(record):
    """Labels of the external references that an image would be fitted on."""
    return [fit.label for fit in record.fits if fit.kind == "external" and fit.status == "fitted"]


def _steadier(record, there, prefer):
    """A reference that is there and whose colour drifts less than that of the one in use."""
    if record.chosen_fit.kind != "external":
        return ""

    def size(label):
        drift = drift_of(record.band, label)
        return abs(drift.mean) + drift.scatter

    usable = _external(record)
    used = record.chosen_fit.label if prefer == "order" else min(usable, key=size)
    others = [label for label in dict.fromkeys([*usable, *there]) if drift_of(record.band, label).source == "known"]
    best = min(others, key=size, default=used)
    if LESS * size(best) > size(used):
        return ""
    return (
        f"{record.band} of <targets> would be anchored on {used}, and {best} is there, whose colour drifts less with "
        f"brightness (d of {size(best):.3f} in place of {size(used):.3f}): put {best} first in external_bands."
    )


def _noisy(record):
    """The binned estimator on WISE 3."""
    fit = record.chosen_fit
    if fit.kind != "external" or split_label(fit.label)[0].lower() != "w3":
        return ""
    return (
        f"{record.band} of <targets> would be anchored on {fit.label} by medians in bins, which the noise of WISE 3 "
        "moves by up to 0.1 MJy/sr: estimator: errors_in_variables accounts for it."
    )


def _without_noise(record, pairs):
    """Labels of the references that an image would be fitted on, and whose noise nothing tells but their own sky."""
    measured = [pair["label"] for pair in pairs if pair["noise"] is None and pair["error"] is None]
    return [label for label in _external(record) if label in measured]


def _unknown_noise(labels):
    return (
        f"The noise of {', '.join(labels)} is measured on blank sky in their images of <targets>, and "
        "errors_in_variables depends on it: noise maps, {target}_{label}_err.fits, or reference_noise are better where "
        "a galaxy leaves no sky."
    )


def _hot_dust(record, there, prefer):
    """F2100W on F770W, where it could be on a reference of its own."""
    own = SHIPPED.get(record.instrument, {}).get(record.band.lower(), ())
    if not own or record.chosen_fit.kind == "external":
        return ""
    start = (
        f"{record.band} of <targets> would be anchored on {record.chosen_fit.label}, though hot dust has another colour"
    )
    usable, bands = _external(record), {split_label(label)[0] for label in own}
    others = [label for label in there if split_label(label.lower())[0] in bands]
    if usable and prefer == "smallest_error":
        return ""
    if usable or others:
        label = (usable or others)[0]
        return (
            f"{start}, and {label} is there: set external_bands: {{{record.band}: [{label}, ref_band]}} "
            f"({CLOSER} times closer with MIPS 24)."
        )
    return (
        f"{start}: with {' or '.join(f'{{target}}_{label}.fits' for label in own)} in ref_dir it could be anchored on "
        f"that ({CLOSER} times closer with MIPS 24, see docs/inputs.md)."
    )
