"""Atomic writing: a file is written under a temporary name and renamed when it is complete."""

import glob
import hashlib
import json
import math
import os
import shutil
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path

from ..errors import RunOver

RUN = "ANCHORING_RUN"  # environment variable: `process_name` of the Snakemake that runs the job


@contextmanager
def atomic_write(path):
    """A temporary path in the folder of `path`, renamed to it on success and removed on an error.

    Temporary files of killed processes are removed. If Snakemake alone was killed, its jobs continue and must not
    overwrite results of the next run: RunOver is raised and nothing is renamed.

    The temporary name holds a checksum of the name, so that it is short even if the name has the longest length that
    the file system allows.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{_prefix(path)}{process_name()}.", suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(name)
        _finish(name, 0o666, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextmanager
def atomic_folder(path):
    """As `atomic_write`, of a folder with all that is in it; there is none of that name yet."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    name = tempfile.mkdtemp(dir=path.parent, prefix=f"{_prefix(path)}{process_name()}.")
    try:
        yield Path(name)
        _finish(name, 0o777, path)
    except BaseException:
        shutil.rmtree(name, ignore_errors=True)
        raise


def _finish(name, mode, path):
    """Rename what is complete; RunOver if the run that it belongs to is not there any more."""
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(name, mode & ~umask)
    if not _is_running(os.environ.get(RUN, "")):
        raise RunOver(f"the run of this job was killed; {path} is left to the next run: run again")
    os.replace(name, path)


def write_json(path, value):
    """Write a value as strict JSON: NaN and infinite numbers become null."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(_finite(value), indent=1, allow_nan=False))


def read_json(path):
    """The value in a file of `write_json`; unknown numbers are None (see `or_nan`)."""
    return json.loads(Path(path).read_text())


def or_nan(value):
    """A number, or NaN for None."""
    return math.nan if value is None else value


def _finite(value):
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return value


class Checksum:
    """CRC-32 of bytes added one piece after the other; as text, 8 hexadecimal digits."""

    def __init__(self, start=b""):
        self._value = zlib.crc32(start)

    def add(self, piece):
        self._value = zlib.crc32(piece, self._value)

    def of(self, pieces):
        """Yield the pieces unchanged, adding each."""
        for piece in pieces:
            self.add(piece)
            yield piece

    def __str__(self):
        return f"{self._value:08x}"


def hash_of(path):
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def process_name():
    """Name of this process: its number, and a checksum of the machine and PID namespace in which that is unique."""
    try:
        space = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        space = 0
    return f"{os.getpid()}-{zlib.crc32(f'{os.uname().nodename} {space}'.encode()):08x}"


def _is_running(process):
    """Whether the process of a `process_name` is alive; True if it is on another machine or in another namespace."""
    number, _, place = process.partition("-")
    if not number.isdecimal() or place != process_name().partition("-")[2]:
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _prefix(path):
    """Start of the temporary names of a file."""
    return f".{zlib.crc32(os.fsencode(path.name)):08x}."


def _remove_leftovers(path):
    prefix = _prefix(path)
    for left in path.parent.glob(f"{prefix}*-*.*{glob.escape(path.suffix)}"):
        if not _is_running(left.name[len(prefix) :].split(".")[0]):
            left.unlink(missing_ok=True)
