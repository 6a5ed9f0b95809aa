# `make demo` and `make test` do everything from a fresh clone. `make check` is what CI runs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
export NUMBA_CACHE_DIR ?= $(CURDIR)/$(VENV)/numba

.PHONY: soak demo test check lint types imports wheel reference table setup clean

setup: $(READY)

$(READY): pyproject.toml constraints.txt tools/setup.sh
	PYTHON="$(PYTHON)" sh tools/setup.sh $(VENV)
	touch $@

demo: setup
	$(BIN)/signalwright demo

test: setup
	$(BIN)/python -m pytest -n auto --dist worksteal -q

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	cd src && ../$(BIN)/mypy --config-file ../pyproject.toml -p signalwright
	cd src && MYPYPATH=../tests ../$(BIN)/mypy --config-file ../pyproject.toml ../tests

imports: setup
	$(BIN)/lint-imports

wheel: setup
	sh tools/wheel.sh $(BIN)/python

# A day of random faults at the roadside over each protocol, ten minutes or so each.
soak: setup
	PYTHONPATH=src $(BIN)/python tests/bench/soak.py --protocol gbt
	PYTHONPATH=src $(BIN)/python tests/bench/soak.py --protocol ntcip

check: lint types imports test wheel

# All runs of the shipped suite, then the README's table: minutes of every core. Interrupted, it goes on where it was.
WINDOW ?= 900
reference: setup
	$(BIN)/signalwright compare --suite shipped --timing safe --window $(WINDOW) -o out/reference
	$(BIN)/signalwright reference write out/reference -o experiments/references/shipped.json
	$(MAKE) table

table: setup
	$(BIN)/signalwright reference table shipped --into README.md

clean:
	rm -rf $(VENV) build dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis
