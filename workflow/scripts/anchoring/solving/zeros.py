"""How external references agree about the zero levels of a survey, and what that says of their own zeros."""

import math
import statistics
from typing import NamedTuple

from .offsets import paths


class Disagreement(NamedTuple):
    """Zero level of an external reference against the mean of the other answers for an image.

    reference : label; target : str; zero : MJy/sr of the reference, positive where it is too bright; error : of it,
    MJy/sr, from the errors that the fits state; flagged : whether the image's fit has `references_disagree`.
    """

    reference: str
    target: str
    zero: float
    error: float
    flagged: bool


def disagreements(records):
    """The Disagreements of all images that have an answer on an external reference and another one.

    With the offset o_k and slope m_k on a reference whose zero is z_k too bright, o_k is m_k z_k too large, so that

        z_k = (o_k - <o>) / m_k,    <o> the mean of the others, weighted by 1 / error^2

    Parameters
    ----------
    records : list of ImageRecord, solved

    Returns
    -------
    list of Disagreement
    """
    found = []
    for record in records:
        fits = [record.fits[i] for i in paths(record.fits)]
        fits = [fit for fit in fits if fit.offset_total and math.isfinite(fit.offset_total)]
        for fit in (f for f in fits if f.kind == "external" and len(fits) > 1):
            others = [other for other in fits if other is not fit]
            weight = [other.offset_total**-2 for other in others]
            mean = sum(w * other.offset for w, other in zip(weight, others, strict=True)) / sum(weight)
            error = math.hypot(fit.offset_total, sum(weight) ** -0.5)
            zero = (fit.offset - mean) / fit.slope
            flagged = "references_disagree" in fit.flags
            found.append(Disagreement(fit.label, record.target, zero, error / abs(fit.slope), flagged))
    return found


def reference_rows(records):
    """A row, a mapping by REFERENCE_COLUMNS, per external reference that is compared with others.

    `scatter` is 1.4826 times the median absolute deviation from the median, so that a few bad fits do not decide;
    `std` is the plain standard deviation (None for one); `stated` the rms of the errors that the fits state.
    """
    rows, found = [], disagreements(records)
    for label in sorted({one.reference for one in found}):
        of_label = [one for one in found if one.reference == label]
        zeros = [one.zero for one in of_label]
        middle, several = statistics.median(zeros), len(zeros) > 1
        rows.append(
            {
                "reference": label,
                "n_targets": len({one.target for one in of_label}),
                "n": len(zeros),
                "mean": statistics.fmean(zeros),
                "scatter": 1.4826 * statistics.median(abs(zero - middle) for zero in zeros) if several else None,
                "std": statistics.stdev(zeros) if several else None,
                "stated": math.sqrt(statistics.fmean(one.error**2 for one in of_label)),
                "n_flagged": sum(one.flagged for one in of_label),
            }
        )
    return rows


# What the columns are, and their units.
MEANINGS = {
    "reference": "label of the external reference",
    "n_targets": "targets in which it is compared with another",
    "n": "images in which it is",
    "mean": "its zero level against the mean of the others, positive if it is too bright",
    "scatter": "1.4826 times the median absolute deviation of that",
    "std": "its standard deviation",
    "stated": "what the errors of the fits explain of it",
    "n_flagged": "images whose fit on it is flagged references_disagree",
}
REFERENCE_COLUMNS = tuple(MEANINGS)
UNITS = dict.fromkeys(("mean", "scatter", "std", "stated"), "MJy/sr")
