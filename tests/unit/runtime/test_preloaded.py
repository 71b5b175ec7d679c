"""Scripts in forks of a process with libraries loaded end as those that Python starts anew, and leave the same."""

import os
import signal
import subprocess
import sys
import time

import preloaded
import pytest
from preloaded import LOST, OURS, Preloaded, install
from runs import Project, products
from snakemake.benchmark import BenchmarkRecord


@pytest.fixture(scope="module")
def forks():
    preloaded = Preloaded()
    yield preloaded
    preloaded.close()


@pytest.fixture
def script(tmp_path):
    def written(code):
        (tmp_path / "script.py").write_text(code)
        return str(tmp_path / "script.py")

    return written


def status(forks, file):
    with forks.started(file) as (_, end):
        return end()


def anew(file):
    return subprocess.run([sys.executable, file], capture_output=True, text=True)


def python(code):
    """A process that runs code which finds `preloaded`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


ENDS = {
    "": 0,
    "import sys; sys.exit()": 0,
    "import sys; sys.exit(0)": 0,
    "import sys; sys.exit(7)": 7,
    "import sys; sys.exit(-1)": 255,
    "import sys; sys.exit('no such image')": 1,
    "1 / 0": 1,
    "raise KeyboardInterrupt": None,  # Python ends by the signal
    "import os; os._exit(3)": 3,
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)": -9,
    "import os, signal; os.kill(os.getpid(), signal.SIGTERM)": -15,
    "def f(:": 1,
}


@pytest.mark.parametrize("code", ENDS)
def test_a_script_ends_as_it_would_alone(forks, script, code):
    file = script(code)
    alone = anew(file).returncode
    expected = 1 if ENDS[code] is None else ENDS[code]
    assert status(forks, file) == expected
    assert ENDS[code] is None or alone == expected


def test_a_script_finds_its_surroundings(forks, script, tmp_path):
    (tmp_path / "beside.py").write_text("value = 5\n")
    file = script(
        "import json, os, sys, signal, beside\n"
        "found = [__name__, __file__, sys.argv, sys.path[0], os.getcwd(), beside.value, os.getpid() == os.getpgid(0),\n"
        "    [str(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)], sys.stdin.read(),\n"
        "    sys.modules['__main__'].__dict__ is globals(), os.environ['PATH']]\n"
        "open(sys.argv[0] + '.json', 'w').write(json.dumps(found))\n"
    )
    subprocess.run([sys.executable, file], stdin=subprocess.DEVNULL, check=True)
    result = tmp_path / "script.py.json"
    alone = result.read_text()
    result.unlink()
    assert status(forks, file) == 0
    assert result.read_text() == alone


def test_libraries_are_loaded_and_nothing_else_is_shared(forks, script):
    loaded = "import sys; assert {'numpy', 'astropy.wcs'} <= set(sys.modules)\n"
    fresh = "import builtins; assert not hasattr(builtins, 'left'); builtins.left = 1\n"
    ours = "assert 'anchoring' not in sys.modules\n"
    for _ in range(2):
        assert status(forks, script(loaded + fresh + ours)) == 0


def test_words_of_a_script_come_to_the_screen(script):
    """Of a process of its own, as pytest's screen is not the one that the fixture's process writes to."""
    file = script("import sys; print('one'); sys.exit('two')")
    code = f"from preloaded import Preloaded\nwith Preloaded().started({file!r}) as (_, end): end()"
    assert python(code).communicate() == ("one\n", "two\n")


def test_one_that_no_script_came_to_ends_at_once():
    forks = Preloaded()
    start = time.monotonic()
    forks.close()
    assert forks._process.returncode == -signal.SIGKILL
    assert time.monotonic() - start < 5


def test_what_figures_need_is_loaded_when_nothing_else_waits(script):
    forks = Preloaded()
    code = "import sys; sys.exit('matplotlib.backends.backend_pdf' not in sys.modules)"
    assert status(forks, script("")) == 0
    end = time.monotonic() + 20
    while status(forks, script(code)) and time.monotonic() < end:
        time.sleep(0.1)
    assert status(forks, script(code)) == 0
    forks.close()


def test_scripts_run_side_by_side(forks, script, tmp_path):
    """Two that wait for each other."""
    file = script(f"import os, time\nos.mkfifo({str(tmp_path / 'pipe')!r})\nopen({str(tmp_path / 'pipe')!r}).read()\n")
    other = tmp_path / "other.py"
    other.write_text(f"open({str(tmp_path / 'pipe')!r}, 'w').write('x')\n")
    with forks.started(file) as (first, end):
        while not (tmp_path / "pipe").exists():
            time.sleep(0.01)
        with forks.started(other) as (second, other_end):
            assert first != second
            assert (end(), other_end()) == (0, 0)


def test_its_number_is_not_given_away_before_it_is_let_go(forks, script):
    with forks.started(script("")) as (number, end):
        assert end() == 0
        os.kill(number, 0)  # still there to be asked for its memory


def test_ctrl_c_ends_scripts_and_not_what_starts_them(forks, script):
    # Where tests run in the background, SIGINT is ignored.
    code = "import signal, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\ntime.sleep(60)"
    with forks.started(script(code)) as (number, end):
        time.sleep(0.3)
        os.kill(forks._process.pid, signal.SIGINT)
        os.kill(number, signal.SIGINT)
        assert end() == 1
    assert status(forks, script("")) == 0


def test_time_and_memory_of_scripts_count_as_those_of_the_run(script):
    busy = "import time\nend = time.process_time() + 1\nwhile time.process_time() < end: pass\n"
    file = script("kept = b'x' * 300_000_000\n" + busy)
    code = f"from preloaded import Preloaded\nwith Preloaded().started({file!r}) as (_, end): end()"
    with python(code) as process:
        _, process.returncode, usage = os.wait4(process.pid, 0)
    assert process.returncode == 0
    assert usage.ru_utime + usage.ru_stime > 1
    assert usage.ru_maxrss > 280_000  # KB


def alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_ends_with_the_process_that_started_it(script):
    file = script("")
    code = (
        "import os\nfrom preloaded import Preloaded\nforks = Preloaded()\n"
        f"with forks.started({file!r}) as (_, end): end()\n"
        "print(forks._process.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    said, _ = python(code).communicate()
    number, end = int(said), time.monotonic() + 20
    while alive(number) and time.monotonic() < end:
        time.sleep(0.02)
    assert not alive(number)


# --- in Snakemake -----------------------------------------------------------------------------------------------------


class Scripts:
    """What `install` needs of Snakemake's class; `anew`, of its subclasses, lists what it started itself."""

    def __init__(self, source=OURS, bench_record=None, conda_env=None):
        self.source, self.bench_record, self.conda_env = source, bench_record, conda_env
        self.container_img = self.env_modules = self.shadow_dir = None

    def execute_script(self, file, edit=False):
        self.anew.append(file)


@pytest.fixture
def scripts(monkeypatch):
    class Fresh(Scripts):
        pass

    Fresh.anew = []
    made = []
    monkeypatch.setattr(preloaded, "Preloaded", lambda: made.append(Preloaded()) or made[-1])
    Fresh.start = staticmethod(install(Fresh))
    yield Fresh
    for forks in made:
        forks.close()


def test_the_first_script_and_those_of_others_start_anew(scripts, script):
    file = script("import sys; assert 'numpy' in sys.modules")
    scripts(source="import pandas").execute_script(file)
    scripts(conda_env="/envs/a").execute_script(file)
    scripts().execute_script("the first")
    scripts().execute_script(file)
    assert scripts.anew == [file, file, "the first"]


def test_where_many_are_to_come_the_first_is_a_fork_too(scripts, script):
    scripts.start()
    scripts().execute_script(script(""))
    assert scripts.anew == []


def test_a_script_that_fails_fails_its_job(scripts, script):
    scripts().execute_script("the first")
    with pytest.raises(subprocess.CalledProcessError) as failure:
        scripts().execute_script(script("import sys; sys.exit(3)"))
    assert failure.value.returncode == 3


def test_memory_and_time_of_a_script_are_its_own(scripts, script):
    scripts().execute_script("the first")
    record = BenchmarkRecord()
    code = (
        "import time, numpy\na = numpy.ones(40_000_000)\nt = time.monotonic()\nwhile time.monotonic() < t + 1.2: pass"
    )
    scripts(bench_record=record).execute_script(script(code))
    assert 320 < record.max_rss < 700
    assert record.cpu_time > 0.5
    scripts(bench_record=BenchmarkRecord()).execute_script(script(""))  # over before it can be looked at


def test_where_nothing_can_be_forked_scripts_start_anew(scripts, script, monkeypatch):
    kept = []
    monkeypatch.setattr(preloaded, "Preloaded", lambda make=preloaded.Preloaded: kept.append(make()) or kept[-1])
    scripts().execute_script("the first")
    scripts().execute_script(script(""))
    kept[0]._process.kill()
    kept[0]._process.wait()
    scripts().execute_script("after its end")
    assert scripts.anew == ["the first", "after its end"]


def test_a_script_whose_end_nobody_saw_has_failed(script):
    # Until its number was told.
    code = "import os, signal, time\ntime.sleep(0.3)\nos.kill(os.getppid(), signal.SIGKILL)\ntime.sleep(0.2)"
    forks = Preloaded()
    assert status(forks, script(code)) == LOST
    forks.close()


def test_a_run_of_forks_makes_what_one_of_new_processes_makes(tmp_path):
    """All jobs are forks, that have no libraries to load; nothing loads pandas."""
    project = Project(tmp_path, bands=["F770W", "F2100W"], references=["irac4_atgauss4"], targets=["ngc0628"])
    made = {}
    loads = tmp_path / "loads.txt"
    (tmp_path / "site").mkdir()
    # Python says so when a process loads numpy, and at its end if it has pandas.
    (tmp_path / "site/sitecustomize.py").write_text(
        "import atexit, sys\n"
        "def say(name):\n"
        f"    print(name, *sys.orig_argv, file=open({str(loads)!r}, 'a'))\n"
        "class Watch:\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'numpy': say(name)\n"
        "sys.meta_path.insert(0, Watch)\n"
        "atexit.register(lambda: 'pandas' in sys.modules and say('pandas'))\n"
    )
    for preload in (True, False):
        loads.write_text("")
        project.configure(preload=preload, out_dir=f"out_{preload}")
        environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
        for _ in range(2):  # the second time with nothing to do
            subprocess.run(project.command(), cwd=tmp_path, env=environment, check=True, capture_output=True)
        made[preload] = products(tmp_path / f"out_{preload}")
        loaded = loads.read_text().splitlines()
        scripts = sum(".snakemake/scripts" in line for line in loaded)
        assert scripts == 0 if preload else scripts > 10
        assert not [line for line in loaded if line.startswith("pandas")]
    assert made[True].keys() == made[False].keys()
    assert [
        path for path in made[True] if made[True][path] != made[False][path].replace(b"out_False", b"out_True")
    ] == []
