"""What a run that failed says at its end, in plain words, from the jobs that failed and their logs."""

import atexit
import re
import sys
from pathlib import Path

VERDICTS = ("verify_run", "verify_target", "check")  # rules whose failure is an answer, not an accident
RECORD = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ([A-Z]+) ", re.MULTILINE)  # as the scripts log
REMEDIES = {
    r"MemoryError|Unable to allocate|bad_alloc": "Not enough memory: run with fewer --cores, or where there is more; "
    "`check` lists what each image takes.",
    r"No space left|Disk quota": "The disk is full: make room, or set keep_intermediates to false.",
    r"Permission denied|Read-only file system": "Nothing can be written there: set out_dir to a folder of yours.",
}
SILENT = "it left no message: killed (often for lack of memory: `check` lists what each image takes), or never started"
AGAIN = "Then run the same command again: what is done is kept."


def say_last(words):
    """Print on the terminal when Snakemake has said all that it has to say."""
    atexit.register(print, f"\n{words}", file=sys.stderr)


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
    reason = last_error(log, since=since)
    remedy = next((f"\n    {advice}" for pattern, advice in REMEDIES.items() if re.search(pattern, reason)), "")
    place = " ".join(map(str, job.wildcards_dict.values()))
    return f"  {' '.join(filter(None, (job.rule.name, place)))}: {reason or SILENT}{remedy}\n    log: {log}"


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
