"""The verbs that show runs in a browser: report, view."""

import argparse

from holdfast.harness.verbs.parser import Parser

_SIDE = "its name in the runs, or RUN:ADAPTER"


def add_report(parser: Parser) -> None:
    """Add the arguments of `report`."""
    parser.epilog = (
        "examples:\n"
        "  holdfast report results/run\n"
        "  holdfast report results/run --baseline prod --candidate new -o report.html --figures figures"
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help="directories written by holdfast run")
    parser.add_argument("-o", "--output_path", metavar="FILE", help="the page (default: report.html in the first RUN)")
    parser.add_argument("--baseline", metavar="ADAPTER", help=f"the adapter in use: {_SIDE}")
    parser.add_argument("--candidate", metavar="ADAPTER", help="the adapter that may replace it")
    parser.add_argument("--budgets", metavar="FILE", help="what the candidate may lose, as for check")
    parser.add_argument("--figures", metavar="DIR", help="also draw the charts as SVG and PNG")
    _add_show_harmful(parser)
    parser.start(_report)


def _add_show_harmful(parser: Parser) -> None:
    parser.add_argument("--show_harmful", action="store_true", help="show the texts of safety tasks, too")


def _report(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.reporting import write_report

    written = write_report(
        [Path(run) for run in args.runs],
        output_path=Path(args.output_path) if args.output_path else None,
        baseline=args.baseline,
        candidate=args.candidate,
        budgets=args.budgets,
        show_harmful=args.show_harmful,
    )
    for path in written:
        print(f"written to {path}")
    return 0
