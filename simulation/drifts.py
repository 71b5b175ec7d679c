"""How colours of real objects drift with brightness: the priors of workflow/scripts/anchoring/fitting/drift.py.

    python -m simulation.drifts [--without OBJECT]

prints them for pairs of bands (y, x): the scatter about 0 to expect of d of y ~ x^(1 + d), and d of each object.
With the spaxels of `spaxels.csv`, 1 + d is the ratio of the standard deviations of ln y and ln x, which takes neither
for the cause of the other.

Below 5 micron there are stars too, of which no spectrum here tells. There d is what a dust-to-star ratio q does that
changes as x^RISE from place to place and from galaxy to galaxy, either way, at its typical value Q, and stars' own
colours that drift by STELLAR:

    d^2 = (RISE Q)^2 (r_y / (s_y + Q r_y) - r_x / (s_x + Q r_x))^2 + STELLAR^2

with r the dust's median brightness in a band relative to F770W (M82) and s the stars' relative to IRAC 1. This is one
object: the scatter is `widened`, as that of the others is.
"""

import argparse
import math

import numpy as np
from scipy import stats

from simulation.colours import OBJECTS, OBSERVED, SHORT, spaxels

Q, RISE = 1.7, 0.25  # F770W of dust in units of IRAC 1 of stars, as typical of PHANGS; assumed
STELLAR = {True: 0.02, False: 0.005}  # with a band below 2.5 micron, and without; assumed
DUST = [
    ("F770W", "IRAC4"), ("F770W", "W3"), ("F770W", "MIPS24"), ("F1000W", "F770W"), ("F1130W", "F770W"),
    ("F1500W", "F770W"), ("F2100W", "F770W"), ("F2100W", "MIPS24"), ("F2100W", "W4"), ("F1000W", "W3"),
    ("F1130W", "W3"), ("F1500W", "W3"),
]  # fmt: skip
STARS = [(band, on) for band in ("F300M", "F335M", "F360M", "F380M") for on in ("IRAC1", "IRAC2", "W1", "W2")]
STARS += [(band, "F300M") for band in (*SHORT, "F335M", "F360M", "F430M", "F444W")]
STARS += [("F480M", "F380M")]


def drift(name, y, x):
    """d of an object; None if its spectra do not cover both bands."""
    level, ratios = spaxels(name)
    if y not in ratios or x not in ratios:
        return None
    return math.log(np.std(level + ratios[y]) / np.std(level + ratios[x]))


def expected(drifts):
    """Scatter about 0 to expect of d of another object: the rms, `widened`.

    The mean is 0, although d of two pairs has one sign in all objects: taken off, it moves offsets of skies with the
    colours of these objects by no more than they are off by, and is wrong where colours do not drift.
    """
    return widened(math.sqrt(np.mean(np.square(drifts))), len(drifts))


def widened(scatter, n):
    """A scatter that is known from few objects, to hold 68 % as Student's t of n degrees of freedom does."""
    return scatter * float(stats.t.ppf(stats.norm.cdf(1), n))


def of_stars(y, x):
    """Scatter of d between bands below 5 micron."""
    _, ratios = spaxels("m82", near=True)

    def share(band):
        dust = 0.0 if band in SHORT else Q * math.exp(np.median(ratios[band]))
        return dust / (OBSERVED[band].brightness + dust)

    return widened(math.hypot(RISE * (share(y) - share(x)), STELLAR[y in SHORT or x in SHORT]), 1)


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m simulation.drifts", description=__doc__.splitlines()[0])
    parser.add_argument("--without", nargs="*", default=[], choices=OBJECTS, help="objects that are left out")
    left_out = parser.parse_args(arguments).without
    squares = []
    for y, x in DUST:
        drifts = {name: drift(name, y, x) for name in OBJECTS if name not in left_out}
        drifts = {name: d for name, d in drifts.items() if d is not None}
        if drifts:
            squares.append(np.mean(np.square(list(drifts.values()))))
            each = ", ".join(f"{name} {d:+.3f}" for name, d in drifts.items())
            print(f"{y:7}{x:7} {expected(list(drifts.values())):.3f}    {each}")
    for y, x in STARS:
        print(f"{y:7}{x:7} {of_stars(y, x):.3f}")
    print(f"others         {math.sqrt(np.mean(squares)):.3f}    rms of all dust")


if __name__ == "__main__":
    main()
