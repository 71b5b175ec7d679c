"""The configuration of this workflow from that of a pjpipe project:

    python workflow/scripts/config_from_pjpipe.py config.toml local.toml > config.yaml

It takes the targets, bands and folders of the project and the table [parameters.anchoring] of its anchoring step, and
reports on the terminal what has no counterpart here. Written for pjpipe 1.3.0.
"""

import sys
import tomllib
from pathlib import Path

import yaml

INSTRUMENTS = ("nircam", "miri", "niriss")  # that have a ref_band by default, and are not to fall back on it
SAME = ("internal_conv_band", "reproject_func", "simplify_labels", "galaxy_table", "reff_factor", "percentile_range")
PUBLISHED = ("nircam", "miri")  # those that pjpipe 1.3.0 anchors
PER_INSTRUMENT = ("ref_band", "external_bands")
ELSEWHERE = {"overwrite": "what is out of date is remade by itself; `snakemake --forceall` remakes all"}
HEADER = """\
# From a pjpipe project, for `snakemake --configfile`; every key is explained in config/README.md.
# pjpipe puts anchored images next to their inputs. To do the same, set out_dir to the value of in_dir: the images and
# tables then replace those of pjpipe.
"""


class TranslationError(ValueError):
    """A project that cannot be translated; the message says what was expected."""


def translate(config, local):
    """Translate a pjpipe project.

    Parameters
    ----------
    config, local : dict
        Its two TOML files. Of `config`: targets, bands, version, steps and parameters.anchoring, in which ref_band and
        external_bands hold a value per instrument; of `local`: reprocess_dir, kernel_dir, anchor_ref_dir, processors.

    Returns
    -------
    (dict, list of str)
        The configuration of the workflow, and notes on what is not in it.

    Raises
    ------
    TranslationError
        If the table or the folder of the images is not there.
    """
    notes = []
    anchoring = config.get("parameters", {}).get("anchoring")
    if not isinstance(anchoring, dict):
        raise TranslationError(
            "there is no table [parameters.anchoring] in the first file; expected a pjpipe config.toml with one"
        )
    new = {
        **_folders(config, local, notes),
        **_extensions(config, notes),
        **_extent(config, notes),
        "instruments": _instruments(anchoring, notes),
    }
    _leave_out_absent(new, notes)
    for key in SAME:
        if key in anchoring and not isinstance(anchoring[key], dict):
            new[key] = anchoring[key]
    for key in sorted(set(anchoring) - {*SAME, *PER_INSTRUMENT}):
        notes.append(f"parameters.anchoring.{key} is left out: {ELSEWHERE.get(key, 'it has no counterpart here')}")
    if "processors" in local:
        notes.append(f"processors: use `snakemake --cores {local['processors']}`")
    return new, notes


def _folders(config, local, notes):
    wanted = {"reprocess_dir": (local, "second file (local.toml)"), "version": (config, "first file (config.toml)")}
    missing = [f"{key} in the {file}" for key, (table, file) in wanted.items() if not isinstance(table.get(key), str)]
    if missing:
        raise TranslationError(
            f"there is no {' and no '.join(missing)}; expected both: images are in reprocess_dir/version/target"
        )
    folders = {"in_dir": str(Path(local["reprocess_dir"], config["version"]))}
    for key, old in (("ref_dir", "anchor_ref_dir"), ("kernel_dir", "kernel_dir")):
        folders[key] = local.get(old)
        if folders[key] is None:
            wanted = "kernel_dir, or psf_dir," if key == "kernel_dir" else key
            notes.append(f"{old} is not in local.toml: set {wanted} before a run")
    return {**folders, "out_dir": "results"}


def _extensions(config, notes):
    """What the steps before anchoring leave, and where."""
    steps = config.get("steps", [])
    if "anchoring" not in steps:
        notes.append("steps does not list anchoring: its table is translated all the same")
    aligned = "astrometric_align" in steps
    if not aligned:
        notes.append("steps does not list astrometric_align: images are taken to end in _i2d.fits")
    return {
        "in_step_ext": "i2d_align" if aligned else "i2d",
        "out_step_ext": "i2d_anchor",
        "in_subdir": "lv3",
        "out_subdir": "anchoring",
    }


def _extent(config, notes):
    """Targets and bands."""
    bands = config.get("bands")
    if bands:
        backgrounds = [band for band in bands if band.endswith("_bgr")]
        bands = [band for band in bands if band not in backgrounds]
        if backgrounds:
            notes.append(f"bands {', '.join(backgrounds)} are left out: backgrounds are not anchored, as in pjpipe")
    for band in bands or []:
        if "_" in band:
            notes.append(f"band {band}: its kernels have to be named {band.lower()}_to_...fits, after its folder")
    return {"targets": config.get("targets") or None, "bands": bands or None}


def _leave_out_absent(new, notes):
    """Keep the targets and bands that have a folder: a project lists more. All, if the images are elsewhere."""
    in_dir = Path(new["in_dir"])
    if not in_dir.is_dir():
        notes.append(f"in_dir {in_dir} is not on this machine: whether it has all targets could not be checked")
        return
    for key, pattern in (("targets", "*"), ("bands", "*/*")):
        found = {path.name.lower() for path in in_dir.glob(pattern) if path.is_dir()}
        absent = [name for name in new[key] or () if name.lower() not in found]
        if absent:
            notes.append(f"{key} {', '.join(absent)} are left out: they have no folder in {in_dir}")
            new[key] = [name for name in new[key] if name not in absent] or new[key]


def _instruments(anchoring, notes):
    tables = {key: _table(key, anchoring, notes) for key in (*PER_INSTRUMENT, "internal_conv_band")}
    instruments = {name: {} for name in dict.fromkeys([*INSTRUMENTS, *(n for t in tables.values() for n in t)])}
    everywhere = anchoring.get("external_bands")
    for name, settings in instruments.items():
        settings["ref_band"] = tables["ref_band"].get(name)
        external = tables["external_bands"].get(name, everywhere if isinstance(everywhere, str | list) else None)
        if external is not None:
            settings["external_bands"] = external
        if name in tables["internal_conv_band"]:
            settings["internal_conv_band"] = tables["internal_conv_band"][name]
        if settings["ref_band"] is None and name in PUBLISHED:
            notes.append(f"{name} has no ref_band: its images, if any, are listed as not anchored")
        elif settings["ref_band"] is not None and external is None:
            settings["external_bands"] = None
            notes.append(f"{name} has no external_bands: its images are listed as not anchored")
    return instruments


def _table(key, anchoring, notes):
    """The values of a key per instrument, in lower case."""
    value = anchoring.get(key, {})
    if isinstance(value, dict):
        return {name.lower(): entry for name, entry in value.items()}
    if key == "ref_band":
        notes.append(f"parameters.anchoring.ref_band = {value!r} is left out: expected a band for each instrument")
    return {}


def main(arguments):
    if len(arguments) != 2:
        raise TranslationError(f"expected two files, config.toml and local.toml, got {len(arguments)}\n{__doc__}")
    try:
        config, local = (tomllib.loads(Path(path).read_text(encoding="utf-8")) for path in arguments)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise TranslationError(f"{error}; expected two TOML files, config.toml and local.toml") from error
    new, notes = translate(config, local)
    print(HEADER + yaml.safe_dump(new, sort_keys=False, default_flow_style=None, width=120), end="")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except TranslationError as error:
        sys.exit(f"{error}")
