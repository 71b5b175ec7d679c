"""Tables of a run hold the offsets that were solved, whatever the files of the images are called."""

import numpy as np
from astropy.io import fits
from astropy.table import Table
from made import make_fit, make_image

from anchoring.showing.tables import FIT_COLUMNS, SUMMARY_COLUMNS, fit_rows, image_rows, write_ecsv, write_fits
from anchoring.solving.offsets import solve_external, solve_internal
from anchoring.solving.records import final

ERRORS = dict.fromkeys(("slope_err", "intercept_err", "slope_sys", "intercept_sys"), 0.1)
ERRORS |= dict.fromkeys(("covariance", "covariance_sys"), 0.0)


def image(band, *fits):
    """An image of a band; all files of the target have one name."""
    return make_image(*fits, band=band, name="mosaic", image=f"{band}/lv3/mosaic_i2d_align.fits")


def fit(kind, label, slope, intercept):
    reference = "mosaic" if kind == "internal" else label
    line = {"slope": slope, "intercept": intercept, "n_pixels": 9}
    return make_fit(label, kind=kind, reference=reference, **line, **ERRORS)


def solved_images():
    external = solve_external(image("F770W", fit("external", "irac4", 1.0, -0.5), fit("external", "w3", 1.0, -0.4)))
    anchors = {("F770W", "mosaic"): external}
    bands = {"F1000W": (2.0, 0.1), "F2100W": (0.5, -0.2)}
    return [
        external,
        *(solve_internal(image(b, fit("internal", "F770W", *line)), anchors) for b, line in bands.items()),
    ]


def test_every_row_has_the_offset_of_its_own_fit():
    records = final(solved_images(), [])
    assert [record.offset for record in records] == [2.0 * 0.5 - 0.1, 0.5 * 0.5 + 0.2, 0.5]
    assert sorted(row["offset"] for row in fit_rows(records)) == sorted([0.5, 0.4, 0.9, 0.45])
    assert {row["band"]: row["offset"] for row in image_rows(records)} == {"F770W": 0.5, "F1000W": 0.9, "F2100W": 0.45}


def test_an_image_that_is_skipped_has_a_record_like_any_other():
    reason = "instrument miri has no ref_band"
    known = {name: getattr(image("F560W"), name) for name in ("target", "band", "image", "name", "instrument")}
    records = final(solved_images(), [{**known, "reason": reason}])
    (skipped,) = [record for record in records if record.band == "F560W"]
    assert (skipped.status, skipped.offset, skipped.chosen) == ("skipped", None, None)
    both = [
        {row["reason"] for row in rows if row["status"] == "skipped"}
        for rows in (fit_rows(records), image_rows(records))
    ]
    assert both == [{reason}, {reason}]


def test_a_table_says_the_unit_and_the_kind_of_its_columns(tmp_path):
    write_fits(tmp_path / "tab.fits", fit_rows(solved_images()))
    columns = {column.name: column for column in fits.getdata(tmp_path / "tab.fits").columns}
    assert list(columns) == list(FIT_COLUMNS)
    assert {name: columns[name].format for name in ("slope", "n_bins", "n_pixels")} == {
        "slope": "D",
        "n_bins": "J",
        "n_pixels": "K",
    }
    assert (columns["range_min"].unit, columns["shift"].unit, columns["slope"].unit) == ("MJy/sr", "arcsec", None)


def test_an_ecsv_table_has_units_descriptions_and_what_is_missing(tmp_path):
    reason = "no kernel: expected one"
    skipped = {name: getattr(image("F560W"), name) for name in ("target", "band", "image", "name", "instrument")}
    records = final(solved_images(), [{**skipped, "reason": reason}])
    for rows, columns in ((fit_rows(records), FIT_COLUMNS), (image_rows(records), SUMMARY_COLUMNS)):
        write_ecsv(tmp_path / "tab.ecsv", rows, columns)
        table = Table.read(tmp_path / "tab.ecsv")
        assert table.colnames == list(columns)
        assert all(table[column].description for column in columns)
        assert str(table["intercept"].unit) == "MJy / sr"
        (without,) = table[table["reason"] == reason]
        assert without["offset"] is np.ma.masked
        assert [row["offset"] for row in rows if row.get("offset") is not None] == list(table["offset"].compressed())
