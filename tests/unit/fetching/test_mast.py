"""Mosaics at MAST: which are taken, under which names, and what answers that are none lead to."""

import io
import json

import numpy as np
import pytest
from archive_server import Server, body, cut, hang_up, ranged, status, table
from astropy.io import fits

from fetching.download import FetchError, Patience
from fetching.mast import API, DOWNLOAD, band_of, fetch_mosaics, find_mosaics

QUICK = Patience(tries=2, wait=0.0, timeout=20.0)
OBSERVATIONS = [
    {"obsid": 11, "target_name": "NGC-0628"},
    {"obsid": 12, "target_name": "NGC1365"},
    {"obsid": 13, "target_name": "ngc0628"},
]
NAMES = (
    "jw02107-o039_t018_miri_f770w_i2d.fits",
    "jw02107-o040_t018_nircam_clear-f300m_i2d.fits",
    "jw02107-o040_t018_nircam_clear-f300m_segm.fits",
    "jw02107040001_02101_00001_nrcalong_i2d.fits",
    "jw02107-o039_t018_miri_f770w_i2d.jpg",
)
PRODUCTS = [{"productFilename": name, "dataURI": f"mast:JWST/product/{name}"} for name in NAMES]


def content():
    file = io.BytesIO()
    fits.PrimaryHDU(np.ones((60, 50), np.float32)).writeto(file)
    return file.getvalue()


@pytest.fixture
def server():
    with Server() as server:
        server.answers[f"/{API}"] = [table(*OBSERVATIONS), table(*PRODUCTS)]
        yield server


def found(server, names=("NGC 628", "NGC0628"), bands=None, programmes=(2107,)):
    return find_mosaics(server.url, programmes, names, bands, QUICK)


def test_mosaics_of_the_target_are_found_each_once(server):
    mosaics = found(server)
    assert [(m.observation, m.instrument, m.band) for m in mosaics] == [
        ("jw02107-o039", "miri", "f770w"),
        ("jw02107-o040", "nircam", "f300m"),
    ]
    assert mosaics[0].address == f"{server.url}/{DOWNLOAD}?uri=mast:JWST/product/{NAMES[0]}"
    first, second = (json.loads(form["request"][0]) for _, form, _ in server.requests)
    assert {"paramName": "proposal_id", "values": ["2107", "02107"]} in first["params"]["filters"]
    assert second["params"] == {"obsid": "11,13"}


def test_only_the_bands_that_are_asked_for(server):
    assert [m.band for m in found(server, bands=["f300m"])] == ["f300m"]


@pytest.mark.parametrize(
    ("filters", "band"),
    [("f770w", "f770w"), ("clear-f300m", "f300m"), ("f444w-f470n", "f470n"), ("f150w2-f162m-sub160", "f162m"),
     ("clear", None)],
)  # fmt: skip
def test_the_band_is_the_narrowest_filter(filters, band):
    assert band_of(filters) == band


def test_they_are_written_into_the_layout_of_the_workflow(server, tmp_path):
    server.answers[f"/{DOWNLOAD}"] = [status(429, Retry_After=0), body(content())]
    config = {"in_dir": str(tmp_path), "in_subdir": "lv3", "in_step_ext": "i2d", "fetch": {"mast": server.url}}
    paths = fetch_mosaics(config, "ngc628", {"programme": 2107, "target": ["NGC0628"]}, QUICK)
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "ngc628/F770W/lv3/ngc628_miri_lv3_f770w_jw02107-o039_i2d.fits",
        "ngc628/F300M/lv3/ngc628_nircam_lv3_f300m_jw02107-o040_i2d.fits",
    ]
    assert all(path.read_bytes() == content() for path in paths)


def test_a_mosaic_that_fails_leaves_no_file_and_the_next_command_continues_it(server, tmp_path):
    config = {"in_dir": str(tmp_path), "in_subdir": "lv3", "in_step_ext": "i2d", "bands": ["F770W"]}
    config["fetch"] = {"mast": server.url}
    server.answers[f"/{DOWNLOAD}"] = [cut(content(), 5000, ETag='"one"'), status(503)]
    with pytest.raises(FetchError, match="status 503"):
        fetch_mosaics(config, "ngc628", {"programme": 2107, "target": "NGC0628"}, QUICK)
    assert not list(tmp_path.rglob("*.fits"))
    server.answers[f"/{API}"] = [table(*OBSERVATIONS), table(*PRODUCTS)]
    server.answers[f"/{DOWNLOAD}"] = [ranged(content(), ETag='"one"')]
    (path,) = fetch_mosaics(config, "ngc628", {"programme": 2107, "target": "NGC0628"}, QUICK)
    assert path.read_bytes() == content()
    assert server.requests[-1][2] == "bytes=4096-"


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([table()], "no image of NGC 628, NGC0628 in programme 2107.*it has none"),
        ([table(OBSERVATIONS[1])], "expected one of its targets: NGC1365"),
        ([table(*OBSERVATIONS), table(*PRODUCTS[2:])], "no level-3 mosaic"),
        ([table(status="ERROR", message="no such column")], "refused Mast.Caom.Filtered.*no such column"),
        ([table(status="EXECUTING")], "did not finish Mast.Caom.Filtered in 2 tries"),
        ([body(b"<html>maintenance</html>", "text/html")], "gave no table.*<html>"),
        ([body(b"[]", "application/json")], "gave no table"),
        ([status(503)], "status 503"),
        ([status(404)], "status 404"),
        ([hang_up], "did not answer"),
    ],
)
def test_an_answer_that_is_no_table_of_mosaics_is_named(server, answers, message):
    server.answers[f"/{API}"] = answers
    with pytest.raises(FetchError, match=message) as caught:
        found(server)
    assert server.url in str(caught.value)


def test_a_request_that_is_not_finished_is_made_again(server):
    server.answers[f"/{API}"] = [table(status="EXECUTING"), table(*OBSERVATIONS), table(*PRODUCTS)]
    assert len(found(server)) == 2
