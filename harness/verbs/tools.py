"""The tools: drift, calibrate, ls, schema, pocket."""

import argparse
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.verbs.parser import Parser

_GRANULARITIES = ("sentence", "clause", "phrase")


def _add_scoring(parser: Parser) -> None:
    parser.add_argument("--encoder", metavar="NAME", default="minilm", help="sentence encoder (default: %(default)s)")
    parser.add_argument(
        "--comparer", metavar="NAME", default="facts", help="what judges: facts (default), nli=MODEL, judge,K=V,..."
    )
    parser.add_argument(
        "--granularity",
        choices=_GRANULARITIES,
        default="sentence",
        help="what texts are cut into (default: %(default)s)",
    )


def add_drift(parser: Parser) -> None:
    """Add the arguments of `drift`."""
    parser.add_argument("clean", metavar="A.txt", help="a text file, or - for standard input")
    parser.add_argument("perturbed", metavar="B.txt", help="the text to compare with it")
    _add_scoring(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.start(_drift)


def _drift(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.explaining import compare_files

    paths = Path(args.clean), Path(args.perturbed)
    compare_files(*paths, encoder=args.encoder, comparer=args.comparer, granularity=args.granularity, as_json=args.json)
    return 0


def add_calibrate(parser: Parser) -> None:
    """Add the arguments of `calibrate`."""
    parser.add_argument("runs", nargs="*", metavar="RUN", help="runs whose noise floor the threshold must exceed")
    parser.add_argument("--pairs", metavar="FILE", help="labelled pairs of your own (default: the embedded set)")
    _add_scoring(parser)
    parser.add_argument(
        "--false_alarm", metavar="X", type=float, default=0.1, help="largest false-alarm rate (default: %(default)s)"
    )
    parser.add_argument(
        "--fit",
        nargs="+",
        metavar="NAME=FILE,...",
        help="instead, fit what each kind of difference costs on labelled pairs of several origins",
    )
    parser.add_argument("--output_path", metavar="FILE", help="write the calibration, or the costs, as JSON")
    parser.start(_calibrate)


def _calibrate(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.calibration import calibrate, check_target, print_calibration

    target = Path(args.output_path) if args.output_path else None
    if args.fit:
        from holdfast.harness.actions.fitting import write_costs

        if target is None:
            raise UserError("--fit writes a table of costs: say where with --output_path FILE")
        if args.comparer != "facts":
            raise UserError("--fit fits the costs of the comparer facts: omit --comparer")
        write_costs(args.fit, args.encoder, target)
        return 0
    if target:
        check_target(target)
    found = calibrate(
        [Path(run) for run in args.runs],
        pairs=Path(args.pairs) if args.pairs else None,
        encoder=args.encoder,
        comparer=args.comparer,
        granularity=args.granularity,
        false_alarm=args.false_alarm,
    )
    print_calibration(found, target)
    return 0


def add_ls(parser: Parser) -> None:
    """Add the arguments of `ls`."""
    parser.add_argument(
        "kind",
        nargs="?",
        help="tasks, datasets, perturbations, metrics, encoders, comparers, backends, methods, exporters",
    )
    parser.start(_ls)


def _ls(args: argparse.Namespace) -> int:
    from holdfast.harness.actions.listing import print_listing

    print_listing(args.kind)
    return 0


def add_schema(parser: Parser) -> None:
    """Add the arguments of `schema`."""
    tables = (
        *("breakdown.csv", "leaderboard.csv", "cells.csv", "failures.csv", "mitigations.csv"),
        *("classes.csv", "confusion.csv", "errors.csv", "shapes.csv"),
    )
    cards = ("training_card.json", "correction_card.json", "card")
    files = ("run.json", "samples.jsonl", *tables, *cards, "subspace", "budgets")
    parser.add_argument("file", metavar="FILE", choices=files, help=f"one of {', '.join(files)}")
    parser.start(_schema)


def _schema(args: argparse.Namespace) -> int:
    import json

    from pydantic import TypeAdapter

    from holdfast.harness.actions.subspaces import SubspaceManifest
    from holdfast.harness.results.check.budgets import Budgets
    from holdfast.harness.results.column_schema import ABOUT, column_schema
    from holdfast.harness.results.export.robustness_card import RobustnessCard
    from holdfast.harness.store.manifest import Manifest
    from holdfast.harness.store.records import Record
    from holdfast.training.correction_card import CorrectionCard
    from holdfast.training.training_card import TrainingCard

    models: dict[str, Any] = {
        "run.json": Manifest,
        "samples.jsonl": Record,
        "training_card.json": TrainingCard,
        "correction_card.json": CorrectionCard,
        "subspace": SubspaceManifest,
        "budgets": Budgets,
        "card": RobustnessCard,
    }
    schema = column_schema(args.file) if args.file in ABOUT else TypeAdapter(models[args.file]).json_schema()
    print(json.dumps(schema, indent=2))
    return 0


def add_pocket(parser: Parser) -> None:
    """Add the arguments of `pocket`."""
    parser.add_argument("action", choices=("build",), help="build: make the pocket models from scratch")
    parser.add_argument("--output_path", metavar="DIR", required=True, help="where to write them")
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="seed of every random choice (default: %(default)s)"
    )
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="where to train (default: %(default)s)"
    )
    parser.start(_pocket)


def _pocket(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.training.pocket.building import build_all

    build_all(Path(args.output_path), seed=args.seed, device=args.device)
    return 0
