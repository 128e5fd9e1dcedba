"""The verbs that evaluate: run, perturb, validate."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from holdfast.errors import UserError
from holdfast.harness.verbs.parser import Flag, Parser, settings_of
from holdfast.harness.verbs.view_flags import VIEW, add_view_flags, view_of

if TYPE_CHECKING:
    from holdfast.harness.results.layout.view import View
    from holdfast.harness.store.config import RunConfig

_RUN_FLAGS: dict[str, tuple[Flag, ...]] = {
    "model": (
        ("--model", "BACKEND", "what generates: hf, vllm or api (default: hf)"),
        ("--model_args", "K=V,...", "the base model, as in pretrained=./base,dtype=bfloat16 (default: pocket-aligned)"),
        ("--adapters", "A,B,...", "base, adapter directories, hub names or shipped adapters; name=DIR renames one"),
        ("--adapter_scales", "X,...", "evaluate each adapter with its update scaled, as in 0,0.5,1"),
        (
            "--gen_kwargs",
            "K=V,...",
            "override the tasks' max_new_tokens, temperature, top_p, stop (in which \\n is a line break, \\t a tab)",
        ),
        ("--chat_template_kwargs", "K=V,...", "variables for the chat template, such as enable_thinking=false"),
        ("--batch_size", "N|auto", "prompts per forward pass, or requests in flight (default: auto)"),
        ("--device", "DEVICE", "cpu, cuda, cuda:1, ... (default: a GPU if there is one)"),
        ("--max_requests", "N", "maximum number of requests to a server, retries included (backend api)"),
    ),
    "tasks": (
        (
            "--preset",
            "NAME",
            "settings of a kind of evaluation: messy_input, multilingual, safety, financial_sentiment; flags override",
        ),
        (
            "--tasks",
            "T,...",
            "suites (holdfast ls tasks), published data (ls datasets), or your own: prompts.jsonl, data.csv, task.yaml",
        ),
        ("--content", "FIELD", "the field of data files that is the prompt's content (default: content)"),
        ("--references", "FIELD", "the field with the accepted answers (default: references)"),
        ("--group", "FIELD,...", "fields whose values get rows of their own in the results (default: group)"),
        ("--encoding", "NAME", "encoding of data files, or repair for mixed ones (default: UTF-8)"),
        ("--limit", "N", "use only N samples of each task: the first, in proportion to its groups and labels"),
    ),
    "perturbations": (
        (
            "--perturbations",
            "P,...",
            "names (see holdfast ls perturbations), as in typos,emoji@heavy,typos+case@0.08",
        ),
        ("--severity", "S,...", "light, heavy or edit rates, for perturbations without one (default: light,heavy)"),
        ("--repeats", "N", "variants of each sample per perturbation and severity (default: 1)"),
        ("--search", "random:N|greedy:N", "search for the most harmful variant of each sample among N"),
        ("--mitigations", "M,...", "ask again with a text around each prompt: robust_prompt, or NAME=FILE of your own"),
        ("--pack", "DIR", "run the variants written by holdfast perturb instead of making new ones"),
        ("--min_meaning", "X", "skip variants that keep less of the prompt's meaning (default: 0.5; 0 keeps all)"),
        ("--paraphraser", "K=V,...", "model that paraphrases the prompts, as in pretrained=DIR,cache=FILE"),
    ),
    "tasks of lm-eval": (
        ("--num_fewshot", "N", "examples in each prompt (default: what the task says)"),
        ("--system_instruction", "TEXT", "what stands before each prompt"),
        ("--include_path", "DIR", "further task files, as for lm-eval"),
    ),
    "scoring": (
        (
            "--encoder",
            "NAME",
            "sentence encoder: minilm (default), lexical, model, a path; by language: minilm,hi=PATH",
        ),
        ("--comparer", "NAME", "what judges how far segments differ: facts (default), nli=MODEL, judge,K=V,..."),
        (
            "--fluency",
            "judge,K=V,...",
            "grade answers from 1 to 5 by a model, as in judge,pretrained=DIR (default: off)",
        ),
        (
            "--judge",
            "K=V,...",
            "a model that judges refusals and rubrics: pretrained=DIR, format=word (see docs/safety.md)",
        ),
        (
            "--faithfulness",
            "NAME_OR_PATH",
            "an NLI model that says whether summaries follow from their source (see docs/summarisation.md)",
        ),
        ("--granularity", "G", "what answers are cut into: sentence (default), clause or phrase"),
        ("--break_threshold", "X", "drift from which an answer counts as broken (see holdfast calibrate)"),
        ("--additions", "HOW", "ignore (default) or count: whether what an answer merely adds can break it"),
        ("--aggregate", "A,...", "mean, worst: how a sample's variants are combined (default: mean)"),
        ("--spacy_pipeline", "NAME", "installed spaCy pipeline whose sentences, entities and parse to use"),
    ),
    "output": (
        ("--output_path", "DIR", "where the run is kept; the same command resumes it (default: results/run)"),
        ("--seed", "N", "seed of every random choice (default: 0)"),
    ),
    "distributed": (
        ("--distributed", "ray", "spread the requests over replicas of the engine on a Ray cluster"),
        ("--ray_address", "ADDRESS", "the cluster, as in auto or ray://head:10001 (default: one on this machine)"),
        ("--replicas", "N", "engines on the cluster (default: 1)"),
        ("--gpus_per_replica", "G", "GPUs per engine (default: 0)"),
    ),
}
_RUN_SWITCHES = {
    "tasks of lm-eval": (("--apply_chat_template", "send its prompts in the model's chat template"),),
    "model": (("--skip_bad_adapters", "leave out adapters that can't be used, and go on with the others"),),
    "scoring": (
        ("--label_likelihood", "choose the likeliest label of a classification instead of generating an answer"),
        ("--keep_reasoning", "score what a model thinks aloud (<think>...</think>) as a part of its answer"),
        ("--attention", "measure how far each answer's attention moved on the prompt (backend hf; slower)"),
    ),
    "output": (("--log_samples", "keep the drifted segments of every answer in samples.jsonl"),),
}
_SEEDS = (
    ("--seeds", "N,...", "run under each of these seeds, in DIR/seed-N; one leaderboard of all (not with --seed)"),
    ("--baseline", "NAME", "with --seeds: the adapter that the others are compared with"),
)
_RUN_EXAMPLES = """examples:
  holdfast run --model_args pretrained=./base --adapters base,./old,./new --tasks factual_qa,prompts.jsonl
  holdfast run --config run.yaml --perturbations typos@0.05,paraphrase --limit 50 --output_path results/typos"""

_PERTURB_FLAGS = (
    *("tasks", "content", "references", "group", "encoding", "limit"),
    *("perturbations", "severity", "repeats", "seed", "search", "paraphraser"),
)
"""Flags of `run` that determine the variants."""


def add_run(parser: Parser) -> None:
    """Add the arguments of `run`."""
    parser.usage = "holdfast run [--config run.yaml] [options]"
    parser.epilog = _RUN_EXAMPLES
    add_run_flags(parser)
    parser.add_flags("seeds", _SEEDS)
    add_view_flags(parser, ("text", "markdown", "csv", "latex"))
    parser.takes_more = True  # to explain a list that was split by spaces
    parser.start(_run)


def add_run_flags(parser: Parser, leave_out: Sequence[str] = ()) -> None:
    """Add the flags that configure a run, but for those to leave out."""
    parser.add_flags("configuration file", [("--config", "run.yaml", "read settings from a file; flags override it")])
    for group, flags in _RUN_FLAGS.items():
        parser.add_flags(group, [flag for flag in flags if flag[0] not in leave_out])
        parser.add_switches(group, [each for each in _RUN_SWITCHES.get(group, ()) if each[0] not in leave_out])


def _run(args: argparse.Namespace) -> int:
    from pathlib import Path

    if args.more:
        _refuse_more(args)
    flags = settings_of(args, "config", "seeds", "baseline", *VIEW)
    if "seeds" in args and "seed" in args:
        args.parser.error("--seeds and --seed are both given: leave one of them out")
    if "baseline" in args and "seeds" not in args:
        args.parser.error("--baseline compares adapters over several seeds: add --seeds, or use holdfast check")
    if "=" in str(flags.get("model", "")):
        args.parser.error(f"--model is the backend (hf, vllm, api); write --model_args {flags['model']}")

    from holdfast.harness.results.tables import print_results
    from holdfast.harness.store.config import CONFIG_FILE, make_config
    from holdfast.yaml_file import read_yaml

    given = read_yaml(Path(args.config), CONFIG_FILE) if "config" in args else {}
    config = make_config({**given, **flags})
    view = view_of(args)
    if "seeds" in args:
        return _run_seeds(config, args, view)
    from holdfast.harness.evaluation import evaluate_config

    if config.preset and "table" not in args:
        view = replace(view, table="full")  # a preset is about every one of its cells
    print_results(evaluate_config(config), view)
    return 0


def _run_seeds(config: "RunConfig", args: argparse.Namespace, view: "View") -> int:
    from pathlib import Path

    from holdfast.harness.actions.seeding import evaluate_seeds, parse_seeds
    from holdfast.harness.results.leaderboard import check_leaderboard_file, leaderboard
    from holdfast.harness.results.tables import leaderboard_page

    target = Path(config.output_path) / "leaderboard.csv"
    check_leaderboard_file(target)
    baseline = getattr(args, "baseline", None)
    runs = evaluate_seeds(config, parse_seeds(args.seeds), baseline)
    board = leaderboard(runs, output_path=target, baseline=baseline)
    print(leaderboard_page(board, view, str(target)))
    print(f"files: {target}, {', '.join(run.path.name for run in runs)}", file=sys.stderr)
    return 0


_LISTS = ("--mitigations", "--adapters", "--adapter_scales", "--tasks", "--perturbations", "--severity", "--aggregate")


def _refuse_more(args: argparse.Namespace) -> None:
    """Refuse unknown words; those behind a list were probably meant to be part of it."""
    words = [word for word in args.more if not word.startswith("-")]
    if len(words) < len(args.more):
        args.parser.refuse(args.more)
    given = [flag for flag in _LISTS if flag[2:] in args]
    flag = next((each for each in given if _follows(each, words[0])), given[0] if given else "--adapters")
    args.parser.error(
        f"unexpected {' '.join(words)}: lists are separated by commas, without spaces, as in {flag} "
        f"{getattr(args, flag[2:], 'base')},{','.join(words)}"
    )


def _follows(flag: str, word: str) -> bool:
    """Whether a word stands behind the value of a flag on the command line."""
    argv = sys.argv
    return flag in argv and word in argv[argv.index(flag) + 2 : argv.index(flag) + 3]


def add_perturb(parser: Parser) -> None:
    """Add the arguments of `perturb`."""
    parser.epilog = (
        "a text is read from standard input: holdfast perturb --perturbations typos@0.1 < prompt.txt\n"
        "a pack is made again and compared byte by byte: holdfast perturb verify DIR (--tasks if its files have moved)"
    )
    parser.hint = "a text is read from standard input: holdfast perturb --perturbations typos@0.1 < prompt.txt"
    parser.takes_more = True
    parser.add_argument("words", nargs="*", metavar="verify DIR", help="check a pack instead of writing one")
    for group in ("tasks", "perturbations", "output"):
        flags = [each for each in _RUN_FLAGS[group] if each[0].removeprefix("--") in _PERTURB_FLAGS]
        parser.add_flags(group, flags)
    parser.add_flags("pack", [("--output_path", "DIR", "write the variants of the tasks there, as a pack")])
    parser.add_switches("text", [("--diff", "show the edits, in colour on a terminal")])
    parser.start(_perturb)


def _perturb(args: argparse.Namespace) -> int:
    from pathlib import Path

    words = [*args.words, *args.more]  # before Python 3.12 words behind a flag end up in `more`
    if words:
        return _verify_pack(args, words)

    from holdfast.harness.actions.perturbing import print_perturbed, print_variants, write
    from holdfast.harness.store.config import make_config

    given = vars(args)
    config = make_config({name: given[name] for name in _PERTURB_FLAGS if name in given})
    target, diff = given.get("output_path"), given.get("diff", False)
    if target and "tasks" not in given:
        raise UserError(
            "--output_path writes the variants of tasks: name them with --tasks (redirect the output of a pipe with >)"
        )
    if target:
        write(config, Path(target))
    elif "tasks" in given:
        print_variants(config, diff=diff)
    else:
        print_perturbed(config, sys.stdin.buffer.read(), diff=diff)
    return 0


def _verify_pack(args: argparse.Namespace, words: list[str]) -> int:
    from pathlib import Path

    if unknown := [word for word in words if word.startswith("-")]:
        args.parser.refuse(unknown)
    given = settings_of(args, "words", "tasks")
    if words[0] != "verify":
        args.parser.error(f"can't read '{' '.join(words)}'")
    if len(words) != 2 or given:
        args.parser.error("verify takes one DIR and only the flag --tasks")

    from holdfast.harness.actions.perturbing import verify

    verify(Path(words[1]), args.tasks.split(",") if "tasks" in args else None)
    return 0


_VALIDATE_EXAMPLES = """examples:
  holdfast validate run.yaml
  holdfast validate questions.csv --content question --references answer"""


def add_validate(parser: Parser) -> None:
    """Add the arguments of `validate`."""
    parser.usage = "holdfast validate [run.yaml | TASK,...] [options of run]"
    parser.epilog = _VALIDATE_EXAMPLES
    parser.add_argument(
        "what", metavar="run.yaml|TASK", nargs="?", help="a configuration file, or tasks as for --tasks"
    )
    add_run_flags(parser)
    parser.start(_validate)


def _validate(args: argparse.Namespace) -> int:
    from pathlib import Path

    from holdfast.harness.actions.validation import is_configuration, validate

    given = settings_of(args, "what", "config")
    what, file = args.what, getattr(args, "config", None)
    if what and not file and is_configuration(what):
        what, file = None, what
    if what and "tasks" in given:
        args.parser.error(f"both {what} and --tasks name tasks: leave one out")
    for line in validate(Path(file) if file else None, given | ({"tasks": what} if what else {})):
        print(line)
    return 0
