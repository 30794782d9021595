# Everything sets itself up: Python 3.11 or newer and make are all that must be there.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# Test files at a time, each with services of its own: 2 GB of memory; they wait more than they work.
JOBS   ?= 3
# The long files are in `acceptance`: as they come, not by their number of tests.
PYTEST := $(BIN)/pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test test-long faults fuzz lint format bench clean

help:
	@echo "make demo         the whole pipeline with live data, in this terminal (ONCE=1: ends by itself with a summary)"
	@echo "make test         every test but the long ones (services start by themselves)"
	@echo "make test-long    the long ones: recorded workloads, many kills, millions of rows"
	@echo "make faults       every fault of capture, and its table in docs/faults.md"
	@echo "make fuzz         broken bytes of Postgres' stream: 5,000 examples of each kind, some minutes"
	@echo "make lint         style, types, layers"
	@echo "make bench        what it costs: rows, events, deliveries per second (with values from Odoo and into it too), latency (to an Odoo too), recovery, memory, millions of rows"

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(READY)
	$(BIN)/odoo-cdc demo $(if $(ONCE),--once)

test: $(READY)
	$(PYTEST)

test-long: $(READY)
	$(PYTEST) -m slow

faults: $(READY)
	$(PYTEST) -m fault

fuzz: $(READY)
	$(PYTEST) --hypothesis-profile=deep tests/property/test_malformed.py tests/property/test_pgoutput.py

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(READY)
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
