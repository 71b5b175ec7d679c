"""The tables of a run, from the solved records: one row per fit of a target, one row per image of a run."""

import csv
import math
from dataclasses import asdict, fields
from pathlib import Path

from ..files.atomic import atomic_write
from ..solving import network_records
from ..solving.records import FORMS, UNITS, FitRecord, ImageRecord, forms_of, meanings_of, units_of

# The first six are the published table's, with its values: file names without .fits.
FIT_COLUMNS = (
    "target", "ref_filter", "compar_filename", "compar_filter", "slope", "intercept", "range_min", "range_max",
    "n_bins", "n_pixels", "rms", "offset", "status", "reason", "slope_err", "intercept_err", "covariance",
    "n_independent", "offset_err", "offset_sys", "slope_sys", "intercept_sys", "covariance_sys", "tension", "closure",
    "flags", "estimator", "sigma_x", "noise", "instrument", "kind", "resolution", "reference_unit", "shift",
    "shift_err", "shift_east", "shift_north", "correlation", "reference_zero_err", "zero_reference", "zero_err",
    "gradient_east", "gradient_north", "gradient_east_err", "gradient_north_err",
    "drift_mean", "drift_scatter", "drift_source",
    "drift", "drift_err", "drift_offset",
)  # fmt: skip
SUMMARY_COLUMNS = (
    "target", "band", "image", "instrument", "offset", "reference", "status", "reason", "offset_err",
    "offset_sys", "slope", "slope_err", "intercept", "intercept_err", "rms", "n_bins", "n_pixels", "resolution",
    "zero_reference", "zero_err",
)  # fmt: skip

# What the columns are.
MEANINGS = {
    **meanings_of(ImageRecord),
    **meanings_of(FitRecord),
    "compar_filename": "file name of the mosaic without .fits",
    "compar_filter": "band of the mosaic, in lower case",
}


def fit_rows(records):
    """A row, a mapping by FIT_COLUMNS, per fit, chosen or not, and one per image without any.

    `status` of the fit that fixed an offset is anchored; of one that could have, unused; else skipped or failed.
    `offset` is this fit's own answer.
    """
    rows = []
    for record in records:
        image = {
            "target": record.target,
            "compar_filename": Path(record.image).stem,
            "compar_filter": record.band.lower(),
            "instrument": record.instrument,
        }
        if not record.fits:
            rows.append({**image, "status": record.status, "reason": record.reason})
        for index, fit in enumerate(record.fits):
            numbers = {name: getattr(fit, name) for name in FIT_COLUMNS if name not in image}
            status = "unused" if fit.status == "fitted" else fit.status
            status = "anchored" if index == record.chosen else status
            rows.append({**image, **numbers, "flags": " ".join(fit.flags), "status": status})
    return rows


def image_rows(records):
    """A row, a mapping by SUMMARY_COLUMNS, per image, in order of target, band and image."""
    rows = []
    for record in records:
        row = {name: getattr(record, name, getattr(record.chosen_fit, name, None)) for name in SUMMARY_COLUMNS}
        rows.append({**row, "image": Path(record.image).name})
    return sorted(rows, key=lambda row: (row["target"], row["band"], row["image"]))


def write_csv(path, rows, columns):
    """Rows as CSV; what a row has no value for is empty."""
    with atomic_write(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(columns), extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def write_ecsv(path, rows, columns):
    """Rows as ECSV, which astropy reads with units, descriptions and what is missing."""
    from astropy.table import MaskedColumn, Table

    table = Table(masked=True)
    for column in columns:
        values, form = [row.get(column) for row in rows], FORMS.get(column)
        missing = [value is None or value != value for value in values]
        blank, kind = (0, {"D": float}.get(form, int)) if form else ("", str)
        data = [blank if is_missing else value for value, is_missing in zip(values, missing, strict=True)]
        known = {"unit": UNITS.get(column), "description": MEANINGS[column]}
        table[column] = MaskedColumn(data, mask=missing, dtype=kind, **known)
    with atomic_write(path) as temporary:
        table.write(temporary, format="ascii.ecsv", overwrite=True)


def write_fits(path, rows):
    """Rows of `fit_rows` as a FITS table; what a row has no value for is NaN, -1 or empty."""
    with atomic_write(path) as temporary:
        table_hdu("ANCHOR", rows, FIT_COLUMNS, FORMS, UNITS).writeto(temporary, overwrite=True)


def table_hdu(name, rows, columns, forms, units):
    """Rows (mappings) as an extension of a FITS file; columns without a form hold text."""
    import numpy as np
    from astropy.io import fits

    made = []
    for column in columns:
        form = forms.get(column)
        values = [row.get(column) for row in rows]
        if form is None:
            text = [str(value or "").encode("ascii", "replace") for value in values]
            width = max([1, *map(len, text)])
            made.append(fits.Column(column, f"{width}A", array=np.array(text, dtype=f"S{width}")))
        else:
            missing = math.nan if form == "D" else -1
            array = np.array([missing if value is None else value for value in values])
            made.append(fits.Column(column, form, unit=units.get(column), array=array))
    return fits.BinTableHDU.from_columns(made, name=name)


def write_networks(networks, fits_path, csv_paths):
    """The tables of the networks of a target: one FITS file with an extension for each, and a CSV file each.

    Parameters
    ----------
    networks : list of Network
    fits_path : path
    csv_paths : mapping
        {name of network_records.PARTS: path}.
    """
    from astropy.io import fits

    hdus = [fits.PrimaryHDU()]
    for part, kind in network_records.PARTS.items():
        columns = ("target", "instrument", *(field.name for field in fields(kind)))
        rows = [
            {"target": network.target, "instrument": network.instrument, **asdict(record)}
            for network in networks
            for record in getattr(network, part)
        ]
        write_csv(csv_paths[part], rows, columns)
        hdus.append(table_hdu(part.upper(), rows, columns, forms_of(kind), units_of(kind)))
    with atomic_write(fits_path) as temporary:
        fits.HDUList(hdus).writeto(temporary, overwrite=True)


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
