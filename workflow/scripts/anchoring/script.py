"""What every script does around its work: a log, and a clear end. Scripts import it before the rest of the library."""
# ruff: noqa: E402

import gc

# What imports make lives to the end: looking through it for garbage, last of all at the exit, is a fifth of a job.
gc.disable()

import logging
import sys
from pathlib import Path

from .errors import AnchoringError

FORMAT = "%(asctime)s %(levelname)s %(message)s"  # what workflow/runtime/failures.py looks for


def run(main, log, **arguments):
    """Call `main(**arguments)` with its log messages and warnings in the file `log`.

    What goes wrong ends the process with status 1: with the message alone if it is an AnchoringError, written for the
    user (its first line, if it is long: the log has all of it); with a traceback in the log if it is anything else.
    """
    gc.freeze()
    gc.enable()
    try:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        logging.basicConfig(filename=log, filemode="w", level=logging.INFO, format=FORMAT, force=True)
    except OSError as error:
        sys.exit(f"{log} cannot be written ({error})")
    logging.captureWarnings(True)
    try:
        main(**arguments)
    except AnchoringError as error:
        logging.error("%s", error)
        first, *more = str(error).splitlines()
        sys.exit(f"{first} ({log} says more)" if more else first)
    except Exception as error:
        logging.exception("%s: %s", type(error).__name__, error)
        sys.exit(f"{type(error).__name__}: {error} (traceback in {log})")
    finally:
        logging.shutdown()
        gc.freeze()
