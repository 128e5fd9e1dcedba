"""The answers that a page holds: all, or the worst and a random sample of the others."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from holdfast.harness.results.report.answer_table import Place
from holdfast.harness.results.report.packed import packed
from holdfast.harness.results.report.page_answer import PageAnswer, page_answer
from holdfast.harness.results.report.sources import Source
from holdfast.harness.store.lines import Line
from holdfast.harness.store.manifest import Manifest
from holdfast.harness.store.stored_run import lines_with_keys

if TYPE_CHECKING:
    import pandas as pd

MOST = 10_000
"""Number of answers in a page at most."""

LARGEST = 4_500_000
"""Bytes of the answers in a page at most."""

WORST_SHARE = 0.8
"""Share of a page's answers that are the worst ones; the others are drawn at random from the rest."""

ALIGNED = 50
"""Number of the worst answers whose segments are aligned for the page if their run didn't keep them."""

Row = Mapping[str, Any]
Align = Callable[[Manifest, Sequence[tuple[str, str]]], Sequence[Sequence[Row]]]
"""Returns the drifted segments of pairs of clean and perturbed answers, as samples.jsonl has them; nothing if a run's
segments can't be aligned again here."""


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """The answers in a page.

    Attributes:
        data: JSON, compressed and in base64 (`packed`).
        total: Number of answers that there are.
        kept: Number of answers in the page.
        worst: How many of them are the worst; the others were drawn at random.
        without_segments: How many of them drifted but have no segments.
    """

    data: str
    total: int
    kept: int
    worst: int
    without_segments: int


def kept_answers(
    sources: Sequence[Source],
    table: "pd.DataFrame",
    baseline: Place | None,
    align: Align,
    *,
    hidden: Set[str],
    most: int = MOST,
    largest: int = LARGEST,
) -> KeptAnswers:
    """Choose the answers of a page, and read their texts.

    Args:
        sources: The runs.
        table: Their answers, worst first (`answer_table`).
        baseline: The adapter that the others are compared with.
        align: Aligns the segments of the worst answers of runs that didn't keep them.
        hidden: Tasks whose texts are left out.
        most: Number of answers at most.
        largest: Bytes at most; with more, fewer answers are kept.
    """
    turns = Random(0).sample(range(len(table)), len(table))
    places, worst = _chosen(turns, most)
    answers = dict(zip(places, _page_answers(sources, table.iloc[places], baseline, align, hidden), strict=True))
    while len(data := packed([answers[place] for place in places])) > largest and len(places) > 1:
        places, worst = _chosen(turns, max(1, int(0.95 * len(places) * largest / len(data))))
    kept = [answers[place] for place in places]
    without = sum(each.drift > 0 and each.linked is None and each.task not in hidden for each in kept)
    return KeptAnswers(data, len(table), len(places), worst, without)


def _chosen(turns: Sequence[int], most: int) -> tuple[list[int], int]:
    """Return the places of the worst answers and of some others, and how many are the worst.

    Each choice contains every smaller one, so that texts are read once.
    """
    if len(turns) <= most:
        return list(range(len(turns))), len(turns)
    worst = int(WORST_SHARE * most)
    others = [turn for turn in turns if turn >= worst][: most - worst]
    return [*range(worst), *sorted(others)], worst


def _page_answers(
    sources: Sequence[Source], rows: "pd.DataFrame", baseline: Place | None, align: Align, hidden: Set[str]
) -> list[PageAnswer]:
    listed: list[dict[Any, Any]] = rows.to_dict("records")
    lines = [_lines(place, source, listed, baseline) for place, source in enumerate(sources)]
    base_lines = lines[sources.index(baseline.source)] if baseline else {}
    segments = _aligned(sources, [row for row in listed if row["task"] not in hidden], lines, align)
    found = []
    for row in listed:
        mine = lines[row["source"]]
        line = mine[row["key"]]
        found.append(
            page_answer(
                row,
                str(sources[row["source"]].folder),
                line,
                mine.get(row["clean_key"]),
                base_lines.get(row["base_key"]),
                line.get("segments") or segments.get((row["source"], row["key"]), ()),
                row["task"] in hidden,
            )
        )
    return found


def _lines(place: int, source: Source, rows: Sequence[Row], baseline: Place | None) -> dict[str, Line]:
    """Return the lines of a run that the rows need."""
    keys = {row[name] for row in rows if row["source"] == place for name in ("key", "clean_key")}
    if baseline and baseline.source is source:
        keys |= {row["base_key"] for row in rows}
    return lines_with_keys(source.folder, {key for key in keys if isinstance(key, str)})


def _aligned(
    sources: Sequence[Source], rows: Sequence[Row], lines: Sequence[Mapping[str, Line]], align: Align
) -> dict[tuple[int, str], Sequence[Row]]:
    """Return the drifted segments of the worst answers whose run didn't keep them, by run and key."""
    wanted: dict[int, list[str]] = {}
    pairs: dict[tuple[int, str], tuple[str, str]] = {}
    for row in rows:
        place, key = row["source"], row["key"]
        mine = lines[place]
        if row["max_drift"] > 0 and mine[key].get("segments") is None and row["clean_key"] in mine:
            wanted.setdefault(place, []).append(key)
            pairs[place, key] = mine[row["clean_key"]]["output"], mine[key]["output"]
            if len(pairs) == ALIGNED:
                break
    found: dict[tuple[int, str], Sequence[Row]] = {}
    for place, keys in wanted.items():
        aligned = align(sources[place].manifest, [pairs[place, key] for key in keys])
        found |= {(place, key): each for key, each in zip(keys, aligned, strict=False)}
    return found
