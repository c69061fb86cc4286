# make run        set up, run the flagship from its sources to a page, serve it (PORT=8000; SERVE=0 ends after the chain)
# make test       what CI runs; make test-full adds the long tests
# make lint       style, types, layers; make bench compares with peers
# make constraints takes the newest libraries, runs the tests with them and writes their versions to constraints.txt
PYTHON ?= python3
VENV ?= .venv
PORT ?= 8000
SERVE ?= 1
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
SETUP := $(VENV)/.setup
SETUP_TEST := $(VENV)/.setup-test
# Only versions that the tests passed with; CONSTRAINED= takes the newest that pyproject.toml accepts.
CONSTRAINED ?= --constraint constraints.txt
# Processes that share the tests, as many as there are cores; WORKERS=0 runs them in one, for a debugger.
WORKERS ?= auto
SHARED_OUT := -n $(WORKERS) --maxprocesses 4
# One thread wherever bits must not move.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: run setup test test-full lint bench reference constraints clean

run: $(SETUP)
	@COMPAGNON_PORT=$(PORT) COMPAGNON_SERVE=$(SERVE) $(BIN)/python -m compagnon

setup: $(SETUP)

$(BIN)/python:
	@echo "1/2 Virtual environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Install the venv module (Debian: apt install python3-venv)"; rm -rf $(VENV); exit 1; }

$(SETUP): pyproject.toml constraints.txt | $(BIN)/python
	@echo "2/2 Libraries (the first time takes a few minutes)"
	@$(PIP) install $(CONSTRAINED) --editable .
	@touch $@

$(SETUP_TEST): pyproject.toml constraints.txt scripts/test-setup | $(BIN)/python
	@echo "Libraries for the tests"
	@$(PIP) install $(CONSTRAINED) --editable '.[test]'
	@touch $(SETUP)
	@sh scripts/test-setup
	@touch $@

test: $(SETUP_TEST)
	@$(BIN)/python -m pytest $(SHARED_OUT) -m "not full"

test-full: $(SETUP_TEST)
	@$(BIN)/python -m pytest $(SHARED_OUT)

lint: $(SETUP_TEST)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(SETUP_TEST)
	@for file in bench/*.py; do echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

reference: $(SETUP)
	@$(BIN)/python scripts/reference.py

constraints:
	@rm -rf .venv-newest
	@$(MAKE) --no-print-directory VENV=.venv-newest CONSTRAINED= test
	@.venv-newest/bin/python scripts/constraints.py
	@rm -rf .venv-newest

clean:
	@rm -rf $(VENV) .venv-newest build *.egg-info src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
