"""Greedy search for the variant that does most damage at a given strength, by changing edits of the worst so far.

The first `--repeats` variants of each sample are drawn at random and run for every adapter: means are over them, and
the search starts from the worst of them. It tries `N` variants in total, including these.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from holdfast.harness.plan.sample_variants import SampleVariant, variant_of
from holdfast.perturbations import Edit, Edits, Variant, expectation, parts_of, seed_for
from holdfast.perturbations.variants import edit_rate
from holdfast.tasks import Sample, Task

SearchKey = tuple[str, str, str, str, str]
"""(adapter, task, sample, perturbation, severity): there is one search for each."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A variant that was run, and the damage it did."""

    repeat: int
    damage: tuple[float, float]
    """(headline score, negated if higher is better; max drift): compared in this order."""
    edits: tuple[Edit, ...]


class Attempts:
    """The attempts of every search so far."""

    def __init__(self, headlines: dict[str, tuple[str, bool]]) -> None:
        """Start without attempts; `headlines` gives each task's headline score and whether higher is better."""
        self._headlines = headlines
        self._tried: dict[SearchKey, list[Attempt]] = {}

    def add(self, key: SearchKey, repeat: int, edits: Iterable[Edit], scores: dict[str, float]) -> None:
        """Record an answer's scores, unless the perturbation is meant to change the answer."""
        if expectation(key[3]) == "changed":
            return
        headline, higher = self._headlines[key[1]]
        score = scores.get(headline, 0.0)
        attempt = Attempt(repeat, (-score if higher else score, scores.get("max_drift", 0.0)), tuple(edits))
        self._tried.setdefault(key, []).append(attempt)

    def worst_before(self, repeat: int) -> Iterator[tuple[SearchKey, Attempt]]:
        """Yield the worst attempt of each search among those numbered below `repeat`.

        Later ones don't count, so that a resumed search continues as an uninterrupted one would.
        """
        for key, attempts in self._tried.items():
            earlier = [attempt for attempt in attempts if attempt.repeat < repeat]
            if earlier:
                yield key, max(earlier, key=lambda attempt: (attempt.damage, -attempt.repeat))


def next_candidate(
    task: Task, sample: Sample, key: SearchKey, worst: Attempt, repeat: int, seed: int
) -> SampleVariant | None:
    """Return the worst variant so far with about half of its edits replaced by new ones, keeping their number.

    If a perturbation has no units of edits to exchange, the variant is entirely new.

    Returns:
        The candidate, or None if its text is empty, or equals the original or the worst variant.
    """
    *_, name, severity = key
    fresh = variant_of(task, sample, name, severity, repeat, seed)
    edits = fresh.edits
    if all(part.units is not None for part in parts_of(name)):
        edits = _cross_over(
            worst.edits, fresh.edits, seed_for(task.name, sample.id, f"{name}*", severity, repeat, seed)
        )
    made = Edits(sample.content, edits)
    text = made.text
    if text in (sample.content, Edits(sample.content, worst.edits).text) or not text:
        return None
    return SampleVariant(task.name, sample.id, Variant(text, name, severity, repeat, edits, edit_rate(made, text)))


def _cross_over(worst: Sequence[Edit], fresh: Sequence[Edit], rng: Random) -> tuple[Edit, ...]:
    """Return half of the fresh edits, filled up to their number with edits of the worst that don't touch them."""
    chosen = rng.sample(list(fresh), (len(fresh) + 1) // 2)
    for edit in rng.sample(list(worst), len(worst)):
        if len(chosen) < len(fresh) and not any(_touch(edit, other) for other in chosen):
            chosen.append(edit)
    return tuple(sorted(chosen, key=lambda edit: edit.position))


def _touch(one: Edit, other: Edit) -> bool:
    return one.position <= other.position + len(other.removed) and other.position <= one.position + len(one.removed)
