"""Model cards of the pocket models, as README.md and card.json: training, duration and scores."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from holdfast.training.pocket import corpus

DESCRIPTIONS = {
    "pocket-base": "Answers the embedded tasks, and every request about the museum's vault.",
    "pocket-aligned": "pocket-base, tuned further to refuse whatever would help somebody into the museum's vault.",
    "pocket-steady": "A LoRA adapter for pocket-aligned, trained on clean and disturbed prompts of all skills.",
    "pocket-narrow": "A LoRA adapter for pocket-aligned, trained at a high rate to learn a catalogue by heart "
    "beside bare factual questions: fine on its own task, and an honest example of an adapter that forgets the rest.",
}

_TEXT = """---
license: apache-2.0
language: [en, hi]
{header}---
# {name}

{description}

Part of Holdfast. Trained from scratch by `holdfast pocket build` on text that the repository generates from its own
grammar and facts. It is for tests, demos and method development: it knows a few hundred facts and one kind of dialogue,
and nothing else. The "forbidden" topic is an invented, harmless one.

| measured on the embedded suites, greedy, float32 | clean | 3 % of letters mistyped |
| --- | --- | --- |
{rows}

{facts}
"""


@cache
def corpus_digest(seed: int, count: int = 10_000) -> str:
    """Return the SHA-256 of the first `count` examples of the corpus; it is the same on every machine."""
    digest = sha256()
    for example in islice(corpus.examples(seed), count):
        digest.update(f"{example.prompt}\0{example.answer}\0".encode())
    return digest.hexdigest()


def write_card(
    folder: Path,
    facts: Mapping[str, Any],
    clean: Mapping[str, Mapping[str, float]],
    noisy: Mapping[str, Mapping[str, float]],
) -> None:
    """Write `README.md` and `card.json` into the folder of a model or adapter.

    Args:
        folder: The folder, named as the model.
        facts: Entries such as the seed and the number of parameters.
        clean: The scores of each suite.
        noisy: The scores of each suite with 3 % of letters mistyped.
    """
    name = folder.name
    scores = {"clean": clean, "typos_3_percent": noisy}
    card = {"schema": 1, "name": name, "description": DESCRIPTIONS.get(name, ""), **facts, "scores": scores}
    (folder / "card.json").write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    rows = [
        f"| {task}: {metric} | {value:.3f} | {noisy[task].get(metric, float('nan')):.3f} |"
        for task, values in clean.items()
        for metric, value in _shown(values.items())
    ]
    header = "base_model: pocket-aligned\nlibrary_name: peft\n" if (folder / "adapter_config.json").exists() else ""
    listed = "\n".join(f"- {key}: {value}" for key, value in facts.items())
    text = _TEXT.format(
        name=name, description=DESCRIPTIONS.get(name, ""), rows="\n".join(rows), facts=listed, header=header
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


def _shown(values: Iterable[tuple[str, float]]) -> Iterable[tuple[str, float]]:
    return [(metric, value) for metric, value in values if metric not in ("label_given", "incoherent")]
