"""The verb `check`, which decides whether a candidate adapter may replace the baseline."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from holdfast.harness.verbs.evaluate import add_run_flags
from holdfast.harness.verbs.parser import Flag, Parser, settings_of

if TYPE_CHECKING:
    from holdfast.harness.results.check.outcome import CheckResult

_CHECK_FLAGS: tuple[Flag, ...] = (
    ("--baseline", "RUN[:ADAPTER]", "the adapter in use: a finished run, a samples_*.jsonl of lm-eval, or an adapter"),
    ("--candidate", "RUN[:ADAPTER]", "the adapter that may replace it; adapters are run first, with the flags of run"),
    ("--budgets", "FILE", "what the candidate may lose (TOML; default: 0.05 of each task's scores and drift)"),
    ("--undecided", "HOW", "exit status when UNDECIDED: pass (0), fail (1) or report (3, the default)"),
)
_MODES = (
    ("--plan", "instead, print what these samples can detect and how many each margin needs"),
    ("--self_test", "also exchange the sides at random, and print how often this check would fail by chance"),
    ("--sequential", "run 25, 50, 75 and 100 %% of the samples, and stop when decided"),
)
_OUTPUTS: tuple[Flag, ...] = (
    ("--json", "FILE", "write the result as JSON (without FILE: print it)"),
    ("--junit", "FILE", "write it as JUnit XML, one test case per primary metric"),
    ("--markdown", "FILE", "write it as Markdown, for a comment on a pull request"),
)
_MINE = ("baseline", "candidate", "budgets", "undecided", "plan", "self_test", "sequential", "show_harmful")


def add_check(parser: Parser) -> None:
    """Add the arguments of `check`."""
    parser.usage = "holdfast check --baseline A --candidate B [--budgets budgets.toml] [options of run]"
    parser.epilog = (
        "exit status: 0 PASS, 1 FAIL, 3 UNDECIDED, 2 a mistake in the input, 4 the two sides can't be compared\n\n"
        "examples:\n"
        "  holdfast check --baseline ./old --candidate ./new --model_args pretrained=./base --tasks prompts.jsonl\n"
        "  holdfast check --baseline results/old:prod --candidate results/new --budgets budgets.toml --junit check.xml"
    )
    parser.add_flags("check", _CHECK_FLAGS)
    parser.add_switches("check", _MODES)
    parser.add_flags("result", _OUTPUTS, nargs="?", const="-")
    parser.add_switches("result", [("--show_harmful", "show the texts of safety tasks, too")])
    add_run_flags(parser, leave_out=("--adapters", "--adapter_scales", "--skip_bad_adapters"))
    parser.start(_check)


def _check(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.store.config import CONFIG_FILE
    from holdfast.writing import check_own_file
    from holdfast.yaml_file import read_yaml

    for name in ("baseline", "candidate"):
        if name not in args and not (name == "candidate" and "plan" in args):
            args.parser.error(f"--{name} is missing: name a run, as in results/run:ADAPTER, or an adapter")
    outputs = {name: getattr(args, name) for name in _BEGINNINGS if name in args}
    if list(outputs.values()).count("-") > 1:
        args.parser.error("only one of --json, --junit and --markdown can be printed: give the others a FILE")
    for name, target in outputs.items():
        if target != "-":
            check_own_file(Path(target), _BEGINNINGS[name], f"--{name}")
    settings = settings_of(args, *_MINE, *outputs, "config")
    if "config" in args:
        settings = read_yaml(Path(args.config), CONFIG_FILE) | settings
    if "plan" in args:
        others = [*settings, *outputs, *(name for name in ("self_test", "sequential", "undecided") if name in args)]
        if others:
            args.parser.error(f"--plan reads finished runs and prints a table: omit --{others[0]}")
        return _plan(args)
    result = _result(args, settings)
    if "show_harmful" not in args:
        result = result.without_harmful()
    _show(replace(result, command=shlex.join(["holdfast", *sys.argv[1:]])), outputs)
    return result.exit_status


def _plan(args: argparse.Namespace) -> int:
    from holdfast.harness.actions.checking import plan
    from holdfast.harness.results.check.printing.plan_table import plan_table

    planned, settings = plan(args.baseline, getattr(args, "candidate", None), budgets=getattr(args, "budgets", None))
    print(plan_table(planned, alpha=settings.alpha, power=settings.power))
    return 0


def _result(args: argparse.Namespace, settings: dict[str, Any]) -> "CheckResult":
    from holdfast.harness.actions.checking import Asked, compare, conclude
    from holdfast.harness.results.check.self_test import false_fails

    budgets, undecided = getattr(args, "budgets", None), getattr(args, "undecided", None)
    if "sequential" in args:
        if "self_test" in args:
            args.parser.error("--self_test needs all samples: omit --sequential")

        from holdfast.harness.actions.sequential_check import check_sequentially

        return check_sequentially(args.baseline, args.candidate, Asked.of(budgets, undecided), settings)
    found = compare(args.baseline, args.candidate, budgets=budgets, undecided=undecided, settings=settings)
    result = conclude(found)
    if "self_test" in args:
        result = replace(result, false_fails=false_fails(found.primaries, found.settings.alpha))
    return result


_BEGINNINGS = {
    "json": rb'\{\s*"verdict"',
    "junit": rb"<\?xml [^>]*>\s*<testsuites",
    "markdown": rb"<!-- holdfast check",
}
"""How a file begins that an earlier check wrote, and this one may replace."""


def _show(result: "CheckResult", outputs: dict[str, str]) -> None:
    import json
    from pathlib import Path

    from holdfast.harness.results.check.printing.github import annotations
    from holdfast.harness.results.check.printing.junit import junit
    from holdfast.harness.results.check.printing.markdown import markdown
    from holdfast.harness.results.check.printing.screen import screen
    from holdfast.writing import write_text

    writers: dict[str, Callable[[CheckResult], str]] = {
        "json": lambda found: json.dumps(found.to_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n",
        "junit": junit,
        "markdown": markdown,
    }
    for name, target in outputs.items():
        text = writers[name](result)
        if target == "-":
            _print(text)
        else:
            write_text(Path(target), text)
    if "-" not in outputs.values():
        _print(f"{screen(result)}\n" + "".join(f"written to {target}\n" for target in outputs.values()))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations(result):
            print(line, file=sys.stderr if "-" in outputs.values() else sys.stdout)


def _print(text: str) -> None:
    """Print; a reader that is gone doesn't change the verdict."""
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
