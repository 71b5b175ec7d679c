"""From fits to offsets: what has to be added to an image so that its zero is the reference's zero."""

import math
from dataclasses import replace

from ..errors import RUN_AGAIN
from ..files.atomic import or_nan
from ..fitting.flags import DISAGREE, INHERITED, in_order


def external_offset(intercept: float) -> float:
    """Offset, MJy/sr, of an image fitted as y = slope * x + intercept on a reference x whose zero is right."""
    return -intercept


def internal_offset(slope: float, intercept: float, reference_offset: float) -> float:
    """Offset, MJy/sr, of an image fitted on a reference band as it was before its own `reference_offset` was added.

    y = slope * x + intercept and the right zero of x is at x + reference_offset = 0, so that
    offset_y = -intercept + slope * reference_offset.
    """
    return -intercept + slope * reference_offset


def internal_offset_error(fit, reference):
    """Error, MJy/sr, of `internal_offset`.

    With m, b the slope and intercept and o the reference band's offset, whose error is independent of theirs::

        var = var(b) + o^2 var(m) + m^2 var(o) - 2 o cov(b, m)

    Parameters
    ----------
    fit : FitRecord
    reference : ImageRecord
        Of the reference band, anchored.
    """
    return _propagated(
        fit.slope, fit.slope_err, fit.intercept_err, fit.covariance, reference.offset, reference.offset_err
    )


def internal_offset_sys(fit, reference):
    """Systematic part of the error of `internal_offset`, MJy/sr: by the same formula from the systematic (co)variances.

    Parameters as of `internal_offset_error`.
    """
    return _propagated(
        fit.slope, fit.slope_sys, fit.intercept_sys, fit.covariance_sys, reference.offset, reference.offset_sys
    )


def _propagated(slope, *numbers):
    slope_err, intercept_err, covariance, offset, offset_err = map(or_nan, numbers)
    variance = intercept_err**2 + (offset * slope_err) ** 2 + (slope * offset_err) ** 2 - 2 * offset * covariance
    # Round-off can leave a variance of 0 a hair below it.
    return math.sqrt(variance) if not variance < 0 else 0.0


def with_tension(fits):
    """Fits (list of FitRecord) with the `tension` of each: its offset's largest difference from another's, in sigma.

    A sigma is the quadrature sum of the statistical and systematic errors of both. It has the sign of this offset less
    the other, and is None where this fit or every other one has no error that is known.
    """
    answers = [(fit.offset, fit.offset_total) if _has_error(fit) else None for fit in fits]
    return [replace(fit, tension=_tension(answers, i)) for i, fit in enumerate(fits)]


def _has_error(fit):
    return fit.status == "fitted" and math.isfinite(fit.offset_total)


def _tension(answers, index):
    if answers[index] is None:
        return None
    offset, error = answers[index]
    others = [
        (offset - other[0]) / max(math.hypot(error, other[1]), 1e-12)
        for i, other in enumerate(answers)
        if other is not None and i != index
    ]
    # Of two as far on either side the positive one: the order of the references decides nothing.
    return max(others, key=lambda sigma: (abs(sigma), sigma), default=None)


def spread(offsets, errors):
    """Standard deviation between answers, MJy/sr, that their errors do not explain.

    The moment estimator of DerSimonian & Laird (1986, Controlled Clinical Trials 7, 177) with w = 1 / error^2::

        tau^2 = max(0, (Q - (k - 1)) / (sum w - sum w^2 / sum w)),        Q = sum w (offset - mean)^2

    For two answers tau^2 is (difference^2 - error_1^2 - error_2^2) / 2.

    Parameters
    ----------
    offsets, errors : lists of float
        MJy/sr, of the same length.
    """
    weights = [1 / max(error, 1e-12) ** 2 for error in errors]
    # fsum: the same to the last digit in any order.
    total = math.fsum(weights)
    mean = math.fsum(w * o for w, o in zip(weights, offsets, strict=True)) / total
    q = math.fsum(w * (o - mean) ** 2 for w, o in zip(weights, offsets, strict=True))
    freedom = total - math.fsum(w * w for w in weights) / total
    return math.sqrt(max(0.0, (q - (len(offsets) - 1)) / freedom)) if freedom > 0 else 0.0


def solve_external(image, prefer="order"):
    """The offset of an image on external references only, as of a ref_band: `solve_internal` without a ref_band."""
    return solve_internal(image, {}, prefer)


def on_external(fit):
    """The fit with the offset it gives on its external reference, whose own zero is off by its error.

    With m the slope, x too bright by z makes the offset too large by m z.
    """
    if fit.status != "fitted":
        return fit
    known = {"offset": external_offset(fit.intercept), "offset_err": fit.intercept_err, "offset_sys": fit.intercept_sys}
    if fit.reference_zero_err is not None:
        known["zero_err"] = abs(fit.slope) * fit.reference_zero_err
        known["offset_sys"] = math.hypot(or_nan(fit.intercept_sys), known["zero_err"])
    return replace(fit, **known, zero_reference=fit.label)


def _widened(fit, between):
    if fit.tension is None or not abs(fit.tension) > DISAGREE:
        return fit
    return replace(fit, flags=[*fit.flags, "references_disagree"], offset_sys=math.hypot(fit.offset_sys, between))


def solve_internal(image, references, prefer="order"):
    """The offset of an image from its fits on external references and on anchored images of the ref_band.

    The paths to an offset are each external reference, and the ref_band: its image with most pixels in common. Those
    that disagree (flags.DISAGREE) add their `spread` to the systematic error.

    Parameters
    ----------
    image : ImageRecord
        With its `fits` in order of preference.
    references : mapping
        ImageRecord of every ref_band image, by band and name.
    prefer : {"order", "smallest_error"}
        Which path fixes the offset: the first that is usable, or that with the smallest error (statistical and
        systematic in quadrature, before that by disagreement is added), one without a known error last.

    Returns
    -------
    ImageRecord
        With its offset or, failed or skipped, the reason; its fits have their own offset and tension. A fit on a
        ref_band image that is not anchored fails with that reason.
    """
    fits = [
        on_external(fit) if fit.kind == "external" else _on_anchored(fit, references.get((fit.label, fit.reference)))
        for fit in image.fits
    ]
    usable = paths(fits)
    # Of each alone: what disagrees with a poor path is the best one first, which widens its error the most.
    own = {i: fits[i].offset_total if _has_error(fits[i]) else math.inf for i in usable}
    if any(fits[i].kind == "external" for i in usable):
        for i, fit in zip(usable, with_tension([fits[i] for i in usable]), strict=True):
            fits[i] = fit
        known = [fits[i] for i in usable if _has_error(fits[i])]
        if len(known) > 1:
            between = spread([fit.offset for fit in known], [fit.offset_total for fit in known])
            fits = [_widened(fit, between) for fit in fits]
    image = replace(image, fits=fits)
    if not usable:
        return _not_anchored(image)
    if prefer == "order":
        return _anchored(image, usable[0])
    return _anchored(image, min(usable, key=own.get))


def paths(fits):
    """Indices of the usable fits that are paths to an offset: on external references, and one on the ref_band."""
    usable = [index for index, fit in enumerate(fits) if fit.status == "fitted"]
    through = max((i for i in usable if fits[i].kind == "internal"), key=lambda i: fits[i].n_pixels, default=None)
    return [i for i in usable if fits[i].kind == "external" or i == through]


def _on_anchored(fit, reference):
    """The fit with the offset it gives on the record of its reference, or why it gives none."""
    if fit.status != "fitted":
        return fit
    if not reference:
        return replace(fit, status="failed", reason="its reference is unknown")
    if reference.status != "anchored":
        reason = f"its reference band is not anchored ({reference.reason})"
        return replace(fit, status=reference.status, reason=reason)
    if fit.reference_source != reference.source:
        reason = (
            f"{reference.image} was changed between its own fit and this one on it; expected one image for both: "
            f"{RUN_AGAIN}"
        )
        return replace(fit, status="failed", reason=reason)
    on = reference.chosen_fit
    return replace(
        fit,
        offset=internal_offset(fit.slope, fit.intercept, reference.offset),
        offset_err=internal_offset_error(fit, reference),
        offset_sys=internal_offset_sys(fit, reference),
        zero_err=None if on is None or on.zero_err is None else abs(fit.slope) * on.zero_err,
        zero_reference=on and on.zero_reference,
        flags=in_order([*fit.flags, *(word for word in INHERITED if word in reference.flags)]),
    )


def _anchored(image, index):
    """The record with the offset of one of its fits."""
    fit = image.fits[index]
    return replace(
        image,
        status="anchored",
        offset=fit.offset,
        offset_err=fit.offset_err,
        offset_sys=fit.offset_sys,
        chosen=index,
        source=fit.image_source,
        reference=fit.label,
    )


def _not_anchored(image):
    """Failed if anything was tried, else skipped."""
    status = "failed" if any(fit.status == "failed" for fit in image.fits) else "skipped"
    return replace(
        image, status=status, reason="; ".join(dict.fromkeys(f"{fit.label}: {fit.reason}" for fit in image.fits))
    )
