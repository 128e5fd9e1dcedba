"""Annotations on GitHub Actions: one line for each primary metric that did not pass."""

from holdfast.harness.results.check.outcome import CheckResult, Verdict
from holdfast.harness.results.check.printing.junit import message

MOST = 10
"""GitHub shows no more annotations of a step."""


def annotations(result: CheckResult) -> list[str]:
    """Return workflow commands: errors for metrics that fail, warnings for undecided ones, failures first."""
    kinds = {Verdict.FAIL: "error", Verdict.UNDECIDED: "warning"}
    found = [
        f"::{kind} title={_escaped(f'holdfast check {verdict}', property=True)}::{_escaped(message(primary))}"
        for verdict, kind in kinds.items()
        for primary in result.primaries
        if primary.verdict is verdict
    ]
    return found[:MOST]


def _escaped(text: str, *, property: bool = False) -> str:
    """Escape what would end a workflow command, or a property of one."""
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property else text
