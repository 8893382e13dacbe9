# One tool for everything: `make help`.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# Two more than there are cores, since a test, its Postgres and its programs wait for each other now and then.
CORES := $(shell getconf _NPROCESSORS_ONLN)
WORKERS ?= --numprocesses $(shell expr $(CORES) + 2) --maxprocesses 6
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-strip-extras --no-emit-index-url --no-emit-find-links $(UPGRADE)
# Not all that a browser is asked for has an end of its own: a test that takes longer says where it stands and ends the run.
ENDS := --override-ini faulthandler_timeout=300 --override-ini faulthandler_exit_on_timeout=true
NPM_LOCKED := tests/browser/node_modules/.package-lock.json

.PHONY: help demo test processes scale fuzz faults faults-bugs mutants walk lint format lock clean test-browser bench-browser screens bench

help:
	@echo 'make demo    play the story against a simulated GitHub; nothing to set up first'
	@echo 'make test    all tests but those below (WORKERS= for one process)'
	@echo 'make processes  real processes that are stopped, killed and replaced'
	@echo 'make scale   fleets of many repositories'
	@echo 'make fuzz    odd deliveries and requests by the thousand (SEEDS=50, FIRST_SEED=1)'
	@echo 'make faults  seeded misfortune over real processes, judged by a checker (SEEDS=25 FIRST_SEED=1 JOBS=2)'
	@echo 'make faults-bugs  planted bugs, each played until the checker finds it; writes docs/reliability.md (ONLY= JOBS=2)'
	@echo 'make mutants small faults planted in the core, each to be noticed by a test (MODULES="plan reads" JOBS=2)'
	@echo 'make walk    every state of a small world (MEMBERS=AB BOUND="--pushes 2 --merges 1")'
	@echo 'make test-browser  the pages in a real Chromium, against real processes; needs chromium and npm'
	@echo 'make bench-browser  how long it takes from a webhook to the page (CHANGES=50)'
	@echo 'make bench   how long things take'
	@echo 'make screens  pictures of all pages into docs/screens'
	@echo 'make lint    ruff and mypy'
	@echo 'make format  let ruff mend layout and imports'
	@echo 'make lock    write the lock files anew from pyproject.toml (UPGRADE=--upgrade for the newest)'
	@echo 'make clean   remove the environment and all caches'

demo: $(READY)
	@$(BIN)/lockstep demo

test: $(READY)
	$(BIN)/pytest $(WORKERS) $(addprefix --ignore ,tests/browser tests/fuzz tests/processes tests/scale)

bench: $(READY)
	$(BIN)/python -m tests.bench.lists

processes: $(READY)
	$(BIN)/pytest $(WORKERS) tests/processes

scale: $(READY)
	$(BIN)/pytest tests/scale

# A failure is played again by its number: make fuzz SEEDS=1 FIRST_SEED=…
fuzz: $(READY)
	FUZZ_ROUNDS=$(or $(SEEDS),50) FUZZ_FIRST_SEED=$(or $(FIRST_SEED),1) FUZZ_EXAMPLES=1000 $(BIN)/pytest tests/fuzz $(WORKERS)

# A seed is played again by its number: make faults SEEDS=1 FIRST_SEED=…
faults: $(READY)
	$(BIN)/python -m tests.faults.drive --seeds $(or $(SEEDS),25) --first $(or $(FIRST_SEED),1) --jobs $(or $(JOBS),2)

faults-bugs: $(READY)
	$(BIN)/python -m tests.faults.plant --first $(or $(FIRST_SEED),1) --jobs $(or $(JOBS),2) --only '$(ONLY)' --write

mutants: $(READY)
	$(BIN)/python -m tests.domain.mutation --jobs $(or $(JOBS),2) $(MODULES)

walk: $(READY)
	$(BIN)/python -m tests.domain.walk --members $(or $(MEMBERS),ABC) $(or $(BOUND),--pushes 1)

test-browser: $(READY) $(VENV)/.browser $(NPM_LOCKED)
	$(BIN)/pytest $(ENDS) tests/browser

bench-browser: $(READY) $(VENV)/.browser
	$(BIN)/python -m tests.browser.latency --changes $(or $(CHANGES),50)

screens: $(READY) $(VENV)/.browser
	$(BIN)/python -m tests.browser.screens

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

lock: $(READY)
	$(PIP) install uv
	$(COMPILE) pyproject.toml --all-extras --output-file requirements-dev.lock
	$(COMPILE) pyproject.toml --constraints requirements-dev.lock --output-file requirements.lock
	$(COMPILE) --group browser --constraints requirements-dev.lock --output-file requirements-browser.lock
	cd tests/browser && npm $(if $(UPGRADE),update,install) --package-lock-only --ignore-scripts --no-audit --no-fund
	node tests/browser/lockfile.js

# The environment is complete when its stamp is newer than what it was made from.
$(READY): requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo 'Installing what requirements-dev.lock names into $(VENV) …'
	@$(PIP) install --no-deps --only-binary :all: --require-hashes --requirement requirements-dev.lock
	@PYTHONWARNINGS=ignore $(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# What only the tests in a browser need, each complete when its stamp is newer than its lock.
$(VENV)/.browser: requirements-browser.lock $(READY)
	@$(PIP) install --no-deps --only-binary :all: --require-hashes --requirement requirements-browser.lock
	@touch $@

$(NPM_LOCKED): tests/browser/package-lock.json
	@command -v npm >/dev/null || { echo 'npm is missing. Install it (Debian: nodejs npm).' >&2; exit 1; }
	cd tests/browser && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(BIN)/python:
	@for python in python3.13 python3.12 python3.11 python3; do \
		if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Making $(VENV) with $$($$python --version) …"; \
			rm -rf $(VENV); exec $$python -m venv $(VENV); \
		fi; \
	done; \
	echo 'Lockstep needs Python 3.11 or newer with its modules venv and ensurepip. Install it (Debian: python3-venv).' >&2; \
	exit 1

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
