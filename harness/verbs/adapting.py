"""The verbs about adapters and models: train, inspect, pocket."""

import argparse
from typing import Any

from holdfast.harness.verbs.verb import OWN, add

_TRAIN_FLAGS: tuple[tuple[str, str, str], ...] = (
    ("--model", "K=V,...", "the base, as in pretrained=pocket-aligned,dtype=bfloat16"),
    ("--data", "FILE", "JSONL, JSON, CSV, parquet: prompt and completion, messages, or text and label; or a hub name"),
    ("--eval_data", "FILE", "the same, to evaluate on"),
    ("--objective", "NAME", "none, s2r2, augment, consistency, rdrop (default: none)"),
    ("--objective_args", "K=V,...", "its settings, as in weight=0.5, or s2r2's: mode=teacher,rho=0.25"),
    ("--noise", "NAME", "none, flat_lora, isotropic, sam_ab, sam_w (default: none)"),
    ("--noise_args", "K=V,...", "its settings: sigma and all_linear, or rho"),
    ("--perturbations", "P,...", "what disturbs prompts in training (default: typos,word_deletion,synonyms)"),
    ("--lora", "K=V,...", "r, alpha, targets, dropout, and any field of peft's LoraConfig"),
    ("--max_length", "N", "tokens of prompt and completion together (default: what the model holds)"),
    ("--too_long", "cut|drop", "longer examples lose their prompt's beginning, or are left out (default: cut)"),
    ("--seed", "N", "seed of every random choice (default: 0)"),
    ("--output_dir", "DIR", "where the adapter is kept; the same command again resumes it"),
)


def add_verbs(verbs: Any) -> None:
    """Add them to the command line."""
    _add_train(verbs)

    inspect = add(verbs, "inspect", _inspect, "show how large an adapter's update is, and how flat the loss around it")
    inspect.add_argument("adapter", metavar="ADAPTER", help="a peft directory, a hub name or a shipped adapter")
    inspect.add_argument("--data", metavar="FILE", help="prompts and completions: sharpness, curvature, a bound")
    inspect.add_argument("--limit", metavar="N", type=int, default=32, help="of these, the first N (default: 32)")
    inspect.add_argument("--plot", metavar="PNG", help="draw the loss around the weights, with its numbers as CSV")
    inspect.add_argument("--base", metavar="NAME", help="the base model (default: the one that the adapter names)")
    inspect.add_argument("--device", metavar="DEVICE", help="cpu, cuda, ... (default: a GPU where there is one)")
    inspect.add_argument("--json", action="store_true", help="print JSON")

    pocket = verbs.add_parser("pocket", help="the shipped pocket models").add_subparsers(
        required=True, metavar="COMMAND"
    )
    build = add(pocket, "build", _pocket_build, "make the pocket models from scratch")
    build.add_argument("--out", metavar="DIR", required=True)
    build.add_argument("--seed", type=int, default=0)
    build.add_argument("--device", choices=("cpu", "cuda"), default="cpu")


def _add_train(verbs: Any) -> None:
    text = "train an adapter; any field of transformers' TrainingArguments is a flag too, as in --num_train_epochs 2"
    train = add(verbs, "train", _train, text)
    train.add_argument("--config", metavar="recipe.yaml", help="settings from a file; flags go over them")
    for flag, metavar, about in _TRAIN_FLAGS:
        train.add_argument(flag, metavar=metavar, help=about, default=argparse.SUPPRESS)
    train.add_argument("--full", action="store_true", help="train every weight, no adapter", default=argparse.SUPPRESS)
    train.set_defaults(takes_more=True)


def _inspect(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.inspecting import inspect

    inspect(
        args.adapter,
        data=args.data,
        base=args.base,
        limit=args.limit,
        plot=Path(args.plot) if args.plot else None,
        device=args.device,
        as_json=args.json,
    )
    return 0


def _train(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.training import check_data, make_recipe_of, train_adapter
    from holdfast.yaml_file import read_yaml

    flags = {name: value for name, value in vars(args).items() if name not in OWN}
    given = read_yaml(Path(args.config), "recipe") if args.config else {}
    check_data(given, flags)
    print(f"written to {train_adapter(make_recipe_of(given, flags, args.more))}")
    return 0


def _pocket_build(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.training.pocket import build

    build(Path(args.out), seed=args.seed, device=args.device)
    return 0
