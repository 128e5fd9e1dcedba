"""Answers in several languages: right in any script or numerals, and in the language of the question."""

from collections.abc import Collection, Sequence

from holdfast.language.detection import language_of, script_of
from holdfast.language.text import lower_words
from holdfast.metrics.metric import Metadata, Scores, sample_metric
from holdfast.metrics.scores.text_scores import normalise

UNSURE = "unsure"
"""What a model may say instead of an answer, if it was offered (`--mitigations language_pinning`)."""

SHORT = 3
"""Words of the longest answer that shows no more of its language than the script."""


@sample_metric("cross_script_match", {"cross_script_match": True})
def cross_script_match(
    outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]
) -> list[Scores]:
    """Return 1 if the output is right in any script: it equals a reference, or one of `metadata["forms"]`.

    They are compared as by `exact_match`, except that numbers must be equal; or the output states the same quantities
    as one of them, and no others, however they are written: digits of any script, words, with or without a percent
    sign. Numbers are read in the language of the answer, as it is detected and as `metadata["language"]` has it: a few
    words don't show it ("pachees pratishat").

    >>> cross_script_match(["२५ प्रतिशत", "Tokyo"], [["25%"], ["टोक्यो"]], [{}, {"forms": ["Tokyo"]}])
    [{'cross_script_match': 1.0}, {'cross_script_match': 1.0}]
    """
    rows: list[Scores] = []
    for output, answers, about in zip(outputs, references, metadata, strict=True):
        languages = ["", *accepted_languages(str(about["language"]))] if "language" in about else [""]
        forms = (*answers, *about.get("forms", ()))
        right = any(_same(output, form, language) for language in languages for form in forms)
        rows.append({"cross_script_match": float(right)} if answers else {})
    return rows


@sample_metric("language_consistency", {"language_consistency": True, "unsure": False})
def language_consistency(
    outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]
) -> list[Scores]:
    """Return 1 if the output is in `metadata["language"]`; `unsure` is 1 if it only says UNSURE.

    The language is an ISO 639 code; `hi-Latn` is one in Latin letters, and `en-hi` mixes two, so that either will do.
    It is detected by script, function words (the lexicon of romanised Hindi among them) and py3langid. An answer of at
    most three words shows no more than its script. One without letters, or that says UNSURE, is not judged, and neither
    is a sample without `language`.

    >>> language_consistency(["नई दिल्ली", "The capital is Delhi."], [[], []], [{"language": "hi"}] * 2)
    [{'language_consistency': 1.0, 'unsure': 0.0}, {'language_consistency': 0.0, 'unsure': 0.0}]
    """
    rows: list[Scores] = []
    for output, about in zip(outputs, metadata, strict=True):
        said = lower_words(output)
        unsure = said == [UNSURE]
        found = language_of(output)
        if "language" not in about:
            rows.append({})
        elif unsure or not found:
            rows.append({"unsure": float(unsure)})
        else:
            consistent = any(_is_in(found, len(said), code) for code in accepted_languages(str(about["language"])))
            rows.append({"language_consistency": float(consistent), "unsure": 0.0})
    return rows


def _same(output: str, form: str, language: str) -> bool:
    """Return whether an answer, read in a language ("" to detect it), is the same as the right one."""
    from holdfast.metrics.facts import facts_of

    said, expected = facts_of(output, language).numbers, facts_of(form).numbers
    if normalise(output) == normalise(form):  # which takes -5 for 5, and 1.5 for 15
        return _bare(said) == _bare(expected)
    return bool(expected) and said == expected


def _bare(numbers: Collection[str]) -> set[str]:
    return {number.removesuffix(" percent") for number in numbers}


def accepted_languages(code: str) -> list[str]:
    """Return the languages that an answer to a question in this one may have.

    >>> accepted_languages("hi-Latn"), accepted_languages("en-hi")
    (['hi-Latn'], ['en', 'hi', 'hi-Latn'])
    """
    first, _, second = code.partition("-")
    if not second.islower():
        return [code]
    return [first, second, *(["hi-Latn"] if "hi" in (first, second) else [])]


def _is_in(found: str, length: int, code: str) -> bool:
    return found == code or (length <= SHORT and script_of(found) == script_of(code))
