"""The files a script needs are found in its text: all that Python itself imports when it runs, and no others."""

import subprocess
import sys
from pathlib import Path

import pytest
from sources import FAMILIES, files_of

SCRIPTS = Path(__file__).parents[3] / "workflow/scripts"
LIBRARY = SCRIPTS / "anchoring"
FOUND = """
import sys
sys.path.insert(0, {folder!r})
import {script}
print(*sorted(module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] == "anchoring"))
"""


def read(path):
    return (LIBRARY / path).read_text()


def test_imports_of_all_forms_are_followed():
    library = {
        "files/a.py": "from . import b\nfrom .c import x\nfrom ..images import d",
        "files/b.py": "",
        "files/c.py": "def f():\n    from ..images.e import y",
        "files/unused.py": "",
        "images/d.py": "import numpy\nfrom ..g import z",
        "images/e.py": "",
        "f.py": "",
        "g.py": "",
    }
    script = "import os, anchoring.f\nfrom anchoring import __version__\nfrom anchoring.files import a\nimport z"
    families = {"files/__init__.py", "images/__init__.py", "__init__.py"}
    assert files_of(script, library.__getitem__) == sorted({*library, *families} - {"files/unused.py"})


@pytest.mark.parametrize("script", ["measure_pair", "check_inputs", "solve_offsets", "tabulate_target"])
def test_what_python_imports_is_found(script):
    code = FOUND.format(folder=str(SCRIPTS), script=script)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {str(Path(path).relative_to(LIBRARY)) for path in done.stdout.split()}
    assert imported <= set(files_of((SCRIPTS / f"{script}.py").read_text(), read))


def test_every_module_is_used_by_some_script_or_by_the_plan():
    """All but the names for those who use the library alone."""
    scripts = [path.read_text() for path in SCRIPTS.glob("*.py")]
    used = {path for script in scripts for path in files_of(script, read)}
    all_of_it = {str(path.relative_to(LIBRARY)) for path in LIBRARY.rglob("*.py")}
    assert {path for path in all_of_it - used if not path.startswith("planning/")} == {"api.py"}


def test_families_are_the_folders_and_hold_nothing_themselves():
    folders = {path.parent.name: path.read_text() for path in LIBRARY.glob("*/__init__.py")}
    assert set(FAMILIES) == set(folders)
    assert all(text.count('"""') == 2 and text.strip().endswith('"""') for text in folders.values())
