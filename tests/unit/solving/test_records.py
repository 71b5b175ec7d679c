"""Records come back from their file as they were, and say what follows from them."""

import math

from made import make_fit, make_image

from anchoring.solving import records


def test_what_is_written_is_read(tmp_path):
    fit = make_fit(slope=1.25, intercept=0.1, n_bins=17, used=[True, False], flags=["gradient"], closure=1e-17)
    image = make_image(
        fit, make_fit("w3", status="failed", reason="no", used=[], flags=[]), status="anchored", offset=-0.1, chosen=0
    )
    other = make_image(status="failed", reason="no pixels")
    records.write(tmp_path / "a.json", [image, other])
    records.write(tmp_path / "b.json", [image])
    first, second, third = records.read([tmp_path / "a.json", tmp_path / "b.json"])
    assert first == third
    assert (list(first.fits), second.reason) == (list(image.fits), "no pixels")
    assert (first.chosen_fit, first.flags) == (fit, ["gradient"])
    assert (second.chosen_fit, list(second.flags)) == (None, [])


def test_a_number_that_is_not_known_is_none_when_it_is_read(tmp_path):
    records.write(tmp_path / "a.json", [make_image(offset=0.1, offset_err=math.nan)])
    (image,) = records.read([tmp_path / "a.json"])
    assert image.offset_err is None


def test_the_error_of_an_offset_holds_both_of_its_parts():
    assert make_image(offset_err=3.0, offset_sys=4.0).error == 5.0
    assert make_image(offset_err=3.0, offset_sys=math.nan).error == 3.0
    assert make_image(offset_err=None).error is None


def test_every_number_of_a_fit_has_a_format_and_no_text_has():
    assert {"slope", "n_bins", "offset_sys", "range_min"} <= set(records.FORMS)
    assert not {"label", "reason", "flags", "noise"} & set(records.FORMS)
    assert set(records.UNITS.values()) == {"MJy/sr", "arcsec", "MJy sr-1 arcmin-1"}
