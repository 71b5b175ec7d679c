"""A galaxy whose image in any band, at any resolution and on any grid, is known.

The sky is a smooth part, sampled on one grid that all bands share, and sources that are Gaussians. A band's image at
the resolution of a Gaussian beam is the smooth part times the beam in Fourier space, interpolated by cubic splines,
and the sources at their widths added in quadrature to the beam's: nothing is pixelated before it is convolved, so that
images of different resolution belong to one sky to round-off.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import fft, ndimage, special

from simulation.colours import Colours, band_of, patches
from simulation.fields import FWHM_PER_SIGMA, REACH, convolved, generator, in_plane

CLUMPS_IN = {"dust": 1.0, "stars": 0.15}
SPLINE = 12  # samples after which a spline has forgotten its border to 1e-7
MARGIN = 7.0  # arcsec of sky beyond the references
PATCH = (4.0, 15.0)  # arcsec, size of patches of one real colour
SMOOTH = 4.0  # arcsec, over which a real colour, and the brightness it goes by, are smooth: about a spaxel


@dataclass(frozen=True)
class Sky:
    """What the sky looks like and what stands between it and the images; the defaults are a PHANGS-like galaxy.

    The smooth part is, in MJy/sr of IRAC 1 or IRAC 4 and with r the deprojected radius and D half the diagonal of the
    field::

        exponential: peak * exp(-r / L) * (1 + arms) * texture + bar + diffuse * exp(-r / 1.5 D),  L = scale_length * D
        paraboloid:  peak * (1 - (r / L)^2)

    and falls to 0 between 1.5 and 2.2 D. A paraboloid has as many pixels at any brightness as at any other, so that
    the median of a bin is at its mid-point, which in an exponential disk it is not.

    Parameters
    ----------
    profile : {"exponential", "paraboloid"}
    peak : MJy/sr of the disk at its centre.
    scale_length : of half the field's diagonal.
    diffuse, bar : MJy/sr at the centre.
    arms : relative amplitude of two spiral arms in dust; 0.4 of it in stars.
    texture : standard deviation of the logarithm of filaments in dust; 0.3 of it in stars.
    inclination : degrees.
    clumps : per square arcmin, Gaussians of 0.3" to 2" standard deviation along the disk, in stars at 0.15 of dust.
    clump_colour : standard deviation of the logarithm of a clump's brightness between bands.
    gradient : standard deviation between bands of a radial colour gradient, relative, per D. It bends the relation:
        0.005 moves an intercept by about 0.01, several times its statistical error.
    stars : foreground, per square arcmin; 0.3 to 40 MJy/sr arcsec^2 at 3 micron, falling as wavelength^-2.
    noise : of the mosaics, relative to `BANDS`; its variance grows by half at 5 MJy/sr.
    reference_noise : correlated over the beam, relative to `REFERENCES`.
    hole : arcsec, radius around the nucleus where MIRI is saturated (NaN); 0 for none.
    colours : of real spectra, as `colours` names them, in place of clump_colour, and of gradient in dust: the dust is
        F770W times the colour of each band, and is added to the stars of the bands that show them. "" for none.
    """

    profile: str = "exponential"
    peak: float = 3.2
    scale_length: float = 0.3
    diffuse: float = 0.1
    bar: float = 0.6
    arms: float = 0.3
    texture: float = 0.12
    inclination: float = 25.0
    clumps: float = 60.0
    clump_colour: float = 0.1
    gradient: float = 0.001
    stars: float = 12.0
    noise: float = 1.0
    reference_noise: float = 1.0
    hole: float = 0.4
    colours: str = ""


# Without noise, sources, holes and colours: y = slope * x + intercept at every pixel, and no pixel at the edge of the
# footprint is bright enough to be binned, so that the default arithmetic recovers offsets to 1e-3 (4" references).
IDEAL = Sky(
    profile="paraboloid", scale_length=0.5, clumps=0.0, clump_colour=0.0, gradient=0.0, stars=0.0,
    noise=0.0, reference_noise=0.0, hole=0.0,
)  # fmt: skip


class Grid(NamedTuple):
    """Pixels on the plane that touches the sky at the galaxy's centre.

    shape : (ny, nx); scale : arcsec; angle : degrees, from north to the y axis, eastwards;
    centre : 0-based pixel position (x, y) of the galaxy's centre.
    """

    shape: tuple
    scale: float
    angle: float
    centre: tuple

    def axes(self):
        """2 x 2 matrix from pixels (x, y) to arcsec (east, north)."""
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        return self.scale * np.array([[-cos, sin], [sin, cos]])

    def pixel(self, east, north):
        """Pixel positions x, y of positions on the sky, arcsec from the galaxy's centre."""
        x, y = np.linalg.solve(self.axes(), np.array([east, north], dtype=float))
        return x + self.centre[0], y + self.centre[1]


class Sources(NamedTuple):
    """Gaussians: positions (arcsec), standard deviation (arcsec), flux (MJy/sr arcsec^2)."""

    east: np.ndarray
    north: np.ndarray
    sigma: np.ndarray
    flux: np.ndarray


class Galaxy:
    """The sky around one galaxy.

    Parameters
    ----------
    name : str
        Together with the seed it fixes everything that is random.
    field : (width, height)
        Of the mosaics, arcsec; the galaxy's size follows it.
    sky : Sky
    seed : int
    posang : float
        Position angle of the major axis, degrees.
    """

    def __init__(self, name, field, sky=None, *, seed=0, posang=0.0):
        self.name, self.sky, self.seed, self.posang = name, sky or Sky(), seed, posang
        self.size = math.hypot(*field) / 2
        self.extent = 2.5 * self.size + 20  # half the side of the references, arcsec
        self._step = min(max(self.size / 100, 0.12), 0.5)
        n = fft.next_fast_len(math.ceil(2 * (self.extent + MARGIN) / self._step), real=True)
        axis = (np.arange(n) - n // 2) * self._step
        self._origin = axis[0]
        east, north = axis[None, :], axis[:, None]
        along, across = self._in_disk(east, north)
        self._radius, self._azimuth = np.hypot(along, across), np.arctan2(across, along)
        self._smooth = {}
        self._clumps = self._make_clumps()
        self._stars = self._make_stars()

    # --- what there is ------------------------------------------------------------------------------------------------

    def _in_disk(self, east, north):
        """Along the major axis and across it in the plane of the disk, arcsec."""
        return in_plane(north, east, math.radians(self.posang), math.cos(math.radians(self.sky.inclination)))

    def _smooth_part(self, kind):
        """Brightness of the smooth part in stars or dust on the galaxy's own grid, MJy/sr."""
        if kind not in self._smooth:
            self._smooth[kind] = self._make_smooth_part(kind)
        return self._smooth[kind]

    def _make_smooth_part(self, kind):
        sky, r = self.sky, self._radius
        length = sky.scale_length * self.size
        if sky.profile == "paraboloid":
            smooth = sky.peak * (1 - (r / length) ** 2)
        elif sky.profile == "exponential":
            contrast = {"dust": (sky.arms, sky.texture), "stars": (0.4 * sky.arms, 0.3 * sky.texture)}
            smooth = self._exponential(length, *contrast[kind], self._filaments(kind))
        else:
            raise ValueError(f"profile is {sky.profile!r}; expected exponential or paraboloid")
        return smooth * special.expit((1.8 - r / self.size) / 0.07)

    def _exponential(self, length, arms, texture, filaments):
        sky, r, azimuth = self.sky, self._radius, self._azimuth
        core = 0.15 * length  # in place of a cusp, which a grid cannot hold
        softened = np.hypot(r, core)
        winding = np.log(softened / length) / math.tan(math.radians(20))
        # Arms fade towards the centre, where they would be wound up tighter than the grid.
        spiral = 1 + arms * r**2 / (r**2 + (0.5 * length) ** 2) * np.cos(2 * (azimuth - winding))
        disk = sky.peak * np.exp(-(softened - core) / length + texture * filaments) * spiral
        along, across = r * np.cos(azimuth) / (0.3 * length), r * np.sin(azimuth) / (0.12 * length)
        bar = sky.bar * np.exp(-0.5 * (along**2 + across**2))
        return disk + bar + sky.diffuse * np.exp(-r / (1.5 * self.size))

    def _filaments(self, kind):
        """Random field of zero mean and unit variance: power k^-3 from the field's size down to some 6 steps."""
        n = self._radius.shape[0]
        white = generator(self.seed, self.name, "filaments", kind).standard_normal((n, n))
        k = np.hypot(fft.fftfreq(n, self._step)[:, None], fft.rfftfreq(n, self._step)[None, :])
        amplitude = (k**2 + self.size**-2) ** -0.75 * np.exp(-18 * (k * self._step) ** 2)
        amplitude[0, 0] = 0
        filaments = fft.irfft2(fft.rfft2(white) * amplitude, (n, n))
        return filaments / filaments.std()

    def _make_clumps(self):
        """Clumps follow the disk: drawn uniformly and kept with a chance that falls as the disk does."""
        rng = generator(self.seed, self.name, "clumps")
        half = 1.5 * self.size
        n = rng.poisson(self.sky.clumps * (2 * half / 60) ** 2)
        east, north = rng.uniform(-half, half, (2, n))
        sigma = np.exp(rng.uniform(math.log(0.3), math.log(2.0), n))
        peak = self.sky.peak * 0.15 * np.exp(rng.normal(0, 0.8, n))
        disk = np.exp(-np.hypot(*self._in_disk(east, north)) / (0.8 * self.size))
        kept = rng.random(n) < disk
        flux = peak * disk * 2 * math.pi * sigma**2
        return Sources(*(values[kept] for values in (east, north, sigma, flux)))

    def _make_stars(self):
        rng = generator(self.seed, self.name, "stars")
        n = rng.poisson(self.sky.stars * (2 * self.extent / 60) ** 2)
        east, north = rng.uniform(-self.extent, self.extent, (2, n))
        low, high, index = 0.3, 40.0, -0.8  # N(> flux) falls as flux^index
        flux = (low**index + rng.random(n) * (high**index - low**index)) ** (1 / index)
        return Sources(east, north, np.zeros(n), flux)

    def _colour(self, label):
        """Of a band: its radial gradient, relative per unit of r / size, and its factor for every clump."""
        rng = generator(self.seed, self.name, "colour", label)
        gradient = self.sky.gradient * rng.standard_normal()
        return gradient, np.exp(self.sky.clump_colour * rng.standard_normal(self._clumps.flux.size))

    def _real_colours(self, label):
        """Of the dust in a band relative to F770W, on the galaxy's own grid."""
        dust = self._smooth_part("dust")
        rng = generator(self.seed, self.name, "real colours")
        patch, number = patches(rng, dust.shape, rng.uniform(*PATCH) / self._step)
        colours = Colours(self.sky.colours, rng, number)
        ratio = colours.ratio(band_of(label), convolved(dust, SMOOTH, self._step), patch)
        return convolved(np.broadcast_to(ratio, dust.shape), SMOOTH, self._step)

    def _cells(self, sources):
        """Row and column of the galaxy's own grid that sources are at."""
        return tuple(np.rint((at - self._origin) / self._step).astype(int) for at in (sources.north, sources.east))

    # --- what is seen of it -------------------------------------------------------------------------------------------

    def image(self, label, band, grid):
        """The sky in a band at its resolution: float32 array of grid.shape, MJy/sr, without noise or pedestal.

        `label` names the band: colours depend on it.
        """
        gradient, clump_colour = self._colour(label)
        # Only what the beam brings into the grid is convolved, and what a spline needs beyond it.
        window = self._window(grid, REACH * band.fwhm / FWHM_PER_SIGMA + SPLINE * self._step)
        smooth = self._smooth_part(band.kind)[window] * band.brightness
        smooth *= 1 + gradient * (self._radius[window] / self.size - 0.5)
        clumps = band.brightness * CLUMPS_IN[band.kind] * clump_colour
        if self.sky.colours:
            ratio = self._real_colours(label)
            stars = float(band.kind == "stars")
            smooth = stars * smooth + self._smooth_part("dust")[window] * ratio[window]
            clumps = stars * band.brightness * CLUMPS_IN["stars"] + ratio[self._cells(self._clumps)]
        smooth = convolved(smooth, band.fwhm, self._step)
        image = self._interpolated(smooth, window, grid)
        add_sources(image, grid, self._clumps, clumps, band.fwhm)
        add_sources(image, grid, self._stars, (3.0 / band.wavelength) ** 2, band.fwhm)
        return image

    def _interpolated(self, smooth, window, grid):
        axes = grid.axes()[::-1, ::-1] / self._step  # from (y, x) of the grid to (row, column) of the galaxy's own
        start = np.array([s.start for s in window])
        offset = -self._origin / self._step - start - axes @ np.array(grid.centre[::-1])
        spline = ndimage.spline_filter(smooth, order=3, mode="mirror")
        return ndimage.affine_transform(
            spline, axes, offset, grid.shape, output=np.float32, order=3, mode="mirror", prefilter=False
        )

    def _window(self, grid, margin):
        """Rows and columns of the galaxy's own grid that are within a margin (arcsec) of another."""
        corners = np.array([(x, y) for x in (0, grid.shape[1]) for y in (0, grid.shape[0])]) - grid.centre
        sky = corners @ grid.axes().T
        low = np.floor((sky.min(axis=0) - margin - self._origin) / self._step).astype(int)
        high = np.ceil((sky.max(axis=0) + margin - self._origin) / self._step).astype(int)
        n = self._radius.shape[0]
        columns, rows = (slice(max(a, 0), min(b + 1, n)) for a, b in zip(low, high, strict=True))
        return rows, columns


def add_sources(image, grid, sources, factor, fwhm):
    """Add Gaussians, as a beam of that FWHM sees them, to an image in place."""
    ny, nx = image.shape
    x, y = grid.pixel(sources.east, sources.north)
    sigma = np.hypot(sources.sigma, fwhm / FWHM_PER_SIGMA) / grid.scale
    peak = factor * sources.flux / (2 * math.pi * (sigma * grid.scale) ** 2)
    for x0, y0, s, p in zip(x, y, sigma, peak, strict=True):
        columns = slice(max(math.ceil(x0 - REACH * s), 0), min(math.floor(x0 + REACH * s) + 1, nx))
        rows = slice(max(math.ceil(y0 - REACH * s), 0), min(math.floor(y0 + REACH * s) + 1, ny))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            continue
        along_x = np.exp(-0.5 * ((np.arange(columns.start, columns.stop) - x0) / s) ** 2)
        along_y = np.exp(-0.5 * ((np.arange(rows.start, rows.stop) - y0) / s) ** 2)
        image[rows, columns] += np.multiply.outer((p * along_y).astype(np.float32), along_x.astype(np.float32))
