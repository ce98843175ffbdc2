# Every target works from a bare checkout; `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
PIP := $(PYTHON) -m pip --disable-pip-version-check
LOCAL := $(PYTHON) -m feedback_app.local
EXTRAS := worker,local,dev

define FIND_PYTHON
for found in python3.11 python3.12 python3 python ""; do \
	test -n "$$found" || { echo "Reading Room needs Python 3.11 or 3.12; none was found." >&2; exit 1; }; \
	"$$found" -c 'import sys; sys.exit(sys.version_info[:2] not in {(3, 11), (3, 12)})' 2> /dev/null && break; \
done
endef

# What is imported is compiled once, by whoever imports it first.
unexport PYTHONDONTWRITEBYTECODE
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help setup demo shell test check bench rehearse screenshots chromium format clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.installed node_modules/.installed ## The environment only: what the others do first

demo: setup ## Reading Room on this machine: servers, demo data, web, workers; Ctrl-C stops it
	@$(LOCAL) demo

shell: setup ## A shell beside the demo, for manage.py COMMAND
	@echo "manage.py works on the demo's data here; exit with Ctrl-D."
	@$(LOCAL) beside -- "$${SHELL_PROGRAM:-/bin/bash}"

test: setup chromium ## The whole test suite, with real servers, worker and browser
	@$(LOCAL) exec -- pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: export DEBUG := true
check: export DATABASE_URL := postgresql:///none?host=/nonexistent
check: setup ## Style, types, imports, missing migrations, templates, JavaScript
	@echo "ruff";           ruff check --quiet . && ruff format --check --quiet . || { ruff format --check . ; exit 1; }
	@echo "mypy";           mypy --no-error-summary
	@echo "import-linter";  found=$$(lint-imports --no-logo 2>&1) || { echo "$$found"; exit 1; }
	@echo "migrations";     $(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@echo "templates";      find templates -name '*.html' -print0 | xargs -0 -r djade --check --target-version 5.2
	@echo "biome";          found=$$(node_modules/.bin/biome lint --error-on-warnings 2>&1) || { echo "$$found"; exit 1; }
	@echo "tsc";            found=$$(node_modules/.bin/tsc --project .) || { echo "$$found"; exit 1; }
	@echo "node";           found=$$(node --test --test-reporter=tap tests/js/*.test.js) || { echo "$$found"; exit 1; }
	@echo "All checks passed."

format: setup ## Put imports, code and templates into shape
	@ruff check --quiet --fix . ; ruff format --quiet .
	@find templates -name '*.html' -print0 | xargs -0 -r djade --target-version 5.2

bench: setup chromium ## The benchmarks: a table, and benchmarks/results.json (ARGS=NAME runs one)
	@$(LOCAL) exec -- python -m benchmarks $(ARGS)

rehearse: setup ## The whole loop, headless, with simulated readers and a measured result
	@$(LOCAL) exec -- manage.py rehearse $(ARGS)

screenshots: setup chromium ## Pictures of every page for every person of the demo, at three sizes (SCREENSHOTS=folder)
	@$(LOCAL) beside -- python -m tests.screenshots

clean: ## Remove the environment, caches and the demo's data
	rm -rf $(VENV) node_modules .reading-room .mypy_cache .pytest_cache .ruff_cache .import_linter_cache *.egg-info

$(VENV)/.installed: constraints.txt pyproject.toml
	@test -x $(PYTHON) || { $(FIND_PYTHON); echo "Making the environment with $$found ..."; "$$found" -m venv $(VENV); }
	@echo "Installing the packages; the first time takes some minutes ..."
	@$(PIP) install -qq -c constraints.txt uv
	@grep -v '^torch==' constraints.txt | $(BIN)/uv pip install --quiet --python $(PYTHON) --no-deps -r - \
		|| echo "uv could not install what is pinned for this machine; pip does it alone."
	@$(PIP) install -qq --no-compile -c constraints.txt --editable ".[$(EXTRAS)]"
	@touch $@

node_modules/.installed: package.json package-lock.json | $(VENV)/.installed
	@echo "Installing the front-end libraries ..."
	@npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

chromium: | $(VENV)/.installed
	@$(LOCAL) chromium
