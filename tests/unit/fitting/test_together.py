"""Pairs on grids of their own share blocks of the sky, and what is common to them is common to their replicates."""

import numpy as np
from astropy.wcs import WCS

from anchoring.fitting.drift import GENERAL
from anchoring.fitting.jackknife import common_blocks
from anchoring.fitting.settings import Settings
from anchoring.fitting.together import fit_together
from anchoring.measuring.measure import measure_pair, refused
from anchoring.measuring.noise import Noise

CENTRE = (359.99, 30.0)  # RA, across 0h, and Dec


def grid(shape, scale, angle, centre=CENTRE):
    """The WCS of pixels (arcsec) about a place, turned by an angle (degrees), and their offsets east and north."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = centre
    wcs.wcs.crpix = [(n + 1) / 2 for n in shape[::-1]]
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    wcs.wcs.cd = scale / 3600 * np.array([[-cosine, sine], [sine, cosine]])
    y, x = np.indices(shape) - (np.array(shape).reshape(2, 1, 1) - 1) / 2
    return wcs, 3600 * np.tensordot(wcs.wcs.cd, np.stack([x, y]), 1)


def measured(shape, scale, angle, sky, rng, beam=6.0, noise=0.01):
    """A pair on a grid, of slope 1.2 and intercept 0.1, and a structure of the sky that is in y only."""
    wcs, (east, north) = grid(shape, scale, angle)
    x = 3 * np.exp(-np.hypot(east, north) / 40)
    y = 1.2 * x + 0.1 + sky(east, north) + rng.normal(0, noise, shape)
    known = {"beam": beam / scale, "smoothed": beam / scale, "stated": Noise(0.001, "config"), "wcs": wcs}
    return measure_pair(x, y, intensity_range=(0.25, 2.0), **known)


def ripples(rng, count=30):
    """A smooth random structure on the sky."""
    waves = rng.normal(size=(count, 4)) * [0.06, 0.06, 3, 0.03]
    return lambda east, north: sum(a * np.sin(k * east + m * north + p) for k, m, p, a in waves)


def test_blocks_are_squares_of_the_sky_whatever_the_grid(rng):
    pairs = [measured((90, 100), 1.5, 0, lambda e, n: 0, rng), measured((50, 60), 2.75, 40, lambda e, n: 0, rng)]
    blocks = common_blocks(pairs)
    assert blocks[0].number == blocks[1].number
    # Places that both grids have are in one block, but for those at its border.
    (wcs, _), (other, _) = grid((90, 100), 1.5, 0), grid((50, 60), 2.75, 40)
    of_block = {}
    for pair, found, frame in zip(pairs, blocks, (wcs, other), strict=True):
        s = pair.samples
        ra, dec = frame.all_pix2world((s.column + 0.5) * s.side - 0.5, (s.row + 0.5) * s.side - 0.5, 0)
        of_block[frame is other] = (found.index, (ra + 180) % 360, dec)
    for block in np.unique(of_block[False][0]):
        index, ra, dec = of_block[False]
        inside = [ra[index == block], dec[index == block]]
        index, ra, dec = of_block[True]
        margin = 3.0 / 3600
        inner = [(v > i.min() + margin) & (v < i.max() - margin) for v, i in zip((ra, dec), inside, strict=True)]
        assert set(index[np.all(inner, axis=0)]) <= {block}


def test_what_two_pairs_share_is_in_both_their_replicates():
    together, apart = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        sky, other = ripples(rng), ripples(rng)
        pairs = [measured((90, 100), 1.5, 0, sky, rng), measured((50, 56), 2.75, 10, sky, rng),
                 measured((90, 100), 1.5, 0, other, rng)]  # fmt: skip
        for estimator, found in (("errors_in_variables", together), ("binned", together)):
            fits = fit_together(pairs, Settings(estimator), ["a", "b", "c"], [GENERAL] * 3)
            replicates = [fit.replicates[1] for fit in fits]
            found.append(np.corrcoef(replicates[0], replicates[1])[0, 1])
            apart.append(np.corrcoef(replicates[0], replicates[2])[0, 1])
    assert np.mean(together) > 0.6
    assert abs(np.mean(apart)) < 0.3


def test_a_pair_that_cannot_be_fitted_is_named_and_the_others_are(rng):
    good = measured((60, 70), 1.5, 0, lambda e, n: 0, rng)
    x = np.ones((5, 5))
    noise = good.samples._replace(y=rng.normal(size=good.samples.y.size))
    pairs = [good, refused("no pixels", x, x), type(good)(**{**good.__dict__, "samples": noise})]
    settings = Settings("errors_in_variables")
    fits = fit_together(pairs, settings, ["a", "b", "c"], [GENERAL] * 3)
    assert abs(fits[0].slope - 1.2) < 0.05
    assert fits[1] == "no pixels"
    assert isinstance(fits[2], str)
