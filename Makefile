# Two commands for a newcomer: `make demo` and `make test`. Each sets up all that it needs.

PYTHON ?= python3
VENV ?= .venv
DEMO_SECONDS ?= 60
JOBS ?= $(shell nproc)
# Many tests wait for what happens in real time; others run meanwhile.
WORKERS ?= $(shell expr $(JOBS) + 3)
SAFETY_TESTS := tests/core tests/safety tests/control tests/devices tests/site
# What takes longest: it begins first, and is no part of `make quick`.
SLOW_TESTS := tests/hil tests/cli tests/docs tests/testing tests/properties tests/faults tests/backtest \
  tests/benchmarks tests/mutants tests/runtime/test_torn_files.py tests/control/loads/test_control.py
COVER := $(addprefix --cover=,$(SAFETY_TESTS))
# Real processes wait for each other in real time: what fails beside others has to pass alone, at once.
ALONE = echo "== what failed beside others, alone:" && $(VENV)/bin/python -m pytest -v --maxfail=1 \
  --last-failed --last-failed-no-failures none $(TEST_FLAGS) --ignore=tests/hostile
PYTEST := $(VENV)/bin/python -m pytest --dist loadfile --no-loadscope-reorder
BIN := $(VENV)/bin

# What each of them installs beside the dependencies; tests/test_extras.py compares that with what
# its code imports.
EXTRAS_test := test,forecast,sunspec,mqtt,gpio,dbc,parquet,docs,release
EXTRAS_prove := test,prove
EXTRAS_fuzz := sunspec,mqtt,dbc,fuzz
EXTRAS_docs := docs
EXTRAS_lint := test,forecast,sunspec,mqtt,gpio,dbc,parquet,docs,prove,release,lint
EXTRAS_release := forecast,sunspec,mqtt,gpio,dbc,parquet,release

.PHONY: demo test quick lint docs prove mutants fuzz coverage hostile release vulnerabilities clean

demo: $(VENV)/installed  ## run the simulated site for a minute
	$(BIN)/holdfast run --demo --for $(DEMO_SECONDS)

test: $(VENV)/installed-test  ## pass the tests, which run every line and branch of the safety path
	$(BIN)/python -m coverage erase
	$(PYTEST) --numprocesses $(WORKERS) $(COVER) $(addprefix --first=,$(SLOW_TESTS)) $(TEST_FLAGS) \
	  --ignore=tests/hostile || { [ $$? = 1 ] && $(ALONE); }
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

quick: $(VENV)/installed-lint  ## what a change breaks most often, within a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(PYTEST) -q --numprocesses $(JOBS) --ignore=tests/hostile $(addprefix --ignore=,$(SLOW_TESTS))

lint: $(VENV)/installed-lint  ## style, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/installed-docs  ## the documentation as a site, in build/site; any warning fails
	$(BIN)/python -m sphinx -W --keep-going -q -E -c docs . build/site
	@echo "build/site/index.html"

hostile: $(VENV)/installed-test  ## devices that lie, freeze and fall silent, against real processes
	$(BIN)/python -m pytest --numprocesses $(shell expr $(JOBS) \* 3) tests/hostile $(HOSTILE)

prove: $(VENV)/installed-prove  ## proofs for all inputs, and the state machine checked exhaustively
	$(PYTEST) --numprocesses $(JOBS) tests/proofs
	$(BIN)/python -m proofs

mutants: $(VENV)/installed-test  ## does a test fail for every small change of the safety path?
	$(BIN)/python -m mutants --jobs $(JOBS) $(MUTANTS)

fuzz: $(VENV)/installed-fuzz  ## is there an input that a decoder neither takes rightly nor refuses?
	$(BIN)/python -m fuzz --jobs $(JOBS) $(FUZZ)

coverage: $(VENV)/installed-test  ## every line and branch of the safety path is run by its tests
	$(BIN)/python -m coverage erase
	$(PYTEST) --numprocesses $(JOBS) $(COVER) $(SAFETY_TESTS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

release: $(VENV)/installed-release  ## KEY=file.pem CONTACT=mailto:...: what is given out, in dist/
	$(BIN)/python -m release --key "$(KEY)" --security-contact "$(CONTACT)" $(RELEASE)

vulnerabilities: $(VENV)/installed-release  ## is a vulnerability known of what is locked?
	$(BIN)/python -m release.vulnerabilities

clean:  ## remove what the other targets made
	rm -rf $(VENV) demo-site build .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# The package build makes the pages, anew where one of these has changed.
PAGES := $(shell git ls-files pages build_backend 2>/dev/null)

$(VENV)/installed: pyproject.toml requirements.txt $(PAGES) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.txt -e .
	touch $@

$(VENV)/installed-%: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.txt -e .[$(EXTRAS_$*)]
	touch $@
