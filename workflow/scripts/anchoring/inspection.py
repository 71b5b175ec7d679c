"""What a run would meet, from headers alone: what is missing or wrong for each image, and what the run will cost.

No pixel is read but those of kernels, for their width. What is found wrong is said in the run's own words, and which
reference an image would get is decided by the run's own rules; what only pixels show (an empty image, no pixels in the
range) stays for the run to find.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .errors import AnchoringError, reason_of
from .files import kernels, made_kernels, made_references, mosaics, references
from .images import convolution, headers
from .images.reprojection import common_window
from .images.units import brightness_unit
from .measuring import noise
from .planning import cost
from .showing import tables
from .showing.text import sky_words, zero_words
from .solving import offsets
from .solving.records import OF_THE_PLAN, FitRecord, ImageRecord

READY = "ready to be anchored"
LEGEND = {
    "order": "-> the reference that would be used    ok usable too    !! missing or wrong",
    "smallest_error": "ok usable: of these, the one with the smallest error will be used    !! missing or wrong",
}

# The fit of a pair that nothing speaks against, until the run makes it: a line through 0, without error.
ERRORS = ("slope_err", "intercept_err", "covariance", "slope_sys", "intercept_sys", "covariance_sys")
ASSUMED = {"status": "fitted", "slope": 1.0, "intercept": 0.0, **dict.fromkeys(ERRORS, 0.0)}


@dataclass(frozen=True, kw_only=True)
class InspectedFit(FitRecord):
    """A fit that is assumed, with phrases about its reference and kernel, and what has to be done for it."""

    notes: Sequence[str] = ()
    steps: Mapping = field(default_factory=dict)  # {(verb, file, ...): cost.Cost}


@dataclass(frozen=True, kw_only=True)
class InspectedImage(ImageRecord):
    """An image as the run would solve it, with phrases about it."""

    notes: Sequence[str] = ()


def inspect(mosaics):
    """Records of images, solved as the run would solve them if every fit that can be tried succeeds.

    Parameters
    ----------
    mosaics : list of mappings
        target, band, image (path), name, instrument, `skipped` (reason, or empty), `mask` (path or None), `in_galaxy`
        (whether ranges are percentiles in a galaxy), `method` (of reprojection) and `pairs`, each with reference,
        ref_filter, label, kind, resolution, problem (or empty), path (of the reference image), kernel and
        reference_kernel (paths, or None where nothing is convolved), `with_error` (whether ERR of the image is
        convolved too), `error` (path of the reference's uncertainty map, or None), `noise` (MJy/sr, the keyword of its
        header that holds it, or None) and `reference_zero_err` (MJy/sr, or None).

    Returns
    -------
    list of InspectedImage, their fits InspectedFit
        By target and camera, ref_band first, as from `offsets.solve_external` and `solve_internal`.
    """
    files = _Files()
    looked = [_looked_at(mosaic, files) for mosaic in mosaics]
    solved = [record for record in looked if not record.fits]
    references = {}
    for record in (r for r in looked if _has_references(r, "external")):
        solved.append(offsets.solve_external(record))
        references.setdefault((record.target, record.instrument), {})[record.band, record.name] = solved[-1]
    for record in (r for r in looked if r.fits and not _has_references(r, "external")):
        beside = references.get((record.target, record.instrument), {})
        solved.append(offsets.solve_internal(record, beside))
    return sorted(solved, key=_place)


def _place(record):
    """By target, then camera, those on external references first."""
    return record.target, record.instrument, not _has_references(record, "external"), record.band, record.name


def _has_references(record, kind):
    return bool(record.fits) and all(fit.kind == kind for fit in record.fits)


class _Files:
    """What the headers of files say; each file is opened once, however many pairs it is in."""

    def __init__(self):
        self._known = {}

    def _once(self, kind, path, see):
        if (kind, path) not in self._known:
            self._known[kind, path] = see(path)
        return self._known[kind, path]

    def image(self, path, band):
        return self._once("image", path, lambda path: mosaics.read_image_header(path, band=band))

    def reference(self, path):
        return self._once("reference", path, references.read_reference_header)

    def kernel(self, path):
        return self._once("kernel", path, kernels.read_kernel_header)

    def kernel_side(self, path, scale):
        """Side of a kernel on pixels of a scale (arcsec)."""
        shape, kernel_scale = self.kernel(path)
        try:
            return convolution.resampled_side(shape, kernel_scale, scale)
        except AnchoringError as error:
            raise AnchoringError(f"{path}: {error}") from error

    def kernel_width(self, path):
        """What is odd about the width of a kernel, or ""."""
        return self._once("width", path, lambda path: kernels.require_width(path, *kernels.read_kernel(path)))

    def wcs(self, path, header):
        return self._once("wcs", path, lambda path: headers.celestial_wcs(header, path))


def _looked_at(mosaic, files):
    known = {key: mosaic[key] for key in ("target", "band", "image", "name", "instrument")}
    known["notes"] = _notes(lambda path: files.image(path, mosaic["band"]), mosaic["image"])
    if mosaic["mask"]:
        known["notes"].append(f"mask {Path(mosaic['mask']).name}")
    if mosaic["skipped"]:
        return InspectedImage(**known, reason=mosaic["skipped"])
    return InspectedImage(**known, fits=[_tried(mosaic, pair, files) for pair in mosaic["pairs"]])


def _tried(mosaic, pair, files):
    """A fit that is assumed to succeed unless something is missing or the headers say otherwise."""
    path = mosaic["image"]
    known, notes = {key: pair[key] for key in OF_THE_PLAN}, []
    see = lambda path: files.image(path, pair["label"])  # noqa: E731
    if pair["kind"] == "external":
        see = files.reference
        # An internal reference is an image with a line of its own.
        notes = [*_notes(see, pair["path"]), _origin(pair["path"])] if Path(pair["path"]).is_file() else []
    if pair["kernel"]:
        notes.append(_kernel_note(pair["kernel"], files))
    known |= {"notes": notes + _noise_notes(pair), "reference_zero_err": pair["reference_zero_err"]}
    if pair["problem"]:
        return InspectedFit(**known, status="skipped", reason=pair["problem"])
    try:
        seen = files.image(path, mosaic["band"])
        steps = _convolutions(path, seen, pair["kernel"], files, with_error=pair["with_error"])
        grid = see(pair["path"])
        steps |= _convolutions(pair["path"], grid, pair["reference_kernel"], files)
        window, others = _comparison(mosaic, seen, pair["path"], grid, files)
        if pair["kind"] == "external":
            stated = noise.zero_error(grid.header, pair["path"])
            known["reference_zero_err"] = stated if known["reference_zero_err"] is None else known["reference_zero_err"]
        _look_beside(mosaic, pair, grid, files)
    except Exception as error:
        return InspectedFit(**known, status="failed", reason=reason_of(error, f"{path} on {pair['path']}"))
    return InspectedFit(**known, **ASSUMED, steps=steps | others, n_pixels=math.prod(window))


def _convolutions(path, seen, kernel, files, with_error=True):
    if kernel is None:
        return {}
    files.wcs(path, seen.header)
    headers.require_square(seen.header, path)
    side = files.kernel_side(kernel, headers.pixel_scale(seen.header, path))
    files.kernel_width(kernel)
    return {("convolve", path, kernel): cost.of_convolution(seen.shape, side, with_error and seen.has_error)}


def _comparison(mosaic, seen, reference, grid, files):
    """Shape (ny, nx) of what an image and its reference have in common, and the steps from there to the end."""
    path = mosaic["image"]
    wcs, wcs_reference = files.wcs(path, seen.header), files.wcs(reference, grid.header)
    window = tuple(s.stop - s.start for s in common_window(wcs, seen.shape, wcs_reference, grid.shape))
    steps = {
        ("reproject", path, reference): cost.of_reprojection(seen.shape, window, grid.shape, mosaic["method"]),
        ("bin", path, reference): cost.of_bins(grid.shape, mosaic["in_galaxy"]),
        ("fit", path, reference): cost.of_fit(grid.shape),
        ("plot", path): cost.of_figures(),
        ("anchor", path): cost.of_writing(seen.shape),
    }
    return window, steps


def _look_beside(mosaic, pair, grid, files):
    """AnchoringError if the header of the mask, or what tells the noise of the reference, is not as it should be."""
    if mosaic["mask"]:
        mask = references.read_mask_header(mosaic["mask"])
        wcs = files.wcs(mosaic["mask"], mask.header), files.wcs(pair["path"], grid.header)
        try:
            common_window(wcs[0], mask.shape, wcs[1], grid.shape)
        except AnchoringError as error:
            raise AnchoringError(f"{mosaic['mask']}: {error}") from error
    if isinstance(pair["noise"], str):
        noise.noise_of_header(grid.header, pair["noise"])
    if pair["error"] and pair["noise"] is None:
        references.check_uncertainty(pair["error"], grid.shape, grid.header)


def _noise_notes(pair):
    """What will tell the noise of a reference, in words, if not the reference itself."""
    if pair["noise"] is not None:
        return [f"noise {pair['noise']}" + ("" if isinstance(pair["noise"], str) else " MJy/sr")]
    return [f"noise from {Path(pair['error']).name}"] if pair["error"] else []


def _notes(see, path):
    """Size, pixel scale and unit of an image in words; nothing if it cannot be read."""
    try:
        seen = see(path)
        scale = headers.pixel_scale(seen.header, path)
        unit = str(brightness_unit(seen.header, path))
    except Exception as error:
        reason_of(error, path)
        return []
    size = f'{seen.shape[1]} x {seen.shape[0]} pixels of {scale:.3g}"'
    return [size, unit, "with ERR"] if seen.has_error else [size, unit]


def _kernel_note(path, files):
    try:
        shape, scale = files.kernel(path)
        odd = files.kernel_width(path)
        origin = made_kernels.read_origin(path)
    except Exception as error:
        reason_of(error, path)
        return f"kernel {Path(path).name}"
    words = f'kernel {Path(path).name} of {" x ".join(map(str, shape[::-1]))} pixels of {scale:.3g}"'
    return ", ".join(filter(None, [words, origin and _origin_note(origin), odd and f"which {odd}"]))


def _origin(path):
    """Where a reference is from, in words: its file, or what it was made of."""
    try:
        origin = made_references.read_origin(path)
    except Exception as error:
        reason_of(error, path)
        return ""
    if origin is None:
        return f"from {path}"
    files = origin.files[0] + (f" and {len(origin.files) - 1} more" if len(origin.files) > 1 else "")
    return f"made from {files} ({', '.join([*origin.units, sky_words(origin), *origin.flags])})"


def _origin_note(origin):
    files = f"made from {origin.source[0]} and {origin.target[0]}"
    quality = f"D {origin.quality.difference:.2g}, W- {origin.quality.negative:.2g}"
    return f"{files} ({', '.join([quality, *origin.flags])})"


# --- in words -------------------------------------------------------------------------------------------------------


def listing(solved, prefer="order", lines=()):
    """Lines on every image and pair of the records of `inspect`, and what the run will cost.

    `prefer` is that of the run: how it will choose between usable references. `lines` are what else is to be said.
    """
    listed = [LEGEND[prefer]]
    for before, record in zip([None, *solved], solved, strict=False):
        if before is None or record.target != before.target:
            listed += ["", record.target]
        listed += _image_lines(record, prefer)
    return "\n".join([*listed, "", *lines, *filter(None, [zero_words(solved)]), _total(solved)])


def verdict(solved):
    """How many images are ready to be anchored, and which are not and why."""
    return tables.closing_words(tables.image_rows(solved), what=READY)


def _image_lines(record, prefer):
    lines = [f"  {_phrases(record.band, Path(record.image).name, *record.notes)}"]
    if not record.fits:
        lines.append(f"    !! {record.reason}")
    for index, fit in enumerate(record.fits):
        chosen = index == record.chosen and prefer == "order"
        mark = "->" if chosen else "ok" if fit.status == "fitted" else "!!"
        name = fit.label if fit.kind == "external" else f"{fit.reference} at {fit.resolution}"
        price = _price(cost.together(fit.steps.values())) if fit.steps else ""
        lines.append(f"    {mark} {_phrases(name, fit.reason, *fit.notes, price)}")
    return lines


def _phrases(*phrases):
    return ", ".join(phrase for phrase in phrases if phrase)


def _total(solved):
    steps = {name: price for record in solved for fit in record.fits for name, price in fit.steps.items()}
    if not steps:
        return "Nothing can be fitted."
    total = cost.together(steps.values())
    verb, *files = max(steps, key=lambda name: steps[name].memory)
    return (
        f"{_time(total.seconds)} of CPU time in all; the largest job holds {total.memory / 1e9:.1f} GB "
        f"({verb} {' '.join(Path(file).name for file in files)}). Both are rough: to a factor of 2."
    )


def _price(price):
    return f"{_time(price.seconds)}, {price.memory / 1e9:.1f} GB"


def _time(seconds):
    minutes = seconds / 60
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
