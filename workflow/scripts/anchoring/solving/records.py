"""The records of images and of their fits: what is known of each, and the JSON files that hold them.

In memory a number that is not known is None or NaN, in a file it is null.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from os import PathLike

from ..files.atomic import or_nan, read_json, write_json


def text(says, **default):
    """A text of a record, with what it is."""
    return field(**default, metadata={"says": says})


def number(says, unit="", form="D"):
    """A number that may not be known, with what it is, its unit and its format in a FITS table."""
    return field(default=None, metadata={"says": says, "unit": unit, "form": form})


@dataclass(frozen=True, kw_only=True)
class FitRecord:
    """The fit y = slope * x + intercept of an image y on a reference x.

    Errors are one standard deviation; `_err` is the statistical one, `_sys` the systematic one.
    """

    reference: str = text("label of the external reference, or name of the ref_band image")
    ref_filter: str = text("file name of the reference without .fits")
    label: str = text("label of the external reference, or ref_band")
    kind: str = text("external or internal")
    resolution: str = text("resolution at which image and reference are compared")
    status: str = text("fitted, failed or skipped; in tables anchored, if this fit fixed the offset, or unused")
    reason: str = text("why there is no fit, or why its offset is not used", default="")
    slope: float | None = number("slope of the line: image against reference")
    intercept: float | None = number("value of the line where the reference is 0", "MJy/sr")
    rms: float | None = number("scatter of the residuals", "MJy/sr")
    slope_err: float | None = number("statistical error of the slope")
    intercept_err: float | None = number("statistical error of the intercept", "MJy/sr")
    covariance: float | None = number("statistical covariance of slope and intercept", "MJy/sr")
    slope_sys: float | None = number("systematic error of the slope")
    intercept_sys: float | None = number("systematic error of the intercept", "MJy/sr")
    covariance_sys: float | None = number("systematic covariance of slope and intercept", "MJy/sr")
    range_min: float | None = number("least value of the reference in the fit", "MJy/sr")
    range_max: float | None = number("largest value of the reference in the fit", "MJy/sr")
    n_bins: int | None = number("bins in the line", form="J")
    n_pixels: int | None = number("pixels in the bins", form="K")
    n_independent: float | None = number("beam areas covered by the pixels in the range")
    used: Sequence[bool] = ()  # of each bin, whether it is in the line
    flags: Sequence[str] = text("what to look at: words of fitting.flags.MEANING", default=())
    estimator: str | None = text("binned or errors_in_variables", default=None)
    sigma_x: float | None = number("noise of a sample of the reference", "MJy/sr")
    noise: str | None = text("where sigma_x is from", default=None)
    drift_mean: float | None = number("drift d of the colour, y ~ x^(1 + d), expected before the fit")
    drift_scatter: float | None = number("its scatter from object to object")
    drift_source: str | None = text("where drift_mean and drift_scatter are from", default=None)
    drift: float | None = number("drift of the colour after the fit")
    drift_err: float | None = number("its error")
    drift_offset: float | None = number("part of the offset that corrects for the drift", "MJy/sr")
    image_source: str | None = text("CRC-32 of the SCI extension that was fitted", default=None)
    reference_source: str | None = text("CRC-32 of the SCI extension of a reference that is a mosaic", default=None)
    reference_unit: str | None = text("unit of the reference in its file", default=None)
    shift: float | None = number("shift of the image against the reference", "arcsec")
    shift_err: float | None = number("its error", "arcsec")
    shift_east: float | None = number("its part to the east", "arcsec")
    shift_north: float | None = number("its part to the north", "arcsec")
    correlation: float | None = number("correlation of the structure of both, as a part of what noise allows")
    gradient_east: float | None = number("gradient of the image to the east, fitted with the line", "MJy sr-1 arcmin-1")
    gradient_north: float | None = number("gradient to the north", "MJy sr-1 arcmin-1")
    gradient_east_err: float | None = number("error of gradient_east", "MJy sr-1 arcmin-1")
    gradient_north_err: float | None = number("error of gradient_north", "MJy sr-1 arcmin-1")
    tension: float | None = number("largest difference from the offset on another reference, in sigma of both")
    offset: float | None = number("to add to the image, by this fit", "MJy/sr")
    offset_err: float | None = number("statistical error of the offset", "MJy/sr")
    offset_sys: float | None = number("systematic error of the offset", "MJy/sr")
    closure: float | None = number("what the fit still finds to add when its offset is added", "MJy/sr")
    reference_zero_err: float | None = number("error of the zero level of the external reference", "MJy/sr")
    zero_reference: str | None = text("external reference that defines the zero of the offset", default=None)
    zero_err: float | None = number("part of offset_sys that is common to all on zero_reference", "MJy/sr")

    @property
    def offset_total(self) -> float:
        """Statistical and systematic error of the offset in quadrature, MJy/sr; NaN if either is not known."""
        return math.hypot(or_nan(self.offset_err), or_nan(self.offset_sys))

    @property
    def range(self) -> tuple[float, float] | None:
        """(low, high) of the reference in which the line is fitted, MJy/sr; None if it is not known."""
        return None if self.range_min is None else (self.range_min, self.range_max)


@dataclass(frozen=True, kw_only=True)
class ImageRecord:
    """An image with its fits and, once it is solved, its offset. Without an offset all that describes one is empty."""

    target: str = text("galaxy, the name of its folder")
    band: str = text("name of the folder of the mosaic")
    image: str = text("mosaic: its path; in tables its file name")
    name: str = text("its file name without the ending")
    instrument: str = text("instrument, in lower case")
    fits: Sequence[FitRecord] = ()  # in order of preference
    status: str = "skipped"  # anchored, failed or skipped
    reason: str = ""  # why it is not anchored
    offset: float | None = None  # to add to the image, MJy/sr
    offset_err: float | None = None  # statistical error, MJy/sr
    offset_sys: float | None = None  # systematic error, MJy/sr
    chosen: int | None = None  # index in fits of the one that fixed the offset
    reference: str = ""  # its label
    source: str | None = None  # checksum of the image that was fitted

    @property
    def chosen_fit(self) -> FitRecord | None:
        """The fit that fixed the offset, or None."""
        return None if self.chosen is None else self.fits[self.chosen]

    @property
    def flags(self) -> Sequence[str]:
        """Flags of the fit that fixed the offset."""
        return () if self.chosen is None else self.chosen_fit.flags

    @property
    def error(self) -> float | None:
        """Error of the offset, MJy/sr: the statistical and the systematic one in quadrature; None without either."""
        known = [value for value in (self.offset_err, self.offset_sys) if math.isfinite(or_nan(value))]
        return math.hypot(*known) if known else None


def meanings_of(kind):
    """{field: what it is} of a kind of record."""
    return {f.name: f.metadata["says"] for f in fields(kind) if f.metadata}


def units_of(kind):
    """{field: unit} of the fields of a kind of record that have one."""
    return {f.name: f.metadata["unit"] for f in fields(kind) if f.metadata.get("unit")}


def forms_of(kind):
    """{field: format in a FITS table} of the numbers of a kind of record."""
    return {f.name: f.metadata["form"] for f in fields(kind) if f.metadata.get("form")}


UNITS, FORMS = units_of(FitRecord), forms_of(FitRecord)
OF_THE_PLAN = ("reference", "ref_filter", "label", "kind", "resolution")  # what the plan knows of a fit


def write(path, records):
    """Write ImageRecords as JSON, all or none."""
    write_json(path, [asdict(record) for record in records])


def read(paths: Iterable[str | PathLike[str]]) -> list[ImageRecord]:
    """The ImageRecords in some files, one file after the other."""
    return [
        ImageRecord(**{**value, "fits": [FitRecord(**fit) for fit in value["fits"]]})
        for path in paths
        for value in read_json(path)
    ]


def final(solved, skipped):
    """The records of all images of the plan, by target, band and name: what tables, page and status of a run go by.

    Parameters
    ----------
    solved : list of ImageRecord
        From `offsets.solve_external` and `solve_internal`.
    skipped : list of mappings
        target, band, image, name and instrument of the images that nothing can be done for, each with the `reason`.
    """
    records = [*solved, *(ImageRecord(**image) for image in skipped)]
    return sorted(records, key=lambda record: (record.target, record.band, record.name))
