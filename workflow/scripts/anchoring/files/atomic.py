"""Files that are complete or not there: written under another name and renamed."""

import glob
import json
import math
import os
import tempfile
import zlib
from contextlib import contextmanager
from pathlib import Path

from ..errors import RunOver

RUN = "ANCHORING_RUN"  # environment: the process, as `process_name` says it, of the run that a job belongs to


@contextmanager
def atomic_write(path):
    """A temporary name beside `path`, renamed to it when the block ends well and removed when it does not.

    What a killed process left of this file is removed. After a kill of Snakemake alone its jobs go on; they must not
    replace what the next run makes: when the run is over, RunOver is raised and nothing renamed.

    The temporary name stands for `path` by a checksum, so that it is short where the name of `path` is as long as a
    file system allows.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{_prefix(path)}{process_name()}.", suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(name)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        if not _is_running(os.environ.get(RUN, "")):
            raise RunOver(f"the run that this job belongs to was killed; {path} is left to the next one")
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path, value):
    """Write a value as JSON that any reader takes: a number that is not known (NaN or infinite) is null."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(_finite(value), indent=1, allow_nan=False))


def read_json(path):
    """The value in a file of `write_json`: a number that is not known is None, in a calculation `or_nan` of it."""
    return json.loads(Path(path).read_text())


def or_nan(value):
    """A number as it was read; NaN for None."""
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
    """CRC-32 of bytes that pass by; its text is 8 hexadecimal digits."""

    def __init__(self, start=b""):
        self._value = zlib.crc32(start)

    def add(self, piece):
        self._value = zlib.crc32(piece, self._value)

    def of(self, pieces):
        """The pieces, one by one, counted in."""
        for piece in pieces:
            self.add(piece)
            yield piece

    def __str__(self):
        return f"{self._value:08x}"


def process_name():
    """This process, by its number and where that counts: the machine and, in a container, its name space."""
    try:
        space = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        space = 0
    return f"{os.getpid()}-{zlib.crc32(f'{os.uname().nodename} {space}'.encode()):08x}"


def _is_running(process):
    """Whether a process by its `process_name` is alive; True if that cannot be told from here."""
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
    """What the temporary names of a file begin with."""
    return f".{zlib.crc32(os.fsencode(path.name)):08x}."


def _remove_leftovers(path):
    prefix = _prefix(path)
    for left in path.parent.glob(f"{prefix}*-*.*{glob.escape(path.suffix)}"):
        if not _is_running(left.name[len(prefix) :].split(".")[0]):
            left.unlink(missing_ok=True)
