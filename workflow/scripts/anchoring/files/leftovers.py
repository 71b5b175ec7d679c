"""Anchored images in a folder of results that do not belong to the present run."""

import glob
from pathlib import Path

from astropy.io import fits

SHOWN = 10  # names in a message
RELEASED = "release"  # folder of out_dir: what is in it was anchored by the run that it is of


def left_over(out_dir, planned, target=None):
    """Anchored images in a folder of results that a run does not write.

    They are from earlier runs: other bands or targets, another name, a mosaic that was removed. The user decides
    whether to keep them.

    Parameters
    ----------
    out_dir : path
    planned : iterable of path
        The anchored images that the run can write.
    target : str, optional
        Search the folder of this target only.

    Returns
    -------
    sorted list of str
    """
    known = {Path(path).resolve() for path in planned}
    found = Path(out_dir).glob(f"{'*' if target is None else glob.escape(target)}/*/*/*.fits")
    found = (path for path in found if path.is_file() and path.resolve() not in known)
    found = (path for path in found if path.relative_to(out_dir).parts[0] != RELEASED)
    return sorted(str(path) for path in found if _is_anchored(path))


def _is_anchored(path):
    try:
        with fits.open(path) as hdus:
            return "SCI" in hdus and "ANCHOFF" in hdus["SCI"].header
    except (OSError, ValueError, KeyError, TypeError, fits.VerifyError):
        return False  # not an image of this workflow


def message(paths):
    """The message about anchored images of earlier runs; empty if there are none."""
    if not paths:
        return ""
    listed = [*paths[:SHOWN], *([f"and {len(paths) - SHOWN} more"] if len(paths) > SHOWN else [])]
    first = f"{len(paths)} anchored images of earlier runs are not part of this one. Delete what you do not need:"
    return "\n  ".join([first, *listed])
