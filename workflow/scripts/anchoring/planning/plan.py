"""The plan of a run: which image meets which reference at which resolution, and what is missing for it.

Only folders are listed and headers read: no image is opened. Everything here is plain Python, so that it can be tested,
and asked, without Snakemake.
"""

import csv
import difflib
import functools
import gzip
import math
import os
import re
import time
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

# What a number of the galaxy table can be; distance_mpc of the published one is not used.
GALAXY_COLUMNS = {
    "ra": ("from -360 to 360 degrees", lambda value: abs(value) <= 360),
    "dec": ("from -90 to 90 degrees", lambda value: abs(value) <= 90),
    "posang": ("from -360 to 360 degrees", lambda value: abs(value) <= 360),
    "inclination": ("from 0 to less than 90 degrees", lambda value: 0 <= value < 90),
    "size_reff": ("of more than 0 arcsec", lambda value: value > 0),
}

# Of a target, a band and an image: they become parts of file names, of rules and, on clusters, of command lines.
NAME = re.compile(r"[^\W_][\w .+@()~#-]*")
WIDEST = 10_000  # MJy/sr, of an intensity_range: 100,000 bins
# Names of the filters of JWST: a folder that is called so is of a band, whatever it holds.
FILTER = re.compile(r"F\d{3,4}(W2?|M|N|C|WR)", re.IGNORECASE)
FITS = re.compile(r"(?P<stem>.+)\.(fits|fit|fts)(?P<packed>\.(gz|fz|bz2|xz|lzma|zip|z))?", re.IGNORECASE)
COMPANIONS = (".fits", ".fits.gz", ".fits.fz")  # what a reference, kernel, mask or noise map can end in
NUMBER = re.compile(r"(.*?)(?:0*(\d+)(?:[p.](\d+))?)", re.DOTALL)  # at the end of a resolution
NAME_BYTES = 255  # of a file, on the file systems in use
FOLDERS = ("in_dir", "ref_dir", "kernel_dir", "out_dir", "mask_dir", "galaxy_table", "in_subdir", "out_subdir")


class PlanError(ValueError):
    """A configuration or tree that no run can start from; the message says what to do."""


@dataclass(frozen=True)
class Image:
    """A mosaic to anchor. `name` is its file name without `_{in_step_ext}.fits`.

    One that is skipped may also be a file of another name, or the folder of a band without mosaics.
    """

    target: str
    band: str
    name: str
    path: str
    instrument: str


@dataclass(frozen=True)
class Pair:
    """An image and a reference it can be fitted against.

    `reference` names the reference (a label of external_bands, or the name of a ref_band image); `label` is its band
    or label; `problem` says what is missing, and is empty when nothing is.
    """

    image: Image
    reference: str
    label: str
    resolution: str
    reference_path: str = ""
    reference_image: Image | None = None
    problem: str = ""

    @property
    def kind(self):
        return "internal" if self.reference_image else "external"

    @property
    def stem(self):
        """Name of the reference's file without .fits and what a compressed one has after it."""
        name = Path(self.reference_image.path if self.reference_image else self.reference_path).name
        return FITS.fullmatch(name)["stem"]


@dataclass
class Plan:
    """All images of a run, the pairs of each, and why an image cannot be anchored (`skipped`), if it cannot."""

    config: dict
    images: dict = field(default_factory=dict)  # (target, band, name): Image
    pairs: dict = field(default_factory=dict)  # Image: list of Pair
    skipped: dict = field(default_factory=dict)  # Image: reason
    galaxies: dict = field(default_factory=dict)  # target: row of galaxy_table

    @property
    def targets(self):
        return sorted({image.target for image in self.images.values()})

    def of_target(self, target):
        return [image for image in self.images.values() if image.target == target]

    def is_reference(self, image):
        ref_band = instrument_settings(self.config, image.instrument).get("ref_band")
        return ref_band is not None and image.band.lower() == ref_band.lower()

    def group(self, target, instrument, band=None):
        """Images solved together: the ref_band images of an instrument (band None), or those of another band."""
        return [
            image
            for image in self.of_target(target)
            if image not in self.skipped
            and image.instrument == instrument
            and (self.is_reference(image) if band is None else image.band == band)
        ]

    def pair(self, target, band, name, reference):
        image = self.images[target, band, name]
        return next(p for p in self.pairs[image] if p.reference == reference)

    def possible_pairs(self, target=None):
        return [
            pair
            for image, pairs in self.pairs.items()
            if target in (None, image.target) and image not in self.skipped
            for pair in pairs
            if not pair.problem
        ]


def instrument_settings(config, instrument):
    return config["instruments"].get(instrument) or {}


def make_plan(config):
    """Plan a run from its (validated) configuration.

    Raises
    ------
    PlanError
        If the folders or the galaxy table are not there or hold nothing to anchor, or if the configuration speaks of
        what is not there.
    """
    plan = Plan(config)
    _require_sense(config)
    for key in FOLDERS:
        if re.search(r"[{}\x00-\x1f]", config.get(key) or ""):
            raise PlanError(f"{key} is {config[key]!r}; expected no braces or control characters: rename it")
    if _in_place(config) and config["out_step_ext"] == config["in_step_ext"]:
        raise PlanError("out_dir is in_dir and out_step_ext is in_step_ext: anchored images would replace their inputs")
    _kernels.cache_clear()
    passed_over = {}
    for target in _targets(config):
        for image, reason in _images(config, target):
            if reason:
                passed_over[image] = reason
            _refuse_odd_names(image, passed_over=bool(reason))
            plan.images[image.target, image.band, image.name] = image
    if len(plan.images) == len(passed_over):
        there = next(iter(passed_over.values()), "")
        raise PlanError(
            f"no images to anchor: nothing matches {config['in_dir']}/<target>/<BAND>/{config['in_subdir']}/"
            f"*_{config['in_step_ext']}.fits; check in_dir, in_subdir, in_step_ext, targets and bands"
            + (f" ({there})" if there else "")
        )
    _require_bands(config, plan)
    table = _galaxy_table(config)
    spellings = {}
    for image in plan.images.values():
        spellings.setdefault((image.target, image.band.lower()), set()).add(image.band)
    for image in plan.images.values():
        reason = _band_problem(config, image, spellings[image.target, image.band.lower()])
        reason = reason or _galaxy_problem(config, table, image.target)
        plan.galaxies[image.target] = None if table is None or reason else _galaxy(_rows(table, image.target)[0])
        reason = passed_over.get(image) or reason or _image_problem(config, image)
        if reason:
            plan.skipped[image] = reason
    for image in plan.images.values():
        reason = image not in plan.skipped and _instrument_problem(plan, image)
        if reason:
            plan.skipped[image] = reason
    _pair_references(plan)
    _pair_others(plan)
    return plan


def _require_sense(config):
    """That labels are those of references, that ranges rise and that mask_dir is there."""
    labels = {normalised(label) for i in config["instruments"] for label in external_bands(config, i)}
    labels |= {label.rpartition("_at")[0] or label for label in labels}
    labels |= {str(instrument_settings(config, i).get("ref_band")).lower() for i in config["instruments"]} - {"none"}
    for key in ("intensity_range", "reference_noise"):
        given = {}
        for label in config.get(key) or {}:
            if normalised(label) not in labels:
                raise PlanError(
                    f"{key} has {label!r}, which is no reference; expected one of {', '.join(sorted(labels))}: "
                    "external_bands (with or without their resolution) and ref_bands of 'instruments'"
                )
            if normalised(label) in given:
                raise PlanError(
                    f"{key} has {given[normalised(label)]!r} and {label!r}, which are one reference; expected one of "
                    "them: remove the other"
                )
            given[normalised(label)] = label
    ranges = {f"intensity_range of {label}": limits for label, limits in (config.get("intensity_range") or {}).items()}
    ranges["percentile_range"] = config.get("percentile_range") or (0, 1)
    for name, (low, high) in ranges.items():
        if not low < high:
            raise PlanError(f"{name} is [{low}, {high}]; expected the lower limit first and a higher one after it")
        if not high - low <= WIDEST:
            raise PlanError(f"{name} is [{low}, {high}]; expected a range of at most {WIDEST:,} MJy/sr")
    if config.get("mask_dir") and not Path(config["mask_dir"]).is_dir():
        raise PlanError(f"mask_dir {config['mask_dir']} is not a folder; expected the folder of the masks, or null")


def _require_bands(config, plan):
    found = {image.band.lower(): image.band for image in plan.images.values()}
    missing = [band for band in config.get("bands") or () if band.lower() not in found]
    if missing:
        raise PlanError(f"bands {', '.join(missing)} have no image; found: {', '.join(sorted(found.values()))}")


def _refuse_odd_names(image, *, passed_over):
    """PlanError if a name cannot be part of a result's; what is passed over has none but its target's."""
    names = (("target", image.target), ("band", image.band), ("image", image.name))
    for what, name in names[:1] if passed_over else names:
        if not NAME.fullmatch(name):
            raise PlanError(
                f"{image.path}: {name!r} cannot be the name of a {what}; expected letters, digits, spaces and "
                "_.+@()~#-, a letter or digit first: rename it, or list in 'targets' and 'bands' what to anchor"
            )


# --- the tree -------------------------------------------------------------------------------------------------------


def _targets(config):
    in_dir = Path(config["in_dir"])
    if not in_dir.is_dir():
        raise PlanError(f"in_dir {in_dir} is not a folder; set in_dir to the folder that holds a folder per target")
    found = sorted(d.name for d in in_dir.iterdir() if d.is_dir() and _is_target(config, d))
    wanted = config.get("targets")
    if wanted is None:
        return found
    missing = [t for t in wanted if t not in found]
    if missing:
        raise PlanError(
            f"targets {', '.join(missing)} have no folder <BAND>/{config['in_subdir']} in {in_dir}; "
            f"found there: {', '.join(found) or 'none'}"
        )
    return list(dict.fromkeys(wanted))


def _is_target(config, folder):
    """Whether a folder of in_dir has a folder of a band, or one with mosaics in it and not below in_subdir."""
    if folder.name.startswith("."):
        return any(folder.glob(f"*/{config['in_subdir']}/*_{config['in_step_ext']}.fits"))
    if any(folder.glob(f"*/{config['in_subdir']}")):
        return True
    return not _is_known(config, folder) and any(
        FILTER.fullmatch(band.name) or any(_is_mosaic(config, name) for name in _names(band))
        for band in _folders(folder)
        if not band.name.startswith(".")
    )


def _names(folder):
    """Names of what is in a folder, in order; none if it is no folder that can be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _folders(folder):
    return [Path(folder, name) for name in _names(folder) if os.path.isdir(os.path.join(folder, name))]


def _is_known(config, folder):
    """Whether the configuration has a folder for another use."""
    others = (config.get(key) for key in ("ref_dir", "kernel_dir", "mask_dir", "out_dir"))
    return any(folder.resolve() == Path(other).resolve() for other in others if other)


def _is_mosaic(config, name):
    """Whether a file is called like a mosaic, with or without the very ending .fits."""
    parts = FITS.fullmatch(name)
    return bool(parts) and parts["stem"].lower().endswith(f"_{config['in_step_ext']}".lower()) and "_bgr_" not in name


def _images(config, target):
    """The mosaics of a target, each with "", and all of its bands that is passed over, with the reason."""
    wanted = config.get("bands")
    wanted = None if wanted is None else {band.lower() for band in wanted}
    ending = f"_{config['in_step_ext']}.fits"
    for folder in _folders(Path(config["in_dir"], target)):
        band, place = folder.name, folder / config["in_subdir"]
        if not (wanted is None or band.lower() in wanted):
            continue
        names = _names(place)
        mosaics = [name for name in names if name.endswith(ending) and "_bgr_" not in name]
        for name in mosaics:
            path, name = str(place / name), name[: -len(ending)]
            yield Image(target, band, name, path, _instrument(config, target, name, path)), ""
        # A band needs no other file than its mosaics; one that is called like a mosaic may be meant to be one.
        known = {FITS.fullmatch(name)["stem"].lower() for name in mosaics}
        others = [n for n in names if _is_mosaic(config, n) and FITS.fullmatch(n)["stem"].lower() not in known]
        for name in others:
            path = str(place / name)
            yield Image(target, band, name, path, _instrument(config, target, name, path)), _other_ending(config, path)
        if not (mosaics or others) and _is_band(config, folder):
            place = place if os.path.isdir(place) else folder
            there = _fits_below(config, place)
            instrument = _instrument(config, target, Path(there[0]).name, there[0]) if there else ""
            yield Image(target, band, place.name, str(place), instrument), _without_mosaic(config, place, there)


def _other_ending(config, path):
    parts = FITS.fullmatch(Path(path).name)
    expected = f"{parts['stem'][: -len(config['in_step_ext'])]}{config['in_step_ext']}.fits"
    if not parts["packed"]:
        return f"{path} is not named as mosaics are; expected {expected}: rename it"
    unpack = {".gz": "gunzip", ".fz": "funpack"}.get(parts["packed"].lower(), "unpack")
    return f"{path} is compressed; expected {expected}, which can be read in parts: {unpack} it"


def _without_mosaic(config, folder, there):
    """What is in the folder of a band, or in its in_subdir, without mosaics, in words."""
    shown = ", ".join(os.path.relpath(path, folder) for path in there[:3]) + (" and more" if len(there) > 3 else "")
    holds = f"holds {shown or 'no FITS file'}" if os.access(folder, os.R_OK | os.X_OK) else "cannot be read"
    subdir, pattern = config["in_subdir"], f"*_{config['in_step_ext']}.fits"
    if folder.name == subdir:
        words = f"{folder} {holds}; expected {pattern}: set in_step_ext or rename the mosaics"
    else:
        words = f"{folder} has no folder {subdir} and {holds}; expected {subdir}/{pattern}: set in_subdir or move them"
    return f"{words}, or list in 'bands' what to anchor"


def _is_band(config, folder):
    """Whether a folder of a target that has no mosaics is of a band: not what a run makes, nor one of backgrounds."""
    name = folder.name
    if name.startswith(".") or name.lower().endswith("_bgr") or _is_known(config, folder):
        return False
    if _in_place(config) and {path.name for path in _folders(folder)} == {config["out_subdir"]}:
        return False  # left over, from a mosaic that is gone
    return bool(
        os.path.isdir(folder / config["in_subdir"]) or FILTER.fullmatch(name) or _fits_below(config, folder, enough=1)
    )


def _fits_below(config, folder, enough=4):
    """Paths of FITS files in a folder and those in it, without what a run makes there; no more than are enough."""
    found = []
    made = (config["out_subdir"], f"_{config['out_step_ext']}.fits") if _in_place(config) else ()
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - set(made))
        found += [
            str(Path(place, name))
            for name in sorted(names)
            if FITS.fullmatch(name) and not (made and name.endswith(made[1]))
        ]
        if len(found) >= enough:
            break
    return found[:enough]


def _in_place(config):
    return Path(config["out_dir"]).resolve() == Path(config["in_dir"]).resolve()


def _instrument(config, target, name, path):
    """From the file's name, `{target}_{instrument}_lv3_{band}`, else from the INSTRUME card of its primary header."""
    known = {instrument.lower() for instrument in config["instruments"]}
    rest = name[len(target) :] if name.lower().startswith(target.lower()) else name
    tokens = rest.lower().split("_")
    for token in tokens:
        if token in known:
            return token
    return _header_card(path, "INSTRUME").lower()


def _header_card(path, keyword):
    """The string value of a card of a primary header, "" without one: a few cards are not worth importing astropy."""
    return next(_headers(path), {}).get(keyword, "").strip("'").strip()


def _headers(path):
    """The headers of a FITS file, compressed by gzip or not, as {keyword: value}; it ends where they cannot be read."""
    try:
        with open(path, "rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            unpacked = gzip.GzipFile(fileobj=file) if packed else file
            while header := _header(unpacked):
                yield {**header, "GZIPPED": packed}
                unpacked.seek(_data_size(header), os.SEEK_CUR)
    except (OSError, EOFError, ValueError, OverflowError, zlib.error):
        return


def _header(file):
    """The header at the place of a file, to its end or 100 blocks; empty if there is none."""
    header = {}
    for _ in range(100):
        block = file.read(2880).decode("ascii", "replace")
        for start in range(0, len(block), 80):
            card = block[start : start + 80]
            name = card[:8].rstrip()
            if name == "END" or not (header or name in ("SIMPLE", "XTENSION")):
                return header
            header.setdefault(name, card[10:].split("/")[0].strip())
        if len(block) < 2880:
            break
    return header


def _data_size(header):
    """Bytes from the end of a header to the next one."""
    sides = _sides(header)
    numbers = [int(header.get(name, default)) for name, default in (("BITPIX", 8), ("GCOUNT", 1), ("PCOUNT", 0))]
    size = abs(numbers[0]) // 8 * numbers[1] * (numbers[2] + math.prod(sides)) if sides else 0
    return -(-size // 2880) * 2880


def _sides(header, tiled=""):
    return [int(header[f"{tiled}NAXIS{i + 1}"]) for i in range(int(header.get(f"{tiled}NAXIS", 0)))]


def _image_of(path):
    """(pixels, bytes of one, whether it is compressed) of the first image in a FITS file, from headers alone."""
    for header in _headers(path):
        tiled = "Z" if header.get("ZIMAGE") == "T" else ""
        if not (tiled or "SIMPLE" in header or header["XTENSION"].startswith("'IMAGE")):
            continue
        try:
            sides, bits = _sides(header, tiled), int(header[f"{tiled}BITPIX"])
        except (KeyError, ValueError):
            break
        if len(sides) > 1:
            return math.prod(sides), abs(bits) // 8, bool(tiled or header["GZIPPED"])
    return 0, 0, False


def image_mb(path, planes):
    """MB of so many float32 planes of the first image in a FITS file, from its headers alone; 0 without one."""
    return 4e-6 * planes * _image_of(path)[0]


def file_mb(path):
    """MB of a file; of one whose image is compressed, no less than the image takes when it is read."""
    pixels, size, compressed = _image_of(path)
    return max(os.path.getsize(path), pixels * size if compressed else 0) / 1e6


def _image_problem(config, image):
    """Why a mosaic cannot be an input; empty if it can. Snakemake does not start while any of its inputs is missing."""
    if not Path(image.path).is_file():
        what = "a link that leads nowhere" if Path(image.path).is_symlink() else "no file"
        return f"{image.path} is {what}; expected a FITS file: put it there or remove what is in its place"
    return (
        _ahead(image.path)
        or _companion_problem(_masks(config, image))
        or _too_long(
            image.path,
            f"{image.band}_{image.name}.log",
            f"{image.name}_before_after.png",
            f"{image.name}_{config['out_step_ext']}.fits",
            f"{image.target}_{image.instrument}_{image.band}_internal.json",
        )
    )


def _band_problem(config, image, spellings):
    """What is wrong if a target has the folder of a band in two spellings; empty if it has not."""
    if len(spellings) == 1:
        return ""
    folders = " and ".join(str(Path(config["in_dir"], image.target, band)) for band in sorted(spellings))
    return f"{folders} are folders of one band; expected one: put all its mosaics into one of them"


def _ahead(path):
    """What is wrong with the date of a file, or of the link that leads to it; empty if it is not in the future."""
    date = max(os.lstat(path).st_mtime, os.stat(path).st_mtime)
    if date <= time.time():
        return ""
    shown = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(date))
    return (
        f"{path} is dated {shown}, in the future; expected a date in the past, since a result that is older than what "
        "it is made of counts as out of date: `touch` the file, or wait until then"
    )


def _too_long(path, *names):
    """What is wrong with the names of results; empty if a file system can have them."""
    longest = max(names, key=lambda name: len(os.fsencode(name)))
    size = len(os.fsencode(longest))
    if size <= NAME_BYTES:
        return ""
    return f"the result {longest} would have a name of {size} bytes; expected at most {NAME_BYTES}: rename {path}"


def companions(folder, stem):
    """Paths of the files of a name, plain or compressed, that can go with a mosaic; links to one file count once."""
    start = str(Path(folder, stem))
    return _distinct(f"{start}{ending}" for ending in COMPANIONS)


def _distinct(paths):
    """Those of some paths that are files, one of each file."""
    paths = [path for path in paths if os.path.isfile(path)]
    if len(paths) < 2:
        return paths
    return list({os.path.realpath(path): path for path in reversed(paths)}.values())[::-1]


def _companion_problem(paths):
    """What is wrong with the files found of a name, if any are."""
    if len(paths) > 1:
        return f"there are {' and '.join(paths)}, and either can be meant; expected one: remove the other"
    return _ahead(paths[0]) if paths else ""


def _masks(config, image):
    """Masks of the target and band, else of the target."""
    if not config.get("mask_dir"):
        return []
    return companions(config["mask_dir"], f"{image.target}_{image.band}") or companions(
        config["mask_dir"], image.target
    )


def mask_path(config, image):
    """The mask of the target and band, else of the target; None if there is none."""
    return next(iter(_masks(config, image)), None)


def _error_maps(config, target, label):
    return companions(config["ref_dir"], f"{target}_{label}_err")


def error_path(config, pair):
    """The uncertainty map of an external reference; None if there is none."""
    maps = _error_maps(config, pair.image.target, pair.label) if pair.kind == "external" else []
    return next(iter(maps), None)


def of_label(settings, label):
    """What a mapping says of a reference: by its label, or by that without the resolution, in any case; else None."""
    label = normalised(label)
    settings = {normalised(key): value for key, value in settings.items()}
    return next((settings[name] for name in (label, label.rpartition("_at")[0]) if name in settings), None)


# --- pairs ----------------------------------------------------------------------------------------------------------


def _instrument_problem(plan, image):
    config, instrument = plan.config, image.instrument
    if instrument not in config["instruments"]:
        named = f"instrument {instrument!r}" if instrument else "no instrument in its name or header"
        return f"{named}; expected one of {', '.join(sorted(config['instruments']))}: add it to 'instruments'"
    settings = instrument_settings(config, instrument)
    if not settings.get("ref_band"):
        return f"instrument {instrument} has no ref_band in the configuration; set instruments.{instrument}.ref_band"
    ref_band = settings["ref_band"]
    references = [i for i in plan.of_target(image.target) if i.instrument == instrument and plan.is_reference(i)]
    if all(i in plan.skipped for i in references):
        missing = "; ".join(plan.skipped[i] for i in references)
        there = f" that can be used ({missing})" if missing else ""
        return f"{image.target} has no {instrument} image in its ref_band {ref_band}{there}; expected one to anchor on"
    if not external_bands(config, instrument):
        return f"instrument {instrument} has no external_bands; set instruments.{instrument}.external_bands"
    return ""


def external_bands(config, instrument):
    """External references of an instrument in order of preference."""
    bands = instrument_settings(config, instrument).get("external_bands") or []
    return [bands] if isinstance(bands, str) else list(bands)


@functools.cache
def normalised(name):
    """A resolution, or a name that ends in one, as it is written here: gauss1.00, gauss1p0 and GAUSS1 are gauss1.

    Lower case; the number at the end without zeros that say nothing, and with p for its point.
    """
    parts = NUMBER.fullmatch(name.lower())
    if not parts:
        return name.lower()
    start, number, fraction = parts.groups()
    fraction = (fraction or "").rstrip("0")
    return f"{start}{number}p{fraction}" if fraction else f"{start}{number}"


def resolution_of(label):
    """Resolution of an external reference: what follows `_at` in its label, else the label itself; `normalised`."""
    return normalised(label).rpartition("_at")[2]


def kernels(config, band, resolution):
    """Paths of all files that are the kernel of a band to a resolution, by `normalised` names."""
    return _distinct(_kernels(config["kernel_dir"]).get(normalised(f"{band}_to_{resolution}"), ()))


@functools.cache
def _kernels(folder):
    """`normalised` name without .fits: paths of the files in a folder that have it."""
    found = {}
    for name in _names(folder):
        for ending in COMPANIONS:
            if name.lower().endswith(ending):
                found.setdefault(normalised(name[: -len(ending)]), []).append(os.path.join(folder, name))
    return found


def kernel_path(config, band, resolution):
    """The kernel of a band to a resolution, or where it is expected; None if the band has that resolution."""
    if normalised(band) == normalised(resolution):
        return None
    found = kernels(config, band, resolution)
    if found:
        return found[0]
    return str(Path(config["kernel_dir"], f"{band.lower()}_to_{normalised(resolution)}.fits"))


def _kernel_problem(config, image, resolution):
    """What is wrong with the convolution of an image to a resolution; empty if nothing is known to be."""
    path = kernel_path(config, image.band, resolution)
    if path is None:
        return ""
    found = kernels(config, image.band, resolution)
    if not found:
        return f"no kernel {path}"
    start = f"{image.name}_to_{resolution}"
    return _companion_problem(found) or _too_long(image.path, f"{image.band}_{start}.log", f"{start}.fits")


def _reference_problem(config, image, label):
    """What is wrong with an external reference and its uncertainty map; empty if nothing is known to be."""
    stem = f"{image.target}_{label}"
    found = companions(config["ref_dir"], stem)
    if found:
        return _companion_problem(found) or _companion_problem(_error_maps(config, image.target, label))
    folder = config["ref_dir"]
    stems = {name: FITS.fullmatch(name)["stem"] for name in _names(folder) if FITS.fullmatch(name)}
    near = next((name for name, other in stems.items() if normalised(other) == normalised(stem)), "")
    there = f"; there is {near}: rename it, or write its label as in its name" if near else ""
    return f"no reference image {Path(folder, stem)}.fits{there}"


def _pair_names_problem(pair):
    """What is wrong with the names of what is made of a pair."""
    name = f"{pair.image.name}_on_{pair.reference}"
    return _too_long(pair.image.path, f"{pair.image.band}_{name}.log", f"{name}_pixels.npz")


def near_name(name, names):
    """What may have been meant by a name: one that differs in case, or by a letter; "" if there is none."""
    names = list(names)
    near = [other for other in names if other.lower() == name.lower()] or difflib.get_close_matches(name, names, n=1)
    return f"; there is {near[0]!r}" if near else ""


def _pair_references(plan):
    for image in plan.images.values():
        if image in plan.skipped or not plan.is_reference(image):
            continue
        plan.pairs[image] = []
        for label in external_bands(plan.config, image.instrument):
            stem, resolution = f"{image.target}_{label}", resolution_of(label)
            expected = str(Path(plan.config["ref_dir"], f"{stem}.fits"))
            path = next(iter(companions(plan.config["ref_dir"], stem)), expected)
            problem = _reference_problem(plan.config, image, label) or _kernel_problem(plan.config, image, resolution)
            pair = Pair(image, label, label, resolution, path)
            plan.pairs[image].append(replace(pair, problem=problem or _pair_names_problem(pair)))


def _pair_others(plan):
    for image in plan.images.values():
        if image in plan.skipped or plan.is_reference(image):
            continue
        settings = instrument_settings(plan.config, image.instrument)
        resolution = normalised(settings.get("internal_conv_band") or plan.config["internal_conv_band"])
        plan.pairs[image] = []
        for reference in plan.group(image.target, image.instrument):
            pair = Pair(image, reference.name, reference.band, resolution, reference_image=reference)
            problem = _kernel_problem(plan.config, image, resolution)
            problem = problem or _kernel_problem(plan.config, reference, resolution) or _pair_names_problem(pair)
            if not any(not p.problem for p in plan.pairs[reference]):
                problem = f"its reference band {reference.band} cannot be anchored: {problems(plan.pairs[reference])}"
            plan.pairs[image].append(replace(pair, problem=problem))


def problems(pairs):
    """What is missing for each of some pairs, in one sentence."""
    return "; ".join(dict.fromkeys(f"{pair.label}: {pair.problem}" for pair in pairs if pair.problem))


def inspected(plan):
    """All images with what they would be fitted on and the files that takes, or why they cannot be: plain values.

    What `anchoring.inspection.inspect` looks at.
    """
    return [
        {
            "target": image.target,
            "band": image.band,
            "image": image.path,
            "name": image.name,
            "instrument": image.instrument,
            "skipped": plan.skipped.get(image, ""),
            "mask": mask_path(plan.config, image),
            "pairs": [_inspected_pair(plan.config, pair) for pair in plan.pairs.get(image, [])],
        }
        for image in plan.images.values()
    ]


def _inspected_pair(config, pair):
    reference = pair.reference_image
    return {
        "reference": pair.reference,
        "ref_filter": pair.stem,
        "label": pair.label,
        "kind": pair.kind,
        "resolution": pair.resolution,
        "problem": pair.problem,
        "path": reference.path if reference else pair.reference_path,
        "kernel": kernel_path(config, pair.image.band, pair.resolution),
        "reference_kernel": kernel_path(config, reference.band, pair.resolution) if reference else None,
        "error": error_path(config, pair),
        "noise": of_label(config.get("reference_noise") or {}, pair.label),
    }


# --- the galaxy table -----------------------------------------------------------------------------------------------


def _galaxy_table(config):
    path = config.get("galaxy_table")
    if path is None:
        return None
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(line for line in map(_without_note, file) if line.strip())
            columns = [c.strip().lower() for c in rows.fieldnames or []]
            rows = [{k.strip().lower(): (v or "").strip() for k, v in row.items() if k} for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PlanError(f"galaxy_table {path} cannot be read ({error}); expected a CSV file") from error
    needed = ("name", *GALAXY_COLUMNS)
    absent = [c for c in needed if c not in columns]
    if absent:
        targets = ", ".join(_targets(config))
        raise PlanError(
            f"galaxy_table {path} has no column {', '.join(absent)}, needed for targets {targets}; expected columns "
            f"name, {', '.join(GALAXY_COLUMNS)}"
        )
    several = [c for c in needed if columns.count(c) > 1]
    if several:
        raise PlanError(f"galaxy_table {path} has the column {several[0]} twice; expected it once: remove the other")
    table = {}
    for row in rows:
        table.setdefault(row["name"], []).append(row)
    return table


def _without_note(line):
    """A line of the table without `# a note`; the first value, a name, may have that sign in it."""
    return re.sub(r"^(\s*|[^,]*,[^#]*)#.*", r"\1", line)


def _rows(table, target):
    """The rows of a target, by its name as it is or else in any case."""
    others = [row for name, rows in table.items() if name.lower() == target.lower() for row in rows]
    return table.get(target, others)


def _galaxy_problem(config, table, target):
    if table is None:
        return ""
    path, rows = config["galaxy_table"], _rows(table, target)
    if not rows:
        near = near_name(target, table)
        return f"galaxy_table {path} has no row named {target}{near}; add one or leave galaxy_table out"
    if len(rows) > 1:
        return f"galaxy_table {path} has {len(rows)} rows named {target}; expected one: remove the others"
    for column, (words, possible) in GALAXY_COLUMNS.items():
        text = rows[0][column]
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or not possible(value):
            return f"galaxy_table {path}, row {target}, column {column} holds {text!r}; expected a number {words}"
    return ""


def _galaxy(row):
    return {column: float(row[column]) for column in GALAXY_COLUMNS}
