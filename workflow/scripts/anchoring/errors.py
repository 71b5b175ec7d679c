"""What keeps an image from being anchored."""

import logging


class AnchoringError(ValueError):
    """An input that cannot be anchored.

    The message is written for the person who runs the workflow: what was found, what was expected, what to do.
    It becomes the `reason` of the image in the tables; it is never the sign of a bug.
    """


class RunOver(RuntimeError):
    """The run that a job belongs to is not there any more."""


# What to do about a file that was replaced while a run went on: what has kept its size and date is not seen as another.
RUN_AGAIN = "run again, after `touch` of it if its size and date are those of the former"

# Of the machine and not of an image: the job fails, and is tried again.
ACCIDENTS = (OSError, MemoryError, RunOver)


def reason_of(error, what):
    """Why an image gets no further, from what was raised at it; it is logged.

    Whatever a library raises on one image is that image's failure: the others and the tables of the run are made all
    the same. What is no AnchoringError is a fault of the workflow or of a library, and says so, with a traceback in
    the log.

    Parameters
    ----------
    error : Exception
        One of ACCIDENTS is raised again.
    what : str
        Files at work, for the message.
    """
    if isinstance(error, AnchoringError):
        logging.error("%s", error)
        return str(error)
    if isinstance(error, ACCIDENTS):
        raise error
    logging.error("%s", what, exc_info=error)
    return (
        f"{what}: {type(error).__name__}: {' '.join(str(error).split())}; expected no such error: a fault of the "
        "workflow or of a library that it uses, please report it with the traceback in the log"
    )
