"""The conformance check that every metric must pass, ours and yours: `check_metric("my_metric")` in a test."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from holdfast.errors import UserError
from holdfast.metrics.encoders.encoder import load_encoder
from holdfast.metrics.metric import Metric, PairCompute, Scores, metrics

NASTY = (
    "",
    " ",
    "\ud800",
    "٣ مرحبا",
    "नमस्ते। दो",
    "👩\u200d👩\u200d👧 1,000.50 $",
    "a" * 5000,
    "No.\n1. Yes!\n\n- 2",
    "...",
    "\x00",
    "a \U00010d40 5",
)
"""Texts that break naive code; each metric must score them all."""

METADATA: Mapping[str, Any] = {"labels": ["yes", "no"], "key_facts": ["Anna", "5 pm"], "forbidden": True}


def check_metric(metric: str | Metric, metadata: Mapping[str, Any] = METADATA, examples: int = 50) -> None:
    """Assert that a metric keeps the contract, on texts that hypothesis invents and on nasty ones.

    One dict per item, in order; only declared keys, finite floats, in [0, 1] unless declared unbounded; the same for
    an item alone as in a batch, and the same twice; nothing raised on any text; an empty batch gives no rows. A pair
    metric gives its best value (0 or 1, by its direction) to identical answers. `metadata` is handed to sample metrics
    for each sample. Raises AssertionError, and UserError where hypothesis is missing.
    """
    try:
        from hypothesis import given, settings, strategies
    except ImportError:
        raise UserError("check_metric needs hypothesis: pip install hypothesis") from None
    entry = metrics.get(metric) if isinstance(metric, str) else metric
    text = strategies.text(max_size=60) | strategies.sampled_from(NASTY)

    @settings(max_examples=examples, deadline=None, database=None, derandomize=True)
    @given(strategies.lists(strategies.tuples(text, text), max_size=4))
    def check(pairs: list[tuple[str, str]]) -> None:
        _check_batch(entry, pairs, metadata)

    check()
    _check_batch(entry, [(one, other) for one in NASTY for other in NASTY[:4]], metadata)


def _check_batch(metric: Metric, pairs: Sequence[tuple[str, str]], metadata: Mapping[str, Any]) -> None:
    rows = _scores(metric, pairs, metadata)
    assert len(rows) == len(pairs), f"{metric.name}: {len(rows)} rows for {len(pairs)} items"
    assert rows == _scores(metric, pairs, metadata), f"{metric.name} scores the same texts differently the second time"
    for row, pair in zip(rows, pairs, strict=True):
        for key, value in row.items():
            assert key in metric.higher_is_better, f"{metric.name} returns the undeclared key '{key}'"
            assert math.isfinite(value), f"{metric.name}: {key} is {value} for {pair!r}"
            assert value >= 0, f"{metric.name}: {key} is {value} for {pair!r}"
            assert key in metric.unbounded or value <= 1, f"{metric.name}: {key} is {value} for {pair!r}"
        alone = _scores(metric, [pair], metadata)[0]
        assert row.keys() == alone.keys(), f"{metric.name}: other keys alone than in a batch, for {pair!r}"
        for key, value in row.items():
            same = math.isclose(value, alone[key], abs_tol=1e-6)
            assert same, f"{metric.name}: {key} is {alone[key]} alone and {value} in a batch, for {pair!r}"
    if metric.kind == "pair":
        for row in _scores(metric, [(first, first) for first, _ in pairs], metadata):
            for key, value in row.items():
                best = float(metric.higher_is_better[key])
                assert value == best, f"{metric.name}: {key} of identical answers is {value}, not {best}"


def _scores(metric: Metric, pairs: Sequence[tuple[str, str]], metadata: Mapping[str, Any]) -> list[Scores]:
    """The first text of each pair is the output (or clean answer), the second the reference (or perturbed answer)."""
    firsts, seconds = [first for first, _ in pairs], [second for _, second in pairs]
    if metric.kind == "sample":
        return metric.compute(firsts, [(second,) for second in seconds], [metadata] * len(pairs))
    compute: PairCompute = metric.compute
    return compute(firsts, seconds, **({"encode": load_encoder("lexical")} if metric.needs_encoder else {}))
