# Two commands on a fresh machine with Python >= 3.11, make and git: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
CLUSTER := .venv-cluster
# The oldest that the Snakefile allows, and the newest.
SNAKEMAKES ?= 9.20.0 9.27.1
BIN := $(abspath $(VENV))/bin
DEMO := demo/run
CORES ?= 2
# One more than two cores: every run that a test makes starts on one of them.
WORKERS ?= 3
# The longest first, so that no worker is left with one of them at the end.
TESTS ?= tests/workflow tests/robustness tests/unit
KILLS ?= 60
SEED ?= 1
CHANGES ?= 1000
MOSAIC ?=
# Python programs of tests: what pytest reads from pyproject.toml.
SCRIPT = PATH="$(BIN):$$PATH" PYTHONPATH=$(CURDIR):$(CURDIR)/workflow/scripts:$(CURDIR)/tests/helpers $(BIN)/python

.PHONY: setup demo cases test test-faults fuzz bad-inputs test-snakemake test-slurm test-page lint docs bench clean

setup: $(VENV)/installed

$(VENV)/installed: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python >= 3.11 is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

demo: $(VENV)/installed
	rm -rf $(DEMO)
	$(BIN)/python -m simulation $(DEMO)/data --psfs
	$(BIN)/snakemake --cores $(CORES) --quiet rules --configfile config/demo.yaml
	$(BIN)/python -m simulation.compare $(DEMO)/results $(DEMO)/data/truth.csv

# The real images of docs/cases.md, its table and figures; cut again from a folder of ORIGINALS, if that is given.
cases: $(VENV)/installed
	PATH="$(BIN):$$PATH" $(BIN)/python -m cases --cores $(CORES) $(if $(ORIGINALS),--originals $(ORIGINALS))

test: $(VENV)/installed-dev
	PATH="$(BIN):$$PATH" $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

# Runs killed at random moments, at length: half an hour for 60 kills on two cores.
test-faults: $(VENV)/installed-dev
	rm -rf $(DEMO)-killed
	$(SCRIPT) tests/robustness/interruptions.py $(DEMO)-killed --kills $(KILLS) --seed $(SEED) --cores $(CORES)

# Files with bytes changed at random, CHANGES of every kind, or of a MOSAIC of yours.
fuzz: $(VENV)/installed-dev
	$(SCRIPT) tests/robustness/fuzz.py $(CHANGES) $(MOSAIC)

# The tables of docs/bad-inputs.md.
bad-inputs: $(VENV)/installed-dev
	$(SCRIPT) tests/robustness/bad_inputs.py

# An environment in FOLDER with what is in the first one and something else: $(call beside,FOLDER,SOMETHING)
PIP_INTO = $(BIN)/python -m pip --python $(1)/bin/python install --quiet --disable-pip-version-check
define beside
$(PYTHON) -m venv --clear --without-pip $(1)
$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > $$(echo $(1)/lib/python*/site-packages)/base.pth
$(call PIP_INTO,$(1)) $(2)
endef

# Environments of their own, with all but Snakemake from the first one.
test-snakemake: $(SNAKEMAKES:%=$(VENV)-snakemake-%/tested)

$(VENV)-snakemake-%/tested: $(VENV)/installed-dev
	$(call beside,$(@D),snakemake==$*)
	PATH="$(abspath $(@D))/bin:$$PATH" python -m pytest tests/workflow/test_accelerated_runs.py -k "forks"

# An environment of its own: the Slurm plugin slows every start of Snakemake that can see it.
$(CLUSTER)/installed: $(VENV)/installed-dev requirements-cluster.txt
	$(call beside,$(CLUSTER),-r requirements-cluster.txt)
	$(call PIP_INTO,$(CLUSTER)) --no-deps --ignore-installed $$(grep ^snakemake== requirements.txt)
	touch $@

# All, or those that ONLY names, as pytest's -k does.
test-slurm: $(CLUSTER)/installed
	PATH="$(abspath $(CLUSTER))/bin:$$PATH" $(CLUSTER)/bin/python tests/slurm/cluster.py \
	    $(abspath $(CLUSTER))/bin/python -m pytest -k "$(ONLY)" tests/slurm/on_two_nodes.py

# The survey's page in a headless Chromium that is on this machine.
test-page: $(VENV)/installed-dev
	PATH="$(BIN):$$PATH" $(BIN)/python -m pytest tests/page/in_a_browser.py

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	PATH="$(BIN):$$PATH" tests/lint_workflow.sh

$(VENV)/installed-docs: $(VENV)/installed requirements-docs.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	touch $@

# The documentation, in docs/_build/html; a warning, such as a link that leads nowhere, is an error.
docs: $(VENV)/installed-docs
	$(BIN)/python -m sphinx --fail-on-warning --keep-going --quiet docs docs/_build/html

bench: $(VENV)/installed
	$(BIN)/python benchmarks/bench.py

clean:
	rm -rf docs/_build docs/_generated $(VENV) $(VENV)-snakemake-* $(CLUSTER) $(DEMO) $(DEMO)-killed .snakemake .pytest_cache .ruff_cache .mypy_cache
