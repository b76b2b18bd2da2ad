# The README's two commands, and the team's others. Each does its own set-up: Python 3.11 is all it needs.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# --no-compile: bytecode is written when a module is first imported; most of a large dependency never is.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes

.PHONY: run test lint types check docs bench lock clean

run: .venv/run.stamp  ## Serve on HOST:PORT (127.0.0.1:8082), with a first-start set-up
	@exec $(BIN)/python manage.py start

test: .venv/test.stamp  ## The test suite: SQLite, in-memory channel layer, no keys, no network
	$(BIN)/python -m pytest -n auto

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: .venv/test.stamp
	$(BIN)/mypy .

check: lint types test  ## Everything that a commit must pass

docs: .venv/test.stamp  ## The table of what is translated how, from the tests that prove it; the pictures (needs Chromium)
	$(BIN)/python -m tests.e2e.matrix
	DOCS_IMAGES=1 $(BIN)/python -m pytest -m browser tests/browser/test_pictures.py

bench: .venv/test.stamp  ## Ratios against a direct call, a bare relay and LiteLLM's proxy
	$(BIN)/python -m benchmarks

lock: .venv/test.stamp  ## Resolve requirements*.in anew, with hashes
	$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements.in -o requirements.txt
	$(BIN)/uv pip compile --quiet --python-version 3.11 --generate-hashes --no-header --no-emit-index-url requirements-dev.in -c requirements.txt -o requirements-dev.txt

clean:
	rm -rf .venv staticfiles

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Tollgate needs Python 3.11"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.txt | .venv/bin/python
	$(PIP) -r requirements.txt
	@touch $@

.venv/test.stamp: requirements-dev.txt | .venv/bin/python
	$(PIP) -r requirements-dev.txt
	@touch $@ .venv/run.stamp
