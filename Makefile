# Two commands for a newcomer: `make demo` and `make test`. Each sets up all that it needs.

PYTHON ?= python3
VENV ?= .venv
DEMO_SECONDS ?= 60
JOBS ?= $(shell nproc)
SAFETY_TESTS := tests/core tests/safety tests/control tests/devices tests/properties/test_cycle.py
BIN := $(VENV)/bin

.PHONY: demo test lint prove mutants coverage clean

demo: $(VENV)/installed  ## run the simulated site for a minute
	$(BIN)/holdfast run --demo --for $(DEMO_SECONDS)

test: $(VENV)/installed-test  ## pass the tests
	$(BIN)/python -m pytest

lint: $(VENV)/installed-lint  ## style, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

prove: $(VENV)/installed-lint  ## proofs for all inputs, and the state machine checked exhaustively
	$(BIN)/python -m pytest tests/proofs
	$(BIN)/python -m proofs

mutants: $(VENV)/installed-lint  ## does a test fail for every small change of the safety path?
	$(BIN)/python -m mutants --jobs $(JOBS) $(MUTANTS)

coverage: $(VENV)/installed-test  ## every line and branch of the safety path is run by its tests
	$(BIN)/python -m coverage run -m pytest -q $(SAFETY_TESTS)
	$(BIN)/python -m coverage report

clean:  ## remove what the other targets made
	rm -rf $(VENV) demo-site build .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.txt -e .
	touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.txt -e .[test,forecast]
	touch $@

$(VENV)/installed-lint: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.txt -e .[test,forecast,lint,prove]
	touch $@
