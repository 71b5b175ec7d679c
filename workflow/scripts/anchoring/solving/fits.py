"""From what was measured of a pair to the record of its fit, and of the fit's closure."""

import logging
from dataclasses import replace

from ..errors import AnchoringError, reason_of
from ..files.atomic import or_nan
from ..fitting import alignment, flags
from ..fitting.closure import closure
from ..fitting.drift import drift_of
from ..fitting.fit_pair import as_record, fit_pair
from ..fitting.settings import Settings
from ..labels import resolution_of
from ..measuring.measurement import Measurement
from .offsets import on_external
from .records import OF_THE_PLAN, FitRecord


def fit_record(pair, measurement, settings, band, zero=None):
    """The record of the fit of a pair; whatever keeps it from being fitted is its `reason`.

    Parameters
    ----------
    pair : mapping
        What the plan knows of it: records.OF_THE_PLAN; `problem`, the reason why there is nothing to fit, or "";
        optionally `reference_zero_err`, MJy/sr, and `drift`, (mean, scatter) of its colour, as configured.
    measurement : Measurement or None
        None where there is a problem.
    settings : Settings
    band : str
        Of the image.
    zero : float, optional
        Value of the reference where there is no light, MJy/sr, if the measurement does not know it.

    Returns
    -------
    FitRecord
    """
    known = {name: pair[name] for name in OF_THE_PLAN}
    if pair["problem"]:
        return FitRecord(**known, status="skipped", reason=pair["problem"])
    known |= {"n_pixels": measurement.n_pixels, "n_bins": 0}
    try:
        if measurement.refused:
            raise AnchoringError(measurement.refused)
        if measurement.zero is None:
            measurement = replace(measurement, zero=zero)
        known |= dict(zip(("range_min", "range_max"), measurement.limits, strict=True))
        aligned = alignment.align(measurement.samples, measurement.axes)
        known |= {**alignment.as_record(aligned), "flags": [*alignment.flags_of(aligned), *measurement.kernel_flags]}
        drift = drift_of(band, pair["label"], pair.get("drift"))
        fit = as_record(fit_pair(measurement, settings, flags.known_slopes(band, pair["label"]), drift))
        alignment.require_one_sky(aligned)
    except Exception as error:
        return FitRecord(**known, status="failed", reason=reason_of(error, f"{band} on {pair['reference']}"))
    raised = flags.in_order([*fit["flags"], *known["flags"]])
    return FitRecord(
        **{**known, **fit, "flags": raised},
        status="fitted",
        estimator=settings.estimator,
        drift_mean=drift.mean,
        drift_scatter=drift.scatter,
        drift_source=drift.source,
        sigma_x=measurement.noise.sigma,
        noise=measurement.noise.source,
        image_source=measurement.image_source,
        reference_source=measurement.reference_source,
        reference_unit=measurement.reference_unit,
        reference_zero_err=measurement.zero_err
        if pair.get("reference_zero_err") is None
        else pair["reference_zero_err"],
    )


def fit_external(
    measurement: Measurement,
    band: str,
    label: str,
    settings: Settings = Settings(),  # noqa: B008
    *,
    drift: tuple[float, float] | None = None,
) -> FitRecord:
    """The fit of an image on an external reference, with its offset, errors and flags, as the workflow makes it.

    Parameters
    ----------
    measurement : Measurement
        Of the image and the reference.
    band : str
        Of the image, such as F770W.
    label : str
        Of the reference, such as irac4_atgauss4.
    settings : Settings, optional
    drift : (mean, scatter), optional
        Of the colour of this pair, in place of what is known (`drift_of`).

    Returns
    -------
    FitRecord

    Raises
    ------
    AnchoringError
        If there is no line, or if the two do not show one sky.
    """
    known = {"reference": label, "ref_filter": label, "label": label, "resolution": resolution_of(label)}
    pair = {**known, "kind": "external", "problem": "", "drift": drift}
    fit = fit_record(pair, measurement, settings, band)
    if fit.status != "fitted":
        raise AnchoringError(fit.reason)
    return on_external(fit)


def with_closure(record, measurement, settings, *, reference_offset, range_follows):
    """An anchored image's record with the closure of the fit that fixed its offset.

    Parameters
    ----------
    record : ImageRecord
    measurement : Measurement
        Of the fit that fixed the offset.
    settings : Settings
    reference_offset : float
        MJy/sr, added to the reference.
    range_follows : bool
        Whether the range is one of the anchored reference, and moves with its offset.

    Returns
    -------
    ImageRecord; as it was if the anchored pair has no line.
    """
    offsets = {"offset": record.offset, "reference_offset": reference_offset}
    offsets["drift_offset"] = or_nan(record.chosen_fit.drift_offset)
    try:
        value = closure(measurement, settings, **offsets, move=reference_offset if range_follows else 0.0)
    except AnchoringError as refusal:
        logging.info("%s: no closure: %s", record.image, refusal)
        return record
    fits = [replace(fit, closure=value) if i == record.chosen else fit for i, fit in enumerate(record.fits)]
    return replace(record, fits=fits)
