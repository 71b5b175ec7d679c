"""Which library files a script needs, read from the texts of the script and of what it imports."""

import functools
import re
from pathlib import PurePosixPath

# A parser takes as long as the rest of a start of Snakemake. Comments in brackets are not expected.
FROM = re.compile(r"^[ \t]*from ([\w.]+) import (\([^)]*\)|[^\n#]*)", re.MULTILINE)
IMPORT = re.compile(r"^[ \t]*import (?:\w+, )*anchoring\.([\w.]+)", re.MULTILINE)
# Folders of the library. Their __init__.py hold a docstring only: what is imported from one is a module.
FAMILIES = ("files", "fitting", "images", "measuring", "planning", "releasing", "showing", "solving")


def files_of(script, read):
    """Files of the library that a script needs, those that its modules import among them.

    Parameters
    ----------
    script : str
        The script's text.
    read : callable
        From a file's path below the library's folder, such as "images/units.py", to its text.

    Returns
    -------
    Sorted list of paths, the `__init__.py` of every folder among them.
    """
    found, waiting = {"__init__.py"}, set(_imported(script, None))
    while waiting:
        path = waiting.pop()
        if path not in found:
            found |= {path, f"{PurePosixPath(path).parent}/__init__.py".removeprefix("./")}
            waiting |= _imported(read(path), path)
    return sorted(found)


@functools.cache
def _imported(text, path):
    """Files of the library that a text imports, wherever in it; `path` is that of a module of the library, or None."""
    names = set()
    for start, several in FROM.findall(text):
        module = _absolute(start, path)
        if module is not None:
            package = not module or module in FAMILIES
            imported = (name.split()[0] for name in several.strip("()").split(",") if name.strip())
            names |= {f"{module}.{name}".lstrip(".") for name in imported} if package else {module}
    if path is None:
        names |= set(IMPORT.findall(text))
    return frozenset(f"{name.replace('.', '/')}.py" for name in names if not name.startswith("__"))


def _absolute(start, path):
    """The dotted name below the library's of what stands after `from`; None for another library's."""
    module = start.lstrip(".")
    level = len(start) - len(module)
    if path is None:
        first, _, rest = module.partition(".")
        return rest if first == "anchoring" and not level else None
    if not level:
        return None
    folder = PurePosixPath(path).parents[level - 1]
    return ".".join([*folder.parts, *filter(None, [module])])
