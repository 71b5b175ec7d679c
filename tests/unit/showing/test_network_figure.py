"""The words and the figure of a network, its tables, and its place on the page."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table
from made import make_image
from pages import Page

from anchoring.showing.layout import save_figure
from anchoring.showing.network_figure import networks_figure
from anchoring.showing.network_text import network_words
from anchoring.showing.page import survey, write_page
from anchoring.showing.tables import write_networks
from anchoring.solving.network_records import (
    PARTS,
    Covariance,
    Network,
    NetworkImage,
    NetworkPair,
    NetworkReference,
)


def reference(label, w, **more):
    known = {
        "n_pairs": 3,
        "reference_zero_err": 0.02,
        "zero": 0.03 * w,
        "zero_err": 0.02,
        "detectable": 0.12,
        "alike": 0.5,
    }
    return NetworkReference(reference=label, w=w, **{**known, "alike": 0.5, "alike_with": "w2_atgauss7p5", **more})


def made(*references, **known):
    images = [
        NetworkImage(band="F335M", name="b", image="b.fits", offset=-0.2, offset_err=0.01, offset_sys=0.02),
        NetworkImage(band="F300M", name="a", image="a.fits", offset=0.3, offset_err=0.01, offset_sys=0.02),
        NetworkImage(band="F444W", name="c", image="c.fits", reason="no pair connects it"),
    ]
    pairs = [
        NetworkPair(band="F300M", name="a", reference=r.reference, label=r.reference, kind="external", slope=0.9,
                    intercept=-0.3, residual=0.01, residual_err=0.004)
        for r in references
    ]  # fmt: skip
    pairs.append(NetworkPair(band="F335M", name="b", reference="a", label="F300M", kind="internal", reason="no pixels"))
    covariances = [Covariance(band_1="F300M", name_1="a", band_2="F335M", name_2="b", covariance=1e-4, correlation=0.5)]
    usual = {"target": "ngc0628", "instrument": "nircam", "solution": "tree"}
    return Network(**{**usual, **known}, images=images, pairs=pairs, references=references, covariances=covariances)


FOUR = [reference(f"{name}_atgauss4", w) for name, w in (("irac1", 0.5), ("w1", -0.3), ("irac2", 0.1), ("w2", 1.0))]
SUSPECT = made(reference("irac1_atgauss4", 6.0, suspect=True), *FOUR[1:])


def test_words_say_who_is_suspect_and_what_to_do():
    words = " ".join(network_words(SUSPECT, True))
    assert "IRAC1 is suspect: by all others, its zero level is 0.180 ± 0.020 MJy/sr too high." in words
    assert "6.0 times its expected error; next is W2 with 1.0" in words
    assert "take it out of external_bands" in words
    assert "F444W c: no pair connects it." in words


@pytest.mark.parametrize(
    ("network", "expected", "never"),
    [
        (made(*FOUR), "The 4 references agree within their errors.", "suspect"),
        (made(*FOUR), "IRAC1 from 0.12", "suspect"),
        (
            made(*(replace(r, w=6 * r.w) for r in FOUR), disagree=True),
            "The references disagree by more than",
            "suspect",
        ),
        (made(*FOUR[:2], disagree=True), "Of two references, neither can be named.", "suspect"),
        (made(*(replace(r, reference_zero_err=None) for r in FOUR)), "set reference_zero_err for all", "suspect"),
        (made(replace(FOUR[0], w=None, zero=None)), "With one reference, nothing tells", "agree"),
        (made(), "No pair on an external reference could be fitted.", "agree"),
    ],
)
def test_words_say_no_more_than_is_known(network, expected, never):
    words = " ".join(network_words(network, True))
    assert expected in words
    assert never not in words


def test_a_zero_that_is_too_low_is_said_so():
    low = made(reference("irac1_atgauss4", -6.0, suspect=True), *FOUR[1:])
    assert "0.180 ± 0.020 MJy/sr too low" in " ".join(network_words(low, True))


def test_the_figure_shows_every_node_and_colours_every_pair():
    figure = networks_figure([SUSPECT, replace(SUSPECT, instrument="miri")], [["Some words."]] * 2, True)
    axes = figure.axes[0]
    shown = " ".join(text.get_text() for text in axes.texts)
    for words in ("IRAC1", "0.180 ± 0.020", "w = 6.0", "F300M", "0.300 ± 0.022", "depends on no reference"):
        assert words in shown
    arrows = [text.arrow_patch for text in axes.texts if getattr(text, "arrow_patch", None)]
    assert len(arrows) == len(SUSPECT.pairs)
    assert {arrow.get_linestyle() for arrow in arrows} == {"solid", ":"}
    # Bands are in the order of their wavelengths.
    places = {text.get_text().split("\n")[0]: text.get_position()[0] for text in axes.texts if text.get_text()}
    assert places["F300M"] < places["F335M"] < places["F444W"]


def test_the_figure_is_the_same_every_time(tmp_path):
    for name in ("a.png", "b.png"):
        save_figure(networks_figure([SUSPECT], [["Words."]], True), [tmp_path / name])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_tables_have_units(tmp_path):
    write_networks([SUSPECT], tmp_path / "a.fits", {part: tmp_path / f"{part}.csv" for part in PARTS})
    covariances = Table.read(tmp_path / "a.fits", hdu="COVARIANCES")
    assert covariances["covariance"].unit.to_string() == "MJy2 / sr2"
    assert float(covariances["covariance"][0]) == 1e-4
    assert np.ma.is_masked(covariances["statistical"][0])
    images = Table.read(tmp_path / "a.fits", hdu="IMAGES")
    assert list(images["band"]) == ["F335M", "F300M", "F444W"]
    assert str(images["offset"].unit) == "MJy / sr"
    text = (tmp_path / "references.csv").read_text().splitlines()
    assert text[0].startswith("target,instrument,reference,n_pairs,reference_zero_err,zero,zero_err,w,detectable")
    assert len(text) == 5


def test_the_page_shows_the_network_of_its_target(tmp_path):
    record = make_image(status="skipped", reason="no kernel", band="F300M", instrument="nircam")
    write_page(tmp_path / "a.html", "survey.html.jinja", version="1", **survey([record], [], True, [SUSPECT]))
    page = Page((tmp_path / "a.html").read_text())
    assert "irac1_atgauss4 is suspect" in page.text
    assert "IRAC1 is suspect: by all others" in page.text
    assert "ngc0628/ngc0628_network.png" in page.links
    write_page(tmp_path / "a.html", "survey.html.jinja", version="1", **survey([record], [], True))
    assert "Network" not in Page((tmp_path / "a.html").read_text()).text
