"""How colours of real objects drift with brightness: the priors of workflow/scripts/anchoring/fitting/drift.py.

    python -m simulation.drifts [--without OBJECT]

prints them for pairs of bands (y, x): d of y ~ x^(1 + d) of each object, and the mean and scatter to expect of another.
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
    """Mean and scatter of d to expect of another object: the median where all agree in sign and it exceeds the scatter.

    The median, as one of three may be unlike a galaxy (NGC 7023 is a reflection nebula). The scatter of a further
    object about it is taken as that about a mean of n, s sqrt(1 + 1 / n) with s^2 = sum (d - median)^2 / (n - 1); about
    0 it is the rms. Either is `widened`, by n - 1 or n degrees of freedom.
    """
    n = len(drifts)
    if n > 2 and abs(np.sum(np.sign(drifts))) == n:
        middle = float(np.median(drifts))
        scatter = math.sqrt(np.sum(np.square(np.subtract(drifts, middle))) / (n - 1) * (1 + 1 / n))
        if abs(middle) > scatter:
            return middle, widened(scatter, n - 1)
    return 0.0, widened(math.sqrt(np.mean(np.square(drifts))), n)


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
            mean, scatter = expected(list(drifts.values()))
            each = ", ".join(f"{name} {d:+.3f}" for name, d in drifts.items())
            print(f"{y:7}{x:7} {mean:+.3f} +- {scatter:.3f}    {each}")
    for y, x in STARS:
        print(f"{y:7}{x:7} {0:+.3f} +- {of_stars(y, x):.3f}")
    print(f"others         {0:+.3f} +- {math.sqrt(np.mean(squares)):.3f}    rms of all dust")


if __name__ == "__main__":
    main()
