"""The plan of a run: which image meets which reference at which resolution, and what is missing for it.

Only folders are listed and one optional header card is read: no image is opened. Everything here is plain Python, so
that it can be tested, and asked, without Snakemake.
"""

import csv
import difflib
import math
import re
from dataclasses import dataclass, field
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
FOLDERS = ("in_dir", "ref_dir", "kernel_dir", "out_dir", "mask_dir", "galaxy_table", "in_subdir", "out_subdir")


class PlanError(ValueError):
    """A configuration or tree that no run can start from; the message says what to do."""


@dataclass(frozen=True)
class Image:
    """A mosaic to anchor. `name` is its file name without `_{in_step_ext}.fits`."""

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
        """Name of the reference's file without .fits."""
        return Path(self.reference_image.path if self.reference_image else self.reference_path).stem


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
    in_place = Path(config["out_dir"]).resolve() == Path(config["in_dir"]).resolve()
    if in_place and config["out_step_ext"] == config["in_step_ext"]:
        raise PlanError("out_dir is in_dir and out_step_ext is in_step_ext: anchored images would replace their inputs")
    for target in _targets(config):
        for image in _images(config, target):
            _refuse_odd_names(image)
            plan.images[image.target, image.band, image.name] = image
    if not plan.images:
        raise PlanError(
            f"no images to anchor: nothing matches {config['in_dir']}/<target>/<BAND>/{config['in_subdir']}/"
            f"*_{config['in_step_ext']}.fits; check in_dir, in_subdir, in_step_ext, targets and bands"
        )
    _require_bands(config, plan)
    table = _galaxy_table(config)
    for image in plan.images.values():
        reason = _galaxy_problem(config, table, image.target)
        plan.galaxies[image.target] = None if table is None or reason else _galaxy(table[image.target][0])
        reason = reason or _file_problem(image)
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
    labels = {label.lower() for i in config["instruments"] for label in external_bands(config, i)}
    labels |= {label.rpartition("_at")[0] or label for label in labels}
    labels |= {str(instrument_settings(config, i).get("ref_band")).lower() for i in config["instruments"]} - {"none"}
    for key in ("intensity_range", "reference_noise"):
        for label in config.get(key) or {}:
            if label.lower() not in labels:
                raise PlanError(
                    f"{key} has {label!r}, which is no reference; expected one of {', '.join(sorted(labels))}: "
                    "external_bands (with or without their resolution) and ref_bands of 'instruments'"
                )
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


def _refuse_odd_names(image):
    for what, name in (("target", image.target), ("band", image.band), ("image", image.name)):
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
    found = sorted(d.name for d in in_dir.iterdir() if d.is_dir() and any(d.glob(f"*/{config['in_subdir']}")))
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


def _images(config, target):
    folder = Path(config["in_dir"], target)
    wanted = config.get("bands")
    wanted = None if wanted is None else {band.lower() for band in wanted}
    ending = f"_{config['in_step_ext']}.fits"
    for path in sorted(folder.glob(f"*/{config['in_subdir']}/*")):
        band = path.parts[len(folder.parts)]
        if not path.name.endswith(ending) or "_bgr_" in path.name:
            continue
        if wanted is None or band.lower() in wanted:
            name = path.name[: -len(ending)]
            yield Image(target, band, name, str(path), _instrument(config, target, name, path))


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
    for name, value in _cards(path):
        if name == keyword:
            return value.strip("'").strip()
        if name == "END":
            break
    return ""


def _cards(path):
    """Names and values of the cards at the start of a FITS file, to its first pixels or 100 blocks; none if unread."""
    try:
        with open(path, "rb") as file:
            for _ in range(100):
                block = file.read(2880).decode("ascii", "replace")
                for start in range(0, len(block), 80):
                    card = block[start : start + 80]
                    yield card[:8].rstrip(), card[10:].split("/")[0].strip()
                if len(block) < 2880:
                    return
    except OSError:
        return


def image_mb(path, planes):
    """MB of so many float32 planes of the first image in a FITS file, from its header alone; 0 without one."""
    sides = {}
    for name, value in _cards(path):
        if name in ("NAXIS1", "NAXIS2") and value.isdigit():
            sides[name] = int(value)
        if len(sides) == 2:
            return 4e-6 * planes * math.prod(sides.values())
    return 0.0


def _file_problem(image):
    """Snakemake does not start while any of its inputs is missing."""
    if Path(image.path).is_file():
        return ""
    what = "a link that leads nowhere" if Path(image.path).is_symlink() else "no file"
    return f"{image.path} is {what}; expected a FITS file: put it there or remove what is in its place"


def mask_path(config, image):
    """The mask of the target and band, else of the target; None if there is none."""
    if not config.get("mask_dir"):
        return None
    names = (f"{image.target}_{image.band}.fits", f"{image.target}.fits")
    paths = (Path(config["mask_dir"], name) for name in names)
    return next((str(path) for path in paths if path.is_file()), None)


def error_path(config, pair):
    """The uncertainty map beside an external reference; None if there is none."""
    path = Path(config["ref_dir"], f"{pair.image.target}_{pair.label}_err.fits")
    return str(path) if pair.kind == "external" and path.is_file() else None


def of_label(settings, label):
    """What a mapping says of a reference: by its label, or by that without the resolution, in any case; else None."""
    names = [label.lower(), label.lower().rpartition("_at")[0] or label.lower()]
    settings = {key.lower(): value for key, value in settings.items()}
    return next((settings[name] for name in names if name in settings), None)


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


def resolution_of(label):
    """Resolution of an external reference: what follows `_at` in its label, else the label itself."""
    return label.rpartition("_at")[2] if "_at" in label else label


def kernel_path(config, band, resolution):
    """`{kernel_dir}/{from}_to_{to}.fits` in lower case; None if the band has that resolution."""
    if band.lower() == resolution.lower():
        return None
    return str(Path(config["kernel_dir"], f"{band.lower()}_to_{resolution.lower()}.fits"))


def _missing_kernel(config, band, resolution):
    path = kernel_path(config, band, resolution)
    if path is None or Path(path).is_file():
        return ""
    near = _similar(Path(path), resolution)
    return f"no kernel {path}" + (
        f"; there is {near} beside it: rename it or set the resolution to its" if near else ""
    )


def _similar(path, resolution):
    """Name of a kernel of the same band to the same resolution by another name (gauss1p00 for gauss1), or None."""
    start = path.name.removesuffix(f"{resolution.lower()}.fits")
    folder = path.parent.iterdir() if path.parent.is_dir() else ()
    names = {file.name.lower(): file.name for file in folder if file.name.lower().startswith(start)}
    same = [name for low, name in names.items() if _number(low.removeprefix(start)) == _number(path.name[len(start) :])]
    return min(same, default=None)


def _number(name):
    """A resolution with its digits as a number: gauss1p00.fits is (gauss, 1)."""
    letters, digits = re.fullmatch(r"(.*?)(\d*p?\d*)", name.removesuffix(".fits")).groups()
    return letters, float(digits.replace("p", ".")) if digits.strip("p") else digits


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
            path = str(Path(plan.config["ref_dir"], f"{image.target}_{label}.fits"))
            resolution = resolution_of(label).lower()
            problem = "" if Path(path).is_file() else f"no reference image {path}"
            problem = problem or _missing_kernel(plan.config, image.band, resolution)
            plan.pairs[image].append(Pair(image, label, label, resolution, path, problem=problem))


def _pair_others(plan):
    for image in plan.images.values():
        if image in plan.skipped or plan.is_reference(image):
            continue
        settings = instrument_settings(plan.config, image.instrument)
        resolution = (settings.get("internal_conv_band") or plan.config["internal_conv_band"]).lower()
        plan.pairs[image] = []
        for reference in plan.group(image.target, image.instrument):
            problem = _missing_kernel(plan.config, image.band, resolution)
            problem = problem or _missing_kernel(plan.config, reference.band, resolution)
            if not any(not p.problem for p in plan.pairs[reference]):
                problem = f"its reference band {reference.band} cannot be anchored: {problems(plan.pairs[reference])}"
            plan.pairs[image].append(
                Pair(image, reference.name, reference.band, resolution, reference_image=reference, problem=problem)
            )


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
            rows = csv.DictReader(line for line in file if not line.startswith("#"))
            columns = [c.strip() for c in rows.fieldnames or []]
            rows = [{k.strip(): (v or "").strip() for k, v in row.items() if k} for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PlanError(f"galaxy_table {path} cannot be read ({error}); expected a CSV file") from error
    absent = [c for c in ("name", *GALAXY_COLUMNS) if c not in columns]
    if absent:
        targets = ", ".join(_targets(config))
        raise PlanError(
            f"galaxy_table {path} has no column {', '.join(absent)}, needed for targets {targets}; expected columns "
            f"name, {', '.join(GALAXY_COLUMNS)}"
        )
    table = {}
    for row in rows:
        table.setdefault(row["name"], []).append(row)
    return table


def _galaxy_problem(config, table, target):
    if table is None:
        return ""
    path = config["galaxy_table"]
    if target not in table:
        near = near_name(target, table)
        return f"galaxy_table {path} has no row named {target}{near}; add one or leave galaxy_table out"
    if len(table[target]) > 1:
        return f"galaxy_table {path} has {len(table[target])} rows named {target}; expected one: remove the others"
    for column, (words, possible) in GALAXY_COLUMNS.items():
        text = table[target][0][column]
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or not possible(value):
            return f"galaxy_table {path}, row {target}, column {column} holds {text!r}; expected a number {words}"
    return ""


def _galaxy(row):
    return {column: float(row[column]) for column in GALAXY_COLUMNS}
