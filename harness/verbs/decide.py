"""The verbs that help to decide: leaderboard, explain, shrink."""

import argparse

from holdfast.harness.verbs.parser import Parser


def add_leaderboard(parser: Parser) -> None:
    """Add the arguments of `leaderboard`."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="directories written by holdfast run")
    parser.add_argument(
        "--output_path", metavar="FILE", default="results/leaderboard.csv", help="(default: %(default)s)"
    )
    parser.add_argument("--geometry", action="store_true", help="add the size and effective rank of every adapter")
    parser.start(_leaderboard)


def _leaderboard(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.results.leaderboard import leaderboard
    from holdfast.harness.results.tables import print_leaderboard

    target = Path(args.output_path)
    print_leaderboard(leaderboard(args.runs, output_path=target, geometry=args.geometry))
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
