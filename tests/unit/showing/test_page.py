"""The page of a survey and the tables to sort: every image is there, its links lead somewhere, the worst come first."""

import csv
import itertools
import re
from dataclasses import replace
from urllib.parse import unquote

import pytest
from docutils.core import publish_parts
from docutils.writers.html4css1 import Writer
from made import make_fit, make_image
from pages import Page

import show_table
from anchoring.files.made_kernels import Origin
from anchoring.files.made_references import Origin as ReferenceOrigin
from anchoring.images.kernel_quality import Quality
from anchoring.showing.page import survey, table, write_page
from anchoring.showing.text import fits_caption, image_caption, restructured, signed, write_caption

MARKED = re.compile(r'<details data-target="([^"]+)" data-band="(\w+)" data-marks="([\w ]+)">')
REASON = "irac4_atgauss4: no pixels of the reference in [0.25, 2] MJy/sr; expected <some>"
FIT = make_fit(
    slope=0.9954, slope_err=0.0022, intercept=-0.6619, intercept_err=0.0020, covariance=0.0, rms=0.005, n_bins=17,
    n_pixels=23610, n_independent=776.4, range_min=0.25, range_max=2.0,
)  # fmt: skip


def make_record(target, band, status="anchored", *, reason="", tile="", **changes):
    name = f"{target}_miri_lv3_{band.lower()}{tile}"
    known = {"target": target, "band": band, "name": name, "image": f"data/{name}_i2d_align.fits"}
    fits = [FIT if status == "anchored" else replace(FIT, slope=None, status=status, reason=reason)]
    if status == "anchored":
        solved = {"offset": 0.6619, "offset_err": 0.0020, "offset_sys": 0.0, "chosen": 0, "reference": FIT.label}
        known |= solved
    return make_image(**{**known, "fits": fits, "status": status, "reason": reason, **changes})


def figures_of(records):
    return [
        {
            "image": record.image,
            "picture": f"{record.target}/{record.band}/{record.name}_before_after",
            "fit": f"{record.target}/{record.band}/{record.name}_fit",
            "references": ["irac4_atgauss4"],
        }
        for record in records
    ]


def page_of(records, folder, figures=None):
    placed = figures_of(records) if figures is None else figures
    values = survey(records, placed, True)
    write_page(folder / "index.html", "survey.html.jinja", version="1.2.3", **values)
    return Page((folder / "index.html").read_text())


TARGETS = ("ngc0628", "eso097-013", "m 83", """<b>"x'&#%?é""")


@pytest.fixture
def records():
    """Four targets with awkward names in two bands; one image failed, one flagged, one skipped, one band in tiles."""
    records = [make_record(target, band) for target in TARGETS for band in ("F1000W", "F770W")]
    records[0] = make_record("ngc0628", "F1000W", "skipped", reason="no kernel kernels/a.fits")
    records[2] = replace(records[2], fits=[replace(FIT, flags=["references_disagree"])])
    records[5] = make_record("m 83", "F770W", "failed", reason=REASON)
    return [*records, make_record("ngc0628", "F770W", tile="_west")]


def test_kernels_that_were_made_and_one_that_could_not_be(tmp_path):
    quality = Quality(0.0007, 0.25, 3e-4, 1e-4, 0.99, 0.25, 0.69)
    origin = Origin(quality, ("f770w.fits", "ab"), ("f2100w.fits", "cd"), False, ("kernel_lobes",))
    kernels = [
        {"name": "f770w_to_f2100w", "figure": "kernels/a b.png", "origin": origin, "reason": ""},
        {"name": "f560w_to_f2100w", "figure": "kernels/b.png", "origin": None, "reason": "no PSF <here>"},
    ]
    write_page(tmp_path / "index.html", "survey.html.jinja", version="1", **survey([], [], True, kernels=kernels))
    page = Page((tmp_path / "index.html").read_text())
    (table,) = page.tables[-1:]
    assert table[1:] == [
        ["f560w_to_f2100w", "no PSF <here>"],
        ["f770w_to_f2100w", "f770w.fits", "f2100w.fits", "0.25", "0.69", "0.0007", "0.25", "0.0003", "0.99",
         "kernel_lobes"],
    ]  # fmt: skip
    assert {"kernels/a%20b.png", "kernels/b.png", "#kernels"} <= set(page.links)


def test_references_that_were_made_are_shown_with_their_skies(records, tmp_path):
    units = ("counts = 0.0017259 MJy/sr (MAGZP 22.5)",)
    origin = ReferenceOrigin(
        ("a.fits", "b.fits"), units, "plane", 0.1234, 0.0012, 0.83, "w1_to_gauss7p5.fits", ("odd",)
    )
    references = [
        {"target": "m 83", "label": "w1_atgauss7p5", "figure": "references/m 83_w1_sky.png", "origin": origin,
         "reason": ""},
        {"target": "ngc0628", "label": "irac4_atgauss4", "figure": "references/x_sky.png", "origin": None,
         "reason": "no <unit>"},
        {"target": "ngc0628", "label": "w3", "figure": "references/y_sky.png", "reason": "",
         "origin": origin._replace(sky="none", flags=())},
    ]  # fmt: skip
    values = survey(records, [], True, references=references)
    write_page(tmp_path / "index.html", "survey.html.jinja", version="1", **values)
    page = Page((tmp_path / "index.html").read_text())
    (rows,) = (table[1:] for table in page.tables if table[0][1:3] == ["reference", "sky"])
    assert rows == [
        ["m 83", "W1 (gauss7p5)", "sky 0.1234 ± 0.0012 MJy/sr (plane, 83% of the field)", "odd", "a.fits and 1 more",
         *units, "w1_to_gauss7p5.fits"],
        ["ngc0628", "W3", "with its own zero level", "", "a.fits and 1 more", *units, "w1_to_gauss7p5.fits"],
        ["ngc0628", "IRAC4 (gauss4)", "no <unit>"],
    ]  # fmt: skip
    assert {image["src"] for image in page.images} == {
        "references/m%2083_w1_sky.png", "references/x_sky.png", "references/y_sky.png"
    }  # fmt: skip
    assert all(link[1:] in page.ids for link in page.links if link.startswith("#"))
    assert "Flags: odd." in page.text


def test_every_image_is_in_the_survey_and_leads_to_its_figures(records, tmp_path):
    page = page_of(records, tmp_path)
    matrix, offsets, missing = page.tables
    assert matrix[0] == ["target", "F770W", "F1000W"]
    assert sorted(row[0] for row in matrix[1:]) == sorted(TARGETS)
    cells = {row[0]: [" ".join(cell.split()) for cell in row[1:]] for row in matrix[1:]}
    assert cells["ngc0628"] == ["✓anchored, +0.66 331σ✓anchored, +0.66 331σ", "–skipped, skipped"]
    assert cells["m 83"] == ["✗failed, failed", "✓anchored, +0.66 331σ"]
    assert cells["eso097-013"] == ["✓anchored, +0.66 331σ", "⚠flagged, +0.66 331σ"]
    assert len(offsets) == 1 + 7
    assert len(missing) == 1 + 2
    assert all(link[1:] in page.ids for link in page.links if link.startswith("#"))
    addressed = {unquote(link) for link in page.links if not link.startswith(("#", "data:"))}
    for figure in figures_of(records):
        assert {f"{figure['picture']}.png", f"{figure['fit']}.png", f"{figure['fit']}.pdf"} <= addressed
    assert len(addressed) == 3 * len(records)
    for record in records:
        assert f"{record.target}/{record.band}/{record.name}" in map(unquote, page.ids)


def test_references_are_compared_where_there_are_several(tmp_path):
    page = page_of([make_record("ngc0628", "F770W")], tmp_path)
    assert "The zero level of irac4_atgauss4 is taken as exact, which none is" in page.text
    known = dict.fromkeys(("offset_sys", "slope_sys", "intercept_sys", "covariance_sys"), 0.01)
    known |= {"offset_err": 0.002, "reference_zero_err": 0.02}
    fits = [
        replace(FIT, label=label, offset=0.66 + z, zero_reference=label, **known)
        for label, z in (("irac4_atgauss4", 0.1), ("w3_atgauss15", 0.0))
    ]
    page = page_of([make_record("ngc0628", "F770W", fits=fits)], tmp_path)
    assert "taken as exact" not in page.text
    table = next(table for table in page.tables if table[0][0] == "reference")
    assert [row[:4] for row in table[1:]] == [["IRAC4", "1", "1", "+0.1005"], ["W3", "1", "1", "−0.1005"]]


def test_what_filters_go_by_is_there_for_every_image(records, tmp_path):
    page_of(records, tmp_path)
    text = (tmp_path / "index.html").read_text()
    marks = {(target, band): words for target, band, words in MARKED.findall(text)}
    assert marks["eso097-013", "F1000W"] == "flagged references_disagree"
    assert (marks["m 83", "F770W"], marks["m 83", "F1000W"]) == ("failed", "anchored")
    assert len(MARKED.findall(text)) == len(records)
    assert re.findall(r'<option value="(\w*)">([^<]*)<', text) == [
        ("", "all"), ("failed", "✗ failed (1)"), ("flagged", "⚠ flagged (1)"), ("skipped", "– skipped (1)"),
        ("anchored", "✓ anchored (6)"), ("references_disagree", "references_disagree (1)"),
    ]  # fmt: skip
    assert re.findall(r'name="band" value="(\w+)"', text) == ["F770W", "F1000W"]
    columns = re.findall(r'<th scope="col" class="\w+" data-column="([^"]+)"', text)
    assert {"target", "band", "offset", "slope", "reason"} <= set(columns)
    # Without JavaScript neither filters nor a large picture are to be seen.
    assert re.search(r'<form id="filter"[^>]* hidden>', text)
    assert not re.search("<(dialog|details)[^>]* open", text)


def test_the_worst_come_first_with_their_reasons(records, tmp_path):
    page = page_of(records, tmp_path)
    first = page.text[page.text.index("Look at these first ✗") :]
    assert first.index("m 83 F770W : failed: " + REASON) < first.index("eso097-013 F1000W : +0.6619 ± 0.0020 MJy/sr")
    assert first.index("(references_disagree)") < first.index("ngc0628 F1000W : skipped: no kernel kernels/a.fits")
    offsets = page.tables[1]
    assert offsets[1][:2] == ["eso097-013", "F1000W"]
    assert "✗ 1 failed, ⚠ 1 anchored with flags, – 1 skipped, ✓ 6 anchored." in page.text


def test_nothing_of_a_users_names_becomes_part_of_the_page(records, tmp_path):
    page_of(records, tmp_path)
    text = (tmp_path / "index.html").read_text()
    assert "<b>" not in text
    assert "<some>" not in text
    assert not re.search(r"""(src|href)=.?(https?:|//)""", text)
    assert not re.search(r"@import|url\(", text)


def test_images_wait_until_they_are_looked_at_and_say_what_they_show(records, tmp_path):
    images = page_of(records, tmp_path).images
    assert len(images) == 2 * len(records)
    assert all(image["loading"] == "lazy" and image["width"] and image["height"] for image in images)
    assert any("m 83 F1000W on IRAC4: y = (0.9954 ± 0.0022) x − (0.6619 ± 0.0020)" in image["alt"] for image in images)


def test_an_image_without_figures_has_its_reason_alone(tmp_path):
    record = make_record("ngc0628", "F770W", "skipped", reason="instrument miri has no ref_band", fits=[])
    page = page_of([record], tmp_path, figures=[])
    assert not page.images
    assert "instrument miri has no ref_band" in page.text
    assert "No image is anchored." in page.text


def test_the_same_page_comes_from_records_in_any_order(records, tmp_path):
    page_of(records, tmp_path)
    before = (tmp_path / "index.html").read_bytes()
    page_of(records[::-1], tmp_path)
    assert (tmp_path / "index.html").read_bytes() == before


@pytest.mark.parametrize(("offset", "step"), [(0.002, "s0"), (-0.0061, "s1"), (0.03, "s2"), (-0.1, "s3"), (2.0, "s4")])
def test_colour_is_offset_in_units_of_its_error(offset, step):
    values = survey([make_record("a", "F770W", offset=offset)], [], True)
    ((image,),) = values["targets"][0]["cells"].values()
    assert image["step"] == step


def test_an_offset_without_an_error_has_no_colour():
    values = survey([make_record("a", "F770W", offset_err=float("nan"))], [], True)
    ((image,),) = values["targets"][0]["cells"].values()
    assert (image["step"], image["ratio"], image["words"]) == ("", "", "+0.6619 MJy/sr")


def test_offsets_have_a_sign():
    assert signed(-0.25) == "−0.2500"
    assert signed(0.25, 0.013) == "+0.250 ± 0.013"


def test_table_shows_columns_with_values_and_sorts_by_numbers():
    rows = [
        {"target": "a", "offset": "-0.123456", "n_pixels": "1234567", "flags": "x y"},
        {"target": "b", "offset": ""},
    ]
    shown = table(rows, without=("band",))
    assert [heading for heading, _, _ in shown["headings"]] == ["target", "flags", "offset", "pixels"]
    assert [kind for *_, kind in shown["headings"]] == ["text", "text", "number", "number"]
    (_, first), (_, second) = shown["rows"]
    assert first == [("a", "a"), ("x, y", "x, y"), ("−0.1235", "-0.123456"), ("1,234,567", "1234567.0")]
    assert second[1:] == [("", "")] * 3


def test_table_of_a_target_is_split_into_what_has_an_offset_and_what_has_none(tmp_path):
    columns = ("target", "ref_filter", "offset", "status", "reason")
    rows = [
        ("m 83", "<irac4>", 0.5, "anchored", ""),
        ("m 83", "w3", 0.4, "unused", ""),
        ("m 83", "w1", "", "skipped", "no"),
    ]
    with open(tmp_path / "tab.csv", "w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    show_table.main(tmp_path / "tab.csv", "m 83: fits", tmp_path / "tab.html")
    page = Page((tmp_path / "tab.html").read_text())
    solved, others = page.tables
    assert [row[1] for row in solved[1:]] == ["<irac4>", "w3"]
    assert others[1:] == [["m 83", "w1", "skipped", "no"]]
    assert [link for link in page.links if link != "data:,"] == []


def test_captions_say_what_was_fitted_and_survive_any_letters(tmp_path):
    fit = replace(FIT, flags=["few_bins"])
    record = make_record("m_83*", "F770W", fits=[fit])
    said = {
        "fit": fits_caption(record, [fit], True),
        "image": image_caption(record, fit, True),
    }
    for name, paragraphs in said.items():
        write_caption(tmp_path / f"{name}.rst", paragraphs)
        text = f".. include:: {tmp_path}/{name}.rst\n\nMore."
        shown = re.sub("<[^>]*>", " ", publish_parts(text, writer=Writer())["body"])
        assert "system-message" not in shown
        for words in ("m_83*: F770W", "IRAC4", "y = (0.9954 ± 0.0022) x − (0.6619 ± 0.0020) MJy/sr", "17 bins",
                      "23,610 pixels (776 independent) in [0.25, 2] MJy/sr", "flags: few_bins", "More."):  # fmt: skip
            assert words in shown
    assert "offset +0.6619 ± 0.0020 MJy/sr from IRAC4 at the resolution gauss4" in said["image"][0]
    failed = make_record("a", "F770W", "failed", reason=REASON)
    assert image_caption(failed, failed.fits[0], True)[1] == f"failed: {REASON}."


def test_restructured_text_reads_letter_by_letter():
    letters = "".join(map(chr, itertools.chain(range(33, 127), (0xB1, 0x2212, 0xE9))))
    shown = publish_parts(restructured(f"{letters} | *a* `b`_ c_ ::"), writer=Writer())["body"]
    for name, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&"), ("&#64;", "@")):
        shown = shown.replace(name, letter)
    assert f"{letters} | *a* `b`_ c_ ::" in shown


def test_a_gradient_that_was_fitted_is_said():
    plane = {"gradient_east": 0.0312, "gradient_east_err": 0.004, "gradient_north": -0.01, "gradient_north_err": 0.005}
    words = "gradient 0.0312 ± 0.0040 to the east, −0.0100 ± 0.0050 to the north, MJy/sr per arcmin, not subtracted"
    record = make_record("ngc0628", "F770W")
    assert words in fits_caption(record, [replace(FIT, **plane)], True)[1]
    assert "gradient" not in fits_caption(record, [FIT], True)[1]
