"""Mosaics of JWST at MAST: found by programme and target, named as the workflow reads them."""

import json
import re
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlencode

from anchoring.bands import JWST
from fetching.download import FetchError, fetch

API, DOWNLOAD = "api/v0/invoke", "api/v0.1/Download/file"  # https://mast.stsci.edu/api/v0
PAGE = 50_000  # rows of an answer
# jw02107-o038_t018_miri_f770w_i2d.fits; with two filters, the narrower one is the band.
MOSAIC = re.compile(
    r"(?P<observation>jw\d{5}-[a-z0-9]+)_[a-z0-9-]+_(?P<instrument>[a-z]+)_(?P<filters>[a-z0-9-]+)_i2d\.fits"
)
WIDTHS = ("n", "m", "w", "wr", "w2")  # ends of names of filters, the narrowest first


class Mosaic(NamedTuple):
    """A level-3 mosaic: the programme and observation, instrument and band (lower case), and its address."""

    observation: str
    instrument: str
    band: str
    address: str


def fetch_mosaics(config, target, wanted, patience):
    """Fetch the mosaics of a target; their paths.

    Parameters
    ----------
    config : dict
        With defaults.
    target : str
        Its name, that of its folder.
    wanted : mapping
        `programme`, a number or several, and `target`, its name or names at MAST, if that is another.
    patience : download.Patience

    Raises
    ------
    FetchError
        If MAST has none or one cannot be fetched; those that can be are, before.
    """
    programmes, names = _listed(wanted["programme"]), _listed(wanted.get("target", target))
    bands = config.get("bands")
    found = find_mosaics(config["fetch"]["mast"], programmes, names, bands and [b.lower() for b in bands], patience)
    paths, problems = [], []
    for mosaic in found:
        stem = f"{target}_{mosaic.instrument}_lv3_{mosaic.band}_{mosaic.observation}_{config['in_step_ext']}"
        folder = Path(config["in_dir"], target, mosaic.band.upper(), config["in_subdir"])
        try:
            fetch(mosaic.address, folder / f"{stem}.fits", patience)
            paths.append(folder / f"{stem}.fits")
        except FetchError as error:
            problems.append(str(error))
    if problems:
        raise FetchError("; ".join(problems))
    return paths


def find_mosaics(service, programmes, names, bands, patience):
    """The Mosaics of a target in some programmes, each once, in the order of their observations.

    Parameters
    ----------
    service : str
        Address of MAST.
    programmes : list of int
    names : list of str
        Of the target at MAST; letters and digits count.
    bands : list of str or None
        In lower case; None for all.
    patience : download.Patience
    """
    numbers = [str(p) for p in programmes] + [f"{p:05d}" for p in programmes]
    filters = {"obs_collection": ["JWST"], "dataproduct_type": ["image"], "proposal_id": list(dict.fromkeys(numbers))}
    rows = _query(
        service,
        "Mast.Caom.Filtered",
        {
            "columns": "obsid,target_name",
            "filters": [{"paramName": name, "values": values} for name, values in filters.items()],
        },
        patience,
    )
    wanted = {_bare(name) for name in names}
    there = {str(row.get("target_name")): _bare(row.get("target_name")) for row in rows}
    observations = [str(row["obsid"]) for row in rows if _bare(row.get("target_name")) in wanted]
    of = f"programme {', '.join(map(str, programmes))}"
    if not observations:
        raise FetchError(
            f"{service} has no image of {', '.join(names)} in {of}; expected one of its targets: "
            f"{', '.join(sorted(there)) or 'it has none'}: correct 'programme' or 'target' in 'mosaics' of 'fetch'"
        )
    found = {}
    for row in _query(service, "Mast.Caom.Products", {"obsid": ",".join(dict.fromkeys(observations))}, patience):
        name = MOSAIC.fullmatch(str(row.get("productFilename")))
        band = name and band_of(name["filters"])
        if band and row.get("dataURI") and (not bands or band in bands):
            address = f"{service.rstrip('/')}/{DOWNLOAD}?uri={quote(row['dataURI'], safe=':/')}"
            found[name.string] = Mosaic(name["observation"], name["instrument"], band, address)
    if not found:
        shown = f" in {', '.join(bands)}" if bands else ""
        raise FetchError(
            f"{service} has no level-3 mosaic (i2d) of {', '.join(names)}{shown} in {of}; expected one: correct "
            "'bands', or make them with the JWST pipeline"
        )
    return [found[name] for name in sorted(found)]


def band_of(filters):
    """The band of a mosaic by the elements of its optics, such as clear-f300m or f444w-f470n; None without a filter."""
    named = [part for part in filters.split("-") if JWST.fullmatch(part)]
    return min(named, key=lambda part: WIDTHS.index(part.lstrip("f0123456789") or "w"), default=None)


def _query(service, name, params, patience):
    """Rows of the answer to a request of MAST's API; FetchError if it is none."""
    url = f"{service.rstrip('/')}/{API}"
    request = {"service": name, "params": params, "format": "json", "pagesize": PAGE, "page": 1}
    for number in range(patience.tries):
        if number:  # MAST answers before it has finished, and wants to be asked again
            time.sleep(patience.wait)
        with patience.ask(
            url,
            "POST",
            data=urlencode({"request": json.dumps(request)}, quote_via=quote),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/plain"},
        ) as answer:
            text = answer.text
        try:
            said = json.loads(text)
            if said["status"] == "COMPLETE":
                return [dict(row) for row in said["data"]]
        except (ValueError, KeyError, TypeError) as error:
            raise FetchError(
                f"{url} gave no table for {name} (it begins with {text[:40]!r}); expected one: try again later, or "
                "correct mast in 'fetch'"
            ) from error
        if said["status"] != "EXECUTING":
            raise FetchError(
                f"{url} refused {name}; expected a table: check 'mosaics' in 'fetch' (details: {said.get('msg')})"
            )
    raise FetchError(f"{url} did not finish {name} in {patience.tries} tries; expected a table: try again later")


def _listed(value):
    return list(value) if isinstance(value, list | tuple) else [value]


def _bare(name):
    """A name of a target without what is written in many ways."""
    return re.sub(r"[\W_]", "", str(name)).lower()
