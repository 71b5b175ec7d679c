"""How pairs are fitted, as the configuration chooses."""

from typing import Literal, NamedTuple

from ..images.coverage import least_coverage

ERODE = {"binned": 0.0, "errors_in_variables": 0.3}  # FWHM, unless the configuration says otherwise


class Settings(NamedTuple):
    """How a pair is fitted.

    Attributes
    ----------
    estimator : {"binned", "errors_in_variables"}
    erode_fwhm : float or None
        FWHM from an edge or hole up to which pixels are left out; None for the estimator's own (ERODE).
    bin_weights : {"equal", "count"}
    clip : {"std", "mad"}
        Of bins; errors_in_variables always clips pixels by the MAD.
    gradient : {"none", "nuisance"}
        Whether a plane across the image is fitted with the line.
    """

    estimator: Literal["binned", "errors_in_variables"] = "binned"
    erode_fwhm: float | None = None
    bin_weights: Literal["equal", "count"] = "equal"
    clip: Literal["std", "mad"] = "std"
    gradient: Literal["none", "nuisance"] = "none"

    def least_coverage(self, estimator: Literal["binned", "errors_in_variables"] | None = None) -> float:
        """Beam coverage, 0 to 1, from which on pixels are used, by this estimator or another."""
        return least_coverage(ERODE[estimator or self.estimator] if self.erode_fwhm is None else self.erode_fwhm)
