"""Fits (FitRecord) and offsets (ImageRecord) in words, for figures, captions and the page."""

import math
import re

from ..files.atomic import atomic_write
from ..labels import split_label


def band_label(band, simplify_labels):
    """Name of a band or of an external reference: irac4_atgauss4 is IRAC4 (gauss4), or simplified IRAC4."""
    if band == "adjustment":
        return band
    name, resolution = split_label(band)
    name = name.upper() if name.islower() else name
    return f"{name} ({resolution})" if resolution and not simplify_labels else name


def equation(fit):
    """The line of a fit: y = (slope ± error) x + (intercept ± error) MJy/sr."""
    slope = _in_brackets(fit.slope, fit.slope_err)
    intercept = _in_brackets(abs(fit.intercept), fit.intercept_err)
    return f"y = {slope} x {'−' if fit.intercept < 0 else '+'} {intercept} MJy/sr"


def summary(fit, n_bins=None):
    """What else describes a fit through some of `n_bins` bins with data, if that number is known."""
    low, high = fit.range
    of = "" if n_bins is None else f" of {n_bins}"
    return (
        f"rms {fit.rms:.2g} MJy/sr; {fit.n_bins}{of} bins; "
        f"{fit.n_pixels:,} pixels{_independent(fit)} in [{low:.4g}, {high:.4g}] MJy/sr{_alignment(fit)}{_gradient(fit)}"
    ).replace("-", "−")


def _independent(fit):
    n = fit.n_independent
    return f" ({n:.0f} independent)" if n is not None and math.isfinite(n) and n >= 1 else ""


def _alignment(fit):
    """Shift and correlation of the two images, what is known of them."""
    correlation, shift = fit.correlation, fit.shift
    words = "" if correlation is None else f"; correlation {correlation:.2f}"
    return words if shift is None else f"{words}, shift {rounded(shift, fit.shift_err)} arcsec"


def _gradient(fit):
    """The plane that was fitted with the line, if there is one."""
    if fit.gradient_east is None:
        return ""
    east = rounded(fit.gradient_east, fit.gradient_east_err)
    north = rounded(fit.gradient_north, fit.gradient_north_err)
    return f"; gradient {east} to the east, {north} to the north, MJy/sr per arcmin, not subtracted"


def rounded(value, error=None):
    """value ± error to two digits of the error; the value alone, to 4 decimals, if there is no error."""
    if error is None or not (math.isfinite(error) and error > 0):
        return f"{value:.4f}".replace("-", "−")
    decimals = min(max(1 - math.floor(math.log10(error)), 0), 9)
    return f"{value:.{decimals}f} ± {error:.{decimals}f}".replace("-", "−")


def _in_brackets(value, error):
    words = rounded(value, error)
    return f"({words})" if "±" in words else words


def signed(value, error=None):
    """An offset with its sign: +0.6619 ± 0.0020."""
    words = rounded(value, error)
    return words if words.startswith("−") else f"+{words}"


def sky_words(origin):
    """The sky of a reference that was made (`files.made_references.Origin`)."""
    if origin.sky == "none":
        return "with its own zero level"
    of = f"{origin.sky}, {origin.share:.0%} of the field"
    return f"sky {rounded(origin.level, origin.zero_err)} MJy/sr ({of})"


def offset_words(record):
    """The offset of an image with its error, or the reason why it has none."""
    if record.offset is None:
        return f"{record.status}: {record.reason}"
    return f"{signed(record.offset, record.error)} MJy/sr"


def fit_words(fit):
    """All there is to say of a fit in one sentence."""
    if fit.slope is None:
        return fit.reason or f"{signed(fit.offset, fit.offset_total)} MJy/sr by the adjustment of all pairs"
    return f"{equation(fit)}; {summary(fit)}"


def zero_words(records):
    """External references whose zero level has no known error, in a sentence; "" if there are none."""
    fits = [fit for record in records for fit in record.fits if fit.kind == "external" and fit.status == "fitted"]
    exact = sorted({fit.label for fit in fits if fit.reference_zero_err is None})
    if not exact:
        return ""
    return (
        f"The zero level of {', '.join(exact)} is taken as exact, which none is: set reference_zero_err, and its error "
        "becomes part of offset_sys."
    )


def picture_words(record, fit, simplify_labels):
    """What stands at the top of the picture of an image: its offset, where it is from, its flags."""
    if record.offset is None:
        return [offset_words(record)]
    return [f"{offset_words(record)} added, {_origin(record, fit, simplify_labels, 'at')}", *_flag_words(record)]


def _origin(record, fit, simplify_labels, at="at the resolution"):
    """What an offset is from; `fit` is what is shown of it."""
    if record.chosen_fit.kind == "adjustment":
        return "from the adjustment of all pairs"
    return f"from {band_label(fit.label, simplify_labels)} {at} {fit.resolution}"


def _flag_words(record):
    return [f"flags: {', '.join(record.flags)}"] if record.flags else []


# --- captions: reStructuredText, for the report ----------------------------------------------------------------------


def fits_caption(record, fits, simplify_labels):
    """Paragraphs on fits of an image: what each is on, what it is, its flags."""
    band = band_label(record.band, simplify_labels)
    paragraphs = [f"{record.target}: {band}, {offset_words(record)}."]
    for fit in fits:
        words = "; ".join([fit_words(fit), *_flag_words(fit)])
        paragraphs.append(f"On {band_label(fit.label, simplify_labels)}: {words}.")
    return paragraphs


def image_caption(record, fit, simplify_labels):
    """Paragraphs on the offset of an image."""
    band = band_label(record.band, simplify_labels)
    if record.offset is None:
        return [f"{record.target}: {band}.", f"{offset_words(record)}."]
    words = f"offset {offset_words(record)} {_origin(record, fit, simplify_labels)}"
    return [
        f"{record.target}: {band}, {words}.",
        f"{fit_words(fit)}.",
        *(f"{words}." for words in _flag_words(record)),
    ]


def write_caption(path, paragraphs):
    """Write paragraphs of plain text as reStructuredText."""
    with atomic_write(path) as temporary:
        temporary.write_text("\n\n".join(map(restructured, paragraphs)) + "\n", encoding="utf-8")


def restructured(text):
    """Plain text as reStructuredText that shows it letter by letter."""
    return re.sub(r"([^\w\s]|_)", r"\\\1", " ".join(str(text).split()))
