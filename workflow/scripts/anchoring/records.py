"""The solved offsets as they are stored: JSON records, one per image, and the rows of the tables made from them."""

from .files import read_json, write_json


def with_fits(image, fit_of):
    """The record of an image of the plan: its pairs as fits, by `fit_of` a pair, or with what was missing for one."""
    return {**{k: v for k, v in image.items() if k != "pairs"}, "fits": [_fit(p, fit_of) for p in image["pairs"]]}


def _fit(pair, fit_of):
    described = {key: pair[key] for key in ("reference", "ref_filter", "label", "kind", "resolution")}
    if pair["problem"]:
        return {**described, "status": "skipped", "reason": pair["problem"]}
    return {**described, **fit_of(pair)}


def write(path, records):
    """Write solved records, whole or not at all."""
    write_json(path, records)


def read(paths):
    """The solved records of some files, one after the other."""
    return [record for path in paths for record in read_json(path)]


def skipped(image):
    """The record of an image that the plan has nothing for."""
    return {
        "fits": [],
        "status": "skipped",
        "offset": None,
        "offset_err": None,
        "offset_sys": None,
        "chosen": None,
        "reference": "",
        **image,
    }


def applied(records, paths):
    """The records as they ended: an offset that could not be applied (files of `apply_offset`) is a failure."""
    failures = {}
    for path in paths:
        outcome = read_json(path)
        if outcome["status"] != "anchored":
            failures[outcome["image"]] = outcome["reason"]
    return [_failed(record, failures) for record in records]


def closed(records, paths):
    """The records with the `closure` (files of `apply_offset`) in the fit that anchored each image."""
    found = {c["image"]: c["closure"] for c in map(read_json, paths)}
    return [_closed(record, found.get(record["image"])) for record in records]


def _closed(record, value):
    if record["chosen"] is None or value is None:
        return record
    fits = [{**fit, "closure": value} if i == record["chosen"] else fit for i, fit in enumerate(record["fits"])]
    return {**record, "fits": fits}


def _failed(record, failures):
    if record["status"] != "anchored" or record["image"] not in failures:
        return record
    return {
        **record,
        "status": "failed",
        "offset": None,
        "offset_err": None,
        "offset_sys": None,
        "chosen": None,
        "reason": failures[record["image"]],
    }
