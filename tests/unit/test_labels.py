"""Labels and resolutions in all their spellings."""

import pytest

from anchoring.labels import gaussian_fwhm, normalised, resolution_of, split_label, value_for, value_for_pair


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("gauss1", ["gauss1p00", "gauss1.0", "GAUSS1", "Gauss01"]),
        ("gauss7p5", ["gauss7.5", "gauss7.50", "GAUSS7P50"]),
        ("gauss0p9", ["gauss0.9", "gauss00.90"]),
        ("w3_atgauss15", ["W3_atgauss15.0", "w3_ATgauss15p0"]),
        ("f2100w", ["F2100W"]),
        ("mips24", ["MIPS24", "mips24.0"]),
    ],
)
def test_names_of_one_resolution(name, same):
    assert {normalised(other) for other in (name, *same)} == {name}


def test_names_of_other_resolutions():
    names = ["gauss1", "gauss10", "gauss1p1", "gauss1p01", "gauss0p1", "gauss", "f150w", "f150w2", "irac1", "w1"]
    assert len({normalised(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("label", "parts", "resolution", "fwhm"),
    [
        ("irac4_atgauss4", ("irac4", "gauss4"), "gauss4", 4.0),
        ("W3_ATgauss7.50", ("W3", "gauss7.50"), "gauss7p5", 7.5),
        ("mips24", ("mips24", ""), "mips24", None),
        ("a_at_b_atf2100w", ("a_at_b", "f2100w"), "f2100w", None),
        ("_at", ("_at", ""), "_at", None),
    ],
)
def test_labels_taken_apart(label, parts, resolution, fwhm):
    assert split_label(label) == parts
    assert resolution_of(label) == resolution
    assert gaussian_fwhm(resolution) == fwhm


def test_values_are_found_by_any_spelling_of_a_label_with_or_without_its_resolution():
    assert value_for({"W3": 1}, "w3_atgauss15") == 1
    assert value_for({"w3": 1, "w3_atgauss15.0": 2}, "W3_atgauss15") == 2
    assert value_for({"w3_atgauss7p5": 1}, "w3_atgauss15") is None


def test_values_of_a_pair_come_before_those_of_its_reference():
    settings = {"w3": 1, "F770W/W3_atgauss15.0": 2, "f1000w/F770W": 3}
    assert value_for_pair(settings, "F770W", "w3_atgauss15") == 2
    assert value_for_pair(settings, "F560W", "w3_atgauss15") == 1
    assert value_for_pair(settings, "F1000W", "F770W") == 3
    assert value_for_pair(settings, "F1130W", "F770W") is None
    assert value_for_pair({}, "F770W", "irac4") is None
