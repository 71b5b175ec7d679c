"""Downloads: what networks and servers do wrong ends in a complete file or in none, and in a clear message."""

import gzip
import io
import json
import socket
import tarfile
import threading

import numpy as np
import pytest
from archive_server import Server, body, chunked_cut, cut, hang_up, ranged, silent, status
from astropy.io import fits

from fetching.download import FetchError, Patience, downloaded, fetch, fetch_members, is_complete

QUICK = Patience(tries=3, wait=0.0, timeout=20.0)


def image(seed=1, shape=(60, 50)):
    file = io.BytesIO()
    fits.PrimaryHDU(np.random.default_rng(seed).normal(size=shape).astype(np.float32)).writeto(file)
    return file.getvalue()


def table():
    file = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU()]).writeto(file)
    return file.getvalue()


CONTENT = image()
PAGE = b"<html>Service temporarily unavailable</html>"
TAG = {"ETag": '"one"'}


@pytest.fixture
def server():
    with Server() as server:
        yield server


@pytest.fixture
def url(server):
    return f"{server.url}/a.fits"


RECOVERED = {
    "at once": [body(CONTENT)],
    "too many requests": [status(429, Retry_After=0), body(CONTENT)],
    "not available": [status(503), status(503), body(CONTENT)],
    "bad gateway": [status(502), body(CONTENT)],
    "hangs up": [hang_up, body(CONTENT)],
    "cut, and continued": [cut(CONTENT, 5000, **TAG), ranged(CONTENT, **TAG)],
    "cut, twice continued": [cut(CONTENT, 9000, **TAG), status(503), ranged(CONTENT, **TAG)],
    "cut, without ranges": [cut(CONTENT, 5000), body(CONTENT)],
    "cut, and replaced by another": [cut(image(2), 5000, **TAG), body(CONTENT, ETag='"two"')],
    "a part from elsewhere": [cut(CONTENT, 5000, **TAG), ranged(CONTENT, start=7), body(CONTENT)],
    "nothing after what is there": [cut(CONTENT, 5000, **TAG), status(416), body(CONTENT)],
    "redirected": [status(302, Location="/b.fits")],
    "chunks that end": [chunked_cut(CONTENT[:4000]), body(CONTENT)],
}


@pytest.mark.parametrize("name", RECOVERED)
def test_what_passes_ends_as_a_complete_file(server, url, tmp_path, name):
    server.answers |= {"/a.fits": list(RECOVERED[name]), "/b.fits": [body(CONTENT)]}
    assert fetch(url, tmp_path / "new/a.fits", QUICK)
    assert (tmp_path / "new/a.fits").read_bytes() == CONTENT
    known = json.loads((tmp_path / "new/a.fits.json").read_text())
    assert (known["url"], known["bytes"]) == (url, len(CONTENT))
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"a.fits", "a.fits.json"}


def test_an_interrupted_download_continues_where_it_stopped(server, url, tmp_path):
    server.answers["/a.fits"] = [cut(CONTENT, 5000, **TAG), ranged(CONTENT, **TAG)]
    fetch(url, tmp_path / "a.fits", QUICK)
    assert [asked[2] for asked in server.requests] == [None, "bytes=4096-"]


FAULTS = {
    "not found": ([status(404)], "status 404"),
    "forbidden": ([status(403)], "status 403"),
    "too many requests, always": ([status(429, Retry_After=0)], "status 429.*3 tries"),
    "not available, always": ([status(503)], "status 503.*3 tries"),
    "broken": ([status(500)], "status 500.*3 tries"),
    "hangs up, always": ([hang_up], "3 tries.*ProtocolError"),
    "cut, always": ([cut(CONTENT, 5000)], "3 tries.*cut after|3 tries.*bytes"),
    "chunks without end": ([chunked_cut(CONTENT[:4000])], "3 tries.*cut after"),
    "parts from elsewhere": ([cut(CONTENT, 5000, **TAG), ranged(CONTENT, start=7), status(500)], "3 tries"),
    "a page": ([body(PAGE, "text/html")], "no FITS file.*<html>"),
    "a page that is called FITS": ([body(PAGE)], "no FITS file.*<html>"),
    "nothing": ([body(b"")], "no FITS file"),
    "a FITS file that is too short": ([body(CONTENT[:6000])], "damaged FITS file"),
    "a header only": ([body(CONTENT[:2000])], "damaged FITS file"),
    "a FITS file without an image": ([body(table())], "without an image"),
    "a damaged gzip file": ([body(gzip.compress(CONTENT)[:4000])], "damaged FITS file"),
    "a loop of redirections": ([status(302, Location="/a.fits")], "TooManyRedirects"),
    "a redirection to nowhere": ([status(302, Location="/nowhere.fits")], "status 404"),
    "a redirection to another protocol": ([status(302, Location="ftp://127.0.0.1/a.fits")], "InvalidSchema"),
    "an encoding that it is not": ([body(CONTENT, Content_Encoding="gzip")], "3 tries"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_fails_leaves_nothing_and_says_what_came(server, url, tmp_path, name):
    answers, message = FAULTS[name]
    server.answers["/a.fits"] = list(answers)
    with pytest.raises(FetchError, match=message) as caught:
        fetch(url, tmp_path / "a.fits", QUICK)
    assert str(caught.value).startswith(url)
    assert "expected" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(FetchError, match=r"3 tries.*NewConnectionError"):
        fetch(f"http://127.0.0.1:{port}/a.fits", tmp_path / "a.fits", QUICK)
    assert list(tmp_path.iterdir()) == []


def test_a_silent_server_counts_as_not_there(server, url, tmp_path):
    released = threading.Event()
    server.answers["/a.fits"] = [silent(released)]
    with pytest.raises(FetchError, match=r"2 tries.*Timeout"):
        fetch(url, tmp_path / "a.fits", Patience(tries=2, wait=0.0, timeout=0.1))
    released.set()
    assert list(tmp_path.iterdir()) == []


LEFT = {".a.fits.part", ".a.fits.part.json"}
DATED = {"Last_Modified": "Thu, 26 Nov 2026 08:00:00 GMT"}


def left_from_a_command_that_failed(server, url, folder, **validator):
    server.answers["/a.fits"] = [cut(CONTENT, 5000, **validator), status(503)]
    with pytest.raises(FetchError, match="status 503"):
        fetch(url, folder / "a.fits", QUICK)
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("validator", [TAG, DATED])
def test_the_next_command_continues_and_asks_for_the_rest_only(server, url, tmp_path, validator):
    assert left_from_a_command_that_failed(server, url, tmp_path, **validator) == LEFT
    known = json.loads((tmp_path / ".a.fits.part.json").read_text())
    assert known == {"url": url, "validator": next(iter(validator.values())), "bytes": len(CONTENT)}
    server.answers["/a.fits"] = [ranged(CONTENT, **validator)]
    assert fetch(url, tmp_path / "a.fits", QUICK)
    assert server.requests[-1][2] == "bytes=4096-"
    assert (tmp_path / "a.fits").read_bytes() == CONTENT
    assert {path.name for path in tmp_path.iterdir()} == {"a.fits", "a.fits.json"}


OTHER = image(2)
CHANGED = {
    "sent complete": [body(OTHER, ETag='"two"')],
    "ranges ignored": [body(OTHER, **TAG)],
    "continued all the same": [ranged(OTHER, ETag='"two"'), body(OTHER, ETag='"two"')],
    "continued without a validator": [ranged(OTHER), body(OTHER, ETag='"two"')],
    "of another size": [ranged(OTHER, size=7, **TAG), body(OTHER, ETag='"two"')],
    "shorter than what came": [status(416), body(OTHER, ETag='"two"')],
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_file_that_has_changed_in_between_is_fetched_from_its_start(server, url, tmp_path, name):
    left_from_a_command_that_failed(server, url, tmp_path, **TAG)
    server.answers["/a.fits"] = list(CHANGED[name])
    assert fetch(url, tmp_path / "a.fits", QUICK)
    assert (tmp_path / "a.fits").read_bytes() == OTHER


def test_what_came_from_another_address_or_is_not_described_is_not_continued(server, url, tmp_path):
    for spoil in (lambda known: known.replace("/a.fits", "/b.fits"), lambda known: known[:9]):
        left_from_a_command_that_failed(server, url, tmp_path, **TAG)
        known = tmp_path / ".a.fits.part.json"
        known.write_text(spoil(known.read_text()))
        server.answers["/a.fits"] = [body(CONTENT)]
        assert fetch(url, tmp_path / "a.fits", QUICK)
        assert server.requests[-1][2] is None
        (tmp_path / "a.fits").unlink()


def test_what_came_completely_before_a_command_was_killed_is_compared_by_its_last_byte(server, url, tmp_path):
    (tmp_path / ".a.fits.part").write_bytes(CONTENT)
    known = {"url": url, "validator": TAG["ETag"], "bytes": len(CONTENT)}
    (tmp_path / ".a.fits.part.json").write_text(json.dumps(known))
    server.answers["/a.fits"] = [ranged(CONTENT, **TAG)]
    assert fetch(url, tmp_path / "a.fits", QUICK)
    assert server.requests[-1][2] == f"bytes={len(CONTENT) - 1}-"
    assert (tmp_path / "a.fits").read_bytes() == CONTENT


def test_two_commands_do_not_write_into_one_file(server, url, tmp_path):
    server.answers["/a.fits"] = [body(CONTENT)]
    with downloaded(url, tmp_path / "a.fits", QUICK), pytest.raises(FetchError, match="by another command"):
        fetch(url, tmp_path / "a.fits", QUICK)


def test_what_is_complete_is_not_fetched_again_and_what_is_not_is(server, url, tmp_path):
    server.answers["/a.fits"] = [body(CONTENT)]
    path = tmp_path / "a.fits"
    assert fetch(url, path, QUICK)
    assert not fetch(url, path, QUICK)
    assert len(server.requests) == 1
    path.write_bytes(CONTENT[:5000])
    assert not is_complete(path, url)
    assert fetch(url, path, QUICK)
    assert path.read_bytes() == CONTENT


def test_a_failed_download_leaves_the_file_that_is_there(server, url, tmp_path):
    (tmp_path / "a.fits").write_bytes(b"mine")
    server.answers["/a.fits"] = [body(PAGE)]
    with pytest.raises(FetchError):
        fetch(url, tmp_path / "a.fits", QUICK)
    assert (tmp_path / "a.fits").read_bytes() == b"mine"


def tar(**members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(f"../../{name}.fits")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def is_image(name):
    return "img" in name


def test_wanted_members_of_a_tar_file_are_kept_in_the_folder(server, url, tmp_path):
    server.answers["/a.fits"] = [body(tar(w1_img=CONTENT, w1_std=image(2)))]
    for _ in range(2):
        assert fetch_members(url, tmp_path / "x", is_image, QUICK) == [tmp_path / "x/w1_img.fits"]
    assert len(server.requests) == 1
    assert {p.name for p in (tmp_path / "x").iterdir()} == {"w1_img.fits", "w1_img.fits.json"}
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PAGE, "no complete tar file"),
        (tar(w1_img=CONTENT)[:3000], "no complete tar file"),
        (tar(w1_std=CONTENT), "no image of this band"),
        (tar(w1_img=CONTENT, w2_img=CONTENT[:6000]), "damaged FITS file"),
    ],
)
def test_a_tar_file_that_cannot_be_used_leaves_nothing(server, url, tmp_path, content, message):
    server.answers["/a.fits"] = [body(content)]
    with pytest.raises(FetchError, match=message):
        fetch_members(url, tmp_path, is_image, QUICK)
    assert list(tmp_path.iterdir()) == []
