"""Optional speed-ups of Snakemake, and one of its deadlocks avoided, for runs of this workflow on this machine.

None of this is an interface that Snakemake documents. Every part is tried on its own: where Snakemake is built in
another way, the run goes on without it, as plain Snakemake does, with one line in the log.

Scripts run in forks of a process that has their libraries loaded (`ForkServer`); this file is also the program of that
process. multiprocessing's fork server is no help: it imports the main program into its forks, and hides from the run
the time and memory that they used.
"""

import atexit
import builtins
import contextlib
import gc
import importlib
import inspect
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
import types
from pathlib import Path

from snakemake.logging import logger

FIRST = ("snakemake.script", "numpy", "ducc0", "astropy.io.fits", "astropy.wcs")
# Loaded when no script waits; until then, what needs them loads them itself.
LATER = ("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf")
# What Snakemake sets for every script, from its threads and its resource `tmpdir`.
THREADS = (*(f"{name}_NUM_THREADS" for name in ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")), "VECLIB_MAXIMUM_THREADS")
FOLDERS = ("TMPDIR", "TMP", "TEMPDIR", "TEMP")
# glibc: memory of an array is kept for the next one instead of being returned to the system. The user's values win.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": f"{2**40}",
    "MALLOC_TRIM_THRESHOLD_": f"{2**40}",
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
# What has to be known of a script of Snakemake's.
OWN_ENVIRONMENT = ("conda_env", "container_img", "env_modules", "shadow_dir")
SCRIPT = ("local_path", "is_local", "threads", "resources", "bench_record", *OWN_ENVIRONMENT)
EXIT_UNKNOWN = 255  # the server ended before it reported the exit status of a script
MESSAGE = 2**16  # bytes


def accelerate(workflow, folder, servers):
    """Speed up a run that is about to start: for `onstart`, which Snakemake calls for real runs only.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
    folder : path or None
        The Python scripts below it run in forks; None for no scripts.
    servers : list of ForkServer, or None
        From `load_while_planning`.
    """
    if attempt(has_environments, workflow):
        return
    attempt(end_at_sigterm, workflow)
    attempt(schedule_when_limited, workflow)
    attempt(load_no_tables)
    if folder:
        attempt(fork_scripts, workflow, folder, [] if servers is None else servers, at_once=True)


def accelerate_job(workflow, folder):
    """Speed up a Snakemake that a job on a cluster node starts: it has no `onstart`, and never only reads a Snakefile.

    The first script is often the only one, so that the server starts at the second.
    """
    if folder and attempt(is_job, workflow):
        attempt(fork_scripts, workflow, folder, [], at_once=False)


def attempt(part, *arguments, **options):
    """Call a function that relies on how Snakemake is built; None and a line in the log if it is built otherwise."""
    try:
        return part(*arguments, **options)
    except (ImportError, AttributeError, TypeError) as error:
        logger.info(
            f"{part.__name__}: not possible with this version of Snakemake ({error}); the run goes on without it."
        )


def is_job(workflow):
    """Whether this Snakemake was started by a job, and the Snakefile that is being read is no module of another."""
    return workflow.modifier.is_main_snakefile() and not workflow.is_main_process


def load_while_planning(workflow, folder, libraries=()):
    """Start a server when a run begins to find out what there is to do; the list that holds it from then on.

    `libraries` are those that the first jobs of this run spend most of their time loading.

    Works around snakemake/workflow.py, Workflow._build_dag: nothing that a Snakefile can ask for is called before it,
    and it takes about as long as the libraries of the first script.
    """
    servers, build = [], workflow._build_dag

    def build_dag():
        attempt(start_server, workflow, folder, libraries, servers)
        build()

    if folder and workflow.modifier.is_main_snakefile() and workflow.is_main_process:
        workflow._build_dag = build_dag
    return servers


def start_server(workflow, folder, libraries, servers):
    """Add a server to a list, if jobs will run; if none can be started, each script tries."""
    if workflow.executor_plugin is not None and not workflow.dryrun and may_fork(workflow):
        with contextlib.suppress(OSError):
            servers.append(ForkServer(folder, libraries))


def end_at_sigterm(workflow):
    """End at SIGTERM at any moment.

    Works around snakemake/scheduling/job_scheduler.py, JobScheduler.exit_gracefully: this handler of the signal takes a
    lock that the interrupted thread may hold, and would wait for itself for ever.
    """
    scheduler = workflow.scheduler
    if isinstance(scheduler._lock, type(threading.Lock())):
        scheduler._lock = threading.RLock()


def schedule_when_limited(workflow):
    """Select jobs again after a while only if the limit of jobs per timespan was reached.

    Works around snakemake/scheduling/job_scheduler.py, JobScheduler.schedule: it starts a timer for every job that
    ends, and each selects among all jobs that wait once more: quadratic in the jobs of a survey.
    """
    scheduler = workflow.scheduler
    limiter, schedule = scheduler.job_rate_limiter, scheduler._schedule_reevalutation
    if limiter is None:
        return
    inspect.signature(schedule).bind(limiter.timespan)
    limiter.get_free_jobs()

    def schedule_reevaluation(delay):
        if delay != limiter.timespan or not limiter.get_free_jobs():
            schedule(delay)

    scheduler._schedule_reevalutation = schedule_reevaluation


def load_no_tables():
    """Compare parameters with the types of a library only if it is loaded: else they are none of its own.

    Works around snakemake/iocontainers.py, Snakemake._safely_store_params, and snakemake/persistence/__init__.py,
    PersistenceBase._serialize_param_pandas: they load pandas (0.4 s, 35 MB) to see that a parameter is no table.
    """
    from snakemake.iocontainers import Snakemake
    from snakemake.persistence import PersistenceBase

    store, serialize = Snakemake._safely_store_params, PersistenceBase._serialize_param_pandas
    serialize_builtin = PersistenceBase._serialize_param_builtin
    lean_store = with_loaded_only(store, ("numpy", "pandas", "polars"))

    def store_params(self, params):
        try:
            lean_store(self, params)
        except ImportError:
            store(self, params)

    def serialize_param(self, value):
        return (serialize if "pandas" in sys.modules else serialize_builtin)(self, value)

    Snakemake._safely_store_params, PersistenceBase._serialize_param_pandas = store_params, serialize_param


def with_loaded_only(function, libraries):
    """The same function, in which those of some libraries that are not loaded cannot be imported."""

    def import_loaded(name, *arguments, **options):
        if name in libraries and name not in sys.modules:
            raise ModuleNotFoundError(name)
        return builtins.__import__(name, *arguments, **options)

    own = {**vars(builtins), "__import__": import_loaded}
    return types.FunctionType(function.__code__, {**function.__globals__, "__builtins__": own})


def fork_scripts(workflow, folder, servers, *, at_once):
    """Run the Python scripts below a folder in forks of a server, the first of a list, from the first or second on.

    Works around snakemake/script/__init__.py, PythonScript.execute_script: it starts a Python for every script, which
    takes 0.2 to 0.7 s to load numpy, astropy and matplotlib, more than most jobs compute. Scripts in an environment of
    their own, and all where no process can be forked, are left to it.
    """
    from snakemake.benchmark import benchmarked
    from snakemake.script import PythonScript

    if not may_fork(workflow):
        return
    plain, folder = PythonScript.execute_script, os.path.realpath(folder)
    inspect.signature(plain).bind(None, "script.py", edit=False)
    inspect.signature(benchmarked).bind(1, None)
    known = {*inspect.signature(PythonScript).parameters, *dir(PythonScript)}
    if missing := sorted({*SCRIPT} - known):
        raise AttributeError(f"PythonScript has no {', '.join(missing)}")
    lock, seen = threading.Lock(), []

    def server():
        with lock:
            if not servers:
                servers.append(ForkServer(folder))
            return servers[0]

    def execute_script(script, file, edit=False):
        if not is_ours(script, folder):
            return plain(script, file, edit=edit)
        seen.append(file)
        if not (at_once or len(seen) > 1):
            return plain(script, file, edit=edit)
        with contextlib.ExitStack() as stack:
            try:
                number, end = stack.enter_context(server().started(file, environment_of(script)))
            except OSError:
                return plain(script, file, edit=edit)
            if script.bench_record is not None:
                stack.enter_context(benchmarked(number, script.bench_record))
            status = end()
        if status:
            raise subprocess.CalledProcessError(status, f"{sys.executable} {file}")

    PythonScript.execute_script = execute_script


def may_fork(workflow):
    """Whether jobs run on this machine, in the Python of Snakemake."""
    here = workflow.local_exec and not workflow.touch
    return sys.platform == "linux" and here and not has_environments(workflow)


def has_environments(workflow):
    """Whether Snakemake makes environments for jobs: `--software-deployment-method` (conda, apptainer, env-modules)."""
    return bool(workflow.deployment_settings.deployment_method)


def is_ours(script, folder):
    """Whether a script of Snakemake's is below a folder and has no environment of its own."""
    if not script.is_local or any(getattr(script, name) for name in OWN_ENVIRONMENT):
        return False
    return os.path.realpath(script.local_path).startswith(f"{folder}{os.sep}")


def environment_of(script):
    """The variables that Snakemake sets for a script."""
    folder = script.resources.get("tmpdir")
    return dict.fromkeys(THREADS, str(script.threads)) | (dict.fromkeys(FOLDERS, folder) if folder else {})


class ForkServer:
    """A process that runs Python files in forks of itself; it ends no later than the process that started it.

    It loads the libraries that scripts use, more of them if they are named, and the packages in `folder`, if given.
    """

    def __init__(self, folder="", libraries=()):
        self._used = False
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", __file__, str(theirs.fileno()), str(folder), *libraries],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                # One thread: those that a library starts as it is loaded do not come with a fork.
                env={**MALLOC, **os.environ, **dict.fromkeys(THREADS, "1")},
            )
        # Waited for, so that its scripts' time and memory count as those of the run.
        atexit.register(self.close)

    @contextlib.contextmanager
    def started(self, file, environment=()):
        """Start a Python file in a fork: its process number, and a function that waits for its exit status.

        The number is given to no other process inside the block.

        Parameters
        ----------
        file : path
        environment : mapping of str to str
            Variables to set.

        Raises
        ------
        OSError
            If it could not be started.
        """
        self._used = True
        ours, theirs = socket.socketpair()
        with ours, ours.makefile() as answers:
            with theirs:
                message = json.dumps([str(file), dict(environment)]).encode()
                socket.send_fds(self._channel, [message], [theirs.fileno()])
            number = answers.readline()
            if not number:
                raise ConnectionError(f"the process that should run {file} has ended")
            yield int(number), lambda: int(answers.readline() or EXIT_UNKNOWN)

    def close(self):
        """End it when its scripts have ended."""
        atexit.unregister(self.close)
        self._channel.close()
        if not self._used:
            self.process.kill()  # it may still be loading libraries that nobody needs
        self.process.wait()


# --- the program of the server ----------------------------------------------------------------------------------------


def modules_of(folder):
    """Names of the modules of all packages in a folder."""
    paths = (path.relative_to(folder).with_suffix("") for path in sorted(Path(folder).glob("*/**/*.py")))
    return [".".join(path.parts).removesuffix(".__init__") for path in paths]


def serve(channel, folder, libraries):
    """Load the libraries; then fork for every message of a channel until its other end is closed."""
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the scripts
    ended, end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(end)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    gc.disable()
    # Where it can write to no home, matplotlib warns that it keeps its list of fonts elsewhere: nothing to act on.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    for name in (*FIRST, *libraries):
        importlib.import_module(name)
    sys.path += [folder] if folder else []
    later, running, over = [*LATER, *(modules_of(folder) if folder else ())], {}, {}
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
                run(*json.loads(message))
            report(answer, number)
            running[number] = answer
        if ended in ready:
            os.read(ended, MESSAGE)
            for number, answer in list(running.items()):
                if (status := exit_status(number)) is not None:
                    report(answer, status)
                    over[running.pop(number)] = number
        for answer in over.keys() & set(ready):
            # Nobody asks for it any more: only now may its number be given to another process.
            os.waitpid(over.pop(answer), 0)
            answer.close()


def report(answer, number):
    with contextlib.suppress(OSError):
        answer.sendall(f"{number}\n".encode())


def exit_status(number):
    """The exit status of a child, which keeps its number; None before its end."""
    found = os.waitid(os.P_PID, number, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def run(file, environment):
    """Run a file as `python FILE` would, and end as that would."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    gc.enable()
    os.environ.update(environment)
    sys.argv, sys.path[:0] = [file], [os.path.dirname(file)]
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
        try:
            serve(channel, sys.argv[2], sys.argv[3:])
        except ImportError as error:
            print(f"Every script starts its own Python: {error}", file=sys.stderr)
    os._exit(0)  # what is loaded need not be taken apart
