# make demo   plans, rehearses and reports the built-in example
# make test   installs everything and runs the whole test suite
# make lint   ruff, mypy, import-linter
# make pictures   the docs' pictures anew (wants Chromium)
PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?= -n auto

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

.PHONY: demo test lint pictures clean

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dashboard]"
	@touch $@

$(VENV)/.test: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test,lint]"
	@touch $@

demo: $(VENV)/.demo
	$(BIN)/skymist demo

test: $(VENV)/.test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# Type checkers do not run import hooks: one link shows them the rooms as skymist.*
lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	mkdir -p build/types && ln -sfn ../.. build/types/skymist
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows \
		examples/flight-tests/.github/workflows/fly.yml

pictures: $(VENV)/.test
	$(BIN)/python tests/pictures.py

clean:
	rm -rf $(VENV) build dist skymist-demo *.egg-info
