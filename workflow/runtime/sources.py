"""Which library files a script needs, read from the texts of the script and of what it imports."""

import ast
import functools
from pathlib import PurePosixPath

# Folders of the library. Their __init__.py hold a docstring only: what is imported from one is a module.
FAMILIES = ("files", "fitting", "images", "measuring", "planning", "showing", "solving")


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
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            start = _absolute(node, path)
            if start is not None:
                package = not start or start in FAMILIES
                names |= {f"{start}.{alias.name}".lstrip(".") for alias in node.names} if package else {start}
        elif isinstance(node, ast.Import) and path is None:
            names |= {
                alias.name.removeprefix("anchoring.") for alias in node.names if alias.name.startswith("anchoring.")
            }
    return frozenset(f"{name.replace('.', '/')}.py" for name in names if not name.startswith("__"))


def _absolute(node, path):
    """The dotted name below the library's that names are imported from; None for another library's."""
    module = node.module or ""
    if path is None:
        return module.partition(".")[2] if module.partition(".")[0] == "anchoring" and not node.level else None
    if not node.level:
        return None
    folder = PurePosixPath(path).parents[node.level - 1]
    return ".".join([*folder.parts, *filter(None, [module])])
