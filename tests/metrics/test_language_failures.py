"""The kinds of wrong answers in several languages, each by its rule."""

import pytest

from holdfast.metrics.language_failures import LITERAL, SCRIPT, SHIFT, TERM, language_failure_kind
from holdfast.perturbations.families.code_switch import in_english

CITY = (["नई दिल्ली"], ["New Delhi", "Nayi Dilli"])
RED = (["laal rang"], ["red colour", "लाल रंग"])


@pytest.mark.parametrize(
    ("language", "output", "item", "kind"),
    [
        ("hi", "New Delhi", CITY, SCRIPT),
        ("hi", "दि\ufffdल्ली", CITY, SCRIPT),
        ("hi", "मुंबई", CITY, TERM),
        ("hi-Latn", "लाल", RED, SCRIPT),
        ("hi-Latn", "red colour", RED, SHIFT),  # right, but in English
        ("hi-Latn", "The colour of the flag is what you see", RED, SHIFT),
        ("hi-Latn", "hara", RED, TERM),
        ("en-hi", "Mumbai", CITY, TERM),
        ("en-hi", "Столица", CITY, SCRIPT),
    ],
)
def test_the_first_rule_that_holds_decides(
    language: str, output: str, item: tuple[list[str], list[str]], kind: str
) -> None:
    references, forms = item
    found = language_failure_kind(output, references, language=language, forms=forms, gloss=in_english)
    assert found == kind


def test_a_term_put_together_word_by_word_is_a_literal_translation() -> None:
    asked = {"language": "hi-Latn", "forms": ["red book"], "gloss": in_english}
    assert in_english("laal kitaab") == "red book"
    assert language_failure_kind("laal kitaab", ["Red Book"], **asked) == LITERAL  # type: ignore[arg-type]
    assert language_failure_kind("hari kitaab", ["Red Book"], **asked) == TERM  # type: ignore[arg-type]
