"""The verbs that show runs, or hand them on: report, view, export, card."""

import argparse
from contextlib import suppress

from holdfast.errors import printable
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


def add_card(parser: Parser) -> None:
    """Add the arguments of `card`."""
    parser.usage = (
        "holdfast card RUN --adapter A [-o DIR] [--into README.md]\n       holdfast card verify FILE --run RUN"
    )
    parser.epilog = (
        "examples:\n"
        "  holdfast card results/run --adapter new -o ./new --into ./new/README.md\n"
        "  holdfast card verify ./new/holdfast.json --run results/run"
    )
    parser.add_argument("words", nargs="+", metavar="RUN", help="the directory of a finished run; or verify FILE")
    parser.add_argument("--adapter", metavar="A", help="its name in the run")
    parser.add_argument("-o", "--output_path", metavar="DIR", help="a folder (default: RUN/cards/A)")
    parser.add_argument("--into", metavar="FILE", help="a model card to write the section into")
    parser.add_argument("--run", metavar="RUN", help="the run that a card is verified against")
    parser.start(_card)


def _card(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.sharing.carding import verify_card, write_card

    if args.words[0] == "verify":
        if len(args.words) != 2 or args.run is None or args.adapter or args.output_path or args.into:
            args.parser.error("verify takes a card and its run, as in verify holdfast.json --run results/run")
        found = verify_card(Path(args.words[1]), Path(args.run))
        for difference in found:
            print(printable(difference))
        print(f"{args.words[1]}: {len(found)} differences from {args.run}" if found else f"{args.words[1]} is verified")
        return 1 if found else 0
    if len(args.words) != 1 or args.adapter is None or args.run:
        args.parser.error("name a run and one of its adapters, as in card results/run --adapter new")
    target, into = (Path(each) if each else None for each in (args.output_path, args.into))
    for path in write_card(Path(args.words[0]), args.adapter, output_path=target, into=into):
        print(f"written to {path}")
    return 0
