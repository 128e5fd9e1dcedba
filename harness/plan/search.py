"""The variant that hurts most within its strength: candidates change some edits of the worst so far.

The first `--repeats` variants of each sample are drawn at random and asked of every adapter: means are over them, and a
greedy search begins at the worst of them; it tries `N` variants in all, these included.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from holdfast.harness.plan.sample_variants import SampleVariant, variant_of
from holdfast.perturbations import Edit, Edits, Variant, expectation, parts_of, seed_for
from holdfast.tasks import Sample, Task

Place = tuple[str, str, str, str, str]
"""(adapter, task, sample, perturbation, severity): where one search goes on."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A variant that was asked, and how much it hurt: the headline score, turned so that more is worse, then the
    drift."""

    repeat: int
    hurt: tuple[float, float]
    edits: tuple[Edit, ...]


class Attempts:
    """What every search has tried so far."""

    def __init__(self, headlines: dict[str, tuple[str, bool]]) -> None:
        """`headlines` gives each task's headline score and whether higher is better."""
        self._headlines = headlines
        self._tried: dict[Place, list[Attempt]] = {}

    def add(self, place: Place, repeat: int, edits: Iterable[Edit], scores: dict[str, float]) -> None:
        """Remember an answer's scores; not where another answer is expected, since none of these hurts."""
        if expectation(place[3]) == "changed":
            return
        headline, higher = self._headlines[place[1]]
        score = scores.get(headline, 0.0)
        attempt = Attempt(repeat, (-score if higher else score, scores.get("max_drift", 0.0)), tuple(edits))
        self._tried.setdefault(place, []).append(attempt)

    def worst_before(self, repeat: int) -> Iterator[tuple[Place, Attempt]]:
        """The worst attempt of each search among those numbered below `repeat`, whatever was tried later: so a
        search that is resumed goes on as it would have."""
        for place, attempts in self._tried.items():
            earlier = [attempt for attempt in attempts if attempt.repeat < repeat]
            if earlier:
                yield place, max(earlier, key=lambda attempt: (attempt.hurt, -attempt.repeat))


def next_candidate(
    task: Task, sample: Sample, place: Place, worst: Attempt, repeat: int, seed: int
) -> SampleVariant | None:
    """The worst variant so far with about half of its edits changed for fresh ones; as many edits as before.

    A perturbation that does not count its edits, or makes one, gets a fresh variant. None where that is no new text.
    """
    from rapidfuzz.distance import Levenshtein

    *_, name, severity = place
    fresh = variant_of(task, sample, name, severity, repeat, seed)
    edits = fresh.edits
    if all(part.units is not None for part in parts_of(name)):
        edits = _crossed(worst.edits, fresh.edits, seed_for(task.name, sample.id, f"{name}*", severity, repeat, seed))
    text = Edits(sample.content, edits).text
    if text in (sample.content, Edits(sample.content, worst.edits).text) or not text:
        return None
    rate = Levenshtein.normalized_distance(sample.content, text)
    return SampleVariant(task.name, sample.id, Variant(text, name, severity, repeat, edits, rate))


def _crossed(worst: Sequence[Edit], fresh: Sequence[Edit], rng: Random) -> tuple[Edit, ...]:
    """Half of the fresh edits, filled up to their number with edits of the worst that touch none of the chosen."""
    chosen = rng.sample(list(fresh), (len(fresh) + 1) // 2)
    for edit in rng.sample(list(worst), len(worst)):
        if len(chosen) < len(fresh) and not any(_touch(edit, other) for other in chosen):
            chosen.append(edit)
    return tuple(sorted(chosen, key=lambda edit: edit.position))


def _touch(one: Edit, other: Edit) -> bool:
    return one.position <= other.position + len(other.removed) and other.position <= one.position + len(one.removed)
