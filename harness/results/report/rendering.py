"""The page of a report: templates, style and scripts in one file of HTML that needs nothing else."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

from holdfast.harness.results.report.drawings import draw_chart, draw_trade_offs
from holdfast.harness.results.report.kept_answers import KeptAnswers
from holdfast.harness.results.report.overview import Overview
from holdfast.harness.results.report.patterns import Patterns
from holdfast.notebook import visible

if TYPE_CHECKING:
    from jinja2 import Environment

MARK = "<!-- holdfast report -->"
BEGINNING = rb"<!DOCTYPE html>\s*<!-- holdfast report -->"
"""How the file of a report begins, which a later one may replace."""

SCRIPTS = ("data.js", "state.js", "list.js", "detail.js", "page.js")
FOLLOWING = "follow.js"


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a page shows.

    Attributes:
        title: What it is about.
        overview: The first screen.
        patterns: The second screen.
        answers: The answers of the third screen.
        baseline: The name of the adapter that the answers are compared with; empty without one.
        candidate: The name of the adapter whose answers are shown first; empty for those of all.
        hidden: Tasks whose texts are left out.
        version: The version of holdfast that made it.
    """

    title: str
    overview: Overview
    patterns: Patterns
    answers: KeptAnswers
    baseline: str
    candidate: str
    hidden: tuple[str, ...]
    version: str


def rendered(report: Report, *, following: str = "") -> str:
    """Return the page.

    Args:
        report: What it shows.
        following: The state of the run that it shows, when it is served while the run goes on: the page is loaded again
            when that changes. Empty for a file.
    """
    return _page(
        "report.html.j2",
        SCRIPTS,
        following,
        report=report,
        mark=MARK,
        charts=[draw_chart(chart) for chart in report.patterns.charts],
        trade_offs=draw_trade_offs(report.patterns.trade_offs) if report.patterns.trade_offs else None,
    )


def waiting_page(reason: str, following: str) -> str:
    """Return the page that is served until a run has something to show."""
    return _page("waiting.html.j2", (), following, reason=reason)


def _page(template: str, names: Sequence[str], following: str, **shown: object) -> str:
    """Render a template with its style and scripts; only these scripts may run."""
    scripts = [_asset(name) for name in (*names, *([FOLLOWING] if following else []))]
    script = '"use strict";\n' + "\n".join(scripts)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = _environment().get_template(template)
    return page.render(shown, script=script, script_digest=digest, style=_asset("style.css"), following=following)


@cache
def _environment() -> "Environment":
    """Return Jinja's environment: everything is escaped, and what can't be seen is shown as code points."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def finalize(value: object) -> object:
        return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value

    return Environment(
        loader=FunctionLoader(lambda name: _folder().joinpath("templates", name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _folder() -> Traversable:
    return resources.files("holdfast.harness.results.report")


def _asset(name: str) -> str:
    return _folder().joinpath("assets", name).read_text("utf-8")
