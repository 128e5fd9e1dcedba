"""The command line. Nothing heavy is imported before a verb needs it, so that help is instant."""

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from holdfast import __version__
from holdfast.errors import UserError

_RUN_FLAGS: tuple[tuple[str, str, str], ...] = (
    ("--model", "NAME", "backend that generates (default: hf)"),
    ("--model_args", "K=V,...", "its arguments, as in pretrained=pocket-aligned,dtype=float32"),
    ("--adapters", "A,B,...", "base, adapter directories or shipped adapters; name=directory renames one"),
    ("--adapter_scales", "X,...", "ask every adapter with its update scaled so, as in 0,0.5,1; a curve in the table"),
    ("--tasks", "T,...", "suites by name, or your own prompts: file.jsonl, task.yaml"),
    ("--perturbations", "P,...", "names, each with @light, @heavy or @0.08 if wanted; typos+emoji does both"),
    (
        "--severity",
        "S,...",
        "light, heavy or numbers, for perturbations without their own (default: light,heavy)",
    ),
    ("--repeats", "N", "variants of each sample per perturbation and severity (default: 1)"),
    ("--aggregate", "A,...", "mean, worst: over a sample's variants; worst is the one that hurts most (default: mean)"),
    ("--search", "random:N|greedy:N", "look for the variant that hurts most, among N of each sample"),
    ("--pack", "DIR", "ask the variants that holdfast perturb --out wrote, instead of making them"),
    ("--min_meaning", "X", "leave out variants that keep less of their prompt's meaning (default: 0.5; 0: none)"),
    ("--paraphraser", "K=V,...", "a model that paraphrases the prompts, as in pretrained=DIR; cache=FILE keeps them"),
    ("--limit", "N", "only the first N samples of each task"),
    ("--batch_size", "N|auto", "prompts per forward pass (default: auto)"),
    ("--device", "DEVICE", "cpu, cuda, cuda:1 (default: a GPU where there is one)"),
    ("--gen_kwargs", "K=V,...", "max_new_tokens, temperature, top_p over what the tasks say"),
    ("--encoder", "NAME", "sentence encoder: minilm (default), lexical, model, a path; by language: minilm,hi=path"),
    ("--break_threshold", "X", "from this max_drift on an answer counts as broken (holdfast calibrate fits it)"),
    ("--granularity", "G", "segments: sentence (default), clause or phrase"),
    ("--spacy_pipeline", "NAME", "an installed trained spaCy pipeline to find sentences with"),
    ("--seed", "N", "seed of every random choice (default: 0)"),
    (
        "--output_path",
        "DIR",
        "where the run is kept; the same command again resumes it (default: results/run)",
    ),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 is success, 1 a mistake in the input, 130 an interruption."""
    parser = _parser()
    args, more = parser.parse_known_args(argv)
    if more and not getattr(args, "takes_more", False):
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    args.more = more
    warnings.showwarning = _show_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode still gets its table
    # Threads that spin while they wait slow a small model tenfold as soon as anything else uses the cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        return int(args.verb(args))
    except UserError as error:
        print(f"holdfast: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("holdfast: interrupted (a run goes on where it was when given the same command again)", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # or Python complains once more, at exit, that the reader (head, less) has gone
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="holdfast",
        description="Does your LoRA adapter hold fast when the prompt is disturbed?",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"holdfast {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(verbs)

    _add_perturb(verbs)

    shrink = _add(verbs, "shrink", _shrink, "reduce a variant that moved an answer to the fewest edits that still do")
    shrink.add_argument("run", metavar="RUN", help="a directory written by holdfast run")
    shrink.add_argument("key", metavar="KEY", nargs="?", help="a line's key in samples.jsonl (default: the worst)")
    shrink.add_argument("--device", metavar="DEVICE", help="cpu, cuda, ... (default: the run's)")

    explain = _add(verbs, "explain", _explain, "show why an answer drifted, segment by segment")
    explain.add_argument("run", metavar="RUN", help="a directory written by holdfast run")
    explain.add_argument("key", metavar="KEY", nargs="?", help="a line's key in samples.jsonl (default: the worst)")
    explain.add_argument("--json", action="store_true", help="print JSON")

    drift = _add(verbs, "drift", _drift, "compare two texts, segment by segment")
    drift.add_argument("clean", metavar="A.txt")
    drift.add_argument("perturbed", metavar="B.txt")
    drift.add_argument("--encoder", metavar="NAME", default="minilm", help="(default: %(default)s)")
    drift.add_argument("--granularity", choices=("sentence", "clause", "phrase"), default="sentence")
    drift.add_argument("--json", action="store_true", help="print JSON")

    calibrate = _add(verbs, "calibrate", _calibrate, "fit the drift from which on an answer counts as broken")
    calibrate.add_argument("runs", nargs="*", metavar="RUN", help="runs whose noise floor the threshold must exceed")
    calibrate.add_argument("--pairs", metavar="FILE", help="labelled pairs of your own (default: the embedded set)")
    calibrate.add_argument("--encoder", metavar="NAME", default="minilm", help="(default: %(default)s)")
    calibrate.add_argument("--granularity", choices=("sentence", "clause", "phrase"), default="sentence")
    calibrate.add_argument("--false_alarm", metavar="X", type=float, default=0.1, help="(default: %(default)s)")
    calibrate.add_argument("--out", metavar="FILE", help="write the calibration as JSON too")

    listing = _add(verbs, "ls", _ls, "list what there is: tasks, perturbations, metrics, ...")
    listing.add_argument("kind", nargs="?", help="tasks, perturbations, metrics, encoders, backends or methods")

    validate = _add(verbs, "validate", _validate, "check a run's configuration without running it")
    validate.add_argument("config", metavar="run.yaml")

    board = _add(verbs, "leaderboard", _leaderboard, "merge the leaderboards of several runs")
    board.add_argument("runs", nargs="+", metavar="RUN", help="directories written by holdfast run")
    board.add_argument(
        "--output_path", metavar="FILE", default="results/leaderboard.csv", help="(default: %(default)s)"
    )

    _add_train(verbs)

    inspect = _add(verbs, "inspect", _inspect, "show how large an adapter's update is, module by module")
    inspect.add_argument("adapter", metavar="ADAPTER", help="a peft directory, a hub name or a shipped adapter")
    inspect.add_argument("--json", action="store_true", help="print JSON")

    schema = _add(verbs, "schema", _schema, "print the JSON schema of a file that a run writes")
    schema.add_argument("file", choices=("run.json", "samples.jsonl"))

    pocket = verbs.add_parser("pocket", help="the shipped pocket models").add_subparsers(
        required=True, metavar="COMMAND"
    )
    build = _add(pocket, "build", _pocket_build, "make the pocket models from scratch")
    build.add_argument("--out", metavar="DIR", required=True)
    build.add_argument("--seed", type=int, default=0)
    build.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    return parser


def _add_run(verbs: Any) -> None:
    run = _add(verbs, "run", _run, "evaluate adapters on tasks under perturbations")
    run.add_argument("--config", metavar="run.yaml", help="settings from a file; flags go over them")
    for flag, metavar, text in _RUN_FLAGS:
        run.add_argument(flag, metavar=metavar, help=text, default=argparse.SUPPRESS)
    run.add_argument(
        "--log_samples",
        action="store_true",
        help="keep the drifted segments of every answer",
        default=argparse.SUPPRESS,
    )
    run.add_argument(
        "--attention",
        action="store_true",
        help="measure how far each answer's attention to its prompt moved (backend hf; two more passes an answer)",
        default=argparse.SUPPRESS,
    )


_TRAIN_FLAGS: tuple[tuple[str, str, str], ...] = (
    ("--model", "K=V,...", "the base, as in pretrained=pocket-aligned,dtype=bfloat16"),
    ("--data", "FILE", "JSONL, CSV or parquet with prompt and completion, messages, or text and label; or a hub name"),
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


def _add_train(verbs: Any) -> None:
    text = "train an adapter; any field of transformers' TrainingArguments is a flag too, as in --num_train_epochs 2"
    train = _add(verbs, "train", _train, text)
    train.add_argument("--config", metavar="recipe.yaml", help="settings from a file; flags go over them")
    for flag, metavar, about in _TRAIN_FLAGS:
        train.add_argument(flag, metavar=metavar, help=about, default=argparse.SUPPRESS)
    train.add_argument("--full", action="store_true", help="train every weight, no adapter", default=argparse.SUPPRESS)
    train.set_defaults(takes_more=True)


_PERTURB_FLAGS = ("tasks", "perturbations", "severity", "repeats", "limit", "seed", "search", "paraphraser")
"""Flags of `run` that decide the variants."""


def _add_perturb(verbs: Any) -> None:
    text = "write the variants of tasks as a pack, or disturb the text on standard input"
    perturb = _add(verbs, "perturb", _perturb, text)
    for flag, metavar, about in _RUN_FLAGS:
        if flag.removeprefix("--") in _PERTURB_FLAGS:
            perturb.add_argument(flag, metavar=metavar, help=about, default=argparse.SUPPRESS)
    perturb.add_argument("--out", metavar="DIR", help="where the pack is written")
    perturb.add_argument("--diff", action="store_true", help="show the edits, in colour on a terminal")
    actions = perturb.add_subparsers(metavar="verify")
    verify = _add(actions, "verify", _verify_pack, "make a pack's variants again and compare them byte by byte")
    verify.add_argument("pack", metavar="DIR")
    verify.add_argument("--tasks", metavar="T,...", help="where the tasks' files lie on this machine, if elsewhere")


def _add(verbs: Any, name: str, verb: Any, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.set_defaults(verb=verb)
    return parser


def _run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.config import CONFIG_FILE, make_config
    from holdfast.harness.tables import print_results
    from holdfast.yaml_file import read_yaml

    flags = {name: value for name, value in vars(args).items() if name not in {"verb", "config", "more"}}
    config = make_config({**(read_yaml(Path(args.config), CONFIG_FILE) if args.config else {}), **flags})
    from holdfast.harness.evaluation import evaluate

    print_results(evaluate(config))
    return 0


def _perturb(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.config import make_config
    from holdfast.harness.perturbing import print_disturbed, print_variants, write

    given = vars(args)
    config = make_config({name: given[name] for name in _PERTURB_FLAGS if name in given})
    if args.out and "tasks" not in given:
        raise UserError(
            "--out writes the variants of tasks: name them with --tasks (a pipe's output goes to a file by >)"
        )
    if args.out:
        write(config, Path(args.out))
    elif "tasks" in given:
        print_variants(config, diff=args.diff)
    else:
        print_disturbed(config, sys.stdin.buffer.read(), diff=args.diff)
    return 0


def _verify_pack(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.perturbing import verify

    verify(Path(args.pack), args.tasks.split(",") if args.tasks else None)
    return 0


def _shrink(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.shrinking import print_shrunk

    print_shrunk(Path(args.run), args.key, args.device)
    return 0


def _explain(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.explaining import explain

    explain(Path(args.run), args.key, as_json=args.json)
    return 0


def _drift(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.explaining import compare_files

    paths = Path(args.clean), Path(args.perturbed)
    compare_files(*paths, encoder=args.encoder, granularity=args.granularity, as_json=args.json)
    return 0


def _calibrate(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.calibration import calibrate, print_calibration

    found = calibrate(
        [Path(run) for run in args.runs],
        pairs=Path(args.pairs) if args.pairs else None,
        encoder=args.encoder,
        granularity=args.granularity,
        false_alarm=args.false_alarm,
    )
    print_calibration(found, Path(args.out) if args.out else None)
    return 0


def _inspect(args: argparse.Namespace) -> int:
    from holdfast.harness.inspecting import print_geometry

    print_geometry(args.adapter, as_json=args.json)
    return 0


def _train(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.training import make_recipe_of, train_adapter
    from holdfast.yaml_file import read_yaml

    own = {"verb", "config", "more", "takes_more"}
    flags = {name: value for name, value in vars(args).items() if name not in own}
    given = read_yaml(Path(args.config), "recipe") if args.config else {}
    print(f"written to {train_adapter(make_recipe_of(given, flags, args.more))}")
    return 0


def _ls(args: argparse.Namespace) -> int:
    from holdfast.harness.listing import print_listing

    print_listing(args.kind)
    return 0


def _validate(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.validation import validate

    for line in validate(Path(args.config)):
        print(line)
    return 0


def _leaderboard(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.leaderboard import merge
    from holdfast.harness.tables import print_leaderboard

    target = Path(args.output_path)
    print_leaderboard(merge([Path(run) for run in args.runs], target))
    print(f"written to {target}")
    return 0


def _schema(args: argparse.Namespace) -> int:
    import json

    from pydantic import TypeAdapter

    from holdfast.harness.manifest import Manifest
    from holdfast.harness.records import Record

    model: Any = {"run.json": Manifest, "samples.jsonl": Record}[args.file]
    print(json.dumps(TypeAdapter(model).json_schema(), indent=2))
    return 0


def _pocket_build(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.training.pocket import build

    build(Path(args.out), seed=args.seed, device=args.device)
    return 0


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    print(f"holdfast: WARNING: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
