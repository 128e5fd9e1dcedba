"""Charts as paths and places, for the template to draw as SVG."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.harness.results.report.patterns import Curve, DoseChart, TradeOff

WIDTH, HEIGHT = 328, 206
LEFT, RIGHT, TOP, BOTTOM = 44, 236, 10, 172
"""Where the axes begin and end; beyond are their labels, and on the right those of the lines."""

_LABEL = 13
"""Least distance of two labels."""

_NAME = 14

POINTS = 12
"""Number of adapters in the plane at most; their labels have no more room."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class DrawnCurve:
    """A line, its points, its intervals, and its label."""

    style: int
    line: str
    dots: str
    intervals: str
    label_at: float
    label: str


@dataclass(frozen=True, slots=True)
class DrawnChart:
    """A chart of curves."""

    title: str
    about: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    curves: tuple[DrawnCurve, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class DrawnPoint:
    """An adapter in the plane of utility and safety; the larger, the more robust."""

    x: float
    y: float
    radius: float
    label_y: float
    on_frontier: bool
    name: str
    about: str


@dataclass(frozen=True, slots=True)
class DrawnTradeOffs:
    """The plane of utility and safety."""

    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    points: tuple[DrawnPoint, ...]
    left_out: int


def draw_chart(chart: DoseChart) -> DrawnChart:
    """Return the drawing of a dose-response chart."""
    most = max(point.dose for curve in chart.curves for point in curve.points) or 1.0
    ends = [_y(curve.points[-1].drift) for curve in chart.curves]
    labels = spread(ends, _LABEL)
    curves = tuple(_draw(curve, most, label) for curve, label in zip(chart.curves, labels, strict=True))
    return DrawnChart(
        title=f"{chart.task}, {chart.perturbation}",
        about="; ".join(
            f"{curve.adapter}: " + ", ".join(f"{point.severity} {point.drift:.2f}" for point in curve.points)
            for curve in chart.curves
        ),
        x_ticks=tuple(Tick(_x(share), f"{share * most:.0%}") for share in (0, 0.5, 1)),
        y_ticks=tuple(Tick(_y(value), f"{value:g}") for value in (0, 0.5, 1)),
        curves=curves,
        left_out=chart.left_out,
    )


def draw_trade_offs(adapters: Sequence[TradeOff]) -> DrawnTradeOffs:
    """Return the drawing of trade-offs; adapters on the frontier have their places first."""
    shown = sorted(adapters, key=lambda each: not each.on_frontier)[:POINTS]
    least = min(min(each.utility, each.safety) for each in shown)
    low = min(0.8, math.floor(10 * least) / 10)

    def scaled(value: float) -> float:
        return (value - low) / (1 - low)

    ticks = (low, (low + 1) / 2, 1.0)
    heights = spread([_y(scaled(each.safety)) for each in shown], _LABEL)
    return DrawnTradeOffs(
        x_ticks=tuple(Tick(_x(scaled(value)), f"{value:.2g}") for value in ticks),
        y_ticks=tuple(Tick(_y(scaled(value)), f"{value:.2g}") for value in ticks),
        points=tuple(
            DrawnPoint(
                x=_x(scaled(each.utility)),
                y=_y(scaled(each.safety)),
                radius=round(3 + 7 * each.robustness, 1),
                label_y=height,
                on_frontier=each.on_frontier,
                name=short(each.adapter),
                about=f"{each.adapter}: utility {each.utility:.2f}, safety {each.safety:.2f}, "
                f"robustness {each.robustness:.2f}",
            )
            for each, height in zip(shown, heights, strict=True)
        ),
        left_out=len(adapters) - len(shown),
    )


def spread(places: Sequence[float], distance: float) -> list[float]:
    """Move places down as far as needed for no two to be nearer than `distance`; the lowest stay inside the chart.

    >>> spread([10.0, 12.0, 80.0], 10)
    [10.0, 20.0, 80.0]
    """
    found = [0.0] * len(places)
    at = -math.inf
    for i in sorted(range(len(places)), key=lambda i: places[i]):
        at = max(places[i], at + distance)
        found[i] = at
    below = max(0.0, max(found, default=0.0) - (BOTTOM + 4))
    return [round(place - below, 1) for place in found]


def short(name: str) -> str:
    """Return a name that fits beside a chart."""
    return name if len(name) <= _NAME else f"{name[: _NAME // 2]}…{name[-(_NAME // 2 - 1) :]}"


def _draw(curve: Curve, most: float, label_at: float) -> DrawnCurve:
    places = [(_x(point.dose / most), _y(point.drift)) for point in curve.points]
    ends = [
        (x, _y(point.low), _y(point.high))
        for (x, _), point in zip(places, curve.points, strict=True)
        if not math.isnan(point.low)
    ]
    return DrawnCurve(
        style=curve.style,
        line="M" + "L".join(f"{x} {y}" for x, y in places),
        dots="".join(f"M{x} {y}h0" for x, y in places),
        intervals="".join(f"M{x} {low}V{high}" for x, low, high in ends),
        label_at=round(label_at + 4, 1),
        label=short(curve.adapter),
    )


def _x(share: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * share, 1)


def _y(value: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value, 1)
