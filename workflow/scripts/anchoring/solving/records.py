"""The records of images and of their fits: what is known of each, and the JSON files that hold them.

In memory a number that is not known is None or NaN, in a file it is null.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields

from ..files.atomic import or_nan, read_json, write_json


def number(unit="", form="D"):
    """A number that may not be known, with its unit and its format in a FITS table."""
    return field(default=None, metadata={"unit": unit, "form": form})


@dataclass(frozen=True, kw_only=True)
class FitRecord:
    """The fit y = slope * x + intercept of an image y on a reference x.

    Errors are one standard deviation; `_err` is the statistical one, `_sys` the systematic one.
    """

    reference: str  # label of the external reference, or name of the ref_band image
    ref_filter: str  # file name of the reference without .fits
    label: str  # label of the external reference, or ref_band
    kind: str  # external or internal
    resolution: str  # at which the two are compared
    status: str  # fitted, failed or skipped
    reason: str = ""  # why it is failed or skipped
    slope: float | None = number()
    intercept: float | None = number("MJy/sr")
    rms: float | None = number("MJy/sr")  # of the residuals
    slope_err: float | None = number()
    intercept_err: float | None = number("MJy/sr")
    covariance: float | None = number("MJy/sr")  # of slope and intercept
    slope_sys: float | None = number()
    intercept_sys: float | None = number("MJy/sr")
    covariance_sys: float | None = number("MJy/sr")
    range_min: float | None = number("MJy/sr")  # of the reference, in which the line is fitted
    range_max: float | None = number("MJy/sr")
    n_bins: int | None = number(form="J")  # in the line
    n_pixels: int | None = number(form="K")  # in the bins
    n_independent: float | None = number()  # beam areas covered by the pixels in the range
    used: Sequence[bool] = ()  # of each bin, whether it is in the line
    flags: Sequence[str] = ()  # of fitting.flags.MEANING
    estimator: str | None = None
    sigma_x: float | None = number("MJy/sr")  # noise of a sample of the reference
    noise: str | None = None  # where sigma_x is from (measuring.noise.Noise)
    drift_mean: float | None = number()  # of the colour with brightness, as known before the fit, and its scatter
    drift_scatter: float | None = number()
    drift_source: str | None = None  # where these are from (fitting.drift.Drift)
    drift: float | None = number()  # of the colour, after the fit
    drift_err: float | None = number()
    drift_offset: float | None = number("MJy/sr")  # part of this fit's offset that corrects for it
    image_source: str | None = None  # checksum of the image that was fitted, and of the reference
    reference_source: str | None = None
    reference_unit: str | None = None  # of the reference in its file
    shift: float | None = number("arcsec")  # of the image against the reference
    shift_err: float | None = number("arcsec")
    shift_east: float | None = number("arcsec")
    shift_north: float | None = number("arcsec")
    correlation: float | None = number()  # of their structure
    gradient_east: float | None = number("MJy sr-1 arcmin-1")  # of the image, fitted with the line
    gradient_north: float | None = number("MJy sr-1 arcmin-1")
    gradient_east_err: float | None = number("MJy sr-1 arcmin-1")
    gradient_north_err: float | None = number("MJy sr-1 arcmin-1")
    tension: float | None = number()  # largest difference from the offset on another reference, sigma
    offset: float | None = number("MJy/sr")  # to add to the image, by this fit
    offset_err: float | None = number("MJy/sr")
    offset_sys: float | None = number("MJy/sr")
    closure: float | None = number("MJy/sr")  # what the fit still finds to add when its offset is added
    reference_zero_err: float | None = number("MJy/sr")  # error of the zero level of the external reference
    zero_reference: str | None = None  # label of the external reference that defines the zero of the offset
    zero_err: float | None = number("MJy/sr")  # part of offset_sys that is common to all on zero_reference

    @property
    def offset_total(self):
        """Statistical and systematic error of the offset in quadrature, MJy/sr; NaN if either is not known."""
        return math.hypot(or_nan(self.offset_err), or_nan(self.offset_sys))

    @property
    def range(self):
        """(low, high) of the reference in which the line is fitted, MJy/sr; None if it is not known."""
        return None if self.range_min is None else (self.range_min, self.range_max)


@dataclass(frozen=True, kw_only=True)
class ImageRecord:
    """An image with its fits and, once it is solved, its offset. Without an offset all that describes one is empty."""

    target: str
    band: str
    image: str  # path
    name: str  # file name without its ending
    instrument: str
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
    def chosen_fit(self):
        """The fit that fixed the offset, or None."""
        return None if self.chosen is None else self.fits[self.chosen]

    @property
    def flags(self):
        """Flags of the fit that fixed the offset."""
        return () if self.chosen is None else self.chosen_fit.flags

    @property
    def error(self):
        """Error of the offset, MJy/sr: the statistical and the systematic one in quadrature; None without either."""
        known = [value for value in (self.offset_err, self.offset_sys) if math.isfinite(or_nan(value))]
        return math.hypot(*known) if known else None


def units_of(kind):
    """{field: unit} of the fields of a kind of record that have one."""
    return {f.name: f.metadata["unit"] for f in fields(kind) if f.metadata.get("unit")}


def forms_of(kind):
    """{field: format in a FITS table} of the numbers of a kind of record."""
    return {f.name: f.metadata["form"] for f in fields(kind) if f.metadata}


UNITS, FORMS = units_of(FitRecord), forms_of(FitRecord)
OF_THE_PLAN = ("reference", "ref_filter", "label", "kind", "resolution")  # what the plan knows of a fit


def write(path, records):
    """Write ImageRecords as JSON, all or none."""
    write_json(path, [asdict(record) for record in records])


def read(paths):
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
