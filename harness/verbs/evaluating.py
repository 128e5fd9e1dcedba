"""The verbs that evaluate: run, perturb, leaderboard, and the check of a configuration."""

import argparse
import sys
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.verbs.verb import OWN, add

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
    ("--distributed", "ray", "share the requests out over replicas of the engine on a Ray cluster"),
    ("--ray_address", "ADDRESS", "the cluster, as in auto or ray://head:10001 (default: one on this machine)"),
    ("--replicas", "N", "engines on the cluster (default: 1)"),
    ("--gpus_per_replica", "G", "GPUs of each (default: 0)"),
    ("--max_requests", "N", "send at most so many requests to a server, repeated ones included (backend api)"),
    ("--gen_kwargs", "K=V,...", "max_new_tokens, temperature, top_p over what the tasks say"),
    ("--encoder", "NAME", "sentence encoder: minilm (default), lexical, model, a path; by language: minilm,hi=path"),
    ("--break_threshold", "X", "from this max_drift on an answer counts as broken (holdfast calibrate fits it)"),
    ("--granularity", "G", "segments: sentence (default), clause or phrase"),
    ("--spacy_pipeline", "NAME", "an installed trained spaCy pipeline: its sentences, entities and parse"),
    ("--seed", "N", "seed of every random choice (default: 0)"),
    (
        "--output_path",
        "DIR",
        "where the run is kept; the same command again resumes it (default: results/run)",
    ),
)


def add_verbs(verbs: Any) -> None:
    """Add them to the command line."""
    _add_run(verbs)
    _add_perturb(verbs)

    validate = add(verbs, "validate", _validate, "check a run's configuration without running it")
    validate.add_argument("config", metavar="run.yaml")

    board = add(verbs, "leaderboard", _leaderboard, "merge the leaderboards of several runs")
    board.add_argument("runs", nargs="+", metavar="RUN", help="directories written by holdfast run")
    board.add_argument(
        "--output_path", metavar="FILE", default="results/leaderboard.csv", help="(default: %(default)s)"
    )
    board.add_argument("--geometry", action="store_true", help="with the size and effective rank of every adapter")


def _add_run(verbs: Any) -> None:
    run = add(verbs, "run", _run, "evaluate adapters on tasks under perturbations")
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


_PERTURB_FLAGS = ("tasks", "perturbations", "severity", "repeats", "limit", "seed", "search", "paraphraser")
"""Flags of `run` that decide the variants."""


def _add_perturb(verbs: Any) -> None:
    text = "write the variants of tasks as a pack, or disturb the text on standard input"
    perturb = add(verbs, "perturb", _perturb, text)
    perturb.epilog = (
        "a text comes on standard input: holdfast perturb --perturbations typos@0.1 < prompt.txt; a pack is made again "
        "and compared byte by byte by holdfast perturb verify DIR, with --tasks where its files lie elsewhere"
    )
    perturb.set_defaults(takes_more=True)
    perturb.add_argument("words", nargs="*", metavar="verify DIR", help="instead: check a pack that --out wrote")
    for flag, metavar, about in _RUN_FLAGS:
        if flag.removeprefix("--") in _PERTURB_FLAGS:
            perturb.add_argument(flag, metavar=metavar, help=about, default=argparse.SUPPRESS)
    perturb.add_argument("--out", metavar="DIR", help="where the pack is written")
    perturb.add_argument("--diff", action="store_true", help="show the edits, in colour on a terminal")


def _run(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.results.tables import print_results
    from holdfast.harness.store.config import CONFIG_FILE, make_config
    from holdfast.yaml_file import read_yaml

    flags = {name: value for name, value in vars(args).items() if name not in OWN}
    config = make_config({**(read_yaml(Path(args.config), CONFIG_FILE) if args.config else {}), **flags})
    from holdfast.harness.evaluation import evaluate

    print_results(evaluate(config))
    return 0


def _perturb(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.perturbing import print_disturbed, print_variants, write
    from holdfast.harness.store.config import make_config

    words = [*args.words, *args.more]  # before Python 3.12 words behind a flag are among what is left
    if words:
        return _verify_pack(args, words)
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


def _verify_pack(args: argparse.Namespace, words: list[str]) -> int:
    from pathlib import Path

    from holdfast.harness.actions.perturbing import verify

    if unknown := [word for word in words if word.startswith("-")]:
        args.parser.refuse(unknown)
    given = vars(args)
    if words[0] != "verify":
        args.parser.error(f"can't read '{' '.join(words)}'")
    if len(words) != 2 or args.out or args.diff or ({*_PERTURB_FLAGS} - {"tasks"}) & given.keys():
        args.parser.error("verify takes one DIR, and no flag but --tasks")
    verify(Path(words[1]), given["tasks"].split(",") if "tasks" in given else None)
    return 0


def _validate(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.validation import validate

    for line in validate(Path(args.config)):
        print(line)
    return 0


def _leaderboard(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.results.leaderboard import merge
    from holdfast.harness.results.tables import print_leaderboard

    target = Path(args.output_path)
    print_leaderboard(merge([Path(run) for run in args.runs], target, geometry=args.geometry))
    print(f"written to {target}")
    return 0
