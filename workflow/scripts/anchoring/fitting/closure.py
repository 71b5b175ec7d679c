"""Whether a fit closes: what it still finds to add once its offset is added."""

from ..measuring.binning import bin_medians
from .binned import line_of_bins
from .errors_in_variables import errors_in_variables
from .fit_pair import noise_of
from .jackknife import blocks_of
from .planes import fit_plane, without_plane


def closure(measurement, settings, *, offset, reference_offset, move=0.0, drift_offset=0.0):
    """What the same fit still finds to add after `offset` was added to y and `reference_offset` to x, MJy/sr.

    It is 0 for an exact line, and within the error of the offset on a real sky: the same range now means other pixels.

    Parameters
    ----------
    measurement : Measurement
    settings : Settings
    offset, reference_offset : float
        MJy/sr.
    move : float
        By how much the range moves with the reference, MJy/sr.
    drift_offset : float
        As of the Fit, MJy/sr: the same correction as then.

    Raises
    ------
    AnchoringError
        If there is no line.
    """
    if settings.gradient == "nuisance":
        plane = fit_plane(measurement, settings, blocks_of(measurement.samples), noise_of(measurement))
        measurement = without_plane(measurement, plane)
    samples = measurement.samples
    x, y, _ = samples._replace(x=samples.x + reference_offset, y=samples.y + offset).covered(settings.least_coverage())
    if settings.estimator == "errors_in_variables":
        low, high = measurement.limits
        limits = low + move, high + move
        return drift_offset - errors_in_variables(x, y, limits=limits, sigma_x=noise_of(measurement)).intercept
    return -line_of_bins(bin_medians(x, y, measurement.edges + move), settings).intercept
