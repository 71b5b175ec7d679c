"""Tables of a run hold the offsets that were solved, whatever the files of the images are called."""

from anchoring.showing.tables import fit_rows, image_rows
from anchoring.solving.offsets import solve_external, solve_internal
from anchoring.solving.records import final

ERRORS = dict.fromkeys(("slope_err", "intercept_err", "slope_sys", "intercept_sys"), 0.1)
ERRORS |= dict.fromkeys(("covariance", "covariance_sys"), 0.0)


def image(band, *fits):
    """An image of a band; all files of the target have one name."""
    return {"target": "ngc0628", "band": band, "name": "mosaic", "image": f"{band}/lv3/mosaic_i2d_align.fits",
            "instrument": "miri", "fits": list(fits)}  # fmt: skip


def fit(kind, label, slope, intercept):
    return {"kind": kind, "label": label, "reference": "mosaic" if kind == "internal" else label, "status": "fitted",
            "reason": "", "resolution": "gauss4", "slope": slope, "intercept": intercept, "flags": [],
            "n_pixels": 9, **ERRORS}  # fmt: skip


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
    assert [record["offset"] for record in records] == [2.0 * 0.5 - 0.1, 0.5 * 0.5 + 0.2, 0.5]
    rows = {(row["compar_filter"], row["label"] if "label" in row else row["kind"], row["status"]): row["offset"]
            for row in fit_rows(records)}  # fmt: skip
    assert sorted(rows.values()) == sorted([0.5, 0.4, 0.9, 0.45])
    assert {row["band"]: row["offset"] for row in image_rows(records)} == {"F770W": 0.5, "F1000W": 0.9, "F2100W": 0.45}


def test_an_image_that_is_skipped_has_a_record_like_any_other():
    reason = "instrument miri has no ref_band"
    known = {key: value for key, value in image("F560W").items() if key != "fits"}
    records = final(solved_images(), [{**known, "reason": reason}])
    (skipped,) = [record for record in records if record["band"] == "F560W"]
    assert {*skipped} >= {*records[0]} - {"source"}
    assert (skipped["status"], skipped["offset"], skipped["chosen"]) == ("skipped", None, None)
    both = [
        {row["reason"] for row in rows if row["status"] == "skipped"}
        for rows in (fit_rows(records), image_rows(records))
    ]
    assert both == [{reason}, {reason}]
