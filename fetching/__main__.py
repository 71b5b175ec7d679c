"""Fetch mosaics from MAST and archive images of references, to where the workflow looks for them.

    python -m fetching my.yaml [--targets ngc0628 ...]

Mosaics are those in `mosaics` of 'fetch'; images are those of entries in 'references' that have a `source`.

It needs requirements-fetch.txt. What is complete is not fetched again; what fails is listed, the rest is fetched.
"""

import argparse
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "workflow" / "scripts")]

from anchoring.errors import AnchoringError  # noqa: E402
from anchoring.files.made_references import field_of_mosaics  # noqa: E402
from anchoring.planning import plan as planning  # noqa: E402
from anchoring.planning import settings  # noqa: E402
from fetching import archives, download, mast  # noqa: E402


def configured(path):
    """The configuration with defaults, as the workflow has it; exits with what is wrong with it."""
    files = (ROOT / "config/config.yaml", path, ROOT / "workflow/schemas/config.schema.yaml")
    shipped, own, schema = (yaml.safe_load(Path(file).read_text()) for file in files)
    config = {**shipped, **own}
    problems = settings.problems(config, schema)
    if problems:
        sys.exit("\n  ".join(["The configuration is not right:", *problems]))
    settings.complete(config, schema)
    return config


def wanted_references(plan, targets):
    """MadeReferences with a source, each once, whose files ref_dir does not have."""
    found = {}
    for image, pairs in plan.pairs.items():
        for pair in pairs:
            if pair.made and pair.made.settings.get("source") and (not targets or image.target in targets):
                found[pair.made.name] = pair.made
    return found.values()


def fetch_reference(made, mosaics, endpoints, patience):
    """Fetch the images of a reference; their paths. FetchError or AnchoringError if that fails."""
    folder = Path(made.given[0])
    if len(made.given) != 1 or folder.suffix in (".fits", ".gz") or "*" in folder.name:
        raise download.FetchError(f"'from' is {', '.join(made.given)}; expected one folder, to fetch into it")
    field, source = field_of_mosaics(mosaics, 60 * made.margin), made.settings["source"]
    uncertainty = made.settings.get("uncertainty")
    maps = next(iter(uncertainty.values())) if isinstance(uncertainty, dict) else None
    if source == "unwise":
        address, is_wanted = archives.unwise_cutout(endpoints["unwise"], made.band, field, maps)
        return download.fetch_members(address, folder, is_wanted, patience)
    images = archives.irsa_images(endpoints["irsa"], source, made.band, field, maps)
    for name, address in images.items():
        download.fetch(address, folder / name, patience)
    return [folder / name for name in images]


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m fetching", description=__doc__.splitlines()[0])
    parser.add_argument("configuration")
    parser.add_argument("--targets", nargs="+", default=[], metavar="NAME")
    options = parser.parse_args(arguments)
    config = configured(options.configuration)
    endpoints, failed = config["fetch"], []
    patience = download.Patience(endpoints["tries"], endpoints["wait"], endpoints["timeout"])

    def attempt(what, fetching):
        try:
            print(f"{what}: {', '.join(map(str, fetching()))}", flush=True)
        except (download.FetchError, AnchoringError, OSError) as error:
            failed.append(f"{what}: {error}")
            print(failed[-1], file=sys.stderr)

    for target, wanted in (endpoints["mosaics"] or {}).items():
        if not options.targets or target in options.targets:
            attempt(f"{target}, mosaics", lambda t=target, w=wanted: mast.fetch_mosaics(config, t, w, patience))
    if config.get("references"):
        try:
            plan = planning.make_plan(config)
        except settings.PlanError as error:
            sys.exit(str(error))
        for made in wanted_references(plan, options.targets):
            mosaics = [image.path for image in plan.of_target(made.target) if image not in plan.skipped]
            attempt(
                f"{made.target}, {made.label}", lambda r=made, m=mosaics: fetch_reference(r, m, endpoints, patience)
            )
    if failed:
        sys.exit(f"{len(failed)} of what was asked for could not be fetched.")


if __name__ == "__main__":
    main()
