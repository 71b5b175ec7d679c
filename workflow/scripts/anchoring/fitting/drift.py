"""How the colour of a pair drifts with brightness: what is known of it before a fit.

    y ~ x^(1 + d)

d is 0 where the colour y / x does not change with the brightness. A d of 0.01 is not seen in one fit and moves its zero
by 0.01 of the slope (`systematics.drifting`), which for bright pairs is more than all noise.

KNOWN, of pairs (y, x), and GENERAL are what `python -m simulation.drifts` prints: the scatter of d about 0 in spectra
of M83, NGC 7023 and M82 (for bands above 5 micron), and by what dust adds to stars (for those below), widened for so
few objects. Only the configuration gives a mean.
"""

from typing import NamedTuple

from ..labels import split_label


class Drift(NamedTuple):
    """d as it is expected before a fit: its mean and its scatter from object to object, and where they are from.

    source : {"known", "general", "config"}
    """

    mean: float
    scatter: float
    source: str = "config"

    @property
    def corrected(self) -> bool:
        """Whether errors_in_variables corrects for d: where its sign is stated.

        Elsewhere offsets that are corrected by what samples tell of d are not closer on skies with the colours of real
        spectra, and farther off on skies whose colours do not drift.
        """
        return self.mean != 0


KNOWN = {
    ("F770W", "IRAC4"): 0.008,
    ("F770W", "W3"): 0.099,
    ("F770W", "MIPS24"): 0.056,
    ("F1000W", "F770W"): 0.143,
    ("F1130W", "F770W"): 0.077,
    ("F1500W", "F770W"): 0.151,
    ("F2100W", "F770W"): 0.064,
    ("F2100W", "MIPS24"): 0.052,
    ("F2100W", "W4"): 0.026,
    ("F1000W", "W3"): 0.059,
    ("F1130W", "W3"): 0.126,
    ("F1500W", "W3"): 0.063,
    ("F300M", "IRAC1"): 0.017,
    ("F300M", "IRAC2"): 0.020,
    ("F300M", "W1"): 0.015,
    ("F300M", "W2"): 0.031,
    ("F335M", "IRAC1"): 0.013,
    ("F335M", "IRAC2"): 0.011,
    ("F335M", "W1"): 0.015,
    ("F335M", "W2"): 0.011,
    ("F360M", "IRAC1"): 0.009,
    ("F360M", "IRAC2"): 0.010,
    ("F360M", "W1"): 0.009,
    ("F360M", "W2"): 0.018,
    ("F380M", "IRAC1"): 0.009,
    ("F380M", "IRAC2"): 0.010,
    ("F380M", "W1"): 0.010,
    ("F380M", "W2"): 0.016,
    ("F115W", "F300M"): 0.037,
    ("F150W", "F300M"): 0.037,
    ("F187N", "F300M"): 0.037,
    ("F200W", "F300M"): 0.037,
    ("F335M", "F300M"): 0.025,
    ("F360M", "F300M"): 0.016,
    ("F430M", "F300M"): 0.024,
    ("F444W", "F300M"): 0.027,
    ("F480M", "F380M"): 0.014,
}
GENERAL = Drift(0.0, 0.073, "general")  # rms of all pairs above 5 micron


def drift_of(band: str, label: str, given: tuple[float, float] | None = None) -> Drift:
    """The Drift of a band on a reference.

    Parameters
    ----------
    band : str
    label : str
        Of the reference, with or without its resolution, or the ref_band.
    given : (mean, scatter), optional
        From the configuration, in place of what is known.
    """
    if given is not None:
        return Drift(*given)
    known = KNOWN.get((band.upper(), split_label(label)[0].upper()))
    return GENERAL if known is None else Drift(0.0, known, "known")
