"""What every script does around its work: a log, and a clear end."""

import logging
import sys
from pathlib import Path

from .errors import AnchoringError


def run(main, log, **arguments):
    """Call `main(**arguments)` with its log messages and warnings in the file `log`.

    What goes wrong ends the process with status 1: with the message alone if it is an AnchoringError, written for the
    user; with a traceback in the log if it is anything else.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=log, filemode="w", level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    logging.captureWarnings(True)
    try:
        main(**arguments)
    except AnchoringError as error:
        logging.error("%s", error)
        sys.exit(f"{error}")
    except Exception as error:
        logging.exception("%s", error)
        sys.exit(f"{type(error).__name__}: {error} (traceback in {log})")
    finally:
        logging.shutdown()
