"""The scatter of values some of which are outliers."""

import numpy as np


def robust_std(values, centre=None):
    """1.4826 MAD: the standard deviation of normally distributed values, whatever a few others are.

    Not ``astropy.stats.mad_std``, whose factor has more digits (1.482602): the published step clips by this one.

    Parameters
    ----------
    values : (n,) array
    centre : float, optional
        From which deviations are taken; by default the median of the values.
    """
    centre = np.median(values) if centre is None else centre
    return 1.4826 * np.median(np.abs(values - centre))
