"""From all pairs of the images of an instrument to its adjusted offsets, and to what they say of its references."""

import math
from dataclasses import replace

import numpy as np

from ..errors import RUN_AGAIN
from ..fitting import flags
from . import adjustment
from .network_records import Covariance, Network, NetworkImage, NetworkPair, NetworkReference
from .records import FitRecord

ADJUSTMENT = "adjustment"


def network(records, pairs, fits, *, solution="tree", zero_errors):
    """Adjust the offsets of the images of an instrument.

    Parameters
    ----------
    records : list of ImageRecord
        All images of the instrument, as the tree solved them.
    pairs : list of mappings
        All their pairs: band, name (of the image), reference, label, kind and, of internal ones, `other`, the name of
        the other image.
    fits : list of Replicated or str
        Of the pairs, from `fitting.together.fit_together`.
    solution : {"tree", "adjustment"}
        Which of the two fixes the offsets; recorded only.
    zero_errors : mapping
        Error of the zero level of each external reference, MJy/sr; None for one that is not known.

    Returns
    -------
    Network
    """
    place = {(record.band, record.name): i for i, record in enumerate(records)}
    labels = list(zero_errors)
    used = [k for k, fit in enumerate(fits) if not isinstance(fit, str)]
    observed = _observations([pairs[k] for k in used], [fits[k] for k in used], place, labels)
    errors = np.array([zero_errors[label] or 0.0 for label in labels])
    if used:
        found = adjustment.adjust(observed, len(records), errors)
    else:
        found = adjustment.nothing(len(records), 0, len(labels))
    known = np.array([zero_errors[label] is not None for label in labels], dtype=bool)
    suspect = adjustment.named(found.w, known)
    number = dict(zip(used, range(len(used)), strict=True))
    return Network(
        target=records[0].target,
        instrument=records[0].instrument,
        solution=solution,
        images=[_image(record, i, found) for i, record in enumerate(records)],
        pairs=[_pair(pair, fits[k], number.get(k), found) for k, pair in enumerate(pairs)],
        references=[
            NetworkReference(
                reference=label,
                n_pairs=int(np.count_nonzero(observed.reference == r)),
                reference_zero_err=zero_errors[label],
                **{name: float(getattr(found, name)[r]) for name in ("zero", "w", "detectable", "alike")},
                zero_err=float(found.zero_error[r]),
                alike_with=labels[found.alike_with[r]] if found.alike_with[r] >= 0 else "",
                suspect=r == suspect,
            )
            for r, label in enumerate(labels)
        ],
        covariances=_covariances(records, found),
        disagree=adjustment.disagree(found.w),
        chi_squared=found.chi_squared,
        freedom=found.freedom,
    )


def _observations(pairs, fits, place, labels):
    def index(known, kind):
        return np.array([known.index(p["label"]) if p["kind"] == kind else -1 for p in pairs], dtype=int)

    other = [place[p["label"], p["other"]] if p["kind"] == "internal" else -1 for p in pairs]
    return adjustment.Observations(
        image=np.array([place[p["band"], p["name"]] for p in pairs], dtype=int),
        other=np.array(other, dtype=int),
        reference=index(labels, "external"),
        slope=np.array([fit.slope for fit in fits]),
        intercept=np.array([fit.intercept for fit in fits]),
        replicates=np.array([fit.replicates for fit in fits]),
        within=np.array([fit.within for fit in fits]),
        changes=[fit.changes for fit in fits],
    )


def _image(record, i, found):
    known = {"band": record.band, "name": record.name, "image": record.image}
    known |= {"tree_offset": record.offset, "tree_error": record.error}
    if not math.isfinite(found.offset[i]):
        return NetworkImage(
            **known,
            reason="no pair connects it with an external reference; expected one on a reference, or on a band that is "
            "connected: see the pairs of the network for what is missing",
        )
    zeros = found.of_zeros[i, i]
    return NetworkImage(
        **known,
        offset=float(found.offset[i]),
        offset_err=math.sqrt(found.statistical[i, i]),
        offset_sys=math.sqrt(found.systematic[i, i] + zeros),
        zero_err=math.sqrt(zeros),
    )


def _pair(pair, fit, k, found):
    known = {name: pair[name] for name in ("band", "name", "reference", "label", "kind")}
    if isinstance(fit, str):
        return NetworkPair(**known, reason=fit)
    residual, error = float(found.residual[k]), float(found.residual_error[k])
    return NetworkPair(**known, slope=fit.slope, intercept=fit.intercept, residual=residual, residual_err=error)


def _covariances(records, found):
    rows, whole = [], found.covariance
    error = np.sqrt(np.diag(whole))
    there = np.flatnonzero(np.isfinite(found.offset))
    for i in there:
        for j in there[there >= i]:
            parts = {name: float(getattr(found, name)[i, j]) for name in ("statistical", "systematic", "of_zeros")}
            rows.append(
                Covariance(
                    band_1=records[i].band,
                    name_1=records[i].name,
                    band_2=records[j].band,
                    name_2=records[j].name,
                    covariance=float(whole[i, j]),
                    correlation=float(whole[i, j] / (error[i] * error[j])) if error[i] * error[j] > 0 else None,
                    **parts,
                )
            )
    return rows


def adjusted(records, found, sources, inherited=()):
    """The records of the images with the adjustment as one more fit, and the flag of a suspect reference.

    With `solution` adjustment that fit fixes the offset, and without one the offset of the tree stays.

    Parameters
    ----------
    records : list of ImageRecord
        As in `network`.
    found : Network
    sources : mapping
        {(band, name) of an image: set of the checksums that its pairs saw}.
    inherited : sequence of str
        Flags that the adjustment has from its pairs.

    Returns
    -------
    list of ImageRecord
    """
    return [_with_adjustment(r, found, sources.get((r.band, r.name), set()), inherited) for r in records]


def _with_adjustment(record, found, sources, inherited):
    image = next(image for image in found.images if (image.band, image.name) == (record.band, record.name))
    fits = [_marked(fit, found.suspect) for fit in record.fits]
    reason = image.reason
    if not reason and len(sources) > 1:
        reason = f"{record.image} was changed between its fits; expected one image for all: {RUN_AGAIN}"
    known = {"reference": ADJUSTMENT, "ref_filter": "", "label": ADJUSTMENT, "kind": ADJUSTMENT, "resolution": ""}
    if reason:
        fits.append(FitRecord(**known, status="failed", reason=reason))
        record = replace(record, fits=fits)
        if found.solution != "adjustment" or record.status != "anchored":
            return record
        return _flagged(record, "not_adjusted")
    raised = ["reference_suspect"] if found.suspect else ["references_disagree"] if found.disagree else []
    names = ("offset", "offset_err", "offset_sys", "zero_err")
    fit = FitRecord(
        **known,
        status="fitted",
        **{name: getattr(image, name) for name in names},
        flags=flags.in_order([*raised, *inherited]),
        image_source=next(iter(sources), None),
    )
    record = replace(record, fits=[*fits, fit])
    if found.solution != "adjustment":
        return record
    return replace(
        record,
        status="anchored",
        reason="",
        offset=fit.offset,
        offset_err=fit.offset_err,
        offset_sys=fit.offset_sys,
        chosen=len(fits),
        source=fit.image_source,
        reference=ADJUSTMENT,
    )


def _marked(fit, suspect):
    """A fit with the flag of a reference that is suspect, if its zero is that of one."""
    if suspect is None or fit.zero_reference != suspect:
        return fit
    return replace(fit, flags=flags.in_order([*fit.flags, "reference_suspect"]))


def _flagged(record, word):
    fits = [
        replace(fit, flags=flags.in_order([*fit.flags, word])) if i == record.chosen else fit
        for i, fit in enumerate(record.fits)
    ]
    return replace(record, fits=fits)
