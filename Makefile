# Every verb makes its own virtual environment first. Needed: Python 3.11 or later, make, and a package index.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EXAMPLE ?= patterns
NODE ?= node
WRANGLER ?= node_modules/wrangler/bin/wrangler.js
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help run test conformance parity fuzz peer storm lint types check bench wheel clean

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or later is needed: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

run: $(STAMP) ## Serve an example with cfwf dev (EXAMPLE=patterns or quickstart, ARGS="--port 9000")
	$(BIN)/cfwf dev --config examples/$(EXAMPLE)/wrangler.toml $(ARGS)

test: $(STAMP) ## Run the tests (ARGS="-k journal")
	$(BIN)/python -m pytest $(ARGS)

conformance: $(STAMP) ## Replay scenarios recorded from wrangler dev, and compare (two minutes)
	$(BIN)/python -m pytest -m conformance tests/conformance $(ARGS)

parity: $(STAMP) ## Write docs/parity.md from the lists in tests/conformance
	$(BIN)/python tests/conformance/parity_page.py

fuzz: $(STAMP) ## Send requests made up from the API's own description (a minute)
	$(BIN)/python -m pytest -m fuzz tests/api $(ARGS)

peer: $(STAMP) ## Drive the server with the real wrangler (WRANGLER=path/to/wrangler.js NODE=node)
	WRANGLER="$(WRANGLER)" NODE="$(NODE)" $(BIN)/python -m pytest -m peer tests/api $(ARGS)

storm: $(STAMP) ## Kill the server hundreds of times, and at every point there is (ten minutes; STORM_SEED=1)
	$(BIN)/python -m pytest -s -m soak tests/durability $(ARGS)

lint: $(STAMP) ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP) ## Check the types: ours with mypy, and what typed Workers may write with pyright
	$(BIN)/mypy
	$(BIN)/python -m pytest -m pyright tests/typing

check: lint types test ## Everything that is checked before a change lands

bench: $(STAMP) ## Measure speed and memory (PEER=1 beside wrangler dev, which npm installs; ARGS="--only steps --runs 1")
	$(BIN)/python -m benchmarks $(if $(PEER),--peer) $(ARGS)

wheel: $(STAMP) ## Build the wheel into dist/
	$(BIN)/python -m build --wheel

clean: ## Remove what the other verbs made
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
