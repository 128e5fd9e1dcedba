"""The verbs that mend a finished adapter: subspace, correct, equivalence."""

import argparse
from typing import Any

from holdfast.harness.verbs.verb import add


def add_verbs(verbs: Any) -> None:
    """Add them to the command line."""
    subspace = add(verbs, "subspace", _subspace, "find the directions in which alignment moved a model")
    subspace.add_argument("--base", metavar="MODEL", required=True, help="the checkpoint before alignment")
    subspace.add_argument("--aligned", metavar="MODEL", required=True, help="the checkpoint after it")
    subspace.add_argument("--out", metavar="FILE", required=True, help="the same command again resumes it")
    subspace.add_argument("--rank", metavar="K", type=int, help="directions in each module")
    subspace.add_argument("--energy", metavar="X", type=float, help="or as many as hold this share (default: 0.9)")
    subspace.add_argument("--seed", metavar="N", type=int, default=0, help="(default: %(default)s)")
    subspace.add_argument("--device", metavar="DEVICE", default="cpu", help="cpu, cuda, ... (default: %(default)s)")
    subspace.add_argument("--json", action="store_true", help="print the manifest")
    _add_correct(verbs)

    equivalence = add(verbs, "equivalence", _equivalence, "ask through peft, merged weights and vLLM: same answers?")
    equivalence.add_argument("--adapter", metavar="ADAPTER", required=True, help="a peft directory or shipped adapter")
    equivalence.add_argument("--model", metavar="K=V,...", default="", help="the base (default: the adapter's own)")
    equivalence.add_argument("--dtype", metavar="DTYPE", default="float32", help="(default: %(default)s)")
    equivalence.add_argument("--tasks", metavar="T,...", default="factual_qa", help="(default: %(default)s)")
    equivalence.add_argument("--limit", metavar="N", type=int, help="samples of each task (default: all)")
    equivalence.add_argument("--encoder", metavar="NAME", default="minilm", help="(default: %(default)s)")
    equivalence.add_argument("--json", action="store_true", help="print every row that differs, as JSON")


def _add_correct(verbs: Any) -> None:
    correct = add(verbs, "correct", _correct, "mend a trained adapter without training it again")
    correct.add_argument("adapter", metavar="ADAPTER", help="a peft directory, a hub name or a shipped adapter")
    correct.add_argument("--method", metavar="NAME", default="csulora", help="csulora, or a control: see holdfast ls")
    correct.add_argument("--subspace", metavar="FILE", required=True, help="what holdfast subspace wrote")
    correct.add_argument("--out", metavar="DIR", required=True, help="a sweep is written to DIR/strength-S")
    correct.add_argument("--strength", metavar="S,...", help="csulora, shrink, random_subspace: how much (default: 1)")
    correct.add_argument("--signed", action="store_true", help="csulora: attenuate what undoes the alignment, too")
    correct.add_argument("--per_direction", action="store_true", help="csulora: by each direction's own energy")
    correct.add_argument("--separable", action="store_true", help="csulora: a_O = a_L a_R, exactly of the same rank")
    correct.add_argument("--rank", metavar="R", help="csulora: keep, exact (twice the rank) or N (default: keep)")
    correct.add_argument("--threshold", metavar="X", type=float, help="safelora: project up to this cosine (0.35)")
    correct.add_argument("--number", metavar="N", type=int, help="safelora: or the N modules of the lowest cosine")
    correct.add_argument("--seed", metavar="N", type=int, help="random_subspace: of the directions (default: 0)")
    correct.add_argument("--allow_pickle", action="store_true", help="read an adapter_model.bin too")


def _subspace(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.subspaces import make_subspace, print_subspace

    out = Path(args.out)
    made = make_subspace(
        args.base, args.aligned, out, rank=args.rank, energy=args.energy, seed=args.seed, device=args.device
    )
    print(made.model_dump_json(indent=2)) if args.json else print_subspace(made, out)
    return 0


def _correct(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.correcting import correct, print_correction
    from holdfast.harness.actions.correction_card import make_settings, parse_strengths

    names = ("signed", "per_direction", "separable", "rank", "threshold", "number", "seed")
    options = {name: getattr(args, name) for name in names}
    settings = make_settings(args.method, parse_strengths(args.strength), **options)
    for path, card in correct(
        args.adapter, Path(args.subspace), Path(args.out), settings, allow_pickle=args.allow_pickle
    ):
        print_correction(path, card)
    return 0


def _equivalence(args: argparse.Namespace) -> int:
    from holdfast.harness.actions.equivalence import equivalence, print_equivalence

    found = equivalence(
        args.adapter,
        model=args.model,
        dtype=args.dtype,
        tasks=args.tasks.split(","),
        limit=args.limit,
        encoder=args.encoder,
    )
    print_equivalence(found, as_json=args.json)
    return 0
