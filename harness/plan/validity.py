"""Estimate, before the run, whether each perturbed prompt still asks the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.plan.as_read import as_read, share_of_letters_kept
from holdfast.harness.plan.sample_variants import SampleVariant
from holdfast.harness.store.records import json_line
from holdfast.metrics import Encode
from holdfast.metrics.costs import shipped_costs
from holdfast.metrics.encoders.encoder import Encoding
from holdfast.metrics.facts import comparer
from holdfast.metrics.segments import segment
from holdfast.perturbations import Edits, expectation, parts_of
from holdfast.tasks import Task
from holdfast.tasks.data_files.data_rows import read_objects
from holdfast.writing import write_text

EXCLUDED = "excluded.jsonl"
_DIGITS = 6
_BEYOND_ENCODERS = frozenset({"language", "distraction", "prompt"})
"""Families that keep the meaning by construction, but that encoders can't judge: translations, added sentences, other
shapes of the prompt."""

_READ_THROUGH = frozenset({"characters", "layout", "unicode", "decoration"})
"""Families that readers see through while most letters are left: facts and vectors would take slips for new words."""


class Validity:
    """Judges a run's variants: estimates the meaning that each keeps, and excludes those below a threshold."""

    def __init__(self, threshold: float, tasks: Iterable[Task], encoding: Encoding) -> None:
        self._threshold = threshold
        self._encoding = encoding
        self._contents = _contents(tasks)

    def judge(self, variants: Sequence[SampleVariant]) -> list[SampleVariant]:
        """Return the variants with the estimated share of the prompt's meaning that each keeps, in [0, 1].

        The clean prompt is compared with the variant as a human reads it (`as_read`). The estimate is the minimum of
        the cosine similarity of their vectors, the share of content words left, and 1 minus the cost of what differs
        by the rules. For noise in characters, layout, Unicode or decoration, it is the share of letters left. It is
        None if the variant is meant to ask something else, is in a different language or has added sentences, or if
        no encoder reads the prompt's language.
        """
        pairs: dict[int, tuple[str, str]] = {}
        meanings: dict[int, tuple[float, str]] = {}
        for i, each in enumerate(variants):
            families = _families(each.variant.perturbation)
            if not families or families & _BEYOND_ENCODERS:
                continue
            clean = self._contents[each.task, each.sample]
            edits = Edits(clean, each.variant.edits)
            pairs[i] = clean, as_read(edits)
            if pairs[i][0] == pairs[i][1]:
                meanings[i] = 1.0, ""
            elif families <= _READ_THROUGH:
                meanings[i] = round(share_of_letters_kept(edits), _DIGITS), "letters changed"
        # The language is that of the clean prompt: a perturbed one may look like no language at all.
        readable = {i: pair for i, pair in pairs.items() if i not in meanings and self._encoding.reads(pair[0])}
        names = {i: self._encoding.choose(clean) for i, (clean, _) in readable.items()}
        for name in dict.fromkeys(names.values()):
            mine = {i: pair for i, pair in readable.items() if names[i] == name}
            found = _shares_kept(list(mine.values()), self._encoding.encode(name))
            meanings |= dict(zip(mine, found, strict=True))
        unknown: tuple[float | None, str] = (None, "")
        judged = zip(variants, (meanings.get(i, unknown) for i in range(len(variants))), strict=True)
        return [replace(each, meaning=meaning, doubt=doubt) for each, (meaning, doubt) in judged]

    def split(self, variants: Sequence[SampleVariant]) -> tuple[list[SampleVariant], list[SampleVariant]]:
        """Judge the variants, and return those to run and those to exclude."""
        judged = self.judge(variants)
        return [each for each in judged if self.keeps_meaning(each)], [
            each for each in judged if not self.keeps_meaning(each)
        ]

    def keeps_meaning(self, made: SampleVariant) -> bool:
        """Whether a judged variant is to be run; it is if its meaning is unknown."""
        return made.meaning is None or made.meaning >= self._threshold


def write_excluded(folder: Path, variants: Iterable[SampleVariant], tasks: Iterable[Task]) -> None:
    """Write the excluded variants, if any, to excluded.jsonl, with their estimates and the reasons."""
    contents = _contents(tasks)
    lines = [
        json_line(
            {
                "task": each.task,
                "sample": each.sample,
                "meaning": each.meaning,
                "reason": each.doubt,
                "clean": contents[each.task, each.sample],
                **asdict(each.variant),
            }
        )
        + "\n"
        for each in variants
    ]
    if lines:
        write_text(folder / EXCLUDED, "".join(lines))


def count_excluded(folder: Path) -> Counter[tuple[str, ...]]:
    """Count the variants that a run excluded, by (task, perturbation, severity, sample)."""
    path, cell = folder / EXCLUDED, ("task", "perturbation", "severity", "sample")
    counts: Counter[tuple[str, ...]] = Counter()
    for number, line in read_objects(path) if path.exists() else ():
        if not all(isinstance(line.get(name), str) for name in cell):
            raise UserError(f"{path}, line {number}: it needs {', '.join(cell)}; the file was edited, run again")
        counts[tuple(line[name] for name in cell)] += 1
    return counts


def _families(perturbation: str) -> set[str]:
    """Return the families that a perturbation combines; none if it is meant to change the question."""
    if expectation(perturbation) == "changed":
        return set()
    return {part.family for part in parts_of(perturbation)}


def _shares_kept(pairs: Sequence[tuple[str, str]], encode: Encode) -> list[tuple[float, str]]:
    """Return the share of meaning that the second text of each pair keeps, and what limits it."""
    texts = list(dict.fromkeys(text for pair in pairs for text in pair))
    vectors = dict(zip(texts, encode(texts), strict=True))
    weights = dict(zip(texts, (sum(part.mass for part in parts) for parts in segment(texts)), strict=True))
    costs = shipped_costs().of(vectors=False)
    kept = []
    for clean, read in pairs:
        found = comparer([clean], [read])((0,), (0,))
        share = weights[read] / weights[clean] if weights[clean] else 1.0
        against = [
            (1 - costs.cost(costs.total(found)), costs.reason(found)),
            (float(vectors[clean] @ vectors[read]), "similarity"),
            (share, "content words lost"),
        ]
        meaning, reason = min(against, key=lambda reason: reason[0])
        kept.append((round(min(1.0, max(0.0, meaning)), _DIGITS), reason))
    return kept


def _contents(tasks: Iterable[Task]) -> dict[tuple[str, str], str]:
    return {(task.name, sample.id): sample.content for task in tasks for sample in task.samples}
