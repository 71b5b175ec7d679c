"""What is measured of a pair of images, and the two files that hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..files.atomic import atomic_write, or_nan, read_json, write_json
from .binning import Bins
from .density import Density
from .noise import Noise
from .samples import Samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

# As they are in the file.
STATED = ("span", "zero", "centre", "image_source", "reference_source", "reference_unit", "zero_err")


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What a fit and its figure need of a pair of images.

    Of a pair that cannot be measured only `refused` and `density` are known.
    """

    refused: str = ""  # why the pair cannot be measured
    density: Density
    bins: Bins | None = None
    samples: Samples | None = None
    limits: tuple[float, float] | None = None  # range of the fit, (low, high), MJy/sr on the axis of the reference
    edges: NDArray[np.float64] | None = None  # (bins + 1,) array, MJy/sr
    span: tuple[float, float] | None = None  # lowest and highest value of the reference in the overlap, MJy/sr
    zero: float | None = None  # value of the reference where there is no light, MJy/sr; None if not known
    axes: NDArray[np.float64] | None = None  # (2, 2): east and north, arcsec, of one pixel along x and y; None: pixels
    centre: tuple[float, float] | None = None  # longitude, latitude, degrees, of the mean place; None without WCS
    noise: Noise | None = None  # of a sample of the reference
    image_source: str = ""  # `hdus.Image.source` of the mosaic and of the reference
    reference_source: str = ""
    reference_unit: str = ""  # of the reference in its file
    zero_err: float | None = None  # error of the zero level of the reference that its header states, MJy/sr
    kernel_flags: tuple[str, ...] = ()  # of the kernels of both

    @property
    def places(self) -> NDArray[np.float64]:
        """East and north of the samples from their mean place, (2, n) array, arcsec (or pixels, without a WCS)."""
        row, column, side = self.samples.row, self.samples.column, self.samples.side
        axes = np.eye(2) if self.axes is None else self.axes
        return axes @ (np.stack([column - column.mean(), row - row.mean()]) * side)

    @property
    def n_pixels(self) -> int:
        """Pixels in the bins."""
        return 0 if self.bins is None else int(self.bins.count.sum())


def write_measurement(measurement, numbers, arrays):
    """Write a Measurement: its numbers as JSON, samples and density as .npz."""
    m, values, samples = measurement, {"refused": measurement.refused}, {}
    if not m.refused:
        values |= {
            "image_source": m.image_source,
            "reference_source": m.reference_source,
            "reference_unit": m.reference_unit,
            "zero_err": m.zero_err,
            "kernel_flags": m.kernel_flags,
            "range": m.limits,
            "edges": m.edges.tolist(),
            "span": m.span,
            "zero": m.zero,
            "axes": m.axes.tolist(),
            "centre": m.centre,
            "sigma_x": m.noise.sigma,
            "noise": m.noise.source,
            **{name: column.tolist() for name, column in m.bins._asdict().items()},
        }
        samples = m.samples._asdict()
    write_json(numbers, values)
    density = {"density": m.density.counts, "x_edges": m.density.x_edges, "y_edges": m.density.y_edges}
    with atomic_write(arrays) as temporary:
        np.savez(temporary, **density, **samples)


def read_measurement(numbers, arrays):
    """The Measurement in two files of `write_measurement`."""
    values = read_json(numbers)
    with np.load(arrays) as stored:
        columns = dict(stored)
    density = Density(*(columns[name] for name in ("density", "x_edges", "y_edges")))
    if values["refused"]:
        return Measurement(refused=values["refused"], density=density)
    places = [columns[name] for name in Samples._fields[:-2]]
    return Measurement(
        density=density,
        bins=Bins(*(np.array(values[name], dtype=float) for name in Bins._fields)),
        samples=Samples(*places, int(columns["side"]), float(columns["beam"])),
        limits=tuple(values["range"]),
        edges=np.array(values["edges"]),
        axes=np.array(values["axes"]),
        kernel_flags=tuple(values["kernel_flags"]),
        noise=Noise(or_nan(values["sigma_x"]), values["noise"]),
        **{name: values[name] for name in STATED},
    )
