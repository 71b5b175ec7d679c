"""Scripts that start as forks of one process that has their libraries loaded.

Snakemake starts a Python for each script, which takes 0.2 to 0.7 s to load numpy, astropy and matplotlib: more than
most jobs compute. Here a process that has loaded them forks, and the fork runs the script: as fresh as a new Python in
all but what is loaded. This file is both: what Snakemake does, and that process.
"""

import atexit
import contextlib
import gc
import importlib
import itertools
import json
import logging
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path

FIRST = ("snakemake.script", "numpy", "ducc0", "astropy.io.fits", "astropy.wcs")
# Loaded when no script waits; until then, what needs them loads them itself.
LATER = ("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf")
OURS = "from anchoring.script import run"  # in a script: it is one of this workflow's
SURROUNDINGS = {
    # Threads that a library starts as it is loaded do not come with a fork.
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")},
    # glibc: what an array leaves is there for the next one, and not given back to the system and fetched anew.
    "MALLOC_MMAP_THRESHOLD_": f"{2**40}",
    "MALLOC_TRIM_THRESHOLD_": f"{2**40}",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
LOST = 255  # status of a script whose end nobody saw
MESSAGE = 2**16  # bytes


class Preloaded:
    """A process that runs Python files in forks of itself; it ends before the process that started it, or with it."""

    def __init__(self):
        self._asked = False
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, **SURROUNDINGS},
            )
        # Waited for, so that its scripts' time and memory count as those of the run.
        atexit.register(self.close)

    @contextlib.contextmanager
    def started(self, file):
        """The number of the process that runs a Python file, and a function that waits for its end: its status.

        Its number stays its own inside the block. OSError if it could not be started.
        """
        self._asked = True
        ours, theirs = socket.socketpair()
        with ours, ours.makefile() as answers:
            with theirs:
                socket.send_fds(self._channel, [json.dumps(str(file)).encode()], [theirs.fileno()])
            number = answers.readline()
            if not number:
                raise ConnectionError(f"the process that should run {file} is gone")
            yield int(number), lambda: int(answers.readline() or LOST)

    def close(self):
        atexit.unregister(self.close)
        self._channel.close()
        if not self._asked:
            self._process.kill()  # it may be loading still, for nobody
        self._process.wait()


def install(scripts):
    """Have a class of Snakemake's scripts (`PythonScript`) run those of this workflow in forks.

    Returns a function that starts the process that forks. Where it is not called, the first script starts anew and the
    second calls it: on a cluster, the first is often the only one. Scripts of an environment of their own start anew,
    and all where there is no such process: what cannot be forked is run as Snakemake runs it.
    """
    from snakemake.benchmark import benchmarked

    anew = scripts.execute_script
    lock, forks, scripts_before = threading.Lock(), [], itertools.count()

    def start():
        with lock:
            if not forks:
                forks.append(Preloaded())
            return forks[0]

    def execute_script(script, file, edit=False):
        apart = script.conda_env or script.container_img or script.env_modules or script.shadow_dir
        if apart or OURS not in script.source or (not forks and next(scripts_before) == 0):
            return anew(script, file, edit=edit)
        with contextlib.ExitStack() as stack:
            try:
                number, end = stack.enter_context(start().started(file))
            except OSError:
                return anew(script, file, edit=edit)
            if script.bench_record is not None:
                stack.enter_context(benchmarked(number, script.bench_record))
            status = end()
        if status:
            raise subprocess.CalledProcessError(status, f"{sys.executable} {file}")

    scripts.execute_script = execute_script
    return start


# --- the process that has them loaded ---------------------------------------------------------------------------------


def serve(channel):
    """Load the libraries; then fork for every message of a channel until its other end is closed."""
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the scripts
    ended, end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(end)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    gc.disable()
    # Where it can write to no home, matplotlib warns that it keeps its list of fonts elsewhere: nothing to act on.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    for name in FIRST:
        importlib.import_module(name)
    later, running, over = list(LATER), {}, {}
    while True:
        ready = select.select([channel, ended, *over], [], [], 0 if later else None)[0]
        if not ready:
            importlib.import_module(later.pop(0))
        if channel in ready:
            message, descriptors, *_ = socket.recv_fds(channel, MESSAGE, 1)
            if not message:
                for number in over.values():
                    os.waitpid(number, 0)
                return
            answer = socket.socket(fileno=descriptors[0])
            gc.freeze()
            number = os.fork()
            if number == 0:
                for other in (channel, answer, *running.values(), *over):
                    other.close()
                signal.signal(signal.SIGINT, interrupted)
                run(json.loads(message))
            say(answer, number)
            running[number] = answer
        if ended in ready:
            os.read(ended, MESSAGE)
            for number, answer in list(running.items()):
                if (status := ended_with(number)) is not None:
                    say(answer, status)
                    over[running.pop(number)] = number
        for answer in over.keys() & set(ready):
            # It was let go: only now may its number go to another process.
            os.waitpid(over.pop(answer), 0)
            answer.close()


def say(answer, number):
    with contextlib.suppress(OSError):
        answer.sendall(f"{number}\n".encode())


def ended_with(number):
    """The status that a child has ended with, which keeps its number; None before its end."""
    found = os.waitid(os.P_PID, number, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def run(file):
    """Run a file as `python FILE` would, and end as that would."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.argv, sys.path[:0] = [file], [str(Path(file).parent)]
    try:
        runpy.run_path(file, run_name="__main__")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(status & 0xFF)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        serve(channel)
    os._exit(0)  # what is loaded need not be taken apart
