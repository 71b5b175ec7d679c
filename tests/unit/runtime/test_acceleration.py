"""Scripts in forks end as those that Python starts, and leave the same; what is not there is left as it is."""

import logging
import os
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import acceleration
import pytest
from acceleration import EXIT_UNKNOWN, ForkServer, attempt, end_at_sigterm, fork_scripts, may_fork
from acceleration import schedule_when_limited as limited
from snakemake.benchmark import BenchmarkRecord
from snakemake.scheduling.job_scheduler import JobRateLimiter, JobScheduler
from snakemake.script import PythonScript
from snakemake.settings.types import MaxJobsPerTimespan
from waiting import wait_for


@pytest.fixture(scope="module")
def server():
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture
def script(tmp_path):
    def written(code, name="script.py"):
        (tmp_path / name).write_text(code)
        return str(tmp_path / name)

    return written


def status(server, file, environment=()):
    with server.started(file, environment) as (_, end):
        return end()


def python(code):
    """A process that runs code which finds `acceleration`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


# --- the server -------------------------------------------------------------------------------------------------------


ENDS = {
    "": 0,
    "import sys; sys.exit()": 0,
    "import sys; sys.exit(7)": 7,
    "import sys; sys.exit(-1)": 255,
    "import sys; sys.exit('no such image')": 1,
    "1 / 0": 1,
    "import os; os._exit(3)": 3,
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)": -9,
    "import os, signal; os.kill(os.getpid(), signal.SIGTERM)": -15,
    "def f(:": 1,
}


@pytest.mark.parametrize("code", ENDS)
def test_a_script_ends_as_it_would_alone(server, script, code):
    file = script(code)
    assert subprocess.run([sys.executable, file], capture_output=True).returncode == ENDS[code]
    assert status(server, file) == ENDS[code]


def test_a_script_finds_what_it_would_find_alone(server, script, tmp_path):
    script("value = 5\n", "neighbour.py")
    file = script(
        "import gc, json, os, sys, signal, neighbour\n"
        "found = [__name__, __file__, sys.argv, sys.path[0], os.getcwd(), neighbour.value, os.environ['PATH'],\n"
        "    [str(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)], sys.stdin.read(),\n"
        "    os.getpid() == os.getpgid(0), sys.modules['__main__'].__dict__ is globals(), gc.isenabled()]\n"
        "open(sys.argv[0] + '.json', 'w').write(json.dumps(found))\n"
    )
    subprocess.run([sys.executable, file], stdin=subprocess.DEVNULL, check=True)
    result = tmp_path / "script.py.json"
    alone = result.read_text()
    result.unlink()
    assert status(server, file) == 0
    assert result.read_text() == alone


def test_libraries_are_loaded_and_nothing_else_is_shared(server, script):
    file = script(
        "import builtins, os, sys\n"
        "assert {'numpy', 'astropy.wcs'} <= set(sys.modules)\n"
        "assert 'anchoring' not in sys.modules\n"
        "assert not hasattr(builtins, 'left') and 'LEFT' not in os.environ\n"
        "builtins.left, os.environ['LEFT'] = 1, '1'\n"
    )
    assert [status(server, file), status(server, file)] == [0, 0]


def test_what_a_script_prints_comes_to_the_screen(script):
    """Of a process of its own, as pytest's screen is not the one that the fixture's process writes to."""
    file = script("import sys; print('one'); sys.exit('two')")
    code = f"from acceleration import ForkServer\nwith ForkServer().started({file!r}) as (_, end): end()"
    assert python(code).communicate() == ("one\n", "two\n")


def test_a_server_that_nothing_was_asked_of_ends_at_once():
    server = ForkServer()
    server.close()
    assert server.process.returncode == -signal.SIGKILL


def test_what_figures_need_is_loaded_when_nothing_else_waits(server, script):
    file = script("import sys; sys.exit('matplotlib.backends.backend_pdf' not in sys.modules)")
    wait_for(lambda: status(server, file) == 0)


def test_scripts_run_side_by_side(server, script, tmp_path):
    """Two that wait for each other."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = script(f"open({str(pipe)!r}).read()\n")
    writer = script(f"open({str(pipe)!r}, 'w').write('x')\n", "writer.py")
    with server.started(reader) as (first, end), server.started(writer) as (second, other_end):
        assert first != second
        assert (end(), other_end()) == (0, 0)


def test_a_process_number_is_given_to_no_other_inside_the_block(server, script):
    with server.started(script("")) as (number, end):
        assert end() == 0
        os.kill(number, 0)  # still there to be asked for its memory


def test_ctrl_c_ends_scripts_and_not_the_server(server, script, tmp_path):
    # Where tests run in the background, SIGINT is ignored.
    code = (
        "import signal, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"open({str(tmp_path / 'ready')!r}, 'w')\ntime.sleep(60)"
    )
    with server.started(script(code)) as (number, end):
        wait_for((tmp_path / "ready").exists)
        os.kill(server.process.pid, signal.SIGINT)
        os.kill(number, signal.SIGINT)
        assert end() == 1
    assert status(server, script("")) == 0


def test_time_of_scripts_counts_as_that_of_the_run(script):
    file = script("import time\nend = time.process_time() + 1\nwhile time.process_time() < end: pass\n")
    code = f"from acceleration import ForkServer\nwith ForkServer().started({file!r}) as (_, end): end()"
    with python(code) as process:
        _, process.returncode, usage = os.wait4(process.pid, 0)
    assert process.returncode == 0
    assert usage.ru_utime + usage.ru_stime > 1


def is_alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_server_ends_with_the_process_that_started_it(script):
    code = (
        "import os\nfrom acceleration import ForkServer\nserver = ForkServer()\n"
        f"with server.started({script('')!r}) as (_, end): end()\n"
        "print(server.process.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    printed, _ = python(code).communicate()
    wait_for(lambda: not is_alive(int(printed)))


def test_a_script_whose_server_has_ended_has_failed(script, tmp_path):
    go = tmp_path / "go"
    code = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\nos.kill(os.getppid(), 9)"
    server = ForkServer()
    with server.started(script(code)) as (_, end):
        go.touch()
        assert end() == EXIT_UNKNOWN
    server.close()


# --- scripts of Snakemake's -------------------------------------------------------------------------------------------


def workflow(methods=(), local_exec=True, touch=False):
    settings = SimpleNamespace(deployment_method=set(methods))
    return SimpleNamespace(deployment_settings=settings, local_exec=local_exec, touch=touch)


def test_nothing_is_forked_for_another_python_or_another_machine():
    assert may_fork(workflow()) == (sys.platform == "linux")
    assert not may_fork(workflow(methods=["conda"]))
    assert not may_fork(workflow(methods=["apptainer"]))
    assert not may_fork(workflow(local_exec=False))
    assert not may_fork(workflow(touch=True))


def test_packages_next_to_the_scripts_are_loaded_once(tmp_path, script):
    (tmp_path / "own/part").mkdir(parents=True)
    (tmp_path / "own/__init__.py").touch()
    loads = tmp_path / "loads"
    (tmp_path / "own/part/module.py").write_text(f"open({str(loads)!r}, 'a').write('x')")
    server = ForkServer(tmp_path)
    wait_for(loads.exists)
    assert [status(server, script("import own.part.module")) for _ in range(3)] == [0, 0, 0]
    assert loads.read_text() == "x"
    server.close()


class Script:
    """What is asked of a script of Snakemake's, in the folder `scripts`."""

    conda_env = container_img = env_modules = shadow_dir = bench_record = None
    is_local, threads = True, 2

    def __init__(self, path, **attributes):
        self.local_path = str(path)
        self.resources = {"tmpdir": "/somewhere"}
        vars(self).update(attributes)


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """A function that runs a file as Snakemake would; `plain` lists those for which a Python was started."""
    plain, servers = [], []
    monkeypatch.setattr(PythonScript, "execute_script", lambda self, fname, edit=False: plain.append(fname))
    monkeypatch.setattr(acceleration, "ForkServer", lambda _: servers.append(ForkServer()) or servers[-1])

    def accelerated(at_once=True):
        def execute(file, path=tmp_path / "scripts/a.py", **attributes):
            PythonScript.execute_script(Script(path, **attributes), file)

        fork_scripts(workflow(), tmp_path / "scripts", [], at_once=at_once)
        execute.plain, execute.servers = plain, servers
        return execute

    yield accelerated
    for server in servers:
        server.close()


def test_scripts_of_others_are_left_to_snakemake(execute, script, tmp_path):
    execute = execute()
    execute(script(""))
    assert execute.plain == []
    execute("other", path=tmp_path / "scripts_of_others/a.py")
    execute("module", path=tmp_path / "scripts/../a.py")
    execute("environment", conda_env="/envs/a")
    execute("container", container_img="a.sif")
    execute("server", is_local=False)
    assert execute.plain == ["other", "module", "environment", "container", "server"]


def test_on_a_node_the_server_starts_at_the_second_script(execute, script):
    execute = execute(at_once=False)
    execute("other", conda_env="/envs/a")
    execute("first")
    assert execute.plain == ["other", "first"]
    assert not execute.servers
    execute(script(""))
    assert len(execute.plain) == 2
    assert len(execute.servers) == 1


def test_a_script_has_the_variables_that_snakemake_sets_and_the_users(execute, script, tmp_path, monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "131072")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TMPDIR", "TEMP", "MALLOC_TRIM_THRESHOLD_")
    code = f"import os\nopen({str(tmp_path / 'found')!r}, 'w').write(' '.join(os.environ[n] for n in {names}))"
    execute()(script(code))
    assert (tmp_path / "found").read_text() == "2 2 /somewhere /somewhere 131072"


def test_a_script_that_fails_fails_its_job(execute, script):
    with pytest.raises(subprocess.CalledProcessError) as failure:
        execute()(script("import sys; sys.exit(3)"))
    assert failure.value.returncode == 3


def test_benchmarks_are_those_of_the_script(execute, script):
    execute, busy, short = execute(), BenchmarkRecord(), BenchmarkRecord()
    execute(script("import time\nend = time.time() + 2\nwhile time.time() < end: pass"), bench_record=busy)
    assert 0 < busy.cpu_time < 10
    execute(script(""), bench_record=short)  # over before it can be measured


def test_where_nothing_can_be_forked_snakemake_starts_the_scripts(execute, script):
    execute = execute()
    execute(script(""))
    execute.servers[0].process.kill()
    execute.servers[0].process.wait()
    execute("after its end")
    assert execute.plain == ["after its end"]


# --- the scheduler ----------------------------------------------------------------------------------------------------


def test_sigterm_is_handled_while_the_scheduler_holds_its_lock():
    scheduler = SimpleNamespace(_lock=threading.Lock(), _open_jobs=threading.Semaphore(0))
    end_at_sigterm(SimpleNamespace(scheduler=scheduler))
    with scheduler._lock:
        JobScheduler.exit_gracefully(scheduler)
    assert scheduler._user_kill == "graceful"


def test_jobs_are_selected_again_only_when_the_limit_was_reached():
    scheduled, limiter = [], JobRateLimiter(MaxJobsPerTimespan.parse_choice("2/60s"))
    scheduler = SimpleNamespace(job_rate_limiter=limiter, _schedule_reevalutation=scheduled.append)
    limited(SimpleNamespace(scheduler=scheduler))
    limiter.register_jobs(1)
    scheduler._schedule_reevalutation(60)
    assert scheduled == []
    scheduler._schedule_reevalutation(10)  # for another reason
    limiter.register_jobs(1)
    scheduler._schedule_reevalutation(60)
    assert scheduled == [10, 60]


# --- parameters -------------------------------------------------------------------------------------------------------

TABLES = """\
import sys
import acceleration
from snakemake.iocontainers import InputFiles, Log, OutputFiles, Params, Snakemake
from snakemake.persistence import PersistenceBase

class Persistence(PersistenceBase):
    pass

Persistence.__abstractmethods__ = frozenset()
Persistence.__init__ = lambda self: None
acceleration.load_no_tables()

def stored(value):
    files = InputFiles(), OutputFiles()
    job = Snakemake(*files, Params(fromdict={"value": value}), {}, 1, {}, Log(), {}, "rule", None)
    return job.params.value, Persistence()._serialize_param_pandas(value)

assert stored([1, "a"]) == ([1, "a"], "[1, 'a']")
assert not {"pandas", "numpy"} & set(sys.modules)
import numpy, pandas
table, text = stored(pandas.DataFrame({"a": [5]}))
assert table.a[0] == 5 and text != stored(pandas.DataFrame({"a": [6]}))[1]
assert type(stored(numpy.arange(3))[0]) is numpy.ndarray
"""


def test_libraries_of_tables_are_not_loaded_for_parameters_without_tables():
    process = python(TABLES)
    _, errors = process.communicate()
    assert process.returncode == 0, errors


# --- where Snakemake is built otherwise -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "part", [end_at_sigterm, limited, lambda workflow: fork_scripts(workflow, "", [], at_once=True)]
)
def test_a_part_that_is_not_possible_is_a_line_in_the_log(caplog, part):
    with caplog.at_level(logging.INFO, "snakemake.logging"):
        attempt(part, SimpleNamespace(scheduler=SimpleNamespace()))
    (record,) = caplog.records
    assert record.message.startswith(f"{part.__name__}: not possible with this version of Snakemake (")
