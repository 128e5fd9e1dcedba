"""The verbs that help to decide: leaderboard, explain, shrink, safety."""

import argparse

from holdfast.harness.verbs.parser import Parser
from holdfast.harness.verbs.view_flags import add_view_flags, view_of
from holdfast.writing import write_text


def add_leaderboard(parser: Parser) -> None:
    """Add the arguments of `leaderboard`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="directories written by holdfast run")
    parser.add_argument(
        "--output_path",
        metavar="FILE",
        help=f"where the table goes (default: {_TARGET} as CSV; with --format, standard output)",
    )
    parts = ("adapter", "task", "perturbation", "family", "severity", "group", "method", "transfer")
    parser.add_argument(
        "--by",
        choices=parts,
        default="adapter",
        help="a row per adapter (default) and task, perturbation, family, severity or group; or per training method; "
        "transfer: training data against tasks",
    )
    parser.add_argument("--baseline", metavar="NAME", help="compare the others with this adapter, over seeds")
    parser.add_argument("--geometry", action="store_true", help="add the size and effective rank of every adapter")
    add_view_flags(parser, ("text", "markdown", "csv", "latex", "html"))
    parser.start(_leaderboard)


_TARGET = "results/leaderboard.csv"


def _leaderboard(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.results.leaderboard import check_leaderboard_file, leaderboard, write_leaderboard
    from holdfast.harness.results.tables import leaderboard_page
    from holdfast.harness.results.transfer_matrix import transfer_page

    view = view_of(args)
    target = Path(args.output_path or _TARGET)
    writes = view.format == "text" or bool(args.output_path)
    if writes:
        check_leaderboard_file(target)
    board = leaderboard(args.runs, geometry=args.geometry, by=args.by, baseline=args.baseline)
    page = (transfer_page if args.by == "transfer" else leaderboard_page)(board, view, str(target))
    if view.format == "text":
        print(page)
        write_leaderboard(board, target)
    elif writes:
        write_text(target, f"{page}\n")
    else:
        print(page)
    if writes:
        print(f"written to {target}")
    return 0


def _add_answer(parser: Parser) -> None:
    parser.add_argument("run", metavar="RUN", help="a directory written by holdfast run")
    parser.add_argument("key", metavar="KEY", nargs="?", help="a key in samples.jsonl (default: the worst drift)")


def add_explain(parser: Parser) -> None:
    """Add the arguments of `explain`."""
    _add_answer(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.start(_explain)


def _explain(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.explaining import explain

    explain(Path(args.run), args.key, as_json=args.json)
    return 0


def add_shrink(parser: Parser) -> None:
    """Add the arguments of `shrink`."""
    _add_answer(parser)
    parser.add_argument("--device", metavar="DEVICE", help="cpu, cuda, ... (default: the run's)")
    parser.start(_shrink)


def _shrink(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.shrinking import print_shrunk

    print_shrunk(Path(args.run), args.key, args.device)
    return 0


def add_safety(parser: Parser) -> None:
    """Add the arguments of `safety`."""
    parser.epilog = (
        "examples:\n"
        "  holdfast safety results/run\n"
        "  holdfast safety results/run --to_label 100 -o labels.jsonl\n"
        "  holdfast safety results/run --labels labels.jsonl"
    )
    parser.add_argument("run", metavar="RUN", help="a directory written by holdfast run")
    parser.add_argument("--labels", metavar="FILE", help="answers labelled by people, by which rates are corrected")
    parser.add_argument("--to_label", metavar="N", type=int, help="write N answers for people to label, to -o FILE")
    parser.add_argument("-o", "--output_path", metavar="FILE", help="write the table as CSV")
    parser.start(_safety)


def _safety(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.results.safety.judge_report import draw_to_label, safety

    target = Path(args.output_path) if args.output_path else None
    if args.to_label is not None:
        if args.labels or target is None:
            args.parser.error("--to_label N writes answers to -o FILE; --labels reads them afterwards")
        else:
            print(draw_to_label(Path(args.run), args.to_label, target))
        return 0
    print(safety(Path(args.run), labels=Path(args.labels) if args.labels else None, output_path=target))
    return 0
