"""The result of a check as JUnit XML: one test case per primary metric."""

import re
from xml.etree import ElementTree

from holdfast.errors import printable
from holdfast.harness.results.check.outcome import CheckResult, PrimaryResult, Verdict
from holdfast.harness.results.check.printing.screen import change, explanation, screen
from holdfast.harness.results.intervals import number

_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 can't hold."""


def junit(result: CheckResult) -> str:
    """Return the XML; undecided metrics are failures if the settings say so, and skipped otherwise."""
    strict = result.settings.undecided == "fail"
    failures = [each for each in result.primaries if _fails(each, strict)]
    skipped = [each for each in result.primaries if each.verdict is Verdict.UNDECIDED and not strict]
    counts = {"tests": len(result.primaries), "failures": len(failures), "skipped": len(skipped), "errors": 0}
    suite = ElementTree.Element(
        "testsuite", {"name": "holdfast check", **{name: str(count) for name, count in counts.items()}}
    )
    for primary in result.primaries:
        case = ElementTree.SubElement(
            suite, "testcase", {"classname": _text(f"holdfast.{primary.task}"), "name": _text(primary.name)}
        )
        if primary.verdict is not Verdict.PASS:
            kind = "failure" if _fails(primary, strict) else "skipped"
            ElementTree.SubElement(case, kind, {"message": _text(message(primary))})
    ElementTree.SubElement(suite, "system-out").text = _text(screen(result))
    suites = ElementTree.Element("testsuites", {name: str(count) for name, count in counts.items()})
    suites.append(suite)
    ElementTree.indent(suites)
    return ElementTree.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def message(primary: PrimaryResult) -> str:
    """Return what was found for a metric in one line."""
    allowed = "" if primary.allowed is None else f", allowed {primary.allowed:+g}"
    values = f"{number(primary.old)} -> {number(primary.new)}, change {change(primary)}{allowed}"
    said = explanation(primary)
    return printable(f"{primary.task}, {primary.name}: {values}{f': {said}' if said else ''}")


def _fails(primary: PrimaryResult, strict: bool) -> bool:
    return primary.verdict is Verdict.FAIL or (primary.verdict is Verdict.UNDECIDED and strict)


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", printable(text, keep="\n"))
