"""The verbs that look closer: at a run's variants and answers, at two texts, at what there is."""

import argparse
from typing import Any

from holdfast.harness.verbs.verb import add


def add_verbs(verbs: Any) -> None:
    """Add them to the command line."""
    shrink = add(verbs, "shrink", _shrink, "reduce a variant that moved an answer to the fewest edits that still do")
    shrink.add_argument("run", metavar="RUN", help="a directory written by holdfast run")
    shrink.add_argument("key", metavar="KEY", nargs="?", help="a line's key in samples.jsonl (default: the worst)")
    shrink.add_argument("--device", metavar="DEVICE", help="cpu, cuda, ... (default: the run's)")

    explain = add(verbs, "explain", _explain, "show why an answer drifted, segment by segment")
    explain.add_argument("run", metavar="RUN", help="a directory written by holdfast run")
    explain.add_argument("key", metavar="KEY", nargs="?", help="a line's key in samples.jsonl (default: the worst)")
    explain.add_argument("--json", action="store_true", help="print JSON")

    drift = add(verbs, "drift", _drift, "compare two texts, segment by segment")
    drift.add_argument("clean", metavar="A.txt", help="a text file, or - for standard input")
    drift.add_argument("perturbed", metavar="B.txt", help="the same")
    drift.add_argument("--encoder", metavar="NAME", default="minilm", help="(default: %(default)s)")
    drift.add_argument("--granularity", choices=("sentence", "clause", "phrase"), default="sentence")
    drift.add_argument("--json", action="store_true", help="print JSON")

    calibrate = add(verbs, "calibrate", _calibrate, "fit the drift from which on an answer counts as broken")
    calibrate.add_argument("runs", nargs="*", metavar="RUN", help="runs whose noise floor the threshold must exceed")
    calibrate.add_argument("--pairs", metavar="FILE", help="labelled pairs of your own (default: the embedded set)")
    calibrate.add_argument("--encoder", metavar="NAME", default="minilm", help="(default: %(default)s)")
    calibrate.add_argument("--granularity", choices=("sentence", "clause", "phrase"), default="sentence")
    calibrate.add_argument("--false_alarm", metavar="X", type=float, default=0.1, help="(default: %(default)s)")
    calibrate.add_argument("--out", metavar="FILE", help="write the calibration as JSON too")

    listing = add(verbs, "ls", _ls, "list what there is: tasks, perturbations, metrics, ...")
    listing.add_argument("kind", nargs="?", help="tasks, perturbations, metrics, encoders, backends or methods")

    schema = add(verbs, "schema", _schema, "print the JSON schema of a file that we write")
    schema.add_argument(
        "file", choices=("run.json", "samples.jsonl", "training_card.json", "correction_card.json", "subspace")
    )


def _shrink(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.shrinking import print_shrunk

    print_shrunk(Path(args.run), args.key, args.device)
    return 0


def _explain(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.explaining import explain

    explain(Path(args.run), args.key, as_json=args.json)
    return 0


def _drift(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.explaining import compare_files

    paths = Path(args.clean), Path(args.perturbed)
    compare_files(*paths, encoder=args.encoder, granularity=args.granularity, as_json=args.json)
    return 0


def _calibrate(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.calibration import calibrate, print_calibration

    found = calibrate(
        [Path(run) for run in args.runs],
        pairs=Path(args.pairs) if args.pairs else None,
        encoder=args.encoder,
        granularity=args.granularity,
        false_alarm=args.false_alarm,
    )
    print_calibration(found, Path(args.out) if args.out else None)
    return 0


def _ls(args: argparse.Namespace) -> int:
    from holdfast.harness.actions.listing import print_listing

    print_listing(args.kind)
    return 0


def _schema(args: argparse.Namespace) -> int:
    import json

    from pydantic import TypeAdapter

    from holdfast.harness.actions.correction_card import CorrectionCard
    from holdfast.harness.actions.subspaces import SubspaceManifest
    from holdfast.harness.store.manifest import Manifest
    from holdfast.harness.store.records import Record
    from holdfast.training.training_card import TrainingCard

    models: dict[str, Any] = {
        "run.json": Manifest,
        "samples.jsonl": Record,
        "training_card.json": TrainingCard,
        "correction_card.json": CorrectionCard,
        "subspace": SubspaceManifest,
    }
    print(json.dumps(TypeAdapter(models[args.file]).json_schema(), indent=2))
    return 0
