"""The verbs that show runs, or hand them on: report, view, export."""

import argparse
from contextlib import suppress

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
        figures=Path(args.figures) if args.figures else None,
        baseline=args.baseline,
        candidate=args.candidate,
        budgets=args.budgets,
        show_harmful=args.show_harmful,
    )
    for path in written:
        print(f"written to {path}")
    return 0


def add_view(parser: Parser) -> None:
    """Add the arguments of `view`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="directories written by holdfast run, finished or not")
    parser.add_argument("--port", metavar="N", type=int, default=8765, help="0 takes a free one (default: %(default)s)")
    _add_show_harmful(parser)
    parser.start(_view)


def _view(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.viewing import view

    def started(address: str) -> None:
        print(f"showing {', '.join(args.runs)} on {address} (Ctrl-C ends it)", flush=True)

    with suppress(KeyboardInterrupt):
        view([Path(run) for run in args.runs], port=args.port, started=started, show_harmful=args.show_harmful)
    return 0


def add_export(parser: Parser) -> None:
    """Add the arguments of `export`."""
    parser.add_argument("run", metavar="RUN", help="the directory of a finished run")
    parser.add_argument("--to", metavar="FORMAT", required=True, help="the format; see below")
    parser.add_argument("-o", "--output_path", metavar="DIR", help="a folder (default: RUN/exports/FORMAT)")
    parser.add_argument("--force", action="store_true", help="replace files that are there already")
    parser.describe_later(_formats)
    parser.start(_export)


def _formats() -> str:
    from holdfast.harness.actions.listing import listed

    return "\n".join(["formats:", *(f"  {name:<16} {text}" for name, text in listed("exporters").items())])


def _export(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.sharing.exporting import export

    target = Path(args.output_path) if args.output_path else None
    for path in export(Path(args.run), args.to, output_path=target, force=args.force):
        print(f"written to {path}")
    return 0
