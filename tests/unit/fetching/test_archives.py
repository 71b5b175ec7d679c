"""Queries of archives: which images are taken, and what answers that are none lead to."""

import pytest
from archive_server import Server, body, cut, hang_up, status, votable

from anchoring.images.field import Field
from fetching.archives import irsa_images, unwise_cutout
from fetching.download import FetchError

FIELD = Field(24.17, -15.78, 90.0, 600.0)
W3, W1 = (7.5e-6, 17e-6), (2.8e-6, 3.9e-6)


@pytest.fixture
def server():
    with Server() as server:
        yield server


def asked(server, answer, band="W3", source="allwise"):
    server.answers["/SIA/query"] = [answer]
    return irsa_images(f"{server.url}/SIA", source, band, FIELD)


def test_images_of_the_band_are_taken_cut_to_the_field(server):
    rows = [
        (f"{server.url}/0138m107_ac51-w3-int-3.fits", "science", *W3),
        (f"{server.url}/0138m107_ac51-w3-unc-3.fits.gz", "science", *W3),
        (f"{server.url}/0138m107_ac51-w3-cov-3.fits.gz", "auxiliary", *W3),
        (f"{server.url}/0138m107_ac51-w1-int-3.fits", "science", *W1),
        (f"{server.url}/preview.jpg", "science", *W3),
    ]
    found = asked(server, body(votable(rows), "application/x-votable+xml"))
    (name, address), *others = found.items()
    assert not others
    assert name == "0138m107_ac51-w3-int-3.fits"
    assert address == (
        f"{server.url}/0138m107_ac51-w3-int-3.fits?center=24.170000%2C-15.780000&size=1200arcsec&gzip=false"
    )
    with_maps = irsa_images(f"{server.url}/SIA", "allwise", "W3", FIELD, "-unc-")
    assert list(with_maps) == [name, "0138m107_ac51-w3-unc-3.fits"]
    query = next(query for path, query, _ in server.requests if path == "/SIA/query")
    assert query["COLLECTION"] == ["wise_allwise"]
    assert query["POS"][0].startswith("CIRCLE 24.17 -15.78 0.025")
    assert float(query["BAND"][0].split()[0]) == pytest.approx(11.5608e-6)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (body(votable(), "application/x-votable+xml"), "has no W3 image of wise_allwise"),
        (body(votable((), "ERROR", "no such collection"), "application/x-votable+xml"), "no such collection"),
        (body(b"<html>maintenance</html>", "text/html"), "did not answer a query"),
        (body(votable()[:200], "application/x-votable+xml"), "did not answer a query"),
        (cut(votable(), 200), "did not answer a query"),
        (status(500), "did not answer a query"),
        (status(503), "did not answer a query"),
        (hang_up, "did not answer a query"),
    ],
)
def test_an_answer_that_is_no_table_of_images_is_named(server, answer, message):
    with pytest.raises(FetchError, match=message) as caught:
        asked(server, answer)
    assert server.url in str(caught.value)


def test_a_band_without_a_wavelength_is_refused_before_anybody_is_asked(server):
    with pytest.raises(FetchError, match="band K9 has no known wavelength"):
        asked(server, status(500), band="K9")
    assert server.requests == []


def test_the_cutout_of_unwise_and_its_images():
    address, is_image = unwise_cutout("http://x/?ra={ra}&dec={dec}&size={size}&bands={band}", "W3", FIELD)
    assert address == "http://x/?ra=24.170000&dec=-15.780000&size=436&bands=3"
    assert is_image("unwise-0242m152-w3-img-m.fits")
    assert not is_image("unwise-0242m152-w3-std-m.fits.gz")
    assert not is_image("unwise-0242m152-w1-img-m.fits")
    assert unwise_cutout("http://x/", "W3", FIELD, "-std-m")[1]("unwise-0242m152-w3-std-m.fits.gz")
