"""The models and dialogues of the experiment with S2R2: pocket-base on generated ones, SmolLM2 on DialogSum."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

from holdfast.tasks import Sample, Task
from holdfast.training.loop.copied_facts import copied_facts
from holdfast.training.pocket import dialogue
from holdfast.training.pocket.vocabulary import Example
from holdfast.training.pocket.vocabulary import table as words

DIALOGSUM = Path(__file__).parents[2].parent / "shared/data/dialogsum_test_dev.jsonl"
TRANSFER = 10
"""The number of kinds of generated scenes that no adapter is trained on."""


@dataclass(frozen=True)
class Subject:
    """A model and its dialogues.

    Attributes:
        title: The first line of the table.
        model_args: The base, as for `--model_args`.
        settings: The flags of `holdfast train` that all arms share.
        batch: Training examples of a step.
        steps: Training steps.
        samples: Dialogues of each test set.
        first: Seeds after which the positive control is judged.
        max_new_tokens: The longest summary, in tokens.
        prompt: The prompt, with `{content}` in place of the dialogue.
        examples: Returns as many training examples as the second argument says, under the seed of the first.
        test: Returns as many dialogues of each test set: "trained", of the kind seen in training, and "transfer", of
            another kind if there is one.
    """

    title: str
    model_args: str
    settings: dict[str, Any]
    batch: int
    steps: int
    samples: int
    first: int
    max_new_tokens: int
    prompt: str
    examples: Callable[[int, int], list[Example]]
    test: Callable[[int], dict[str, list[Example]]]

    def tasks(self, count: int) -> list[Task]:
        """Make a task of each test set."""
        return [self.task(name, made) for name, made in self.test(count).items()]

    def task(self, name: str, made: Sequence[Example]) -> Task:
        """Make a task of these dialogues, numbered, and with what must stay readable in each."""
        samples = (
            Sample(str(number), each.content, each.references, {"protect": protected(each)})
            for number, each in enumerate(made)
        )
        template = self.prompt.replace("{content}", "{{ content }}")
        return Task(name, tuple(samples), ("rouge",), template, max_new_tokens=self.max_new_tokens)


def protected(made: Example) -> list[str]:
    """Return what no perturbation of a test dialogue may change."""
    copied = (copied_facts(made.content, reference) for reference in (made.answer, *made.references))
    return list(dict.fromkeys([*made.facts, *chain(*copied)]))


def _pocket_examples(seed: int, count: int) -> list[Example]:
    rng = Random(f"s2r2 experiment|{seed}")
    return _short_scenes(rng, words("scenes")[TRANSFER:], "practice", count)


def _pocket_test(count: int) -> dict[str, list[Example]]:
    scenes = {"trained": words("scenes")[TRANSFER:], "transfer": words("scenes")[:TRANSFER]}
    return {name: _short_scenes(Random(f"s2r2 test|{name}"), each, "heldout", count) for name, each in scenes.items()}


def _short_scenes(rng: Random, scenes: Sequence[dict[str, Any]], source: dialogue.Words, count: int) -> list[Example]:
    """Make dialogues of each scene in turn, of up to 220 characters: longer ones cost more than they tell."""
    made: list[Example] = []
    while len(made) < count:
        each = dialogue.make(rng, scenes[len(made) % len(scenes)], source)
        if len(each.content) <= 220:
            made.append(each)
    return made


_DIALOGSUM_PROMPT = "Summarise this dialogue in one or two sentences.\n\n{content}"


@cache
def _dialogsum(split: str) -> list[Example]:
    """Read the dialogues of a split that have up to 70 words, in a random order that never changes."""
    rows = [json.loads(line) for line in DIALOGSUM.read_text("utf-8").splitlines()]
    made = []
    for row in rows:
        content, summaries = row["dialogue"], tuple(row["summaries"])
        if row["split"] == split and len(content.split()) <= 70:  # about 110 tokens
            prompt = _DIALOGSUM_PROMPT.format(content=content)
            made.append(Example("summary", content, prompt, summaries[0], summaries))
    Random(f"dialogsum|{split}").shuffle(made)
    return made


def _dialogsum_examples(seed: int, count: int) -> list[Example]:
    made, drawn = _dialogsum("dev"), list[Example]()
    rng = Random(f"dialogsum experiment|{seed}")
    while len(drawn) < count:
        drawn += rng.sample(made, len(made))
    return drawn[:count]


def _dialogsum_test(count: int) -> dict[str, list[Example]]:
    return {"trained": _dialogsum("test")[:count]}


SUBJECTS = {
    "pocket": Subject(
        title="Dialogue summaries on pocket-base",
        model_args="pretrained=pocket-base",
        settings={"learning_rate": 6e-3},
        batch=8,
        steps=120,
        samples=24,
        first=3,
        max_new_tokens=96,
        prompt=dialogue.PROMPT,
        examples=_pocket_examples,
        test=_pocket_test,
    ),
    "smollm2": Subject(
        title="DialogSum on SmolLM2-135M-Instruct",
        model_args="pretrained=models/smollm2,dtype=bfloat16",
        settings={"learning_rate": 1e-3, "lora": "r=8,alpha=16,targets=q_proj+v_proj"},
        batch=4,
        steps=120,
        samples=60,
        first=1,
        max_new_tokens=48,
        prompt=_DIALOGSUM_PROMPT,
        examples=_dialogsum_examples,
        test=_dialogsum_test,
    ),
}
