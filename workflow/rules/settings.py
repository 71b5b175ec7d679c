"""What is wrong with a configuration, in words."""

import difflib

from jsonschema import Draft202012Validator

RETIRED = {
    "procs": "the number of processes is Snakemake's: remove 'procs' and use `snakemake --cores N`",
    "overwrite": "what is out of date is remade by itself: remove 'overwrite'; `snakemake --forceall` remakes all",
}


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
    return list(dict.fromkeys(found))


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
