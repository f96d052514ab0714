# What a user needs: `make demo` and `make test`. What a developer needs besides: `make check`, `make format`, `make bench BENCH=name`.
# Each target calls the set-up that it needs; a second run of a set-up does nothing.

PYTHON ?= python3
VENV := .venv
BROWNIE_VENV := .venv-brownie
PROOFS_VENV := .venv-proofs
BIN := $(VENV)/bin
NPM_BIN := node_modules/.bin
STAMPS := .cache/stamps
LEFT_OUT := .cache/left-out
PORT ?= 8000
PYTEST_ARGS ?=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Images of containers often set it. The demo and the tests start hundreds of processes, each of which would compile our modules anew.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/$(NPM_BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup setup-test demo test check format bench brownie clean prerequisites
.DELETE_ON_ERROR:

help:
	@echo 'make demo     a real trade on a local chain, with the web app open on localhost (PORT=$(PORT))'
	@echo 'make test     every test; installs what they need'
	@echo 'make check    format, lint, types, architecture, drift'
	@echo 'make prove    make the reports of the proofs anew, after a change of a contract (half an hour and more)'
	@echo 'make format   rewrite the sources in the house format'
	@echo 'make bench    BENCH=name runs scripts/bench/name.py, which prints one JSON object (use make -s)'
	@echo 'make brownie  a console against the contracts, deployed on a local chain'
	@echo 'make setup    what the demo needs; make setup-test the rest'
	@echo 'make clean    delete everything that was installed or built'

demo: setup
	$(BIN)/computility demo --port $(PORT)

# ---------------------------------------------------------------- set-up

setup: $(STAMPS)/python $(STAMPS)/node $(STAMPS)/contracts $(STAMPS)/page

setup-test: $(STAMPS)/node-test $(STAMPS)/python-test setup $(STAMPS)/brownie $(STAMPS)/proofs $(STAMPS)/browser $(STAMPS)/sandbox $(STAMPS)/containers $(STAMPS)/slurm $(STAMPS)/ray

prerequisites:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo 'Computility needs Python 3.11 or later: install it, or name it with make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo 'This Python cannot make virtual environments: install its venv package (Debian: apt-get install python3-venv)' >&2; exit 1; }
	@node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null || { echo 'Computility needs Node 20 or later, with npm: see https://nodejs.org' >&2; exit 1; }

$(BIN)/python: | prerequisites
	$(PYTHON) -m venv $(VENV)

$(STAMPS)/python: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing the Python packages …'
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[showcases]'
	@mkdir -p $(@D) && touch $@

$(STAMPS)/python-test: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing the Python packages for tests and checks …'
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test,dev]'
	@mkdir -p $(@D) && touch $@ $(STAMPS)/python

$(STAMPS)/node: package-lock.json package.json frontend/package.json | prerequisites
	@echo 'Installing the Node packages …'
	npm install --no-save --omit=dev --no-fund --no-audit --loglevel=error
	@mkdir -p $(@D) && touch $@

$(STAMPS)/node-test: package-lock.json package.json frontend/package.json | prerequisites
	@echo 'Installing the Node packages for tests and checks …'
	npm install --no-save --no-fund --no-audit --loglevel=error
	@mkdir -p $(@D) && touch $@ $(STAMPS)/node

$(STAMPS)/contracts: $(shell find contracts -name '*.sol') scripts/compile.py scripts/solc $(STAMPS)/python $(STAMPS)/node
	$(BIN)/python scripts/compile.py
	@mkdir -p $(@D) && touch $@

$(STAMPS)/page: $(shell find frontend -path frontend/node_modules -prune -o -path frontend/dist -prune -o -type f -print) $(STAMPS)/node
	@echo 'Building the web app …'
	npm run build --workspace frontend --silent
	@mkdir -p $(@D) && touch $@

# eth-brownie pins its dependencies exactly, so it lives in an environment of its own.
$(STAMPS)/brownie: scripts/brownie | $(BIN)/python
	@echo 'Installing eth-brownie …'
	@mkdir -p $(@D) $(LEFT_OUT); rm -f $(LEFT_OUT)/brownie
	{ $(PYTHON) -m venv $(BROWNIE_VENV) && $(BROWNIE_VENV)/bin/pip install --quiet 'eth-brownie==1.22.0' && touch $@; } \
	    || echo 'eth-brownie did not install, so tests/brownie did not run. Add it: $(BROWNIE_VENV)/bin/pip install eth-brownie==1.22.0' > $(LEFT_OUT)/brownie

# Ray has wheels for some Pythons and machines only: installed where there is one, else left out.
$(STAMPS)/ray: $(STAMPS)/python-test
	@echo 'Installing Ray …'
	@mkdir -p $(@D) $(LEFT_OUT); rm -f $(LEFT_OUT)/ray
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[ray]' && touch $@ \
	    || echo "Ray did not install, so the tests of a provider's cluster did not run. Add it: $(BIN)/pip install -c constraints.txt -e '.[ray]'" > $(LEFT_OUT)/ray

# Slither and Halmos pin what the packages of ours pin otherwise, so they share an environment of their own.
$(STAMPS)/proofs: scripts/prove/requirements.txt | $(BIN)/python
	@echo 'Installing Slither and Halmos …'
	@mkdir -p $(@D) $(LEFT_OUT); rm -f $(LEFT_OUT)/proofs
	{ $(PYTHON) -m venv $(PROOFS_VENV) && $(PROOFS_VENV)/bin/pip install --quiet --requirement scripts/prove/requirements.txt && touch $@; } \
	    || echo 'Slither and Halmos did not install, so the contracts were not analysed. Add them: $(PROOFS_VENV)/bin/pip install -r scripts/prove/requirements.txt' > $(LEFT_OUT)/proofs

$(STAMPS)/browser: scripts/find_chromium.mjs $(STAMPS)/node-test
	@mkdir -p $(@D) $(LEFT_OUT); rm -f $(LEFT_OUT)/browser
	node scripts/find_chromium.mjs --install > $@ || { rm -f $@; echo 'No Chromium starts here, so the browser journey did not run. Add it: apt-get install chromium, or CHROMIUM_PATH=/path/to/chromium' > $(LEFT_OUT)/browser; }

# Packages of the system. The tests say themselves why they are skipped where a container or a cluster does not start all the same.
$(STAMPS)/sandbox:
	@mkdir -p $(@D); scripts/system_package bwrap 'the tests of the sandbox' bubblewrap && touch $@ || true

$(STAMPS)/containers:
	@mkdir -p $(@D); scripts/system_package podman 'the tests of containers' podman runc && touch $@ || true

$(STAMPS)/slurm:
	@mkdir -p $(@D); scripts/system_package slurmctld 'the tests of a Slurm cluster' slurmctld slurmd slurm-client munge && touch $@ || true

# ---------------------------------------------------------------- tests

# Two at a time: Brownie waits for minutes for a compiler that uses one core. pytest has four workers on two cores, as half of what its tests do is to
# wait for chains and agents.
test: setup-test
	@$(MAKE) --no-print-directory -j 2 --output-sync=target test-brownie test-contracts test-page
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)
	@$(MAKE) --no-print-directory left-out

.PHONY: test-contracts test-page test-brownie
test-contracts:
	scripts/forge test

test-page:
	npm test --workspace frontend

test-brownie:
	@if [ -f $(STAMPS)/brownie ]; then echo 'scripts/brownie test'; scripts/brownie test; fi

.PHONY: left-out
left-out:
	@mkdir -p $(LEFT_OUT); rm -f $(LEFT_OUT)/torch; $(BIN)/python -c 'import torch' 2>/dev/null || \
	    echo "PyTorch is not installed, so checks of products on a device were not tested. Add it: $(BIN)/pip install -c constraints.txt -e '.[torch]'" > $(LEFT_OUT)/torch
	@if ls $(LEFT_OUT)/* >/dev/null 2>&1; then \
	    printf '\n********** LEFT OUT **********\n'; cat $(LEFT_OUT)/*; printf '******************************\n'; \
	else echo 'Nothing was left out.'; fi

check: setup-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config pyproject.toml
	scripts/forge fmt --check
	solhint --noPoster 'contracts/**/*.sol'
	biome ci
	npm run typecheck --workspace frontend
	$(BIN)/python scripts/compile.py --check
	$(BIN)/python scripts/openapi.py --check
	$(BIN)/python scripts/settings.py --check
	npm run generate:check --workspace frontend
	$(BIN)/python scripts/vectors.py --check
	$(BIN)/python scripts/build_examples.py --check
	$(BIN)/python scripts/bench/gas.py --check
	@if [ -f $(STAMPS)/proofs ]; then $(BIN)/python scripts/prove/static_analysis.py; else cat $(LEFT_OUT)/proofs; fi
	$(BIN)/python scripts/prove/symbolic.py --check
	$(BIN)/python scripts/prove/coverage.py --check
	$(BIN)/python scripts/mutation.py --check

# The reports under docs/proofs, which `make check` holds to the sources. Half an hour; mutation.py goes on where it stopped.
.PHONY: prove
prove: setup-test
	$(BIN)/python scripts/prove/symbolic.py
	$(BIN)/python scripts/prove/coverage.py
	$(BIN)/python scripts/mutation.py
	$(BIN)/python scripts/mutation.py --report

format: setup-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --quiet . || true
	scripts/forge fmt
	biome check --write

bench: setup-test
	@if [ -z "$(BENCH)" ]; then echo "name one: make -s bench BENCH=name, of: $$(ls scripts/bench | sed -n 's/\.py$$//p' | tr '\n' ' ')" >&2; exit 1; fi
	@$(BIN)/python scripts/bench/$(BENCH).py

brownie: setup-test
	scripts/brownie run market --interactive

clean:
	rm -rf $(VENV) $(BROWNIE_VENV) $(PROOFS_VENV) node_modules frontend/node_modules frontend/dist .cache data deployments/31337.json deployments/1337.json
