"""What Snakemake does in the way of this workflow, mended where it runs.

None of this is Snakemake's interface: its version is pinned, and each has a test.
"""

import contextlib
import functools
import sys
import threading

TABLES = ("pandas", "polars")


def load_no_tables():
    """Have Snakemake not load pandas (0.4 s) to see whether a parameter is a table.

    Where a library is not loaded, nothing is of its kinds.
    """
    from snakemake.iocontainers import Snakemake
    from snakemake.persistence import PersistenceBase

    lock, stored = threading.Lock(), Snakemake._safely_store_params
    serialized, builtin = PersistenceBase._serialize_param_pandas, PersistenceBase._serialize_param_builtin

    @functools.wraps(stored)
    def store(self, params):
        with lock, hidden(TABLES):
            return stored(self, params)

    @functools.wraps(serialized)
    def serialize(self, value):
        return (serialized if sys.modules.get("pandas") else builtin)(self, value)

    Snakemake._safely_store_params, PersistenceBase._serialize_param_pandas = store, serialize


@contextlib.contextmanager
def hidden(modules):
    """Inside the block, those that are not loaded are as if they were not installed."""
    absent = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def end_at_sigterm(scheduler):
    """At SIGTERM Snakemake takes a lock that the same thread may hold, and would wait for itself for ever."""
    scheduler._lock = threading.RLock()


def start_jobs_at_once(scheduler):
    """Lift the limit of jobs per second, which is made for submissions.

    For every job that ends it has the scheduler look at all that wait once more in each second to come: quadratic in
    the jobs of a survey.
    """
    scheduler.job_rate_limiter = None
