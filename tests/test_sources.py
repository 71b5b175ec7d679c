"""The modules a script needs are found in its text: all that Python itself imports when it runs, and no others."""

import subprocess
import sys
from pathlib import Path

import pytest
from sources import modules_of

SCRIPTS = Path(__file__).parents[1] / "workflow/scripts"
FOUND = """
import sys
sys.path.insert(0, {folder!r})
import {script}
print(*sorted(name.removeprefix("anchoring.") for name in sys.modules if name.startswith("anchoring.")))
"""


def read(name):
    return (SCRIPTS / "anchoring" / f"{name}.py").read_text()


def test_imports_of_all_forms_are_followed():
    library = {
        "a": "from . import b\nfrom .c import x",
        "b": "",
        "c": "def f():\n    from .d import y",
        "d": "",
        "e": "",
    }
    script = "import os\nimport anchoring.e\nfrom anchoring import a, __version__\nfrom elsewhere import z"
    assert modules_of(script, library.__getitem__) == ["__init__", "a", "b", "c", "d", "e"]


@pytest.mark.parametrize("script", ["bin_pair", "check_inputs", "fit_images", "tabulate_target"])
def test_what_python_imports_is_found(script):
    code = FOUND.format(folder=str(SCRIPTS), script=script)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= set(modules_of((SCRIPTS / f"{script}.py").read_text(), read))


def test_every_module_is_used_by_some_script():
    scripts = [path.read_text() for path in SCRIPTS.glob("*.py")]
    used = {name for script in scripts for name in modules_of(script, read)}
    assert used == {path.stem for path in (SCRIPTS / "anchoring").glob("*.py")}
