"""The configuration: what is wrong with it, and the published parameters in the place where the workflow has them."""

import copy
import difflib
import re
from pathlib import Path

from ..bands import JWST
from ..labels import normalised, split_label, split_pair

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
SHIPPED_INSTRUMENTS = ("nircam", "miri", "niriss")  # that have defaults
REF_BAND = "ref_band"  # in a list of external_bands: the path through the ref_band
# References of bands other than the ref_band, used where their files exist, unless the configuration lists others.
SHIPPED = {"miri": {"f2100w": ("mips24", "w4_atgauss15")}}


class PlanError(ValueError):
    """A configuration or tree that no run can start from; the message says what to do."""


def instrument_settings(config, instrument):
    return config["instruments"].get(instrument) or {}


def is_ref_band(config, instrument, band):
    """Whether a band is the ref_band of an instrument."""
    ref_band = instrument_settings(config, instrument).get("ref_band")
    return ref_band is not None and band.lower() == ref_band.lower()


def external_bands(config, instrument, band=None):
    """Labels of the external references of a band, or of the ref_band, in order of preference.

    Among those of another band than the ref_band is REF_BAND, for the path through the ref_band: first, unless it is
    listed elsewhere.
    """
    settings = instrument_settings(config, instrument)
    ref_band = settings.get("ref_band")
    if band is None or is_ref_band(config, instrument, band):
        return _listed(settings).get((ref_band or "").lower(), [])
    labels = _listed(settings).get(band.lower())
    if labels is None:
        labels = list(SHIPPED.get(instrument, {}).get(band.lower(), ())) if ref_band else []
    return labels if REF_BAND in labels or not ref_band else [REF_BAND, *labels]


def is_shipped(config, instrument, band):
    """Whether the configuration leaves the references of a band, not the ref_band, to SHIPPED."""
    return band.lower() not in _listed(instrument_settings(config, instrument))


def all_external_bands(config, instrument):
    """Labels of the external references of all bands of an instrument, each once, those of the ref_band first."""
    bands = [*_listed(instrument_settings(config, instrument)), *SHIPPED.get(instrument, ())]
    labels = external_bands(config, instrument) + [x for b in bands for x in external_bands(config, instrument, b)]
    return [label for label in dict.fromkeys(labels) if label != REF_BAND]


def _listed(settings):
    """{band in lower case: list of labels} of an instrument, as configured."""
    given = settings.get("external_bands") or []
    by_band = given if isinstance(given, dict) else {settings.get("ref_band") or "": given}
    return {
        band.lower(): [labels] if isinstance(labels, str) else list(labels or ()) for band, labels in by_band.items()
    }


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
    for instrument in config["instruments"]:
        if REF_BAND in external_bands(config, instrument):
            raise PlanError(
                f"external_bands of the ref_band of {instrument} has {REF_BAND!r}; expected labels of external "
                "references only: remove it"
            )
    external = {normalised(label) for i in config["instruments"] for label in all_external_bands(config, i)}
    external |= {split_label(label)[0] for label in external}
    bands = {str(instrument_settings(config, i).get("ref_band")).lower() for i in config["instruments"]} - {"none"}
    for key, labels in (
        ("intensity_range", external | bands),
        ("reference_noise", external | bands),
        ("colour_drift", external | bands),
        ("reference_zero_err", external),
        ("references", external),
    ):
        given = {}
        for label in config.get(key) or {}:
            name = split_pair(label)[1] if key == "colour_drift" else label
            if normalised(name) not in labels:
                raise PlanError(
                    f"{key} has {label!r}, which is no reference; expected one of {', '.join(sorted(labels))}: "
                    "external_bands (with or without their resolution)"
                    + (" and ref_bands of 'instruments'" if labels != external else "")
                )
            if normalised(label) in given:
                raise PlanError(
                    f"{key} has {given[normalised(label)]!r} and {label!r}, which are one reference; expected one of "
                    "them: remove the other"
                )
            given[normalised(label)] = label


def complete(config, schema):
    """A configuration as the workflow uses it, in place: published parameters under `instruments`, defaults filled in.

    Parameters
    ----------
    config : dict
        A configuration without `problems`.
    schema : dict
        The JSON schema; the instruments in it are those that have defaults.
    """
    _gather(config, schema)  # first: defaults would count as given
    _fill_in(config, schema, schema["$defs"])


def _fill_in(config, entry, definitions):
    """The defaults of an entry of the schema, where a configuration has no value, in place."""
    if "$ref" in entry:
        entry = {**definitions[entry["$ref"].removeprefix("#/$defs/")], **entry}
    known = entry.get("properties", {})
    for key, value in known.items():
        if "default" in value:
            config.setdefault(key, copy.deepcopy(value["default"]))
    for key, value in config.items():
        below = known.get(key, entry.get("additionalProperties"))
        if isinstance(value, dict) and isinstance(below, dict):
            _fill_in(value, below, definitions)


def _gather(config, schema):
    """Put published parameters, which hold a value per instrument, under `instruments`, in place.

    An instrument that is null has no ref_band.
    """
    given = config.get("instruments") or {}
    instruments = {name: {"ref_band": None} if entry is None else entry for name, entry in given.items()}
    published = list(_published(config, schema))
    for name, key, value in published:
        if key != "external_bands":
            instruments[name] = {**instruments.get(name, {}), key: value}
    lists = {name: [entry["external_bands"]] for name, entry in instruments.items() if "external_bands" in entry}
    for name, key, value in published:
        if key == "external_bands":
            lists.setdefault(name, []).append(value)
    for name, values in lists.items():
        instruments[name] = {
            **instruments.get(name, {}),
            "external_bands": _together(name, values, instruments, schema),
        }
    for key in PER_INSTRUMENT:
        if not (key == "internal_conv_band" and isinstance(config.get(key), str)):
            config.pop(key, None)
    if instruments:
        config["instruments"] = instruments


def _together(name, values, instruments, schema):
    """external_bands of an instrument from the values given for it, for its ref_band or per band.

    A value for bands other than the ref_band leaves that of the ref_band as it is by default.
    """
    if not any(isinstance(value, dict) for value in values):
        return values[-1]
    ref_band = instruments.get(name, {}).get("ref_band", _default(name, "ref_band", schema))
    by_band = {"": _default(name, "external_bands", schema)}
    for value in values:
        by_band |= _per_band(value, ref_band)
    of_ref_band = by_band.pop("")
    return by_band if ref_band is None else {ref_band: of_ref_band, **by_band}


def _per_band(value, ref_band):
    """{band: value}, "" for the ref_band, of what is given as external_bands."""
    if not isinstance(value, dict):
        return {"": value}
    return {"" if band.lower() == (ref_band or "").lower() else band: labels for band, labels in value.items()}


def _default(name, key, schema):
    known = schema["properties"]["instruments"]["properties"].get(name, {}).get("properties", {})
    return known.get(key, {}).get("default")


def _published(config, schema):
    """(instrument, key, value) of every value at the top of a configuration that is one instrument's.

    In external_bands, the names of bands give every instrument {band: labels}.
    """
    known = [*schema["properties"]["instruments"]["properties"], *(config.get("instruments") or ())]
    known += [name.lower() for name in config.get("ref_band") or ()]
    known = list(dict.fromkeys(known))
    for key in PER_INSTRUMENT:
        value = config.get(key)
        if key == "external_bands" and isinstance(value, str | list):
            value = dict.fromkeys(known, value)
        if not isinstance(value, dict):
            continue
        of_bands = key == "external_bands"
        bands = {n: v for n, v in value.items() if of_bands and n.lower() not in known and JWST.fullmatch(n)}
        yield from ((name.lower(), key, entry) for name, entry in value.items() if name not in bands)
        if bands:
            yield from ((name, key, bands) for name in known)


def _twice(config, schema):
    """Sentences on values that are given more than once for an instrument, or for a band of one."""
    values = [
        (n, key, value)
        for n, entry in (config.get("instruments") or {}).items()
        for key, value in (entry or {}).items()
    ]
    values += _published(config, schema)
    ref_bands = {name: value for name, key, value in values if key == "ref_band"}
    given = set()
    for name, key, value in values:
        ref_band = ref_bands.get(name, _default(name, "ref_band", schema))
        for band in _per_band(value, ref_band) if key == "external_bands" else [""]:
            if (name, key, band.lower()) in given:
                of = f"{name}, {band}," if band else name
                yield (
                    f"{key!r} of {of} is given twice, at the top or under 'instruments'; expected one: remove the other"
                )
            given.add((name, key, band.lower()))


def problems(config, schema):
    """Sentences, one per thing that is wrong with a configuration; none if it is as the JSON schema says."""
    from jsonschema import Draft202012Validator  # not needed by scripts, and as slow to load as all of this library

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
