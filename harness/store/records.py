"""The records of samples.jsonl."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

SAMPLES = "samples.jsonl"

CLEAN = "clean"
"""The `perturbation` of answers to the original prompt."""

IDENTITY = "identity"
"""The perturbation that changes nothing; it is part of every run, to measure the noise floor."""


@dataclass(frozen=True, slots=True)
class Record:
    """One scored answer: a line of samples.jsonl."""

    key: str
    adapter: str
    adapter_digest: str
    task: str
    sample: str
    perturbation: str
    severity: str
    repeat: int
    edit_rate: float
    edits: tuple[tuple[int, str, str], ...]
    """(position in the clean content, removed text, inserted text)."""
    meaning: float | None
    """Estimated share, in [0, 1], of the prompt's meaning that the perturbation kept; None if unknown."""
    prompt: str
    output: str
    tokens: int
    finish: str
    truncated: bool
    scores: dict[str, float]
    reason: str
    """Why the worst segment drifted, if facts explain it."""
    encoder: str
    """The encoder that compared the segments."""
    likelihoods: tuple[float, ...] | None = None
    """Log-likelihoods (nats) of a multiple-choice sample's choices."""
    reasoning: str | None = None
    """What the model thought aloud before its answer, if it did and `output` doesn't include it."""
    groups: tuple[str, ...] | None = None
    """The groups of the sample, if it has any: `physics`, or `language=hi` of several groupings."""
    item: str | None = None
    """What the sample is one form of, such as a question in one of several languages."""
    margins: tuple[str, str] | None = None
    """The white space around the answer as it was written, in tasks of lm-eval, whose metrics may read it."""
    failure: str | None = None
    """Of a wrong short answer, why it is wrong (`metrics.failure_kinds` and `metrics.language_failures`)."""
    label: str | None = None
    """Of a classification, the right label."""
    predicted: str | None = None
    """The label that the answer gives; empty if it gives none, or several."""
    segments: tuple[dict[str, Any], ...] | None = None
    """With --log_samples, of each drifted segment: side, text, start in the output, partner, links, drift and reason.
    Links are the segments of the other answer that share mass with it: [start, end, mass]."""

    def to_json(self) -> str:
        """Return the record as one line of JSON, without optional fields that are None."""
        content = asdict(self)
        for name in _OPTIONAL:
            if content[name] is None:
                del content[name]
        return json_line(content)


_OPTIONAL = tuple(field.name for field in fields(Record) if field.default is None)


def json_line(content: Mapping[str, Any]) -> str:
    """Return one line of JSON, in readable Unicode unless a lone surrogate needs an escape.

    Raises:
        ValueError: If a number is NaN or infinite, which JSON can't hold.
    """
    line = json.dumps(content, ensure_ascii=False, allow_nan=False)
    try:
        line.encode()
    except UnicodeEncodeError:
        return json.dumps(content, allow_nan=False)
    return line
