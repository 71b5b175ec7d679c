"""A release: anchored mosaics, tables and figures under archive names, with a README and a manifest of checksums."""

import csv
import logging
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from astropy.io import fits

from .. import __version__
from ..errors import AnchoringError
from ..files.anchored import copy_with_cards
from ..files.atomic import hash_of
from ..fitting.flags import MEANING
from . import keywords
from .names import FIELDS, SEVERAL, archive_name, in_grammar

REQUIRED = ("id", "version", "title", "lead", "doi")  # keys of the configuration without a default
OF_NAMES = REQUIRED[:2]  # that links need, too
MANIFEST = ("file", "bytes", "sha256", "content", "target", "instrument", "filter", "made_from")
MOSAIC, PREVIEW, FIT, FITS_TABLE, SUMMARY = (
    "anchored mosaic, MJy/sr",
    "mosaic before and after anchoring, and its reference",
    "fits of the mosaic against its references",
    "table of the fits of a target",
    "table of the offsets of all mosaics",
)

TEXT = """
Names are `hlsp_<id>_<observatory>_<instrument>_<target>_<filter>_<version>_<product>.<ending>`. The manifest,
`{manifest}`, has the size and the SHA-256 of every file. To check all:

    tail -n +2 *_list.csv | awk -F, '{{print $3 "  " $1}}' | sha256sum --check

An anchored mosaic is the mosaic of the JWST pipeline with a constant, ANCHOFF (MJy/sr), added to the observed pixels of
SCI. ANCHERR and ANCHSYS are its statistical and systematic error, ANCHREF is the reference of the zero level."""


class File(NamedTuple):
    """A file of a release: where it is, its path in the release, and what the manifest says of it."""

    source: str
    path: str
    content: str
    target: str = ""
    instrument: str = ""
    filter: str = ""
    made_from: str = ""


def files_of(settings, records, images, tables, summary):
    """All files of a release but README and manifest, those of anchored images first.

    Parameters
    ----------
    settings : mapping
        `release` of the configuration.
    records : list of ImageRecord
        Of all images of the run.
    images : mapping
        {path of a mosaic: {product: path of a result}}, the products being mosaic, preview and fit, without those that
        there are not.
    tables : mapping
        {target: paths}
    summary : list of path

    Raises
    ------
    AnchoringError
        If a key is missing, an image is flagged with a word that is not in allow_flags, a name cannot be in an archive
        or two files would have one name.
    """
    _require_settings(settings)
    anchored = [record for record in records if record.status == "anchored"]
    _require_no_flags(anchored, settings["allow_flags"])
    found, named = [], {key: settings[key] for key in ("id", "observatory", "version")}
    kinds = {"mosaic": (settings["product"], MOSAIC), "preview": ("preview", PREVIEW), "fit": ("fit", FIT)}
    for record in anchored:
        known = {"instrument": record.instrument, "target": record.target, "filter": record.band}
        for kind, path in images[record.image].items():
            product, content = kinds[kind]
            name = archive_name(**named, **known, product=product, ending=Path(path).suffix[1:])
            place = f"{in_grammar('target', record.target)}/{name}"
            found.append(File(path, place, content, **known, made_from=Path(record.image).name))
    for target in dict.fromkeys(record.target for record in anchored):
        instrument = _together(record.instrument for record in anchored if record.target == target)
        known = {"instrument": instrument, "target": target, "filter": SEVERAL}
        for path in tables[target]:
            name = archive_name(**named, **known, product="cat", ending=Path(path).suffix[1:])
            found.append(File(path, f"{in_grammar('target', target)}/{name}", FITS_TABLE, **known))
    known = {"instrument": _together(r.instrument for r in anchored), "target": SEVERAL, "filter": SEVERAL}
    for path in summary if anchored else ():
        name = archive_name(**named, **known, product="cat", ending=Path(path).suffix[1:])
        found.append(File(path, name, SUMMARY, **known))
    _require_different(found)
    return found


def write_release(folder, files, settings, records):
    """Write the files of a release, its manifest and its README into an empty folder.

    With `files: copy` of the configuration all are copies, and mosaics have the keywords of `keywords.cards`. With
    `files: link` all are hard links, which cannot have other headers than the results.
    """
    folder, rows, incomplete = Path(folder), [], {}  # keywords that are missing: the mosaics without them
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if settings["files"] == "link":
            _link(file.source, path)
        elif file.content == MOSAIC:
            incomplete.setdefault(_copy_mosaic(file, path, settings), []).append(file.path)
        else:
            shutil.copyfile(file.source, path)
        known = file._asdict()
        rows.append({**known, "file": known["path"], "bytes": path.stat().st_size, "sha256": hash_of(path)})
    with open(folder / archive_name(**_named(settings), product="list", ending="csv"), "w", newline="") as file:
        writer = csv.DictWriter(file, MANIFEST, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    readme = archive_name(id=settings["id"], product="readme", ending="md")
    (folder / readme).write_text(_readme(settings, files, records, incomplete))


def _copy_mosaic(file, path, settings):
    """Write a mosaic with the keywords; returns those that MAST asks for and it does not have."""
    with fits.open(file.source) as hdus:
        headers = [hdu.header for hdu in hdus if hdu.name in ("PRIMARY", "SCI")]
        image = {"target": file.target, "instrument": file.instrument, "band": file.filter}
        copy_with_cards(file.source, path, keywords.cards(settings, image, headers[0]))
        missing = keywords.missing(headers)
    if missing:
        logging.warning("%s has no %s, which MAST asks for", file.source, ", ".join(missing))
    return tuple(missing)


def _link(source, path):
    try:
        os.link(os.path.realpath(source), path)
    except OSError as error:
        raise AnchoringError(
            f"{source} cannot be linked ({error.strerror}); expected a file system with hard links: set 'files' of "
            "'release' to copy"
        ) from error


def _require_settings(settings):
    needed = REQUIRED if settings["files"] == "copy" else OF_NAMES
    absent = [key for key in needed if not settings.get(key)]
    if absent:
        raise AnchoringError(
            f"{', '.join(absent)} of the release not given; expected them under 'release' of the configuration: "
            "docs/releasing.md"
        )
    unknown = [word for word in settings["allow_flags"] if word != "all" and word not in MEANING]
    if unknown:
        raise AnchoringError(
            f"allow_flags of 'release' has {', '.join(unknown)}, which is no flag; expected all, or some of "
            f"{', '.join(MEANING)}"
        )


def _require_no_flags(anchored, allowed):
    if "all" in allowed:
        return
    refused = [(record, [word for word in record.flags if word not in allowed]) for record in anchored]
    lines = [f"  {record.target} {record.band} {record.name}: {', '.join(words)}" for record, words in refused if words]
    if lines:
        raise AnchoringError(
            f"{len(lines)} of {len(anchored)} images are flagged; expected none in a release: look at them, and list "
            "under 'release' in 'allow_flags' what is right all the same\n" + "\n".join(lines)
        )


def _require_different(files):
    found = {}
    for file in files:
        if file.path in found:
            raise AnchoringError(
                f"{found[file.path]} and {file.source} would both be {file.path}; expected one mosaic for each "
                "instrument, target and filter: release them in two runs, with 'targets', 'bands' or another 'id'"
            )
        found[file.path] = file.source


def _together(instruments):
    """The instruments of a file in one field."""
    joined = "-".join(sorted(set(instruments)))
    return joined if len(joined) <= FIELDS["instrument"][0] else SEVERAL


def _named(settings):
    return {key: settings[key] for key in OF_NAMES}


def _readme(settings, files, records, incomplete):
    """What is in a release, in Markdown."""
    title = settings["title"] or settings["id"]
    lines = [f"# {title}", ""]
    about = (
        ("version", settings["version"]),
        ("lead", settings["lead"]),
        ("DOI", settings["doi"]),
        ("license", settings["license"] and f"{settings['license']}, {settings['license_url']}"),
        ("paper", settings["reference"]),
        ("made with", f"jwst-anchoring {__version__}"),
    )
    lines += [f"- {name}: {value}" for name, value in about if value]
    counts = Counter(file.content for file in files)
    lines += ["", "| files | content |", "|---|---|", *(f"| {n} | {content} |" for content, n in counts.items())]
    lines += [TEXT.format(manifest=archive_name(**_named(settings), product="list", ending="csv"))]
    if settings["files"] == "link":
        lines += ["", "The headers of the mosaics are those of the run, without the keywords of the collection."]
    flagged = [record for record in records if record.status == "anchored" and record.flags]
    if flagged:
        lines += ["", "## Flags", "", "These mosaics are flagged:", ""]
        lines += [f"- {r.target} {r.band} {r.name}: {', '.join(r.flags)}" for r in flagged]
        words = [word for word in MEANING if any(word in record.flags for record in flagged)]
        lines += ["", *(f"- `{word}`: {MEANING[word]}" for word in words)]
    left_out = [record for record in records if record.status != "anchored"]
    if left_out:
        lines += ["", "## Not in this release", ""]
        lines += [f"- {r.target} {r.band} {r.name}: {r.reason}" for r in left_out]
    if any(incomplete):
        lines += ["", "## Keywords that mosaics do not have", ""]
        lines += [f"- {', '.join(words)}: `{'`, `'.join(paths)}`" for words, paths in incomplete.items() if words]
    return "\n".join(lines) + "\n"
