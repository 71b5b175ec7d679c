"""Downloads that end as complete FITS files or not at all."""

import contextlib
import datetime
import fcntl
import io
import json
import os
import re
import tarfile
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import requests
from astropy.io import fits
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from anchoring.files.atomic import hash_of

CHUNK = 2**12  # bytes: of a connection that is cut, no more than that is lost
RETRIED = {408, 425, 429, 500, 502, 503, 504}  # status codes that may be over after a while
LONGEST_WAIT = 300  # seconds, whatever a server asks for


class FetchError(RuntimeError):
    """What could not be fetched: the address, what came instead, and what to do."""


class Patience(NamedTuple):
    """Tries of a download, seconds before the first repetition (doubled each time), seconds without an answer."""

    tries: int = 5
    wait: float = 5.0
    timeout: float = 60.0

    def session(self):
        """A session that asks again after what may be over after a while, as long as a server asks to wait."""
        retry = Retry(
            self.tries - 1,
            status_forcelist=RETRIED,
            allowed_methods=None,
            backoff_factor=self.wait,
            backoff_max=LONGEST_WAIT,
            retry_after_max=LONGEST_WAIT,
            raise_on_status=False,
        )
        session = requests.Session()
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        return session

    @contextlib.contextmanager
    def ask(self, url, method="GET", **request):
        """The answer to a request; FetchError after the last try, or if it is refused."""
        with self.session() as session:
            try:
                answer = session.request(method, url, timeout=self.timeout, **request)
            except requests.RequestException as error:
                cause = getattr(error.args[0] if error.args else None, "reason", error)
                details = f"{type(cause).__name__}: {' '.join(str(cause).split())[:200]}"
                raise FetchError(
                    f"{url} did not answer in {self.tries} tries; expected an answer: check the address in 'fetch', or "
                    f"try again later (details: {details})"
                ) from error
            with answer:
                status = f"{url} gave status {answer.status_code} {answer.reason}"
                if answer.status_code in RETRIED:
                    raise FetchError(
                        f"{status} in {self.tries} tries; expected an answer: try again later, what is complete is kept"
                    )
                if not (answer.ok or answer.status_code == 416):  # the latter to what is continued
                    raise FetchError(
                        f"{status}; expected an answer: check the address in 'fetch' and whether the archive has this "
                        "file"
                    )
                yield answer


def fetch(url, path, patience=Patience()):  # noqa: B008 (immutable)
    """Fetch a FITS file, if it is not there whole already.

    What is interrupted continues where it stopped, also in a later call, if the server can do that and the file is
    still the same there. Beside the file, `{path}.json` has its address, date, size and SHA-256.

    Returns
    -------
    bool : whether something was downloaded

    Raises
    ------
    FetchError
        After the last try, or if what comes is no FITS file. No file of that name is left then.
    """
    path = Path(path)
    if is_complete(path, url):
        return False
    with downloaded(url, path, patience) as file:
        require_fits(file, url)
        put(file, path, url)
    return True


def fetch_members(url, folder, wanted, patience=Patience()):  # noqa: B008
    """Fetch a tar file and keep its FITS files for whose names `wanted` holds; their paths. As `fetch` otherwise."""
    folder = Path(folder)
    for path in sorted(folder.glob("*.fits*.json")):
        there = [folder / name for name in _known(path).get("members", ())]
        if there and all(is_complete(member, url) for member in there):
            return there
    with downloaded(url, folder / "members.tar", patience) as file:
        try:
            with tarfile.open(file) as archive:
                members = [m for m in archive if m.isfile() and wanted(Path(m.name).name)]
                contents = {Path(m.name).name: archive.extractfile(m).read() for m in members}
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
            raise FetchError(f"{url} gave no complete tar file; expected one: try again later ({error})") from error
    if not contents:
        raise FetchError(f"{url} has no image of this band; expected one: check band and place")
    for name, content in contents.items():
        require_fits(io.BytesIO(content), f"{url}, {name}")
    for name, content in contents.items():
        with temporary(folder) as part:
            part.write_bytes(content)
            put(part, folder / name, url, members=sorted(contents))
    return [folder / name for name in sorted(contents)]


def is_complete(path, url):
    """Whether a file is what was fetched from an address, to the last byte."""
    known = _known(f"{path}.json")
    return known.get("url") == url and os.path.isfile(path) and known.get("sha256") == hash_of(path)


def _known(path):
    """What is known of a file; nothing without a sound JSON file."""
    try:
        known = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def put(file, path, url, **more):
    """Put a complete file under its name, after what is known of it."""
    known = {
        "url": url,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "bytes": os.path.getsize(file),
        "sha256": hash_of(file),
        **more,
    }
    _write_json(f"{path}.json", known)
    os.replace(file, path)


def _write_json(path, known):
    with temporary(Path(path).parent) as part:
        part.write_text(json.dumps(known, indent=1))
        os.replace(part, path)


@contextlib.contextmanager
def temporary(folder):
    """A path in a folder that is no name of a FITS file, removed at the end if it is still there."""
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".fetching.", suffix=".part")
    os.close(handle)
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(name, 0o666 & ~umask)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def downloaded(url, path, patience):
    """The path of a file with all bytes of an address, beside `path`, removed at the end; FetchError without it.

    What has come of it is in `.{name}.part` and, with its address, size and what shows that it has not changed there,
    in `.{name}.part.json`. Both are left for a later call only if that can continue.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    known = Path(f"{part}.json")
    with open(part, "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FetchError(f"{url} is being fetched by another command; expected one: wait for it") from error
        except OSError:  # of file systems without locks
            pass
        try:
            _fill(file, known, url, patience)
        except BaseException:
            if not (_known(known) and file.tell()):
                _remove(part, known)
            raise
        try:
            yield part
        finally:
            _remove(part, known)


def _remove(*paths):
    for path in paths:
        path.unlink(missing_ok=True)


def _fill(file, known, url, patience):
    """Add to a file what it lacks of an address; FetchError if that fails, after which what came can be continued."""
    problem = ""
    for number in range(patience.tries):
        if number:
            time.sleep(min(patience.wait * 2 ** (number - 1), LONGEST_WAIT))
        problem = _add(file, known, url, patience)
        if not problem:
            return
    raise FetchError(
        f"{url} could not be fetched in {patience.tries} tries ({problem}); expected a complete file: try again later, "
        "what is complete is kept and what can be is continued"
    )


def _add(file, known, url, patience):
    """One try of `_fill`: what went wrong, "" if the file is complete."""
    before, first, headers = _known(known), 0, {"Accept-Encoding": "identity"}
    if before.get("url") == url and before.get("validator"):
        # Of what is complete already, the last byte again: the file may have changed since.
        first = min(file.seek(0, os.SEEK_END), (before.get("bytes") or 2**63) - 1)
    if first:
        headers |= {"Range": f"bytes={first}-", "If-Range": before["validator"]}
    with patience.ask(url, headers=headers, stream=True) as answer:
        length, continued = _number(answer.headers.get("Content-Length")), answer.status_code == 206
        if answer.status_code == 416 or (continued and not (first and _continues(answer.headers, first, before))):
            _remove(known)
            return "a part that does not fit"
        file.truncate(first if continued else 0)
        if not continued:
            # Before the bytes that it describes: whatever ends this command, the next one continues no others.
            _remove(known)
            if validator := _validator(answer.headers):
                _write_json(known, {"url": url, "validator": validator, "bytes": length})
        received = 0
        try:
            for chunk in answer.iter_content(CHUNK):
                file.write(chunk)
                received += len(chunk)
        except requests.RequestException as error:
            return f"cut after {received} bytes, {type(error).__name__}"
        finally:
            file.flush()
    return "" if length in (None, received) else f"{received} of {length} bytes"


def _continues(headers, first, before):
    """Whether a part begins at a byte and is of the same file as what came before."""
    place = re.fullmatch(rf"bytes\s+{first}-\d+/(\d+|\*)", headers.get("Content-Range", "").strip())
    same_size = place and (before["bytes"] is None or place[1] in ("*", str(before["bytes"])))
    return bool(same_size) and _validator(headers) == before["validator"]


def _validator(headers):
    """What shows that a file is the same at a later request; None if nothing does."""
    etag = headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified")


def _number(text):
    return int(text) if text and text.isdecimal() else None


def require_fits(file, url):
    """FetchError unless a file, or a file object, is a complete FITS file with an image."""
    with open(file, "rb") if isinstance(file, str | os.PathLike) else file as stream:
        start = stream.read(80)
        if not (start.startswith(b"SIMPLE  =") or start.startswith(b"\x1f\x8b")):
            shown = start[:40].decode("ascii", "replace").strip()
            raise FetchError(f"{url} gave no FITS file (it begins with {shown!r}); expected one: check the address")
        stream.seek(0)
        try:
            with fits.open(stream, memmap=False, lazy_load_hdus=False, output_verify="exception") as hdus:
                shapes = []
                for hdu in hdus:
                    if hdu.is_image and hdu.header["NAXIS"] >= 2:
                        shapes.append(hdu.data.shape)  # reads the pixels
                        del hdu.data  # of one extension at a time
        except Exception as error:  # whatever astropy raises on a damaged file
            raise FetchError(f"{url} gave a damaged FITS file; expected a complete one: try again ({error})") from error
        if not shapes:
            raise FetchError(f"{url} gave a FITS file without an image; expected one: check the address")
