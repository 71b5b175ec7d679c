"""How good a kernel is, and from which limits on that is flagged. No numpy: read wherever a kernel is used."""

from typing import NamedTuple

# Limits of the quality from which on a flag (fitting.flags) is raised: Aniano et al. 2011 take W- = 0.5 for safe.
LIMITS = {"kernel_lobes": 0.5, "kernel_inexact": 0.02, "kernel_cut": 1e-3, "psf_cut": 0.9}
NARROW = 2.0  # pixels of an image: FWHM of a kernel


class Quality(NamedTuple):
    """How good a kernel K from a PSF s to a PSF t is; sums over the grid on which it was made.

    difference : float
        D = sum |s * K - t| (Aniano et al. 2011, PASP 123, 1218, eq. 20), of the trimmed kernel.
    negative : float
        W- = (sum |K| - sum K) / 2 (eq. 21): 0.3 is very safe, 0.5 safe, 1 aggressive.
    cut : float
        Share of sum |K| that trimming cut off.
    edge : float
        Largest |K| at the edge, of the peak.
    held : float
        Share of the light of t within the smaller file, of those that cut the wings of their PSF; 1 if none does.
    source_fwhm, target_fwhm : float
        arcsec.
    """

    difference: float
    negative: float
    cut: float
    edge: float
    held: float
    source_fwhm: float
    target_fwhm: float

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags of fitting.flags that this quality raises."""
        raised = {
            "kernel_lobes": self.negative > LIMITS["kernel_lobes"],
            "kernel_inexact": self.difference > LIMITS["kernel_inexact"],
            "kernel_cut": self.edge > LIMITS["kernel_cut"],
            "psf_cut": self.held < LIMITS["psf_cut"],
        }
        return tuple(word for word, is_raised in raised.items() if is_raised)
