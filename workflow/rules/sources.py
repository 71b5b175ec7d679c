"""What a script is made of: the library modules it imports, read from its text."""

import ast
import functools


def modules_of(script, read):
    """Names of the library modules that a script needs, those that its modules import among them.

    Parameters
    ----------
    script : str
        The script's text.
    read : callable
        From a module's name to its text.

    Returns
    -------
    Sorted list of names, `__init__` among them: it is there wherever a package is.
    """
    found, waiting = {"__init__"}, set(_imported(script, package="anchoring"))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting |= _imported(read(name), package="")
    return sorted(found)


@functools.cache
def _imported(text, package):
    """Modules of the package (of the own one: "") that a text imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and (node.level == 1 if not package else node.level == 0):
            module = node.module or ""
            if module == package:
                names |= {alias.name for alias in node.names if not alias.name.startswith("__")}
            elif not package or module.startswith(f"{package}."):
                names.add(module.removeprefix(f"{package}."))
        elif package and isinstance(node, ast.Import):
            names |= {a.name.split(".")[1] for a in node.names if a.name.startswith(f"{package}.")}
    return frozenset(names)
