"""Advice is given where something better is known, once for all targets, and nowhere else."""

import re

import pytest
from made import make_fit, make_image

from anchoring.advice import advice
from anchoring.planning.companions import labels_of

USUAL = {"estimator": "errors_in_variables", "prefer": "order", "solution": "tree"}


def internal(label="F770W", **known):
    return make_fit(label, kind="internal", resolution="f2100w", **known)


def told(fits, *, band="F770W", there=(), maps=True, targets=("a",), **settings):
    """Advice on images with these fits, the first of which is chosen; `maps`: noise maps are there."""
    known = {"band": band, "chosen": 0, "status": "anchored"}
    solved = [make_image(*fits, target=target, image=target, **known) for target in targets]
    pairs = [{"label": fit.label, "noise": None, "error": "err.fits" if maps else None} for fit in fits]
    mosaics = [{"image": target, "there": list(there), "pairs": pairs} for target in targets]
    return advice(mosaics, solved, **{**USUAL, **settings})


IRAC4, W3 = make_fit("irac4_atgauss4"), make_fit("w3_atgauss15")
MISSING = make_fit("irac4_atgauss4", status="skipped")


@pytest.mark.parametrize(
    "given",
    [
        {"fits": [IRAC4, W3]},
        {"fits": [IRAC4, W3], "estimator": "binned", "maps": False},  # it needs no noise
        {"fits": [IRAC4], "there": ["w3_atgauss15", "irac4_atgauss4", "notes", "err"]},
        {"fits": [W3, MISSING]},
        {"fits": [W3, IRAC4], "prefer": "smallest_error"},
        {"fits": [make_fit("w1_atgauss7p5")], "band": "F300M", "there": ["irac1_atgauss4"]},  # about as good
        {"fits": [make_fit("mips24"), internal()], "band": "F2100W"},
        {"fits": [internal(), make_fit("mips24")], "band": "F2100W", "prefer": "smallest_error"},
        {"fits": [internal()], "band": "F2100W", "solution": "adjustment"},
        {"fits": [internal()], "band": "F1000W"},
    ],
)
def test_there_is_no_advice_where_nothing_better_is_known(given):
    assert told(**given) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fits": [W3], "there": ["irac4_atgauss4"]}, "put irac4_atgauss4 first in external_bands"),
        ({"fits": [W3, IRAC4]}, "F770W of a would be anchored on w3_atgauss15, and irac4_atgauss4 is there"),
        ({"fits": [W3], "estimator": "binned"}, "estimator: errors_in_variables"),
        ({"fits": [IRAC4, W3], "maps": False}, "The noise of irac4_atgauss4, w3_atgauss15 is measured on blank sky"),
        ({"fits": [internal()], "band": "F2100W"}, "{target}_mips24.fits or {target}_w4_atgauss15.fits in ref_dir"),
        ({"fits": [internal(), make_fit("mips24")], "band": "F2100W"}, "external_bands: {F2100W: [mips24, ref_band]}"),
        ({"fits": [internal()], "band": "F2100W", "there": ["w4_atgauss20"]}, "[w4_atgauss20, ref_band]"),
    ],
)
def test_what_is_better_is_said_once_for_all_targets(given, words):
    (sentence,) = told(**given)
    assert words in sentence
    (of_all,) = told(**given, targets=[f"ngc{n}" for n in range(74)])
    assert of_all == re.sub(r"\bof a\b", "of 74 targets", sentence)


def test_all_references_of_a_target_are_found_without_their_noise_maps(tmp_path):
    for name in ("a_mips24.fits", "a_w1_atgauss7p5.fits.gz", "a_w1_atgauss7p5_err.fits", "ab_w3.fits", "a_notes.txt"):
        (tmp_path / name).touch()
    assert labels_of(tmp_path, "a") == ["mips24", "w1_atgauss7p5"]
    assert labels_of(tmp_path / "none", "a") == []
