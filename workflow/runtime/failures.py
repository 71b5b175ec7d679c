"""What a run that failed says at its end, in plain words, from the jobs that failed and their logs."""

import atexit
import os
import re
import shlex
import shutil
import sys
import time
from pathlib import Path

VERDICTS = ("verify_run", "verify_target", "check")  # rules whose failure is an answer, not an accident
RECORD = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ([A-Z]+) ", re.MULTILINE)  # as the scripts log
REMEDIES = {
    r"MemoryError|Unable to allocate|bad_alloc": "Not enough memory: run with fewer --cores, or where there is more; "
    "`check` lists what each image takes.",
    r"No space left|Not enough space on disk|Disk quota|File too large": "The disk is full: make room, or set "
    "keep_intermediates to false.",
    r"Permission denied|Read-only file system": "Nothing can be written there: set out_dir to a folder of yours.",
}
FULL = 1e6  # bytes: with less, a log may not have been written
SILENT = "it left no message: killed (often for lack of memory: `check` lists what each image takes), or never started"
AGAIN = "Then run the same command again: what is done is kept."


def say_last(words):
    """Print on the terminal when Snakemake has said all that it has to say."""
    atexit.register(print, f"\n{words}", file=sys.stderr)


def say_if_locked(workflow, command):
    """Print on the terminal, at the end of a Snakemake that found the folder locked, how to go on.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
    command : list of str
        The words of the command.
    """

    def say():
        # Who held the lock has given it back by now.
        if workflow.persistence is not None and workflow.scheduler is None and workflow.persistence.locked:
            print(f"\n{locked_words(command)}", file=sys.stderr)

    atexit.register(say)


def locked_words(command):
    """What to do about a lock; `command` is the list of the words that met it."""
    unlock = shlex.join([os.path.basename(command[0]), *command[1:], "--unlock"])
    return (
        "Another run is at work in this folder, or was killed in it. If it is at work, wait for its end. If it was "
        f"killed:\n  {unlock}\nThen run the same command again: what is done is kept."
    )


def words(jobs, *, since):
    """What failed, why, and what to do.

    Parameters
    ----------
    jobs : iterable of snakemake.jobs.Job
        Those that failed; group jobs count as the jobs they hold.
    since : float
        When the run started, seconds since 1970: an older log is not this run's.
    """
    singles = [single for job in jobs for single in (job.jobs if job.is_group() else [job])]
    verdicts = [job for job in singles if job.rule.name.endswith(VERDICTS)]
    accidents = [job for job in singles if not job.rule.name.endswith(VERDICTS)]
    paragraphs = [last_error(_log(job), since=since) for job in verdicts]
    if verdicts:
        paragraphs.append(f"Mend what is named (or set allow_unanchored to true, and it counts as a success). {AGAIN}")
    if accidents:
        told = sorted(_accident(job, since) for job in accidents)
        jobs, them = ("1 job", "it") if len(told) == 1 else (f"{len(told)} jobs", "them")
        paragraphs += [f"{jobs} failed, and what depends on {them} is not done:", *told, f"Mend that. {AGAIN}"]
    return "\n".join(paragraphs) or "Stopped before the end. The same command goes on from here."


def _accident(job, since):
    log = _log(job)
    reason = last_error(log, since=since) or _dates(job, log, since) or _silence(log)
    remedy = next((f"\n    {advice}" for pattern, advice in REMEDIES.items() if re.search(pattern, reason)), "")
    place = " ".join(map(str, job.wildcards_dict.values()))
    return f"  {' '.join(filter(None, (job.rule.name, place)))}: {reason}{remedy}\n    log: {log}"


def _dates(job, log, since):
    """Why Snakemake refuses what a job that went well has made: an input that is newer; empty if none is.

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
        f"{ahead[0]} is dated {date}, after the job that reads it began: Snakemake takes no result that is older than "
        "what it is made of; expected a date in the past: `touch` the file, or wait until then"
    )


def _date(path):
    """When a file, or the link that leads to it, was changed; 0 if it is not there."""
    try:
        return max(os.lstat(path).st_mtime, os.stat(path).st_mtime)
    except OSError:
        return 0


def _silence(log):
    """Why a job may have left no message."""
    folder = next((parent for parent in log.parents if parent.is_dir()), Path())
    if not os.access(folder, os.W_OK):
        return f"it left no message: Permission denied in {folder}"
    if shutil.disk_usage(folder).free < FULL:
        return f"it left no message: No space left in {folder}"
    return SILENT


def _log(job):
    return Path(str(next(iter(job.log), "")))


def last_error(log, *, since):
    """The message of the last record of a log, without its traceback; empty if it is no error, or an older run's."""
    if not log.is_file() or log.stat().st_mtime < since:
        return ""
    text = log.read_text(errors="replace")
    records = list(RECORD.finditer(text))
    if not records or records[-1][1] != "ERROR":
        return ""
    return text[records[-1].end() :].split("\nTraceback (most recent call last)")[0].strip()
