"""Which Python processes a run starts."""

import os

WATCH = """\
import os, sys
with open(os.environ["STARTS"], "a") as file:
    print(*sys.orig_argv, os.environ.get("CALLER", ""), file=file)
"""


class Starts:
    """The Python processes that start in an environment, from the `sitecustomize` that each of them imports."""

    def __init__(self, folder):
        (folder / "site").mkdir()
        (folder / "site/sitecustomize.py").write_text(WATCH)
        self.file = folder / "starts.txt"
        self.environment = {"STARTS": str(self.file), "PYTHONPATH": python_path(folder / "site")}

    def take(self):
        """Commands of the processes since the last call: of fork servers, of scripts, and of anything else."""
        lines = self.file.read_text().splitlines()
        self.file.unlink()
        servers = [line for line in lines if "acceleration.py" in line]
        scripts = [line for line in lines if ".snakemake/scripts/" in line]
        return servers, scripts, [line for line in lines if line not in (*servers, *scripts)]


def python_path(folder):
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
