"""What is wrong with a configuration, in words; and the published parameters, put where the workflow has them."""

import difflib

from jsonschema import Draft202012Validator

RETIRED = {
    "procs": "the number of processes is Snakemake's: remove 'procs' and use `snakemake --cores N`",
    "overwrite": "what is out of date is remade by itself: remove 'overwrite'; `snakemake --forceall` remakes all",
}

PER_INSTRUMENT = ("ref_band", "external_bands", "internal_conv_band")  # that the published configuration has at its top


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
    found = [words for key, words in RETIRED.items() if key in config]
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
