"""`holdfast equivalence`: does an adapter answer the same through peft, merged into its base, and in vLLM?

Merging rounds W + s B A as a whole, and engines sum in a different order: in 16 bits, near-ties between tokens are
decided differently, and greedy answers diverge from there.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from holdfast.errors import UserError
from holdfast.harness.backends import backends
from holdfast.harness.backends.backend import BackendOptions, Request
from holdfast.harness.execute.encoding import run_encoding
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.adapter_checks import read_config
from holdfast.harness.models.checkpoints import find_adapters, find_base, find_checkpoint
from holdfast.harness.plan.plan import settings_for
from holdfast.harness.plan.preparation import load_tasks
from holdfast.harness.results.marking.word_diff import shown
from holdfast.harness.store.config import make_config, parse_pairs
from holdfast.metrics.drift import segment_drift
from holdfast.metrics.encoders.encoder import check_encoders
from holdfast.tasks import limited

REFERENCE = "peft"


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt that is answered differently in one way than through peft, and the drift between the answers."""

    way: str
    task: str
    sample: str
    reference: str
    answer: str
    max_drift: float


@dataclass(frozen=True, slots=True)
class Way:
    """One way of running the adapter besides peft: how many answers differ, or why it was not run."""

    name: str
    differing: int = 0
    mean_drift: float = 0.0
    max_drift: float = 0.0
    not_run: str = ""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """The answers of every way compared with peft's; drifts are means and maxima over all rows."""

    adapter: str
    base: str
    dtype: str
    rows: int
    ways: tuple[Way, ...]
    differences: tuple[Row, ...]


def equivalence(
    adapter: str,
    *,
    model: str = "",
    dtype: str = "float32",
    tasks: Sequence[str] = ("factual_qa",),
    limit: int | None = None,
    encoder: str = "minilm",
) -> Equivalence:
    """Answer the prompts of `tasks` greedily in each way and compare.

    Args:
        adapter: A peft directory or a shipped adapter.
        model: The base, as in `pretrained=DIR`; by default the one that the adapter's configuration names.
        dtype: The dtype of the weights.
        tasks: Suites or files.
        limit: Use at most this many samples of each task (`holdfast.tasks.limited`).
        encoder: The sentence encoder for drifts.

    Raises:
        UserError: If the adapter, the base or a task can't be found, or they don't fit together.
    """
    args = {"pretrained": _base_of(adapter), "dtype": dtype} | parse_pairs(model, "--model_args", alone="pretrained")
    backends.get("hf").check(args)
    config = make_config({"model_args": args, "tasks": list(tasks), "limit": limit, "encoder": encoder})
    check_encoders(config.encoder)
    chosen = load_tasks(config.tasks, config)
    [found] = find_adapters([adapter], find_base(str(args["pretrained"])))
    if found.path is None:
        raise UserError("--adapter must name an adapter: the base alone has nothing to merge")
    asked = [(task, sample) for task in chosen for sample in limited(task, limit)]
    requests = [
        Request(
            str(i),
            found.name,
            task.render(sample, sample.content),
            settings_for(task, config),
            choices=sample.choices,
            content=sample.content,
            pair=sample.pair,
            joined=task.joined,
        )
        for i, (task, sample) in enumerate(asked)
    ]
    reference, merged = _through_transformers(args, found, requests)
    ways: dict[str, Callable[[], Mapping[str, str]]] = {
        "merged": lambda: merged,
        "vllm": lambda: _through_vllm(args, found, requests),
    }
    encoding = run_encoding(config, chosen)
    keys = [request.key for request in requests]
    summaries, rows = [], []
    for name, ask in ways.items():
        try:
            answers = ask()
        except UserError as error:
            summaries.append(Way(name, not_run=str(error)))
            continue
        drifts = segment_drift([reference[key] for key in keys], [answers[key] for key in keys], encoding=encoding)
        differing = [i for i, key in enumerate(keys) if reference[key] != answers[key]]
        values = [drift.max_drift for drift in drifts]
        summaries.append(Way(name, len(differing), sum(values) / len(values), max(values)))
        for i in differing:
            task, sample = asked[i]
            rows.append(Row(name, task.name, sample.id, reference[keys[i]], answers[keys[i]], round(values[i], 4)))
    return Equivalence(
        found.name, str(args["pretrained"]), str(args["dtype"]), len(requests), tuple(summaries), tuple(rows)
    )


def print_equivalence(found: Equivalence, *, as_json: bool) -> None:
    """Print a line for each way and the rows with the largest drift, or everything as JSON."""
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False, indent=2))
        return
    print(f"{found.adapter} on {found.base}, {found.dtype}, {found.rows} prompts, compared with {REFERENCE}:")
    for way in found.ways:
        if way.not_run:
            print(f"  {way.name:<8} not run: {way.not_run}")
        else:
            drifts = f"mean drift {way.mean_drift:.4f}, largest {way.max_drift:.4f}"
            print(f"  {way.name:<8} {way.differing} of {found.rows} rows differ; {drifts}")
    for row in sorted(found.differences, key=lambda row: -row.max_drift)[:SHOWN]:
        answers = shown(f"  - {row.reference}\n  + {row.answer}")
        print(f"{row.way}, {row.task}/{row.sample}, drift {row.max_drift:.2f}\n{answers}")


SHOWN = 5
"""Number of rows printed without --json."""


def _base_of(adapter: str) -> str:
    return str(read_config(adapter, find_checkpoint(adapter, "adapter")).get("base_model_name_or_path") or "")


def _through_transformers(
    args: Mapping[str, Any], adapter: Adapter, requests: Sequence[Request]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the answers through peft, and those with the adapter merged into its base."""
    from holdfast.harness.backends.engines.hf_engine import HuggingFace
    from holdfast.harness.backends.engines.hf_loading import load

    loaded = load(BackendOptions(args), [adapter])
    through_peft = _answers(HuggingFace(loaded, [adapter], None), requests)
    merged = replace(loaded, model=loaded.model.merge_and_unload(), peft_names={})
    return through_peft, _answers(HuggingFace(merged, [adapter], None), requests)


def _through_vllm(args: Mapping[str, Any], adapter: Adapter, requests: Sequence[Request]) -> dict[str, str]:
    """Return vLLM's answers; raises UserError if it is not installed or can't run the adapter."""
    import torch

    torch.cuda.empty_cache()  # vLLM claims the memory that is free
    entry = backends.get("vllm")
    own = {"pretrained", "dtype", "chat_template", "max_length", "trust_remote_code", "tokenizer"}
    asked = {name: value for name, value in args.items() if name in own}
    entry.check(asked)
    return _answers(entry.build(BackendOptions(asked), [adapter]), requests)


def _answers(engine: Any, requests: Sequence[Request]) -> dict[str, str]:
    return {answer.key: answer.output for batch in engine.generate(requests) for answer in batch}
