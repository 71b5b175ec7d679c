"""The provenance of a run as an RO-Crate: which files were made, from which files, with which software.

Specification: RO-Crate 1.1 (https://w3id.org/ro/crate/1.1) with the profile Process Run Crate 0.5
(https://w3id.org/ro/wfrun/process/0.5), in which everything that was made has a CreateAction with its inputs (`object`)
and outputs (`result`).
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from .. import __version__
from ..errors import AnchoringError
from ..files.atomic import atomic_write, hash_of

CRATE, PROFILE = "1.1", "https://w3id.org/ro/wfrun/process/0.5"
# Not in the vocabulary of RO-Crate 1.1; as in the context of the profile.
SHA256 = "https://w3id.org/ro/terms/workflow-run#sha256"
FORMATS = {
    ".fits": "application/fits", ".csv": "text/csv", ".ecsv": "text/csv", ".json": "application/json",
    ".html": "text/html", ".txt": "text/plain", ".rst": "text/x-rst", ".png": "image/png", ".pdf": "application/pdf",
    ".gz": "application/gzip",
}  # fmt: skip
LICENSE = "Not stated by the workflow. The licenses of the inputs apply."


def write_crate(path, made, configuration, software, *, threads=1):
    """Write the RO-Crate of the folder that `path` is in.

    Parameters
    ----------
    path : path
        Of ro-crate-metadata.json. Files in its folder are stated relative to it, all others by their file: URI.
    made : mapping
        {what was made: (paths that it depends on, paths that it consists of)}. All of these files exist.
    configuration : mapping
    software : mapping
        {package: version}
    threads : int
        Files that are hashed at the same time.

    Raises
    ------
    AnchoringError
        If the package rocrate cannot be used.
    """
    root = Path(os.path.abspath(path)).parent
    files = list(dict.fromkeys(name for pair in made.values() for names in pair for name in names))
    with ThreadPoolExecutor(threads) as pool:
        digests = dict(zip(files, pool.map(hash_of, files), strict=True))
    crate = _empty_crate()
    entities = {name: _file(crate, root, name, digests[name]) for name in files}
    workflow = _workflow(crate, software)
    configured = _configuration(crate, configuration)
    actions = []
    for what, (before, after) in made.items():
        stated = {
            "name": what,
            "description": f"jwst-anchoring made {what} from {len(before)} files.",
            "instrument": workflow,
            "object": [*(entities[name] for name in before), configured],
            "result": [entities[name] for name in after],
            "endTime": _date(max(os.stat(name).st_mtime for name in after)),
            "actionStatus": "http://schema.org/CompletedActionStatus",
        }
        actions.append(_contextual(crate, f"#{quote(what)}", "CreateAction", **stated))
    dates = [action["endTime"] for action in actions]
    crate.root_dataset["name"] = f"Anchored mosaics of {root.name}"
    crate.root_dataset["description"] = (
        "Mosaics of JWST with a zero level from external references, with tables and figures, and the files that they "
        "were made from."
    )
    crate.root_dataset["datePublished"] = max(dates)[:10]
    crate.root_dataset["license"] = _license(crate, configuration["release"])
    if configuration["release"].get("lead"):
        crate.root_dataset["author"] = _contextual(crate, "#lead", "Person", name=configuration["release"]["lead"])
    crate.root_dataset["conformsTo"] = _contextual(
        crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5"
    )
    crate.root_dataset["mentions"] = actions
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(crate.metadata.generate(), indent=1, sort_keys=True) + "\n")


def _empty_crate():
    try:
        from rocrate.rocrate import ROCrate
    except ImportError as error:
        raise AnchoringError(
            f"the package rocrate cannot be used ({error}); expected it for the provenance of a run: "
            "pip install -r requirements.txt"
        ) from error
    crate = ROCrate(version=CRATE)
    crate.metadata.extra_terms["sha256"] = SHA256
    return crate


def _file(crate, root, name, digest):
    """The entity of a file."""
    path = Path(os.path.abspath(name))
    stated = {"name": path.name, "contentSize": str(path.stat().st_size), "sha256": digest}
    if path.suffix.lower() in FORMATS:
        stated["encodingFormat"] = FORMATS[path.suffix.lower()]
    if path.is_relative_to(root):
        return crate.add_file(dest_path=path.relative_to(root), properties=stated)
    return crate.add_file(path.as_uri(), properties=stated)


def _workflow(crate, software):
    """The entity of the workflow, with what it was run with."""
    needed = []
    for name, version in software.items():
        url = "https://www.python.org/" if name == "Python" else f"https://pypi.org/project/{name}/"
        stated = {"name": name, "softwareVersion": version, "url": url}
        needed.append(_contextual(crate, f"{url}#{version}", "SoftwareApplication", **stated))
    return _contextual(
        crate,
        "#workflow",
        "SoftwareApplication",
        name="jwst-anchoring",
        description="Anchors the zero level of mosaics of JWST.",
        softwareVersion=__version__,
        softwareRequirements=needed,
    )


def _configuration(crate, configuration):
    """The entity of the configuration, and one for each of its keys with the value as JSON."""
    keys = [
        _contextual(crate, f"#configuration-{key}", "PropertyValue", name=key, value=json.dumps(value, sort_keys=True))
        for key, value in sorted(configuration.items())
    ]
    return _contextual(crate, "#configuration", "PropertyValue", name="configuration", value=keys)


def _license(crate, release):
    if not (release.get("license") and release.get("license_url")):
        return LICENSE
    known = {"name": release["license"], "description": "License of the results."}
    return _contextual(crate, release["license_url"], "CreativeWork", **known)


def _contextual(crate, identifier, kind, **properties):
    from rocrate.model import ContextEntity

    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def _date(seconds):
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
