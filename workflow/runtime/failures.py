"""The summary at the end of a run that failed, in plain words: from the jobs that failed, and their logs."""

import atexit
import os
import re
import shutil
import sys
import time
from pathlib import Path

REMEDIES = {
    r"MemoryError|Unable to allocate|bad_alloc": "Not enough memory: run with fewer --cores, or where there is more; "
    "`check` lists what each image takes.",
    r"No space left|Not enough space on disk|Disk quota|File too large": "The disk is full: make room, or set "
    "keep_intermediates to false.",
    r"Permission denied|Read-only file system": "Nothing can be written there: set out_dir to a folder of yours.",
}
FULL = 1e6  # bytes: with less, a log may not have been written
NO_MESSAGE = (
    "it left no message: killed (often for lack of memory: `check` lists what each image takes), or never started"
)
AGAIN = "then run the same command again: finished work is kept."


def print_at_exit(text):
    """Print on the terminal after all that Snakemake prints."""
    atexit.register(print, f"\n{text}", file=sys.stderr)


def failure_summary(jobs, *, reports, record, since):
    """What failed, why, and what to do.

    Parameters
    ----------
    jobs : iterable of snakemake.jobs.Job
        Those that failed; group jobs count as the jobs they hold.
    reports : collection of str
        Logs of the jobs that fail on purpose, when an image is not anchored; a log belongs to one job.
    record : re.Pattern
        The start of a record in a log, its level as group 1.
    since : float
        When the run started, seconds since 1970: an older log is not this run's.
    """
    singles = [single for job in jobs for single in (job.jobs if job.is_group() else [job])]
    failed = [job for job in singles if str(_log(job)) not in reports]
    paragraphs = [last_error(_log(job), record, since=since) for job in singles if job not in failed]
    if paragraphs:
        paragraphs.append(f"Fix what is named (or set allow_unanchored to true, and it counts as a success), {AGAIN}")
    if failed:
        jobs, them = ("1 job", "it") if len(failed) == 1 else (f"{len(failed)} jobs", "them")
        described = sorted(_describe_failure(job, record, since) for job in failed)
        paragraphs += [f"{jobs} failed, and what depends on {them} is not done:", *described, f"Fix this, {AGAIN}"]
    return "\n".join(paragraphs) or "Stopped before the end. The same command goes on from here."


def _describe_failure(job, record, since):
    log = _log(job)
    reason = last_error(log, record, since=since) or _newer_input(job, log, since) or _no_message(log)
    remedy = next((f"\n    {advice}" for pattern, advice in REMEDIES.items() if re.search(pattern, reason)), "")
    place = " ".join(map(str, job.wildcards_dict.values()))
    return f"  {' '.join(filter(None, (job.rule.name, place)))}: {reason}{remedy}\n    log: {log}"


def _newer_input(job, log, since):
    """Why Snakemake refuses the result of a job that went well: an input that is newer; empty if none is.

    A job starts after its inputs are there, so that one with a date after the start of its log is dated in the future,
    or was replaced meanwhile.
    """
    began = log.stat().st_mtime if log.is_file() else 0
    began = began if began >= since else time.time()
    ahead = [path for path in map(str, getattr(job, "input", ())) if _date(path) > began]
    if not ahead:
        return ""
    date = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(_date(ahead[0])))
    return (
        f"{ahead[0]} is dated {date}, after the start of the job that reads it: Snakemake accepts no result that is "
        "older than an input; expected a date in the past: `touch` the file, or wait until then"
    )


def _date(path):
    """When a file, or the link that leads to it, was changed; 0 if it is not there."""
    try:
        return max(os.lstat(path).st_mtime, os.stat(path).st_mtime)
    except OSError:
        return 0


def _no_message(log):
    """Why a job may have left no message."""
    folder = next((parent for parent in log.parents if parent.is_dir()), Path())
    if not os.access(folder, os.W_OK):
        return f"it left no message: Permission denied in {folder}"
    if shutil.disk_usage(folder).free < FULL:
        return f"it left no message: No space left in {folder}"
    return NO_MESSAGE


def _log(job):
    return Path(str(next(iter(job.log), "")))


def last_error(log, record, *, since):
    """The message of the last record of a log, without its traceback; empty if it is no error, or an older run's."""
    if not log.is_file() or log.stat().st_mtime < since:
        return ""
    text = log.read_text(errors="replace")
    records = list(record.finditer(text))
    if not records or records[-1][1] != "ERROR":
        return ""
    return text[records[-1].end() :].split("\nTraceback (most recent call last)")[0].strip()
