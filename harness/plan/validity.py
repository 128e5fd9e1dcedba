"""Does a disturbed prompt still ask the same? Estimated for every variant, before any adapter is asked."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from holdfast.harness.plan.as_read import as_read
from holdfast.harness.plan.sample_variants import SampleVariant
from holdfast.harness.store.records import json_line
from holdfast.metrics import Encode
from holdfast.metrics.encoders.encoder import Encoding
from holdfast.metrics.facts import comparer
from holdfast.metrics.segments import segment
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
        self._contents = _contents(tasks)

    def judged(self, variants: Sequence[SampleVariant]) -> list[SampleVariant]:
        """The variants, each with the share of its prompt's meaning that it keeps, in [0, 1].

        The clean prompt and the variant as a reader takes it in (`as_read`) are compared: the least of the cosine of
        their vectors, the share of content words that is left, and 1 minus what the facts hold against it (a changed
        number, name or negation leaves 0). None where nothing can tell: for a variant that is meant to ask something
        else, one in another language or with added sentences, and a prompt that the encoder can't read.
        """
        pairs = {}
        for i, made in enumerate(variants):
            if _can_be_judged(made.variant.perturbation):
                clean = self._contents[made.task, made.sample]
                pairs[i] = clean, as_read(Edits(clean, made.variant.edits))
        meanings: dict[int, tuple[float, str]] = {i: (1.0, "") for i, (clean, read) in pairs.items() if clean == read}
        # The clean prompt's language counts: what a slip made of it may look like no language at all.
        readable = {i: pair for i, pair in pairs.items() if i not in meanings and self._encoding.reads(pair[0])}
        names = {i: self._encoding.choose(clean) for i, (clean, _) in readable.items()}
        for name in dict.fromkeys(names.values()):
            mine = {i: pair for i, pair in readable.items() if names[i] == name}
            found = _kept(list(mine.values()), self._encoding.encode(name))
            meanings |= dict(zip(mine, found, strict=True))
        unknown: tuple[float | None, str] = (None, "")
        judged = zip(variants, (meanings.get(i, unknown) for i in range(len(variants))), strict=True)
        return [replace(made, meaning=meaning, doubt=doubt) for made, (meaning, doubt) in judged]

    def divided(self, variants: Sequence[SampleVariant]) -> tuple[list[SampleVariant], list[SampleVariant]]:
        """The variants to ask and those to leave out, all judged."""
        judged = self.judged(variants)
        return [made for made in judged if self.keeps_meaning(made)], [
            made for made in judged if not self.keeps_meaning(made)
        ]

    def keeps_meaning(self, made: SampleVariant) -> bool:
        """Whether a judged variant is asked; one that nothing can tell of is."""
        return made.meaning is None or made.meaning >= self._threshold


def write_excluded(folder: Path, variants: Iterable[SampleVariant], tasks: Iterable[Task]) -> None:
    """Keep the variants that no adapter is asked, if there are any, with their estimates and the reasons, in a file of
    the run."""
    contents = _contents(tasks)
    lines = [
        json_line(
            {
                "task": made.task,
                "sample": made.sample,
                "meaning": made.meaning,
                "reason": made.doubt,
                "clean": contents[made.task, made.sample],
                **asdict(made.variant),
            }
        )
        + "\n"
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


def _kept(pairs: Sequence[tuple[str, str]], encode: Encode) -> list[tuple[float, str]]:
    """The share of meaning that the second text of each pair keeps, and what speaks most against it."""
    texts = list(dict.fromkeys(text for pair in pairs for text in pair))
    vectors = dict(zip(texts, encode(texts), strict=True))
    weights = dict(zip(texts, (sum(part.mass for part in parts) for parts in segment(texts)), strict=True))
    kept = []
    for clean, read in pairs:
        fact = comparer([clean], [read])((0,), (0,))
        share = weights[read] / weights[clean] if weights[clean] else 1.0
        against = [
            (1 - fact.cost, fact.reason),
            (float(vectors[clean] @ vectors[read]), "similarity"),
            (share, "content words lost"),
        ]
        meaning, reason = min(against, key=lambda each: each[0])
        kept.append((round(min(1.0, max(0.0, meaning)), _DIGITS), reason))
    return kept


def _contents(tasks: Iterable[Task]) -> dict[tuple[str, str], str]:
    return {(task.name, sample.id): sample.content for task in tasks for sample in task.samples}
