"""The configuration, checked, and the plan of the run: what all rules know."""

import functools
import importlib
import os
import sys
import time
import zlib
from pathlib import Path

import snakemake
import yaml
from snakemake.exceptions import WorkflowError

# What is called of the library in Snakemake itself, as a script would import it.
PLANNING = """\
from anchoring import labels, script
from anchoring.files import atomic
from anchoring.planning import cost, plan, provenance, settings, sizes
"""
RUNTIME = ("__init__.py", "acceleration.py", "failures.py", "memory.py", "sources.py")


def source(path):
    """A file of the workflow, from its path below this folder: itself, or a copy where it comes from a server.

    Snakemake's `source_path` copies local files as well, at every start, and Python then compiles the copies.
    """
    here = os.path.join(os.path.dirname(source.__code__.co_filename), path)
    return os.path.normpath(here) if os.path.isfile(here) else workflow.source_path(path)


def load_package(folder, files):
    """A folder of Python files as a package of a name of its own, so that nothing is added to sys.path.

    The files are listed, since they have to be fetched where the workflow comes from a server.
    """
    paths = [source(f"{folder}/{name}") for name in files]
    # A plain string: Snakemake's own cannot be written into the compiled file.
    start = str(paths[0])
    name = f"anchoring_{zlib.crc32(start.encode()):08x}"
    spec = importlib.util.spec_from_file_location(name, start, submodule_search_locations=[os.path.dirname(start)])
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
    modules = [Path(path).with_suffix("").parts for path in files if not path.endswith("__init__.py")]
    return {parts[-1]: importlib.import_module(".".join([name, *parts])) for parts in modules}


def validated(config):
    """The configuration with defaults filled in; what is wrong with it ends the run before it starts."""
    text = Path(source("../schemas/config.schema.yaml")).read_text()
    schema = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    problems = settings.problems(config, schema)
    if problems:
        # Not a WorkflowError: Snakemake prints that with the lines of this file.
        sys.exit("\n  ".join(["The configuration is not right:", *problems]))
    settings.complete(config, schema)
    return config


def refuse_taken(target, rules):
    """A target that cannot be asked for by its name, since a rule has it already, ends the run before it starts."""
    if target == "anchor_all" or is_rule(target, rules):
        sys.exit(
            f"{config['in_dir']}/{target}: a rule of the workflow is called {target}; expected another name of a "
            "target: rename the folder, or list in 'targets' what to anchor"
        )


def is_rule(name, rules):
    try:
        return bool(getattr(rules, name))
    except (AttributeError, WorkflowError):
        return False


def planned(config):
    try:
        return planning.make_plan(config)
    except settings.PlanError as error:
        sys.exit(str(error))


@functools.cache
def library_text(name):
    return Path(source(f"../scripts/anchoring/{name}")).read_text()


runtime = load_package("../runtime", RUNTIME)
acceleration, failures, memory_limits, sources = (
    runtime[name] for name in ("acceleration", "failures", "memory", "sources")
)
library = load_package("../scripts/anchoring", sources.files_of(PLANNING, library_text))
settings, planning, files, script_log = (library[name] for name in ("settings", "plan", "atomic", "script"))
plan = planned(validated(config))
STARTED = time.time()
os.environ[files.RUN] = files.process_name()
