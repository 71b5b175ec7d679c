"""Validating RO-Crates without a network, with roc-validator."""

import json
import warnings
from pathlib import Path
from types import SimpleNamespace

from rocrate_validator import services
from rocrate_validator.models import Severity
from rocrate_validator.utils.http import HttpRequester

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
# What is there: the terms of RO-Crate 1.1; CC0.
TERMS = Path(__file__).with_name("ro-crate-1.1-context.json")


def answer(url, **_):
    """What the address of the context would answer; nothing else is asked for."""
    assert url == CONTEXT, url
    text = TERMS.read_text()
    headers = {"Content-Type": "application/ld+json"}
    return SimpleNamespace(status_code=200, headers=headers, text=text, json=lambda: json.loads(text))


def issues_of(folder, profile, cache, severity=Severity.REQUIRED):
    """Messages on what is not as a profile wants it in the crate of a folder; `cache` is a folder for the validator."""
    settings = services.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier=profile,
        requirement_severity=severity,
        cache_path=Path(cache) / "cache",
        offline=True,
    )
    requester = HttpRequester()
    requester.get = answer
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of rdflib, about the validator
            result = services.validate(settings)
    finally:
        del requester.get
    return [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()]
