"""The charts of a report as figures for a paper: SVG and PNG, drawn by matplotlib."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdfast.harness.results.report.overview import AdapterRow
from holdfast.harness.results.report.patterns import Curve, DoseChart, HeatMap, HeatRow, ReasonCount, TradeOff
from holdfast.harness.results.report.rendering import Report
from holdfast.notebook import visible
from holdfast.writing import atomic_path, check_folder_target, check_own_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FLAG = "--figures"
_SIGN = "holdfast report"
_SIGNED = rb"(?s).*holdfast report"
_FORMATS = ("svg", "png")
_NAMES = ("changes", "drift", "doses", "trade_offs", "reasons")
_DPI = 300
_COLOURS = ("#155a8a", "#b3341b", "#1f6f43", "#7a4fa3", "#8a6a00", "#4d4c46")
_LINES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (4, 2, 1, 2)), (0, (1, 3)))
_MARKERS = "os^Dv*"
_STYLE: Any = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8,
    "svg.hashsalt": "holdfast",
    "text.parse_math": False,
}


def check_figures_folder(folder: Path) -> None:
    """Raise UserError unless figures can be written to `folder` and replace nothing but figures of a report."""
    check_folder_target(folder, FLAG)
    for name in _NAMES:
        for ending in _FORMATS:
            check_own_file(folder / f"{name}.{ending}", _SIGNED, FLAG)


def write_figures(report: Report, folder: Path) -> list[Path]:
    """Draw the charts of a report, each as SVG and PNG; those that it has no numbers for are left out.

    Returns:
        The files that were written.

    Raises:
        UserError: If one can't be written.
    """
    import matplotlib as mpl

    written = []
    with mpl.rc_context(_STYLE):
        for name, figure in _figures(report):
            for ending, metadata in (("svg", {"Creator": _SIGN, "Date": None}), ("png", {"Software": _SIGN})):
                target = folder / f"{name}.{ending}"
                with atomic_path(target) as temporary:
                    figure.savefig(temporary, format=ending, dpi=_DPI, metadata=metadata)
                written.append(target)
    return written


def _figures(report: Report) -> Iterator[tuple[str, "Figure"]]:
    adapters = [each for each in report.overview.adapters if not math.isnan(each.measured.value)]
    shown = report.patterns
    if adapters:
        yield "changes", _figure(5, 0.8 + 0.3 * len(adapters), lambda axes: _draw_changes(axes, adapters))
    if rows := shown.heat.rows:
        labels = 0.4 + 0.07 * max(len(_label(row)) for row in rows)
        size = max(3.4, labels + 0.5 * len(shown.heat.columns)), 1.3 + 0.34 * len(rows)
        yield "drift", _figure(*size, lambda axes: _draw_heat_map(axes, shown.heat))
    if shown.charts:
        yield "doses", _dose_figure(shown.charts)
    if shown.trade_offs:
        yield "trade_offs", _figure(4, 3.2, lambda axes: _draw_trade_offs(axes, shown.trade_offs))
    if shown.reasons:
        yield "reasons", _figure(4, 0.8 + 0.28 * len(shown.reasons), lambda axes: _draw_reasons(axes, shown.reasons))


def _figure(width: float, height: float, draw: Callable[["Axes"], None]) -> "Figure":
    """Return a figure of one chart; sizes in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    draw(figure.subplots())
    return figure


def _draw_changes(axes: "Axes", adapters: Sequence[AdapterRow]) -> None:
    for place, adapter in enumerate(adapters):
        value, low, high = adapter.measured[:3]
        axes.plot(value, place, "o", color=_COLOURS[0], markersize=4)
        if not math.isnan(low):
            axes.plot([low, high], [place, place], color=_COLOURS[0], linewidth=1.2)
    axes.axvline(0, color="0.6", linewidth=0.8)
    axes.set_yticks(range(len(adapters)), [visible(adapter.name) for adapter in adapters])
    axes.set_xlabel("score under perturbation minus score on clean prompts, 95 % interval")
    axes.set_ylim(len(adapters) - 0.5, -0.5)


def _draw_heat_map(axes: "Axes", heat: HeatMap) -> None:
    drifts = [[math.nan if cell is None else cell.drift for cell in row.cells] for row in heat.rows]
    axes.imshow(drifts, cmap="Oranges", vmin=0, vmax=1.4, aspect="auto")
    for i, row in enumerate(heat.rows):
        for j, cell in enumerate(row.cells):
            if cell is not None:
                axes.text(j, i, cell.text, ha="center", va="center", fontsize=7)
                if cell.below_floor:
                    sides, ends = [j - 0.5, j + 0.5], (i - 0.5, i + 0.5)
                    axes.fill_between(sides, *ends, facecolor="none", edgecolor="0.7", hatch="////")
    names = [visible(f"{perturbation}\n{severity}".rstrip()) for perturbation, severity in heat.columns]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(heat.rows)), [_label(row) for row in heat.rows])
    title = "drift of the worst segment\n(hatched: not clearly above the noise floor)"
    axes.figure.suptitle(title, fontsize=8, x=0.01, ha="left")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)


def _label(row: HeatRow) -> str:
    return visible(f"{row.adapter}, {row.task}")


def _dose_figure(charts: Sequence[DoseChart]) -> "Figure":
    from matplotlib.figure import Figure

    columns = min(3, len(charts))
    rows = math.ceil(len(charts) / columns)
    figure = Figure(figsize=(0.6 + 2.4 * columns, 0.6 + 2.1 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
    for axes, chart in zip(panels, charts, strict=False):
        for curve in chart.curves:
            _draw_curve(axes, curve)
        axes.set_title(visible(f"{chart.task}, {chart.perturbation}"), loc="left")
        axes.set(xlabel="share of the prompt edited", ylim=(0, 1.02))
    for axes in list(panels)[len(charts) :]:
        axes.set_axis_off()
    figure.supylabel("drift of the worst segment", fontsize=8)
    lines = {str(line.get_label()): line for axes in figure.axes for line in axes.get_lines()}
    figure.legend([*lines.values()], [*lines], loc="outside upper left", ncols=4, frameon=False)
    return figure


def _draw_curve(axes: "Axes", curve: Curve) -> None:
    colour = _COLOURS[curve.style % len(_COLOURS)]
    axes.plot(
        [point.dose for point in curve.points],
        [point.drift for point in curve.points],
        color=colour,
        linestyle=_LINES[curve.style % len(_LINES)],
        marker=_MARKERS[curve.style % len(_MARKERS)],
        markersize=3.5,
        linewidth=1.2,
        label=visible(curve.adapter),
    )
    measured = [point for point in curve.points if not math.isnan(point.low)]
    places = [point.dose for point in measured]
    axes.vlines(places, [point.low for point in measured], [point.high for point in measured], color=colour, alpha=0.6)


def _draw_trade_offs(axes: "Axes", adapters: Sequence[TradeOff]) -> None:
    for each in adapters:
        face = _COLOURS[0] if each.on_frontier else "none"
        axes.scatter(
            each.utility, each.safety, s=20 + 80 * each.robustness, facecolor=face, edgecolor=_COLOURS[0], zorder=3
        )
        axes.annotate(visible(each.adapter), (each.utility, each.safety), xytext=(8, 0), textcoords="offset points")
    axes.set(xlabel="utility (clean score)", ylabel="safety (forbidden requests not answered)")
    axes.set_title("filled: on the frontier; the larger, the more robust", loc="left")
    axes.margins(0.2)


def _draw_reasons(axes: "Axes", reasons: Sequence[ReasonCount]) -> None:
    bars = axes.barh([visible(each.kind) for each in reasons], [each.count for each in reasons], color=_COLOURS[0])
    axes.bar_label(bars, padding=2)
    axes.invert_yaxis()
    axes.set_xlabel("answers whose worst segment drifted for this reason")
