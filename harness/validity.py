"""Does a disturbed prompt still ask the same? Estimated for every variant, before any adapter is asked."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from holdfast.harness.reading import as_read
from holdfast.harness.records import json_line
from holdfast.harness.variants import Made
from holdfast.metrics import Encode
from holdfast.metrics.encoders import Encoding
from holdfast.metrics.facts import conflict, facts_of
from holdfast.perturbations import Edits, expectation, parts_of
from holdfast.tasks import Task

EXCLUDED = "excluded.jsonl"
_DIGITS = 6
_BEYOND_ENCODERS = frozenset({"language", "distraction"})
"""Families that keep the meaning by their making, and that no encoder can judge: other languages, added sentences."""


class Validity:
    """The judge of a run's variants: an estimate for each, and a threshold under which no adapter is asked."""

    def __init__(self, threshold: float, tasks: Iterable[Task], encoding: Encoding) -> None:
        self._threshold = threshold
        self._encoding = encoding
        self._contents = {(task.name, sample.id): sample.content for task in tasks for sample in task.samples}

    def judged(self, variants: Sequence[Made]) -> list[Made]:
        """The variants, each with the share of its prompt's meaning that it keeps, in [0, 1].

        The clean prompt and the variant as a reader takes it in (`as_read`) are compared: 0 where they contradict each
        other in a number, a name or a negation, else the cosine of their vectors, clipped. None where nothing can tell:
        for a variant that is meant to ask something else, one in another language, and a text that the encoder can't
        read.
        """
        pairs = {}
        for i, made in enumerate(variants):
            if _can_be_judged(made.variant.perturbation):
                clean = self._contents[made.task, made.sample]
                pairs[i] = clean, as_read(Edits(clean, made.variant.edits))
        meanings = {i: 1.0 for i, (clean, read) in pairs.items() if clean == read}
        readable = {i: pair for i, pair in pairs.items() if i not in meanings and all(map(self._encoding.reads, pair))}
        names = {i: self._encoding.choose(*pair) for i, pair in readable.items()}
        for name in dict.fromkeys(names.values()):
            mine = {i: pair for i, pair in readable.items() if names[i] == name}
            found = _similarities(list(mine.values()), self._encoding.encode(name))
            meanings |= dict(zip(mine, found, strict=True))
        return [replace(made, meaning=meanings.get(i)) for i, made in enumerate(variants)]

    def divided(self, variants: Sequence[Made]) -> tuple[list[Made], list[Made]]:
        """The variants to ask and those to leave out, all judged."""
        judged = self.judged(variants)
        return [made for made in judged if self.keeps_meaning(made)], [
            made for made in judged if not self.keeps_meaning(made)
        ]

    def keeps_meaning(self, made: Made) -> bool:
        """Whether a judged variant is asked; one that nothing can tell of is."""
        return made.meaning is None or made.meaning >= self._threshold


def write_excluded(folder: Path, variants: Iterable[Made]) -> None:
    """Keep the variants that no adapter is asked, if there are any, with their estimates, in a file of the run."""
    lines = [
        json_line({"task": made.task, "sample": made.sample, "meaning": made.meaning, **asdict(made.variant)}) + "\n"
        for made in variants
    ]
    if lines:
        (folder / EXCLUDED).write_text("".join(lines), "utf-8")


def count_excluded(folder: Path) -> Counter[tuple[str, ...]]:
    """How many variants of each (task, perturbation, severity) a run left out."""
    path = folder / EXCLUDED
    lines = path.read_text("utf-8").split("\n")[:-1] if path.exists() else []
    return Counter((line["task"], line["perturbation"], line["severity"]) for line in map(json.loads, lines))


def _can_be_judged(perturbation: str) -> bool:
    if expectation(perturbation) == "changed":
        return False
    return all(part.family not in _BEYOND_ENCODERS for part in parts_of(perturbation))


def _similarities(pairs: Sequence[tuple[str, str]], encode: Encode) -> list[float]:
    texts = list(dict.fromkeys(text for pair in pairs for text in pair))
    vectors = dict(zip(texts, encode(texts), strict=True))
    facts = {text: facts_of(text) for text in texts}
    similar = []
    for clean, read in pairs:
        contradict = conflict(facts[clean], facts[read]).cost == 1.0
        cosine = float(vectors[clean] @ vectors[read])
        similar.append(0.0 if contradict else round(min(1.0, max(0.0, cosine)), _DIGITS))
    return similar
