"""Reading RO-Crates in tests."""

import hashlib
import json
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Crate:
    """The ro-crate-metadata.json of a folder."""

    def __init__(self, folder):
        self.folder = Path(folder)
        graph = json.loads((self.folder / "ro-crate-metadata.json").read_text())["@graph"]
        self.entities = {entity["@id"]: entity for entity in graph}
        assert len(self.entities) == len(graph)

    def path(self, identifier):
        """Where the file of an entity is."""
        if identifier.startswith("file:"):
            return Path(unquote(urlsplit(identifier).path))
        return self.folder / unquote(identifier)

    @property
    def hashes(self):
        """{entity of a file: SHA-256 as stated}"""
        return {name: entity["sha256"] for name, entity in self.entities.items() if "sha256" in entity}

    @property
    def actions(self):
        """{name: (entities it depends on, entities it made)}"""
        return {
            entity["name"]: tuple({one["@id"] for one in entity[key]} for key in ("object", "result"))
            for entity in self.entities.values()
            if entity["@type"] == "CreateAction"
        }

    def require_true(self):
        """Every file that is stated is there, with the size and SHA-256 that are stated."""
        for name, digest in self.hashes.items():
            content = self.path(name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == digest, name
            assert self.entities[name]["contentSize"] == str(len(content)), name

    def made_of(self, name):
        """Entities of all that depends on a file, directly or not."""
        found, waiting = set(), {name}
        while waiting:
            before, waiting = waiting, set()
            for needed, made in self.actions.values():
                if needed & before and not made <= found:
                    found |= made
                    waiting |= made
        return found
