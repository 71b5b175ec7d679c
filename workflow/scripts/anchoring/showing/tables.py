"""The tables of a run, from the solved records: one row per fit of a target, one row per image of a run."""

import csv
import math
from pathlib import Path

from ..files.atomic import atomic_write

# name: FITS format (None: text). The first six are the published table's, with its values: file names without .fits.
FIT_COLUMNS = {
    "target": None,
    "ref_filter": None,
    "compar_filename": None,
    "compar_filter": None,
    "slope": "D",
    "intercept": "D",
    "range_min": "D",
    "range_max": "D",
    "n_bins": "J",
    "n_pixels": "K",
    "rms": "D",
    "offset": "D",
    "status": None,
    "reason": None,
    "slope_err": "D",
    "intercept_err": "D",
    "covariance": "D",
    "n_independent": "D",
    "offset_err": "D",
    "offset_sys": "D",
    "slope_sys": "D",
    "intercept_sys": "D",
    "covariance_sys": "D",
    "tension": "D",
    "closure": "D",
    "flags": None,
    "estimator": None,
    "sigma_x": "D",
    "noise": None,
    "instrument": None,
    "kind": None,
    "resolution": None,
    "reference_unit": None,
    "shift": "D",
    "shift_err": "D",
    "shift_east": "D",
    "shift_north": "D",
    "correlation": "D",
}
IN_BRIGHTNESS = ("intercept", "range_min", "range_max", "rms", "offset", "intercept_err", "covariance", "offset_err",
                 "offset_sys", "intercept_sys", "covariance_sys", "closure", "sigma_x")  # fmt: skip
IN_ANGLE = ("shift", "shift_err", "shift_east", "shift_north")
UNITS = {**dict.fromkeys(IN_BRIGHTNESS, "MJy/sr"), **dict.fromkeys(IN_ANGLE, "arcsec")}
SUMMARY_COLUMNS = (
    "target", "band", "image", "instrument", "offset", "reference", "status", "reason", "offset_err",
    "offset_sys", "slope", "slope_err", "intercept", "intercept_err", "rms", "n_bins", "n_pixels", "resolution",
)  # fmt: skip


def fit_rows(records):
    """A row per fit, chosen or not, and one per image without any.

    `status` of the fit that fixed an offset is anchored; of one that could have, unused; else skipped or failed.
    `offset` is this fit's own answer.
    """
    rows = []
    for record in records:
        image = {
            "target": record["target"],
            "compar_filename": Path(record["image"]).stem,
            "compar_filter": record["band"].lower(),
            "instrument": record["instrument"],
        }
        if not record["fits"]:
            rows.append({**image, "status": record["status"], "reason": record["reason"]})
        for index, fit in enumerate(record["fits"]):
            low, high = fit.get("range") or (None, None)
            status = "unused" if fit["status"] == "fitted" else fit["status"]
            rows.append({
                **image,
                **{name: fit.get(name) for name in FIT_COLUMNS if name in fit},
                "range_min": low,
                "range_max": high,
                "flags": " ".join(fit.get("flags", ())),
                "status": "anchored" if index == record["chosen"] else status,
            })  # fmt: skip
    return rows


def image_rows(records):
    """A row per image, in order of target, band and image."""
    rows = []
    for record in records:
        fit = {} if record["chosen"] is None else record["fits"][record["chosen"]]
        known = ("target", "band", "instrument", "offset", "offset_err", "offset_sys", "reference", "status", "reason")
        rows.append(
            {
                **{name: fit.get(name) for name in SUMMARY_COLUMNS},
                **{name: record.get(name) for name in known},
                "image": Path(record["image"]).name,
            }
        )
    return sorted(rows, key=lambda row: (row["target"], row["band"], row["image"]))


def write_csv(path, rows, columns):
    """Rows as CSV; what a row has no value for is empty."""
    with atomic_write(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(columns), extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_fits(path, rows):
    """Rows of `fit_rows` as a FITS table; what a row has no value for is NaN, -1 or empty."""
    import numpy as np
    from astropy.io import fits

    columns = []
    for name, form in FIT_COLUMNS.items():
        values = [row.get(name) for row in rows]
        if form is None:
            text = [str(value or "").encode("ascii", "replace") for value in values]
            width = max([1, *map(len, text)])
            columns.append(fits.Column(name, f"{width}A", array=np.array(text, dtype=f"S{width}")))
        else:
            missing = math.nan if form == "D" else -1
            array = np.array([missing if value is None else value for value in values])
            columns.append(fits.Column(name, form, unit=UNITS.get(name), array=array))
    with atomic_write(path) as temporary:
        fits.BinTableHDU.from_columns(columns, name="ANCHOR").writeto(temporary, overwrite=True)


def closing_words(rows, what="anchored"):
    """What a run says at its end: how many images are anchored, and which are not and why."""
    missing = [row for row in rows if row["status"] != "anchored"]
    lines = [f"{len(rows) - len(missing)} of {len(rows)} images {what}."]
    if missing:
        lines.append(f"Not {what}:")
        lines += [
            f"  {row['target']} {row['band']} {row['image']}: {row['status']}: {row['reason']}" for row in missing
        ]
    return "\n".join(lines)
