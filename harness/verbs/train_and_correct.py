"""The verbs that make and change adapters: train, inspect, subspace, correct, equivalence."""

import argparse
from collections.abc import Iterator

from holdfast.harness.verbs.parser import Flag, Parser, aliases, settings_of

_TRAIN_FLAGS: dict[str, tuple[Flag, ...]] = {
    "model": (
        ("--model_args", "K=V,...", "the base, as in pretrained=./base,dtype=bfloat16 (default: pocket-aligned)"),
        ("--lora", "K=V,...", "any field of LoraConfig; replaces the default, r=8,alpha=16,targets=all-linear"),
    ),
    "data": (
        (
            "--data",
            "FILE",
            "JSONL, JSON, CSV, parquet or a hub name: prompt and completion, messages, or text and label",
        ),
        ("--eval_data", "FILE", "the same, to evaluate on"),
        ("--max_length", "N", "maximum tokens of prompt and completion together (default: the model's context)"),
        (
            "--too_long",
            "cut|drop",
            "cut the beginning of prompts that are too long, or drop the examples (default: cut)",
        ),
    ),
    "method": (
        ("--objective", "NAME", "the loss (default: none, the task loss alone); see below"),
        ("--objective_args", "K=V,...", "its settings"),
        ("--noise", "NAME", "noise on the weights during a step (default: none); see below"),
        ("--noise_args", "K=V,...", "its settings"),
        ("--perturbations", "P,...", "how objectives perturb prompts (default: typos,word_deletion,synonyms)"),
    ),
    "output": (
        ("--output_path", "DIR", "where the adapter is kept; the same command resumes training"),
        ("--seed", "N", "seed of every random choice (default: 0)"),
        ("--seeds", "N,...", "train an adapter under each of these seeds, in DIR/seed-N"),
    ),
}
_PROTECT = "never perturb the names, numbers and content words that a completion copies from its prompt"
_TRAIN_EXAMPLES = """
Any field of transformers' TrainingArguments is a flag too: --num_train_epochs 2 --learning_rate 1e-4

examples:
  holdfast train --model_args pretrained=./base --data train.jsonl --objective augment --output_path results/tuned
  holdfast train --config recipe.yaml --noise flat_lora --noise_args sigma=0.1 --lora r=16,targets=q_proj+v_proj"""


def add_train(parser: Parser) -> None:
    """Add the arguments of `train`."""
    parser.usage = "holdfast train --data FILE --output_path DIR [options]"
    parser.spellings |= aliases("--model_args", "--model")
    parser.takes_more = True
    parser.add_flags("recipe", [("--config", "recipe.yaml", "read settings from a file; flags override it")])
    for group, flags in _TRAIN_FLAGS.items():
        parser.add_flags(group, flags)
    parser.add_switches("model", [("--full", "train every weight instead of an adapter")])
    parser.add_switches("method", [("--protect_facts", _PROTECT)])
    parser.describe_later(lambda: "\n".join([*_described("loss"), *_described("weights"), _TRAIN_EXAMPLES]))
    parser.start(_train)


def _described(place: str) -> Iterator[str]:
    """The methods that act at a place, with their settings and defaults, for help."""
    from holdfast.training.method import PLACES, methods_at

    yield f"{PLACES[place]}s and their settings:"  # type: ignore[index]
    for method in methods_at(place):  # type: ignore[arg-type]
        yield from _columns(f"  {method.name:<16}", method.summary)
        if method.measured:
            yield from _columns(" " * 18, f"Measured: {method.measured}")
        for name, default, text in method.describe_settings():
            written = str(default).lower() if isinstance(default, bool) else default
            yield from _columns(f"      {f'{name}={written}':<24} ", text)
    yield ""


def _columns(left: str, right: str) -> list[str]:
    """The right column beside the left one, wrapped where argparse wraps the help of flags."""
    import shutil
    import textwrap

    width = max(shutil.get_terminal_size().columns - 2, _NARROWEST)
    lines = textwrap.wrap(right, width - len(left))
    return [(left if not at else " " * len(left)) + line for at, line in enumerate(lines)]


_NARROWEST = 50
"""Characters of a line below which the right column would have too few for its words."""


def _train(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.training import check_data, make_recipe_of, train_adapter
    from holdfast.yaml_file import read_yaml

    flags = settings_of(args, "config", "seeds")
    given = read_yaml(Path(args.config), "recipe") if "config" in args else {}
    check_data(given, flags)
    if "seeds" in args:
        from holdfast.harness.actions.seeding import parse_seeds, train_seeds

        if "seed" in args:
            args.parser.error("--seeds and --seed are both given: leave one of them out")
        seeds = parse_seeds(args.seeds)
        for path in train_seeds(make_recipe_of(given, flags, args.more), seeds):
            print(f"written to {path}")
        return 0
    print(f"written to {train_adapter(make_recipe_of(given, flags, args.more))}")
    return 0


def add_inspect(parser: Parser) -> None:
    """Add the arguments of `inspect`."""
    parser.add_argument("adapter", metavar="ADAPTER", help="a peft directory, a hub name or a shipped adapter")
    parser.add_argument("--data", metavar="FILE", help="examples on which to measure sharpness, curvature and a bound")
    parser.add_argument("--limit", metavar="N", type=int, default=32, help="use the first N examples (default: 32)")
    parser.add_argument("--plot", metavar="PNG", help="draw the loss around the weights, with its numbers as CSV")
    parser.add_argument("--base", metavar="MODEL", help="the base model (default: the one that the adapter names)")
    parser.add_argument("--device", metavar="DEVICE", help="cpu, cuda, ... (default: a GPU if there is one)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.start(_inspect)


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


def add_subspace(parser: Parser) -> None:
    """Add the arguments of `subspace`."""
    parser.add_argument("--base", metavar="MODEL", required=True, help="the checkpoint before alignment")
    parser.add_argument("--aligned", metavar="MODEL", required=True, help="the checkpoint after alignment")
    parser.add_argument(
        "--output_path", metavar="FILE", required=True, help="where it is kept; the same command resumes it"
    )
    parser.add_argument("--rank", metavar="K", type=int, help="number of directions in each module")
    parser.add_argument(
        "--energy", metavar="X", type=float, help="or as many as hold this share of the energy (default: 0.9)"
    )
    parser.add_argument(
        "--seed", metavar="N", type=int, default=0, help="seed of the randomised SVD (default: %(default)s)"
    )
    parser.add_argument("--device", metavar="DEVICE", default="cpu", help="cpu, cuda, ... (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the manifest")
    parser.start(_subspace)


def _subspace(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.subspaces import make_subspace, print_subspace

    out = Path(args.output_path)
    made = make_subspace(
        args.base, args.aligned, out, rank=args.rank, energy=args.energy, seed=args.seed, device=args.device
    )
    print(made.model_dump_json(indent=2)) if args.json else print_subspace(made, out)
    return 0


def add_correct(parser: Parser) -> None:
    """Add the arguments of `correct`."""
    parser.add_argument("adapter", metavar="ADAPTER", help="a peft directory, a hub name or a shipped adapter")
    parser.add_argument("--method", metavar="NAME", default="csulora", help="the correction (default: csulora)")
    parser.add_argument("--subspace", metavar="FILE", required=True, help="the file that holdfast subspace wrote")
    parser.add_argument("--output_path", metavar="DIR", required=True, help="a sweep is written to DIR/strength-S")
    parser.add_argument("--allow_pickle", action="store_true", help="also read adapter_model.bin")
    _add_settings(parser)
    parser.takes_more = True  # so that a mistyped setting is reported with those of the method
    parser.describe_later(lambda: "\n".join([*_described("adapter"), _CORRECT_NOTE]))
    parser.start(_correct)


_CORRECT_NOTE = """Each setting is a flag: --strength 0.5,2 writes one adapter for each strength, --signed switches on.

example:
  holdfast correct ./adapter --subspace safety.safetensors --strength 0.5,2 --signed --output_path results/corrected"""


def _add_settings(parser: Parser) -> None:
    """Add every correction's settings as flags, so that values are told apart from the adapter."""
    from holdfast.training.method import methods_at

    settings = {name: default for method in methods_at("adapter") for name, default, _ in method.describe_settings()}
    for name, default in settings.items():
        if f"--{name}" not in parser.flags():
            action = "store_true" if default is False else "store"
            parser.add_argument(f"--{name}", action=action, default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _correct(args: argparse.Namespace) -> int:
    from holdfast.harness.actions.correcting import correct, print_correction
    from holdfast.harness.actions.training import parse_flags, parse_value

    own = ("adapter", "subspace", "output_path", "method", "allow_pickle")
    given = {name: parse_value(value) for name, value in settings_of(args, *own).items()}
    for path, card in correct(
        args.adapter,
        args.subspace,
        args.output_path,
        method=args.method,
        settings=given | parse_flags(args.more),
        allow_pickle=args.allow_pickle,
    ):
        print_correction(path, card)
    return 0


def add_equivalence(parser: Parser) -> None:
    """Add the arguments of `equivalence`."""
    parser.spellings |= aliases("--model_args", "--model")
    parser.add_argument("--adapter", metavar="ADAPTER", required=True, help="a peft directory or shipped adapter")
    parser.add_argument("--model_args", metavar="K=V,...", default="", help="the base (default: the adapter's own)")
    parser.add_argument(
        "--dtype", metavar="DTYPE", default="float32", help="precision of the weights (default: %(default)s)"
    )
    parser.add_argument(
        "--tasks", metavar="T,...", default="factual_qa", help="tasks to compare on (default: %(default)s)"
    )
    parser.add_argument("--limit", metavar="N", type=int, help="samples of each task (default: all)")
    parser.add_argument("--encoder", metavar="NAME", default="minilm", help="sentence encoder (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print every row that differs, as JSON")
    parser.start(_equivalence)


def _equivalence(args: argparse.Namespace) -> int:
    from holdfast.harness.actions.equivalence import equivalence, print_equivalence

    found = equivalence(
        args.adapter,
        model=args.model_args,
        dtype=args.dtype,
        tasks=args.tasks.split(","),
        limit=args.limit,
        encoder=args.encoder,
    )
    print_equivalence(found, as_json=args.json)
    return 0
