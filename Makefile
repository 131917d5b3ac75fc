# Every verb makes the virtual environment first, and installs what it needs itself and no more: to run, to test, or all
# that checks need. Needed: Python 3.11 or later, make, and a package index.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EXAMPLE ?= patterns
NODE ?= node
WRANGLER ?= node_modules/wrangler/bin/wrangler.js
RUN := $(VENV)/.installed-run
TEST := $(VENV)/.installed-test
DEV := $(VENV)/.installed-dev
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --editable

PURE_TESTS := $(addprefix tests/sdk/test_,checks.py cron.py durations.py js_dict.py typed.py typed_lossless.py values*.py) \
	$(addprefix tests/engine/test_,admission.py fold.py retries.py rewind.py state.py)

.DEFAULT_GOAL := help
.PHONY: help run test coverage conformance parity fuzz peer storm lint types check bench wheel clean

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed: make PYTHON=python3.12")'
	@echo 'Making a virtual environment in $(VENV)...'
	@$(PYTHON) -m venv $(VENV)

# What is installed for more is enough for less, so the larger sets mark the smaller ones as installed too.
$(RUN): pyproject.toml | $(BIN)/python
	@echo 'Installing what cfwf dev needs (once; half a minute, 75 MB)...'
	@$(INSTALL) .
	@touch $(RUN)

$(TEST): pyproject.toml | $(BIN)/python
	@echo 'Installing what the tests need (once)...'
	@$(INSTALL) '.[test]'
	@touch $(RUN) $(TEST)

$(DEV): pyproject.toml | $(BIN)/python
	@echo 'Installing what the tests and the checks need (once; some two minutes, 600 MB)...'
	@$(INSTALL) '.[dev]'
	@touch $(RUN) $(TEST) $(DEV)

run: $(RUN) ## Serve an example with cfwf dev (EXAMPLE=patterns, quickstart or orders, ARGS="--port 9000")
	$(BIN)/cfwf dev --config examples/$(EXAMPLE)/wrangler.toml $(ARGS)

test: $(TEST) ## Run the tests (ARGS="-k journal")
	$(BIN)/python -m pytest $(ARGS)

coverage: $(TEST) ## Run the tests of what has no I/O, which leave no branch of it out (the list is in pyproject.toml)
	$(BIN)/coverage run -m pytest -q $(PURE_TESTS)
	$(BIN)/coverage report

conformance: $(TEST) ## Replay scenarios recorded from wrangler dev, and compare (two minutes)
	$(BIN)/python -m pytest -m conformance tests/conformance $(ARGS)

parity: $(TEST) ## Write docs/parity.md from the lists in tests/conformance
	$(BIN)/python tests/conformance/parity_page.py

fuzz: $(TEST) ## Send requests made up from the API's own description (a minute)
	$(BIN)/python -m pytest -m fuzz tests/api $(ARGS)

peer: $(TEST) ## Drive the server with the real wrangler (WRANGLER=path/to/wrangler.js NODE=node)
	WRANGLER="$(WRANGLER)" NODE="$(NODE)" $(BIN)/python -m pytest -m peer tests/api $(ARGS)

storm: $(TEST) ## Kill the server hundreds of times, and at every point there is (ten minutes; STORM_SEED=1)
	$(BIN)/python -m pytest -s -m soak tests/durability $(ARGS)

lint: $(DEV) ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV) ## Check the types: ours with mypy, and what typed Workers may write with pyright
	$(BIN)/mypy
	$(BIN)/python -m pytest -m pyright tests/typing

check: lint types test ## Everything that is checked before a change lands

bench: $(TEST) ## Measure speed and memory (PEER=1 beside wrangler dev, which npm installs; ARGS="--only steps --runs 1")
	$(BIN)/python -m benchmarks $(if $(PEER),--peer) $(ARGS)

wheel: $(TEST) ## Build the wheel into dist/
	$(BIN)/python -m build --wheel

clean: ## Remove what the other verbs made
	rm -rf $(VENV) dist build .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis
