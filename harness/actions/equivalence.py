"""`holdfast equivalence`: does an adapter say the same through peft, merged into its base, and in vLLM?

Merging rounds s B A together with W, and engines add in another order: in 16 bits near-ties between tokens fall the
other way, and greedy answers part from there.
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
from holdfast.harness.models.checkpoints import find_adapters, find_base, find_checkpoint
from holdfast.harness.plan.plan import settings_for
from holdfast.harness.plan.preparation import load_tasks
from holdfast.harness.store.config import make_config, parse_pairs
from holdfast.metrics.drift import segment_drift

REFERENCE = "peft"


@dataclass(frozen=True, slots=True)
class Row:
    """A prompt that two ways answer differently, and how far the answers drift apart."""

    way: str
    task: str
    sample: str
    reference: str
    answer: str
    max_drift: float


@dataclass(frozen=True, slots=True)
class Way:
    """One way of running the adapter beside peft: how many rows differ; or why it did not run."""

    name: str
    differing: int = 0
    mean_drift: float = 0.0
    max_drift: float = 0.0
    not_run: str = ""


@dataclass(frozen=True, slots=True)
class Equivalence:
    """What every way answered, compared with peft's answers; drifts are means and maxima over all rows."""

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
    """Ask the prompts of `tasks` greedily in each way and compare. `model` names the base, as in `pretrained=DIR`;
    without it the adapter's configuration does. Raises UserError for whatever does not fit together."""
    args = {"pretrained": _base_of(adapter), "dtype": dtype} | parse_pairs(model, "--model_args", alone="pretrained")
    backends.get("hf").check(args)
    config = make_config({"model_args": args, "tasks": list(tasks), "limit": limit, "encoder": encoder})
    chosen = load_tasks(config.tasks)
    [found] = find_adapters([adapter], find_base(str(args["pretrained"])))
    if found.path is None:
        raise UserError("--adapter: name an adapter; the base alone has nothing to merge")
    asked = [(task, sample) for task in chosen for sample in task.samples[:limit]]
    requests = [
        Request(str(i), found.name, task.render(sample, sample.content), settings_for(task, config))
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
    """Print a line for each way and the rows that drift most; or all as JSON."""
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False, indent=2))
        return
    print(f"{found.adapter} on {found.base}, {found.dtype}, {found.rows} prompts, beside {REFERENCE}:")
    for way in found.ways:
        if way.not_run:
            print(f"  {way.name:<8} not run: {way.not_run}")
        else:
            drifts = f"mean drift {way.mean_drift:.4f}, largest {way.max_drift:.4f}"
            print(f"  {way.name:<8} {way.differing} of {found.rows} rows differ; {drifts}")
    for row in sorted(found.differences, key=lambda row: -row.max_drift)[:SHOWN]:
        print(f"{row.way}, {row.task}/{row.sample}, drift {row.max_drift:.2f}\n  - {row.reference}\n  + {row.answer}")


SHOWN = 5
"""Rows that are printed without --json."""


def _base_of(adapter: str) -> str:
    file = find_checkpoint(adapter, "adapter") / "adapter_config.json"
    if not file.is_file():
        raise UserError(f"'{adapter}' is not a peft adapter: it has no adapter_config.json")
    return str(json.loads(file.read_text("utf-8")).get("base_model_name_or_path") or "")


def _through_transformers(
    args: Mapping[str, Any], adapter: Adapter, requests: Sequence[Request]
) -> tuple[dict[str, str], dict[str, str]]:
    """The answers through peft, and with the adapter merged into its base; no model is held afterwards."""
    from holdfast.harness.backends.engines.hf_engine import HuggingFace
    from holdfast.harness.backends.engines.hf_loading import load

    loaded = load(BackendOptions(args), [adapter])
    through_peft = _answers(HuggingFace(loaded, [adapter], None), requests)
    merged = replace(loaded, model=loaded.model.merge_and_unload(), peft_names={})
    return through_peft, _answers(HuggingFace(merged, [adapter], None), requests)


def _through_vllm(args: Mapping[str, Any], adapter: Adapter, requests: Sequence[Request]) -> dict[str, str]:
    """vLLM's answers; raises UserError where it is not installed or can't run the adapter."""
    import torch

    torch.cuda.empty_cache()  # vLLM takes what is free
    entry = backends.get("vllm")
    own = {"pretrained", "dtype", "chat_template", "max_length", "trust_remote_code", "tokenizer"}
    asked = {name: value for name, value in args.items() if name in own}
    entry.check(asked)
    return _answers(entry.build(BackendOptions(asked), [adapter]), requests)


def _answers(engine: Any, requests: Sequence[Request]) -> dict[str, str]:
    return {answer.key: answer.output for batch in engine.generate(requests) for answer in batch}
