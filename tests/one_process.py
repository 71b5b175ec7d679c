"""Snakemake with the scripts of its jobs run one after the other in its own process, by the same command line.

A job of a small tree is mostly its imports: a run of hundreds of jobs takes a tenth of the time. What each job is given
and leaves behind is the same: Snakemake writes the script with its inputs, parameters and log as ever.
"""

import runpy
import sys
import time
from subprocess import CalledProcessError
from threading import Lock

from snakemake.cli import main
from snakemake.script import PythonScript

ONE_AT_A_TIME = Lock()  # scripts set the log of the process, and Snakemake has threads to spare


def execute_script(self, fname, edit=False):
    with ONE_AT_A_TIME:
        started, places = time.time(), sys.path.copy()
        try:
            runpy.run_path(fname, run_name="__main__")
        except SystemExit as end:
            if end.code:
                print(end.code, file=sys.stderr)
                raise CalledProcessError(1, fname) from None
        finally:
            sys.path[:] = places  # every script adds all of it once more
            if self.bench_record is not None:
                self.bench_record.running_time = time.time() - started
                self.bench_record.process_gone = True  # no process to ask for its memory


if __name__ == "__main__":
    PythonScript.execute_script = execute_script
    main()
