"""The solved offsets as they are stored: JSON records, one per image."""

from ..files.atomic import read_json, write_json


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


def without_offset(image, status, reason):
    """The record of an image that has no offset.

    Parameters
    ----------
    image : mapping
        What is known of it: target, band, image, name, instrument, and its `fits`, if any.
    status : {"failed", "skipped"}
    reason : str
    """
    nothing = dict.fromkeys(("offset", "offset_err", "offset_sys", "chosen"))
    return {"fits": [], **image, **nothing, "status": status, "reference": "", "reason": reason}


def skipped(image):
    """The record of an image of the plan that no fit can be made for, for its `reason`."""
    return without_offset(image, "skipped", image["reason"])


def final(solved, skipped_images):
    """The records of all images of the plan, by target, band and name: what tables, page and status of a run go by.

    Parameters
    ----------
    solved : list of mappings
        From `offsets.solve_external` and `solve_internal`.
    skipped_images : list of mappings
        Images that nothing can be done for, each with the `reason`.
    """
    records = [*solved, *map(skipped, skipped_images)]
    return sorted(records, key=lambda record: (record["target"], record["band"], record["name"]))
