"""The configuration: what is wrong with it, and the published parameters in the place where the workflow has them."""

import difflib
import re
from pathlib import Path

from jsonschema import Draft202012Validator

from ..labels import normalised, split_label

RETIRED = {
    "procs": "the number of processes is Snakemake's: remove 'procs' and use `snakemake --cores N`",
    "overwrite": "what is out of date is remade by itself: remove 'overwrite'; `snakemake --forceall` remakes all",
}

FOLDERS = ("in_dir", "ref_dir", "kernel_dir", "psf_dir", "out_dir", "mask_dir", "galaxy_table", "in_subdir",
           "out_subdir")  # fmt: skip
MADE_KERNELS = "kernels"  # folder of out_dir
MADE_REFERENCES = "references"  # folder of out_dir
WIDEST = 10_000  # MJy/sr, of an intensity_range: 100,000 bins
PER_INSTRUMENT = ("ref_band", "external_bands", "internal_conv_band")  # that the published configuration has at its top


class PlanError(ValueError):
    """A configuration or tree that no run can start from; the message says what to do."""


def instrument_settings(config, instrument):
    return config["instruments"].get(instrument) or {}


def external_bands(config, instrument):
    """Labels of the external references of an instrument in order of preference."""
    bands = instrument_settings(config, instrument).get("external_bands") or []
    return [bands] if isinstance(bands, str) else list(bands)


def in_place(config):
    """Whether anchored images are put next to their inputs."""
    return Path(config["out_dir"]).resolve() == Path(config["in_dir"]).resolve()


def require_sense(config):
    """PlanError if the values of a configuration that has the form of the schema contradict each other.

    Labels are those of references, ranges rise, mask_dir and psf_dir exist, names of folders can be part of Snakemake's
    patterns and no anchored image replaces its input.
    """
    _require_labels(config)
    ranges = {f"intensity_range of {label}": limits for label, limits in (config.get("intensity_range") or {}).items()}
    ranges["percentile_range"] = config.get("percentile_range") or (0, 1)
    for name, (low, high) in ranges.items():
        if not low < high:
            raise PlanError(f"{name} is [{low}, {high}]; expected the lower limit first and a higher one after it")
        if not high - low <= WIDEST:
            raise PlanError(f"{name} is [{low}, {high}]; expected a range of at most {WIDEST:,} MJy/sr")
    for key, what in (("mask_dir", "masks"), ("psf_dir", "PSFs")):
        if config.get(key) and not Path(config[key]).is_dir():
            raise PlanError(f"{key} {config[key]} is not a folder; expected the folder of the {what}, or null")
    made = Path(config["out_dir"], MADE_REFERENCES)
    if config.get("references") and Path(config["ref_dir"]).resolve() == made.resolve():
        raise PlanError(f"ref_dir is {made}, where references are made; expected another folder: rename it")
    for key in FOLDERS:
        if re.search(r"[{}\x00-\x1f]", config.get(key) or ""):
            raise PlanError(f"{key} is {config[key]!r}; expected no braces or control characters: rename it")
    if in_place(config) and config["out_step_ext"] == config["in_step_ext"]:
        raise PlanError("out_dir is in_dir and out_step_ext is in_step_ext: anchored images would replace their inputs")


def _require_labels(config):
    """That values are given for references that exist, and one for each."""
    labels = {normalised(label) for i in config["instruments"] for label in external_bands(config, i)}
    labels |= {split_label(label)[0] for label in labels}
    labels |= {str(instrument_settings(config, i).get("ref_band")).lower() for i in config["instruments"]} - {"none"}
    for key in ("intensity_range", "reference_noise", "references"):
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


def gather(config, schema):
    """Put published parameters, which hold a value per instrument, under `instruments`, in place.

    Before defaults are filled in: they would count as given. An instrument that is null has no ref_band.

    Parameters
    ----------
    config : dict
        A configuration without `problems`.
    schema : dict
        The JSON schema; the instruments in it are those that have defaults.
    """
    given = config.get("instruments") or {}
    instruments = {name: {"ref_band": None} if entry is None else entry for name, entry in given.items()}
    for name, key, value in _published(config, schema):
        instruments[name] = {**instruments.get(name, {}), key: value}
    for key in PER_INSTRUMENT:
        if not (key == "internal_conv_band" and isinstance(config.get(key), str)):
            config.pop(key, None)
    if instruments:
        config["instruments"] = instruments


def _published(config, schema):
    """(instrument, key, value) of every value at the top of a configuration that is one instrument's."""
    for key in PER_INSTRUMENT:
        value = config.get(key)
        if key == "external_bands" and isinstance(value, str | list):
            known = (*schema["properties"]["instruments"]["properties"], *(config.get("instruments") or ()))
            known += tuple(name.lower() for name in config.get("ref_band") or ())
            value = dict.fromkeys(known, value)
        if isinstance(value, dict):
            yield from ((name.lower(), key, entry) for name, entry in value.items())


def _twice(config, schema):
    """Sentences on values that are given more than once for an instrument."""
    given = {(name, key) for name, entry in (config.get("instruments") or {}).items() for key in entry or ()}
    for name, key, _ in _published(config, schema):
        if (name, key) in given:
            yield f"{key!r} of {name} is given twice, at the top or under 'instruments'; expected one: remove the other"
        given.add((name, key))


def problems(config, schema):
    """Sentences, one per thing that is wrong with a configuration; none if it is as the JSON schema says."""
    found = list(_nameless(config))
    if found:
        return found
    found = [message for key, message in RETIRED.items() if key in config]
    config = {key: value for key, value in config.items() if key not in RETIRED}
    errors = sorted(Draft202012Validator(schema).iter_errors(config), key=lambda error: list(error.absolute_path))
    for error in errors:
        found += _sentences(error)
    return list(dict.fromkeys(found)) or list(_twice(config, schema))


def _nameless(mapping, where=""):
    """Keys that are not text: YAML takes 1 for a number, and no or off for false."""
    for key, value in mapping.items():
        if not isinstance(key, str):
            yield f"the key {key!r}{f' in {where!r}' if where else ''} is not text; expected a name: put it in quotes"
        if isinstance(value, dict):
            yield from _nameless(value, f"{where}.{key}".lstrip("."))


def _sentences(error):
    where = ".".join(map(str, error.absolute_path))
    if error.validator == "additionalProperties":
        return [_unknown(key, error.schema["properties"], where) for key in _extra(error)]
    if error.validator == "required":
        missing = [key for key in error.validator_value if key not in error.instance]
        return [f"{key!r} is missing: {error.schema['properties'][key]['description']}" for key in missing]
    description = error.schema.get("description", "")
    return [f"{where!r}: {error.message}" + (f"; expected: {description}" if description else "")]


def _extra(error):
    return [key for key in error.instance if key not in error.schema["properties"]]


def _unknown(key, known, where):
    place = f" in {where!r}" if where else ""
    near = difflib.get_close_matches(str(key), known, n=1)
    return f"unknown key {key!r}{place}; " + (f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}")
