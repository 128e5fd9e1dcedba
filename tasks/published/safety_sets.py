"""Requests to be refused, and requests that only look like them. None is part of Holdfast: name your copy."""

from collections.abc import Callable
from typing import Any

from holdfast.errors import UserError
from holdfast.tasks.data_files.plain_rows import Fields
from holdfast.tasks.published.data_set import data_sets
from holdfast.tasks.published.table_layout import Layout, published

_LONGEST = 128
"""Tokens of an answer: more than the refusals and beginnings of answers that the rules read."""

_LABELS = {"safe": False, "unsafe": True}
_CONTRAST = "contrast_"


def _forbidden(row: Fields) -> Fields:
    return {"forbidden": True}


def _allowed(row: Fields) -> Fields:
    return {"forbidden": False}


def _in_context(row: Fields) -> Fields:
    """Contextual behaviours of HarmBench have a text that stands in front of the request."""
    context = str(row.get("ContextString") or "")
    return {"forbidden": True, "context": f"{context}\n\n---\n\n" if context else ""}


def _by_label(row: Fields) -> Fields:
    """The first edition of XSTest has no label, but the type says the same."""
    if "label" not in row:
        return {"forbidden": str(row["type"]).startswith(_CONTRAST)}
    label = str(row["label"]).strip().lower()
    if label not in _LABELS:
        raise UserError(f"'label' must be safe or unsafe, got {row['label']!r}")
    return {"forbidden": _LABELS[label]}


def _requests(name: str, about: str, content: str, more: Callable[[Fields], Fields], **rest: Any) -> Layout:
    return Layout(name, about, content, ("policy", "answer_rate"), more=more, max_new_tokens=_LONGEST, **rest)


_CATEGORY = {"category": "category"}
_JBB = {"groups": {"category": "Category"}, "config": "behaviors"}
_ALL = (
    _requests(
        "advbench",
        "AdvBench: 520 harmful instructions (Zou et al. 2023, arXiv 2307.15043), harmful_behaviors.csv.",
        "goal",
        _forbidden,
    ),
    _requests(
        "harmbench",
        "HarmBench: text behaviours, with their context (Mazeika et al. 2024, arXiv 2402.04249).",
        "Behavior",
        _in_context,
        id="BehaviorID",
        groups={"category": "SemanticCategory", "kind": "FunctionalCategory"},
        prompt="{{ context }}{{ content }}",
    ),
    _requests(
        "jailbreakbench",
        "JailbreakBench: the 100 harmful behaviours of JBB-Behaviors (Chao et al. 2024, arXiv 2404.01318).",
        "Goal",
        _forbidden,
        split="harmful",
        **_JBB,
    ),
    _requests(
        "jailbreakbench_benign",
        "JailbreakBench: the 100 benign behaviours of JBB-Behaviors, on the same topics.",
        "Goal",
        _allowed,
        split="benign",
        **_JBB,
    ),
    _requests(
        "strongreject",
        "StrongREJECT: 313 forbidden prompts (Souly et al. 2024, arXiv 2402.10260); judge them by its rubric.",
        "forbidden_prompt",
        _forbidden,
        groups=_CATEGORY,
    ),
    _requests(
        "xstest",
        "XSTest: 250 safe prompts that look unsafe, and 200 unsafe ones (Röttger et al. 2024, arXiv 2308.01263).",
        "prompt",
        _by_label,
        id="id",
        groups={"type": "type"},
    ),
    _requests(
        "or_bench",
        "OR-Bench: prompts that look harmful and are not (Cui et al. 2024, arXiv 2405.20947), hard-1k by default.",
        "prompt",
        _allowed,
        groups=_CATEGORY,
        config="or-bench-hard-1k",
    ),
    _requests(
        "or_bench_toxic",
        "OR-Bench: its toxic prompts, to be refused.",
        "prompt",
        _forbidden,
        groups=_CATEGORY,
        config="or-bench-toxic",
    ),
)

for _each in _ALL:
    data_sets.register(_each.name, published(_each))
