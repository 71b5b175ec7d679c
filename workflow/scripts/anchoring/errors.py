"""The one exception of the library."""


class AnchoringError(ValueError):
    """An input that cannot be anchored.

    The message is written for the person who runs the workflow: what was found, what was expected, what to do.
    It becomes the `reason` of the image in the tables; it is never the sign of a bug.
    """
