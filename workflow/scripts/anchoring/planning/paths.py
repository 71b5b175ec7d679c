"""Files and folders as they are on disk: names, dates, and what is wrong with them."""

import os
import re
import time
from pathlib import Path

FITS = re.compile(r"(?P<stem>.+)\.(fits|fit|fts)(?P<packed>\.(gz|fz|bz2|xz|lzma|zip|z))?", re.IGNORECASE | re.DOTALL)
NAME_BYTES = 255  # of a file, on the file systems in use


def names_in(folder):
    """Names of what is in a folder, sorted; none if it is no folder that can be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def folders_in(folder):
    return [Path(folder, name) for name in names_in(folder) if os.path.isdir(os.path.join(folder, name))]


def distinct(paths):
    """Those of some paths that are files; of links to one file, the first."""
    paths = [path for path in paths if os.path.isfile(path)]
    if len(paths) < 2:
        return paths
    return list({os.path.realpath(path): path for path in reversed(paths)}.values())[::-1]


def date_problem(path):
    """What is wrong with the date of a file, or of the link that leads to it; empty if it is not in the future."""
    date = max(os.lstat(path).st_mtime, os.stat(path).st_mtime)
    if date <= time.time():
        return ""
    shown = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(date))
    return (
        f"{path} is dated {shown}, in the future; expected a date in the past, since a result that is older than what "
        "it is made of counts as out of date: `touch` the file, or wait until then"
    )


def name_problem(path, *names):
    """What is wrong with the names of the results of a file; empty if a file system can have them."""
    longest = max(names, key=lambda name: len(os.fsencode(name)))
    size = len(os.fsencode(longest))
    if size <= NAME_BYTES:
        return ""
    return f"the result {longest} would have a name of {size} bytes; expected at most {NAME_BYTES}: rename {path}"
