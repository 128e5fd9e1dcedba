"""Presets: the settings of a published kind of evaluation under one name; flags override them."""

from collections.abc import Mapping
from typing import Any

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "messy_input": {
        "tasks": ["factual_qa"],
        "perturbations": ["typos", "spacing+punctuation", "confusables", "emoji"],
        "severity": ["light", "heavy"],
    },
    "multilingual": {
        "tasks": ["multilingual_qa"],
        "perturbations": ["typos", "code_switch"],
        "severity": ["light"],
        "mitigations": ["language_pinning"],
    },
    "safety": {
        "tasks": ["attack_success"],
        "perturbations": ["typos", "char_deletion", "confusables", "zero_width"],
        "severity": ["light"],
    },
    "financial_sentiment": {
        "tasks": ["financial_sentiment"],
        "perturbations": ["typos", "word_deletion", "synonyms", "case"],
        "severity": ["light", "heavy"],
    },
}
