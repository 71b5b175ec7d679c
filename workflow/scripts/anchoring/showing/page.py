"""Pages to look at in a browser: the survey as one file, and tables that can be sorted. No network, no other files."""

import math
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader

from ..bands import band_order
from ..files.atomic import atomic_write
from ..fitting.flags import MEANING
from ..solving.records import FORMS, UNITS
from ..solving.zeros import reference_rows
from .network_text import network_words
from .tables import image_rows
from .text import band_label, fit_words, offset_words, signed, sky_words, zero_words

STEPS = (3, 10, 30, 100)  # |offset| / error at which the colour of a cell changes
SYMBOLS = {"failed": "✗", "flagged": "⚠", "skipped": "–", "anchored": "✓"}  # in the order of what to look at first
# Headings of what a row of either table may hold, in the order of the columns.
HEADINGS = {
    "target": "target", "band": "band", "compar_filter": "band", "compar_filename": "image", "image": "image",
    "ref_filter": "reference", "reference": "reference", "status": "status", "reason": "reason", "flags": "flags",
    "offset": "offset", "offset_err": "error", "offset_sys": "systematic error", "slope": "slope",
    "slope_err": "error of slope", "intercept": "intercept", "intercept_err": "error of intercept",
    "range_min": "range from", "range_max": "range to", "rms": "rms", "n_bins": "bins", "n_pixels": "pixels",
    "n_independent": "independent", "closure": "closure", "shift": "shift", "shift_err": "error of shift",
    "correlation": "correlation", "resolution": "resolution",
}  # fmt: skip
TEXT = set(HEADINGS) - set(FORMS)
REFERENCES = {
    "reference": ("reference", ""), "n_targets": ("targets", ""), "n": ("images", ""), "mean": ("mean", "MJy/sr"),
    "scatter": ("scatter", "MJy/sr"), "stated": ("error expected", "MJy/sr"), "n_flagged": ("disagree", ""),
}  # fmt: skip


def write_page(path, template, **values):
    """Write a template of this folder, filled in, as a file."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    words = environment.get_template(template).render(**values)
    with atomic_write(path) as temporary:
        temporary.write_text(words, encoding="utf-8")


# --- the survey -------------------------------------------------------------------------------------------------------


def survey(records, figures, simplify_labels, networks=(), kernels=(), references=()):
    """What the page of a survey shows.

    Parameters
    ----------
    records : list of ImageRecord
    figures : list of mappings
        Per image (its path) that has them `picture` and `fit`: paths of figures from the page, without their endings;
        and the `references` that the latter shows.
    simplify_labels : bool
    networks : list of Network, optional
    kernels : list of mappings
        Of each kernel that was made: name, `figure` (path from the page), `origin` (files.made_kernels.Origin) or, of
        one that could not be made, None and the `reason`.
    references : list of mappings
        Of each reference that was made: target, label, and as of kernels (files.made_references.Origin).

    Returns
    -------
    dict
        The values of survey.html.jinja.
    """
    placed = {figure["image"]: figure for figure in figures}
    images = [_image(record, placed.get(record.image, {}), simplify_labels) for record in records]
    images.sort(key=lambda image: (image["target"], band_order(image["band"]), image["name"]))
    bands = sorted({image["band"] for image in images}, key=band_order)
    targets = {image["target"]: {band: [] for band in bands} for image in images}
    for image in images:
        targets[image["target"]][image["band"]].append(image)
    kinds = list(SYMBOLS)
    worst_first = sorted(images, key=lambda image: kinds.index(image["kind"]))
    anchored = [image for image in worst_first if image["kind"] in ("flagged", "anchored")]
    missing = [image for image in worst_first if image["kind"] in ("failed", "skipped")]
    made = [_reference(reference) for reference in references]
    made.sort(key=lambda reference: (reference["target"], band_order(reference["label"])))
    return {
        "total": len(images),
        "counts": {kind: sum(image["kind"] == kind for image in images) for kind in kinds},
        "raised": _raised(images),
        "symbols": SYMBOLS,
        "steps": STEPS,
        "bands": bands,
        "targets": [
            {
                "name": t,
                "id": quote(f"target/{t}"),
                "cells": cells,
                "networks": [
                    {"instrument": n.instrument, "suspect": n.suspect, "words": network_words(n, simplify_labels)}
                    for n in networks
                    if n.target == t
                ],
                "network_figure": quote(f"{t}/{t}_network.png"),
                "references": [reference for reference in made if reference["target"] == t],
            }
            for t, cells in targets.items()
        ],
        "first": [image for image in worst_first if image["kind"] != "anchored"],
        "offsets": table([i["row"] for i in anchored], without=("status",), anchors=[i["id"] for i in anchored]),
        "zeros": reference_table(reference_rows(records), simplify_labels),
        "zero_words": zero_words(records),
        "references": made,
        "kernels": [_kernel(**kernel) for kernel in sorted(kernels, key=lambda kernel: kernel["name"])],
        "missing": table([i["row"] for i in missing], without=("flags",), anchors=[i["id"] for i in missing]),
    }


def _image(record, figures, simplify_labels):
    """An image as the page shows it."""
    fit, anchored = record.chosen_fit, record.status == "anchored"
    kind = record.status if not anchored else "flagged" if record.flags else "anchored"
    ratio = significance(record.offset, record.error)
    of_fit = ("range_min", "range_max", "n_independent", "shift", "shift_err", "correlation")
    return {
        "target": record.target,
        "band": record.band,
        "name": record.name,
        "id": quote(f"{record.target}/{record.band}/{record.name}"),
        "kind": kind,
        "symbol": SYMBOLS[kind],
        "flags": record.flags,
        "short": f"{record.offset:+.2f}".replace("-", "−") if anchored else kind,
        "ratio": "" if ratio is None else f"{ratio:.0f}σ" if ratio >= 10 else f"{ratio:.1f}σ",
        "step": "" if ratio is None else f"s{sum(ratio >= step for step in STEPS)}",
        "words": offset_words(record),
        "reference": band_label(record.reference, simplify_labels) if record.reference else "",
        "picture": _address(figures.get("picture"), ".png"),
        "fit_png": _address(figures.get("fit"), ".png"),
        "fit_pdf": _address(figures.get("fit"), ".pdf"),
        "n_drawn": len(figures.get("references", ())),
        "fits": _fits(record, figures.get("references", ()), simplify_labels),
        "row": {
            **image_rows([record])[0],
            "flags": record.flags,
            **{name: getattr(fit, name, None) for name in of_fit},
        },
    }


def _raised(images):
    """{flag: number of images that have it}, in the order of what they mean."""
    numbers = Counter(word for image in images for word in image["flags"])
    return {word: numbers[word] for word in MEANING if numbers[word]}


def _kernel(name, figure, origin, reason):
    """A kernel as the page shows it."""
    known = {"name": name, "figure": quote(figure), "reason": reason}
    if origin is None:
        return known
    quality = origin.quality
    numbers = ("source_fwhm", "target_fwhm", "difference", "negative", "cut", "held")
    cells = [f"{getattr(quality, number):.3g}" for number in numbers]
    return {**known, "source": origin.source[0], "target": origin.target[0], "cells": cells, "flags": origin.flags}


def _reference(reference):
    """A reference that was made, as the page shows it; with its resolution, since a band can be made at several."""
    target, label, origin = (reference[key] for key in ("target", "label", "origin"))
    known = {
        "target": target,
        "label": band_label(label, False),
        "id": quote(f"reference/{target}/{label}"),
        "figure": quote(reference["figure"]),
        "reason": reference["reason"],
        "flags": origin.flags if origin else (),
    }
    if origin is None:
        return known
    return known | {
        "files": origin.files,
        "units": origin.units,
        "sky": sky_words(origin),
        "kernel": origin.kernel or "none",
    }


def significance(offset, error):
    """|offset| / error; None without either."""
    return abs(offset) / error if offset is not None and error else None


def _fits(record, drawn, simplify_labels):
    """The fits of an image, the chosen one first."""
    fits = [
        {
            "label": band_label(fit.label, simplify_labels),
            "chosen": index == record.chosen,
            "words": fit_words(fit),
            "status": fit.status,
            "reason": fit.reason,
            "flags": fit.flags,
            "drawn": fit.reference in drawn,
        }
        for index, fit in enumerate(record.fits)
    ]
    return sorted(fits, key=lambda fit: not fit["chosen"])


def _address(stem, ending):
    """A path as a relative URL."""
    return quote(f"{stem}{ending}") if stem else ""


# --- tables -----------------------------------------------------------------------------------------------------------


def table(rows, *, without=(), anchors=None):
    """Rows of a table of the run (numbers, or text as in a CSV file) as a page shows them.

    Columns are those that any row has a value in, less `without`. `anchors` are the ids that rows lead to, if they do.

    Returns
    -------
    dict of headings, a list of (heading, unit, kind), and rows, a list of (anchor, cells); a cell is what it says and
    what it is sorted by.
    """
    names = [n for n in HEADINGS if n not in without and any(row.get(n) not in (None, "", [], ()) for row in rows)]
    return {
        "headings": [(HEADINGS[name], UNITS.get(name, ""), "text" if name in TEXT else "number") for name in names],
        "rows": [
            (anchor, [_cell(name, row.get(name)) for name in names])
            for row, anchor in zip(rows, anchors or [""] * len(rows), strict=True)
        ],
    }


def reference_table(rows, simplify_labels):
    """Rows of `zeros.reference_rows` as cells: heading, unit; and text."""
    headings = [(words, unit) for words, unit in REFERENCES.values()]
    cells = [
        [band_label(row[n], simplify_labels) if n == "reference" else _cell(n, row[n])[0] for n in REFERENCES]
        for row in rows
    ]
    return {"headings": headings, "rows": cells}


def _cell(name, value):
    if name == "flags":
        value = ", ".join(value.split() if isinstance(value, str) else value or ())
    if name in TEXT:
        return str(value or ""), str(value or "")
    if value in (None, "") or not math.isfinite(float(value)):
        return "", ""
    value = float(value)
    if name == "n" or name.startswith("n_"):
        words = f"{value:,.0f}"
    elif name in ("offset", "closure", "mean"):
        words = signed(value)
    else:
        words = f"{value:.4f}" if name in ("slope", "intercept") else f"{value:.2g}"
    return words.replace("-", "−"), repr(value)
