"""Downloads that end as complete FITS files or not at all."""

import datetime
import io
import json
import os
import tarfile
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import requests
from astropy.io import fits

from anchoring.files.atomic import hash_of

CHUNK = 2**12  # bytes: of a connection that is cut, no more than that is lost
RETRIED = {408, 425, 429, 500, 502, 503, 504}  # status codes that may be over after a while
LONGEST_WAIT = 300.0  # seconds, whatever a server asks for


class FetchError(RuntimeError):
    """What could not be fetched: the address, what came instead, and what to do."""


class Patience(NamedTuple):
    """Tries of a download, seconds before the first repetition (doubled each time), seconds without an answer."""

    tries: int = 5
    wait: float = 5.0
    timeout: float = 60.0


def fetch(url, path, patience=Patience(), *, session=None):  # noqa: B008 (immutable)
    """Fetch a FITS file, if it is not there whole already.

    What is interrupted continues where it stopped, if the server can do that. Beside the file, `{path}.json` has its
    address, date, size and SHA-256.

    Returns
    -------
    bool : whether something was downloaded

    Raises
    ------
    FetchError
        After the last try, or if what comes is no FITS file. No file is left then.
    """
    path = Path(path)
    if is_complete(path, url):
        return False
    with downloaded(url, path.parent, patience, session) as file:
        require_fits(file, url)
        put(file, path, url)
    return True


def fetch_members(url, folder, wanted, patience=Patience(), *, session=None):  # noqa: B008
    """Fetch a tar file and keep its FITS files for whose names `wanted` holds; their paths. As `fetch` otherwise."""
    folder = Path(folder)
    for path in sorted(folder.glob("*.fits*.json")):
        there = [folder / name for name in _known(path).get("members", ())]
        if there and all(is_complete(member, url) for member in there):
            return there
    with downloaded(url, folder, patience, session) as file:
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
    with temporary(path.parent) as part:
        part.write_text(json.dumps(known, indent=1))
        os.replace(part, f"{path}.json")
    os.replace(file, path)


class temporary:
    """A path in a folder that is no name of a FITS file, removed at the end if it is still there."""

    def __init__(self, folder):
        self._folder = Path(folder)

    def __enter__(self):
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".fetching.", suffix=".part")
        os.close(handle)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        self._path = Path(name)
        return self._path

    def __exit__(self, *_):
        self._path.unlink(missing_ok=True)


class downloaded(temporary):
    """A temporary file with all bytes of an address; FetchError after the last try."""

    def __init__(self, url, folder, patience, session=None):
        super().__init__(folder)
        self._url, self._patience, self._session = url, patience, session or requests.Session()

    def __enter__(self):
        path = super().__enter__()
        try:
            self._fill(path)
        except BaseException:
            self.__exit__()
            raise
        return path

    def _fill(self, path):
        validator, problem, pause = None, "", 0.0
        for number in range(self._patience.tries):
            if number:
                time.sleep(min(max(self._patience.wait * 2 ** (number - 1), pause), LONGEST_WAIT))
            pause = 0.0
            try:
                problem, validator, pause = self._part(path, validator)
            except requests.RequestException as error:
                problem = f"{type(error).__name__}"
            if not problem:
                return
        raise FetchError(
            f"{self._url} could not be fetched in {self._patience.tries} tries ({problem}); expected a complete file: "
            "try again later, what is complete is kept"
        )

    def _part(self, path, validator):
        """Add what is missing to a file: what went wrong ("" if it is complete), its validator, seconds to wait."""
        size = path.stat().st_size
        headers = {"Accept-Encoding": "identity"}
        if size and validator:
            headers |= {"Range": f"bytes={size}-", "If-Range": validator}
        timeout = self._patience.timeout
        with self._session.get(self._url, headers=headers, stream=True, timeout=timeout) as answer:
            if answer.status_code in RETRIED:
                return f"status {answer.status_code}", validator, _seconds(answer.headers.get("Retry-After"))
            if answer.status_code == 416:  # there is nothing after what we have: start again
                path.write_bytes(b"")
                return "a part that does not fit", None, 0.0
            if not answer.ok:
                raise FetchError(
                    f"{self._url} gave status {answer.status_code} {answer.reason}; expected a file: check the address "
                    "in 'fetch' and whether the archive has this image"
                )
            continued = answer.status_code == 206
            if continued and not answer.headers.get("Content-Range", "").startswith(f"bytes {size}-"):
                path.write_bytes(b"")
                return "a part that does not fit", None, 0.0
            length = answer.headers.get("Content-Length")
            expected = int(length) if length and length.isdecimal() else None
            etag = answer.headers.get("ETag", "")
            validator = etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified")
            received = 0
            try:
                with open(path, "ab" if continued else "wb") as file:
                    for chunk in answer.iter_content(CHUNK):
                        file.write(chunk)
                        received += len(chunk)
            except requests.RequestException as error:
                return f"cut after {received} bytes, {type(error).__name__}", validator, 0.0
            if expected is not None and received != expected:
                return f"{received} of {expected} bytes", validator, 0.0
        return "", validator, 0.0


def _seconds(text):
    """Retry-After in seconds; 0 for none, or for a date."""
    try:
        return max(float(text), 0.0)
    except (TypeError, ValueError):
        return 0.0


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
                images = [hdu for hdu in hdus if hdu.is_image and hdu.header["NAXIS"] >= 2]
                shapes = [hdu.data.shape for hdu in images]  # reads the pixels
        except Exception as error:  # whatever astropy raises on a damaged file
            raise FetchError(f"{url} gave a damaged FITS file; expected a complete one: try again ({error})") from error
        if not shapes:
            raise FetchError(f"{url} gave a FITS file without an image; expected one: check the address")
