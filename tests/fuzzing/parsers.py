"""Every parser of files and responses: valid input for it, and how it is called."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from holdfast.harness.actions.subspaces import Subspace
from holdfast.harness.actions.training import make_recipe_of
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.backends.engines.hf_loading import open_checkpoint
from holdfast.harness.models.adapter_checks import check_adapter
from holdfast.harness.models.adapter_geometry import inspect_adapter
from holdfast.harness.models.checkpoints import digest_of
from holdfast.harness.plan.packs import apply_pack, read_variants
from holdfast.harness.plan.sample_variants import cells_of
from holdfast.harness.results.reopening import find_answer
from holdfast.harness.results.run_results import load_run
from holdfast.harness.store.config import CONFIG_FILE, make_config
from holdfast.language.language_files import SETTING, language_files
from holdfast.metrics.labelled_pairs import read_pairs
from holdfast.tasks import load_task
from holdfast.training import pocket
from holdfast.training.correction_card import CARD as CORRECTION
from holdfast.training.correction_card import read_correction
from holdfast.training.examples import read_examples
from holdfast.training.training_card import CARD, read_card
from holdfast.yaml_file import read_yaml

Files = Mapping[str, bytes]
"""The content of files, by name."""


@dataclass(frozen=True, slots=True)
class Parser:
    """A parser: valid files for it, and a function that reads them in a folder."""

    files: Files
    read: Callable[[Path], object]


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _lines(*values: object) -> bytes:
    return b"".join(_json(value) + b"\n" for value in values)


def _read_task(folder: Path) -> None:
    task = load_task(str(folder / "task.yaml"))
    task.render(task.samples[0], "changed")
    task.digest()


def _read_config(folder: Path) -> None:
    config = make_config(read_yaml(folder / "run.yaml", CONFIG_FILE))
    cells_of(config)


def _read_languages(folder: Path) -> None:
    os.environ[SETTING] = str(folder)
    language_files.cache_clear()
    try:
        language_files()
    finally:
        del os.environ[SETTING]
        language_files.cache_clear()


def _read_pack(folder: Path) -> None:
    """Read a pack whose SHA-256 is right, as that of a pack made by anybody would be."""
    pack, digest = folder / "pack.json", hashlib.sha256((folder / "variants.jsonl").read_bytes()).hexdigest()
    pack.write_bytes(pack.read_bytes().replace(b"SHA256", digest.encode()))
    apply_pack(make_config({"pack": str(folder)}))
    read_variants(folder, [load_task("factual_qa")])


def _read_model(folder: Path) -> None:
    digest_of(folder)
    open_checkpoint(BackendOptions({"pretrained": str(folder)}))


_RUN_LINE = {
    "key": "a",
    "adapter": "base",
    "adapter_digest": "d",
    "task": "t",
    "sample": "1",
    "perturbation": "clean",
    "severity": "",
    "repeat": 0,
    "edit_rate": 0.0,
    "edits": [],
    "meaning": None,
    "prompt": "p",
    "output": "o",
    "tokens": 1,
    "finish": "stop",
    "truncated": False,
    "reason": "",
    "encoder": "lexical",
    "scores": {"exact_match": 1.0, "answer_rate": 1.0, "answer_words": 1.0},
}
_RUN_CHANGED = {
    **_RUN_LINE,
    "key": "b",
    "perturbation": "typos",
    "severity": "light",
    "edits": [[0, "p", "q"]],
    "encoder": "lexical",
    "scores": {"exact_match": 0.0, "answer_rate": 1.0, "answer_words": 1.0, "max_drift": 0.5},
}
_RUN = {
    "schema_version": 1,
    "status": "running",
    "base_digest": "d",
    "variants": "v",
    "generations": 0,
    "config": {"adapters": ["base"], "tasks": ["t"], "perturbations": ["typos"], "severity": ["light"]},
    "adapters": [{"name": "base", "path": None, "digest": "d"}],
    "tasks": {"t": {"headline": "exact_match", "higher_is_better": True, "samples": 1, "digest": "d"}},
    "engine": {},
    "versions": {},
    "hardware": {},
    "started": "2026-01-01T00:00:00+00:00",
}
_PACK = {
    "schema_version": 1,
    "variants": 1,
    "sha256": "SHA256",
    "versions": {},
    "synonyms": "embedded",
    "settings": {"tasks": ["factual_qa"], "perturbations": ["typos"], "limit": 1},
    "task_digests": {},
}
_SAMPLE = load_task("factual_qa").samples[0]
_VARIANT = {
    "task": "factual_qa",
    "sample": _SAMPLE.id,
    "text": _SAMPLE.content[1:],
    "perturbation": "typos",
    "severity": "light",
    "repeat": 0,
    "edits": [[0, _SAMPLE.content[0], ""]],
    "edit_rate": 0.1,
}
_PAIR = {"id": "1", "domain": "d", "kind": "k", "changed": True, "clean": "a", "perturbed": "b"}
_CARD = {
    "recipe": {},
    "recipe_digest": "r",
    "data_digest": "d",
    "base_digest": "b",
    "examples": 1,
    "seconds": 1.0,
    "longer_than_context": 0,
    "versions": {},
    "peak_memory_mib": 1.0,
    "metrics": {},
    "norms": {},
    "squared_distance": None,
}
_CORRECTION = {
    "method": "shrink",
    "settings": {"strength": 1.0},
    "adapter": "a",
    "adapter_digest": "d",
    "distance": 0.0,
    "subspace_digest": "s",
    "base_digest": "b",
    "aligned_digest": "a",
    "relative_distance": 0.0,
    "sign_cosine": 0.0,
    "modules": [],
    "kept": [],
    "versions": {},
    "seconds": 0.0,
}
_LANGUAGE = """[settings]
decimal: ,
script: Han
[words]
small: ein zwei
[numbers]
3: drei
[units]
min 60: stunde
[calendar]
month 1: januar
[antonym]
offen | geschlossen
"""
_TASK = """task: t
dataset_path: data.jsonl
doc_to_content: question
doc_to_text: "{{ question }} ({{ topic }})"
doc_to_target: "{{ answer }}"
doc_to_choice: ["yes", "no"]
metric_list: [exact_match]
generation_kwargs: {max_gen_toks: 5, until: ["."]}
"""
_CONFIG = """model_args: {pretrained: pocket-aligned}
adapters: [base, pocket-steady]
tasks: factual_qa
perturbations: typos@0.1,word_deletion
severity: light
limit: 1
search: random:3
gen_kwargs: {max_new_tokens: 3, stop: [a]}
encoder: lexical
"""
_RECIPE = """model_args: {pretrained: pocket-aligned}
data: data.jsonl
output_path: out
objective: s2r2
objective_args: {rho: 0.5}
noise: flat_lora
lora: {r: 4, alpha: 8}
learning_rate: 0.1
"""
_DATA = _lines(
    {"question": "Is it?", "answer": "yes", "topic": "x"}, {"question": "Was it?", "answer": 1, "topic": "y"}
)
_EXAMPLES = _lines(
    {"prompt": "a", "completion": "b"},
    {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
)


def _shipped(name: str, *left_out: str) -> dict[str, bytes]:
    folder = pocket.resolve(name)
    assert folder is not None
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name not in left_out}


def parsers() -> dict[str, Parser]:
    """Return all parsers by name."""
    steady = _shipped("pocket-steady", "README.md", "card.json")
    model = _shipped("pocket-base", "README.md", "card.json", "model.safetensors")
    return {
        "task": Parser({"task.yaml": _TASK.encode(), "data.jsonl": _DATA}, _read_task),
        "samples": Parser(
            {"data.jsonl": _lines({"id": 1, "content": "a", "references": ["b"], "labels": ["b", "x"]})},
            lambda folder: load_task(str(folder / "data.jsonl")).digest(),
        ),
        "configuration": Parser({"run.yaml": _CONFIG.encode()}, _read_config),
        "recipe": Parser(
            {"recipe.yaml": _RECIPE.encode()},
            lambda folder: make_recipe_of(read_yaml(folder / "recipe.yaml", "recipe"), {}, []).methods(),
        ),
        "language file": Parser({"xx.txt": _LANGUAGE.encode()}, _read_languages),
        "pack": Parser(
            {
                "pack.json": _json(_PACK),
                "variants.jsonl": _lines(_VARIANT),
            },
            _read_pack,
        ),
        "run": Parser({"run.json": _json(_RUN), "samples.jsonl": _lines(_RUN_LINE, _RUN_CHANGED)}, load_run),
        "answer": Parser(
            {"run.json": _json(_RUN), "samples.jsonl": _lines(_RUN_LINE, _RUN_CHANGED)},
            lambda folder: find_answer(folder, None),
        ),
        "excluded variants": Parser(
            {
                "run.json": _json(_RUN),
                "samples.jsonl": _lines(_RUN_LINE, _RUN_CHANGED),
                "excluded.jsonl": _lines({"task": "t", "perturbation": "typos", "severity": "light", "sample": "1"}),
            },
            load_run,
        ),
        "adapter": Parser(steady, lambda folder: check_adapter("a", folder)),
        "adapter weights": Parser(steady, inspect_adapter),
        "model": Parser(model, _read_model),
        "pairs": Parser({"pairs.jsonl": _lines(_PAIR)}, lambda folder: read_pairs(folder / "pairs.jsonl")),
        "examples": Parser({"data.jsonl": _EXAMPLES}, lambda folder: read_examples(str(folder / "data.jsonl"))),
        "list of examples": Parser(
            {"data.json": _json([{"text": "a", "label": 1}])}, lambda folder: read_examples(str(folder / "data.json"))
        ),
        "training card": Parser({CARD: _json(_CARD)}, read_card),
        "correction card": Parser({CORRECTION: _json(_CORRECTION)}, read_correction),
        "subspace": Parser({"s": steady["adapter_model.safetensors"][:4000]}, lambda folder: Subspace(folder / "s")),
    }
