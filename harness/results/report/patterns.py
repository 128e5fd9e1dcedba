"""The second screen of a report: where answers drift, by adapter, task, perturbation and severity, and why."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from holdfast.harness.results.answer_frame import CHANGED
from holdfast.harness.results.groups.answer_groups import labels_of
from holdfast.harness.results.intervals import number, with_interval
from holdfast.harness.results.report.sources import Source
from holdfast.harness.results.safety.safety_tasks import SAFETY
from holdfast.harness.store.records import CLEAN, IDENTITY
from holdfast.notebook import visible
from holdfast.tasks.sample import ALL

CELLS = 160
"""Number of cells of the heat map at most; the rows that drift most are kept."""

GROUPS = 24
"""Number of rows of groups at most."""

CURVES = 6
"""Number of dose-response charts at most, and of lines in each."""

KINDS = 8
"""Number of kinds of reasons that are counted one by one; the others are counted together."""


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A cell: its drift, whether it is below the noise floor, and the link to its answers."""

    drift: float
    text: str
    below_floor: bool
    about: str
    link: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """The cells of an adapter on a task; None where nothing was asked."""

    adapter: str
    task: str
    cells: tuple[HeatCell | None, ...]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """The drift of each adapter and task (rows) under each perturbation and severity (columns)."""

    columns: tuple[tuple[str, str], ...]
    """Perturbations and severities."""
    changing: frozenset[str]
    """Perturbations under which the answer should change."""
    rows: tuple[HeatRow, ...]
    left_out: int
    """Number of rows without a place."""
    columns_left_out: int
    """Number of columns without a place."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a curve: the share of the prompt that is edited, the drift with its interval, and the severity."""

    dose: float
    drift: float
    low: float
    high: float
    severity: str


@dataclass(frozen=True, slots=True)
class Curve:
    """The drift of an adapter as the dose grows; `style` is the same for an adapter in all charts."""

    adapter: str
    style: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class DoseChart:
    """The curves of all adapters for a task and a perturbation; `left_out` adapters have none."""

    task: str
    perturbation: str
    curves: tuple[Curve, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class TradeOff:
    """An adapter's utility (clean score), safety (share of forbidden requests not answered) and robustness (1 minus
    drift), and whether no other adapter is at least as good in all three and better in one."""

    adapter: str
    utility: float
    safety: float
    robustness: float
    on_frontier: bool


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many answers drifted for a kind of reason, and the link to them; none for several kinds together."""

    kind: str
    count: int
    share: float
    link: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """How an adapter does on a group of samples, and the link to their answers; numbers are texts."""

    adapter: str
    group: str
    samples: int
    clean: str
    perturbed: str
    drift: str
    gap: str
    """How much lower or higher the score is than that of the first group, with its interval; empty without items that
    both groups have."""
    link: str


@dataclass(frozen=True, slots=True)
class Patterns:
    """The second screen."""

    heat: HeatMap
    groups: tuple[GroupRow, ...]
    groups_left_out: int
    charts: tuple[DoseChart, ...]
    charts_left_out: int
    trade_offs: tuple[TradeOff, ...]
    reasons: tuple[ReasonCount, ...]


def patterns(sources: Sequence[Source]) -> Patterns:
    """Return the second screen."""
    cells = [
        row | {"label": source.labels[row["adapter"]]}
        for source in sources
        for row in source.breakdown.to_dict("records")
        if row["perturbation"] not in (CLEAN, IDENTITY) and row["group"] == ALL and row["n"]
    ]
    groups, charts = _group_rows(sources), _charts(cells)
    return Patterns(
        heat=_heat_map(cells),
        groups=groups[:GROUPS],
        groups_left_out=max(0, len(groups) - GROUPS),
        charts=charts[:CURVES],
        charts_left_out=max(0, len(charts) - CURVES),
        trade_offs=trade_offs(sources),
        reasons=_reasons(sources),
    )


def link(**filters: str) -> str:
    """Return the link to the answers of these filters."""
    shown = {name: visible(value) for name, value in filters.items()}
    return f"#answers?{urlencode(shown)}"


def _heat_map(cells: Sequence[Mapping[Any, Any]]) -> HeatMap:
    columns = tuple(dict.fromkeys((cell["perturbation"], cell["severity"]) for cell in cells))
    rows: dict[tuple[str, str], dict[tuple[str, str], HeatCell]] = {}
    for cell in cells:
        row = rows.setdefault((cell["label"], cell["task"]), {})
        row[cell["perturbation"], cell["severity"]] = _heat_cell(cell)
    most = max(1, CELLS // max(1, len(columns)))
    by_drift = sorted(rows, key=lambda row: -max(cell.drift for cell in rows[row].values()))
    kept = set(by_drift[:most])
    shown = tuple(
        HeatRow(*row, tuple(rows[row].get(column) for column in columns[:CELLS])) for row in rows if row in kept
    )
    changing = frozenset(cell["perturbation"] for cell in cells if cell["expects"] == CHANGED)
    return HeatMap(columns[:CELLS], changing, shown, len(rows) - len(shown), max(0, len(columns) - CELLS))


def _heat_cell(cell: Mapping[Any, Any]) -> HeatCell:
    drift, severity = cell["max_drift"], cell["severity"]
    where = f"{cell['label']}, {cell['task']}, {cell['perturbation']}{f'@{severity}' if severity else ''}"
    below = cell["above_floor"] is False or cell["above_floor"] == 0
    about = f"{where}: drift {drift:.2f}{', not clearly above the noise floor' if below else ''}"
    if not math.isnan(cell["delta"]):
        about += f", change of score {cell['delta']:+.3f}"
    there = link(adapter=cell["label"], task=cell["task"], perturbation=cell["perturbation"], severity=severity)
    return HeatCell(
        0.0 if math.isnan(drift) else drift, "–" if math.isnan(drift) else f"{drift:.2f}", below, about, there
    )


def _group_rows(sources: Sequence[Source]) -> tuple[GroupRow, ...]:
    """Return the rows of groups, adapter by adapter."""
    rows = []
    for source in sources:
        if source.groups is not None:
            adapters, groups = list(source.labels), labels_of(source.manifest)
            mine = source.groups.to_dict("records")
            mine.sort(key=lambda row: (adapters.index(row["adapter"]), groups.index(row["group"])))
            rows += [(source.labels[row["adapter"]], row) for row in mine]
    return tuple(
        GroupRow(
            adapter=label,
            group=row["group"],
            samples=int(row["n"]),
            clean=number(row["clean"]),
            perturbed=number(row["perturbed"]),
            drift=number(row["max_drift"]),
            gap="" if math.isnan(row["gap"]) else f"{with_interval(row, 'gap', '+')} to {row['gap_to']}",
            link=link(adapter=label, group=row["group"]),
        )
        for label, row in rows
    )


def _charts(cells: Sequence[Mapping[Any, Any]]) -> tuple[DoseChart, ...]:
    """Return the charts of perturbations with several severities, those that drift most first."""
    groups: dict[tuple[str, str], dict[str, list[Mapping[Any, Any]]]] = {}
    for cell in cells:
        if cell["expects"] != CHANGED and not math.isnan(cell["max_drift"]):
            groups.setdefault((cell["task"], cell["perturbation"]), {}).setdefault(cell["label"], []).append(cell)
    styles = {label: style for style, label in enumerate(dict.fromkeys(cell["label"] for cell in cells))}
    charts = []
    for (task, perturbation), adapters in groups.items():
        curves = [_curve(adapter, styles[adapter], points) for adapter, points in adapters.items() if len(points) > 1]
        curves.sort(key=lambda curve: -curve.points[-1].drift)
        if curves:
            charts.append(DoseChart(task, perturbation, tuple(curves[:CURVES]), max(0, len(curves) - CURVES)))
    charts.sort(key=lambda chart: -chart.curves[0].points[-1].drift)
    return tuple(charts)


def _curve(adapter: str, style: int, cells: Sequence[Mapping[Any, Any]]) -> Curve:
    """Return a curve that begins with the noise floor, at dose 0."""
    floor = cells[0]["noise_floor"]
    start = [] if math.isnan(floor) else [Point(0.0, floor, math.nan, math.nan, "same prompt")]
    points = [
        Point(cell["edit_rate"], cell["max_drift"], cell["max_drift_low"], cell["max_drift_high"], cell["severity"])
        for cell in cells
    ]
    return Curve(adapter, style, tuple(start + sorted(points, key=lambda point: point.dose)))


def trade_offs(sources: Sequence[Source]) -> tuple[TradeOff, ...]:
    """Return the trade-off of each adapter whose run scores attack success; none for fewer than two adapters."""
    attack, _ = SAFETY
    rows = [
        (source.labels[row["adapter"]], (row["clean"], 1 - row[attack], 1 - row["max_drift"]))
        for source in sources
        for row in source.board.to_dict("records")
        if attack in row and row["higher_is_better"]
    ]
    rows = [row for row in rows if not any(map(math.isnan, row[1]))]
    if len(rows) < 2:
        return ()
    return tuple(
        TradeOff(name, *values, on_frontier=not any(_dominates(other, values) for _, other in rows))
        for name, values in rows
    )


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether one is at least as good everywhere, and better somewhere."""
    return all(a >= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def _reasons(sources: Sequence[Source]) -> tuple[ReasonCount, ...]:
    kinds: Counter[str] = Counter()
    for source in sources:
        kinds.update(reason.split()[0] for reason in source.answers["reason"] if reason.strip())
    total = kinds.total()
    found = [ReasonCount(kind, count, count / total, link(reason=kind)) for kind, count in kinds.most_common(KINDS)]
    if rest := total - sum(each.count for each in found):
        found.append(
            ReasonCount(f"{len(kinds) - KINDS} other{'s' if len(kinds) > KINDS + 1 else ''}", rest, rest / total, "")
        )
    return tuple(found)
