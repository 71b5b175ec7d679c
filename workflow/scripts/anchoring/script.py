"""What every script does around its work: a log, and a clear end."""

import gc
import logging
import re
import sys
from pathlib import Path

from .errors import AnchoringError

FORMAT = "%(asctime)s %(levelname)s %(message)s"
# The start of a record in that format, with its level: what the summary of a failed run looks for.
RECORD = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ([A-Z]+) ", re.MULTILINE)


def run(main, log, **arguments):
    """Call `main(**arguments)` with its log messages and warnings in the file `log`.

    What goes wrong ends the process with status 1: with the message alone if it is an AnchoringError, written for the
    user (its first line, if it is long: the log has all of it); with a traceback in the log if it is anything else.
    """
    gc.freeze()  # what was imported lives to the end: no need to look through it for garbage
    gc.set_threshold(100_000)  # a figure makes many objects that live as long
    try:
        Path(log).parent.mkdir(parents=True, exist_ok=True)
        logging.basicConfig(filename=log, filemode="w", level=logging.INFO, format=FORMAT, force=True)
    except OSError as error:
        sys.exit(f"{log} cannot be written ({error})")
    logging.captureWarnings(True)
    # Where it can write to no home, matplotlib warns that it keeps its list of fonts elsewhere: nothing to act on.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
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
        gc.freeze()  # nor at the exit
