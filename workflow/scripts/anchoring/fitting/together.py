"""The fits of several pairs on one sky, with the same blocks of it left out of all of them at once."""

from ..errors import reason_of
from . import alignment, jackknife
from .fit_pair import fit_in_blocks


def fit_together(measurements, settings, names, drifts):
    """Fit pairs without each of the blocks of the sky that they share.

    Parameters
    ----------
    measurements : list of Measurement
    settings : Settings
    names : list of str
        What each pair is, for messages.
    drifts : list of Drift
        Of the colour of each pair.

    Returns
    -------
    list of Replicated, or of str: why a pair has no fit, or none whose error is known
    """
    reasons = [_unusable(measured) for measured in measurements]
    usable = [k for k, reason in enumerate(reasons) if not reason]
    blocks = jackknife.common_blocks([measurements[k] for k in usable]) if usable else []
    found = list(reasons)
    for k, of_sky in zip(usable, blocks, strict=True):
        try:
            alignment.require_one_sky(alignment.align(measurements[k].samples, measurements[k].axes))
            found[k] = fit_in_blocks(measurements[k], settings, of_sky, drifts[k])
        except Exception as error:
            found[k] = reason_of(error, names[k])
    return found


def _unusable(measured):
    if measured.refused:
        return measured.refused
    if measured.centre is None or not measured.samples.x.size:
        return "no samples with a place on the sky; expected some, to leave out blocks of the sky"
    return ""
