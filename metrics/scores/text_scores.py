"""Text overlap with the references (exact match, token F1 and ROUGE), in any script."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import regex

from holdfast.metrics.metric import Metadata, Scores, sample_metric

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_ARTICLES = frozenset({"a", "an", "the"})


@sample_metric("exact_match", {"exact_match": True})
def exact_match(
    outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]
) -> list[Scores]:
    """Return 1 if the output equals a reference after SQuAD-style normalisation, else 0.

    >>> exact_match(["The Nile."], [["Nile", "River Nile"]], [{}])
    [{'exact_match': 1.0}]
    """
    return [
        {"exact_match": float(normalise(output) in {normalise(reference) for reference in answers})}
        for output, answers in zip(outputs, references, strict=True)
    ]


@sample_metric("token_f1", {"token_f1": True})
def token_f1(outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]) -> list[Scores]:
    """Return the token F1 of the output against its best-matching reference (Rajpurkar et al. 2016).

    >>> token_f1(["the river Nile"], [["Nile"]], [{}])
    [{'token_f1': 0.6666666666666666}]
    """
    return [
        {"token_f1": max((_f1(output, reference) for reference in answers), default=0.0)}
        for output, answers in zip(outputs, references, strict=True)
    ]


@sample_metric("rouge", {"rougeL": True, "rouge1": True, "rouge2": True})
def rouge(outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]) -> list[Scores]:
    """Return the ROUGE-L, ROUGE-1 and ROUGE-2 F-measures, each the best over the references (Lin 2004).

    Computed by the rouge-score package with a different tokenizer, since its own drops all non-ASCII letters.

    >>> rouge(["Anna calls Ben"], [["Anna calls Ben"]], [{}])
    [{'rougeL': 1.0, 'rouge1': 1.0, 'rouge2': 1.0}]
    """
    scorer = _rouge_scorer()
    rows = []
    for output, answers in zip(outputs, references, strict=True):
        best = scorer.score_multi(answers, output) if answers else {}
        rows.append({key: float(best[key].fmeasure) if best else 0.0 for key in ("rougeL", "rouge1", "rouge2")})
    return rows


def normalise(text: str) -> str:
    """Normalise a text as SQuAD does, in any script: NFKC, casefolded, no punctuation, articles or extra spaces.

    Symbols are kept ("$5" is not "€5"), as are the articles of a text that consists only of articles.

    >>> normalise("  The Nile, of course!"), normalise("A")
    ('nile of course', 'a')
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(" " if unicodedata.category(character)[0] == "P" else character for character in folded).split()
    return " ".join([word for word in kept if word not in _ARTICLES] or kept)


def find_words(wanted: Sequence[str], said: Sequence[str]) -> int | None:
    """Return the index at which the words `wanted` first occur in `said`, consecutively.

    Returns None if they don't, or if `wanted` is empty.

    >>> find_words(["5", "pm"], words("Come at 5 pm."))
    2
    """
    size = len(wanted)
    places = range(len(said) - size + 1) if size else range(0)
    return next((i for i in places if said[i : i + size] == wanted), None)


def words(text: str) -> list[str]:
    """Return the casefolded runs of letters, combining marks and digits of a text, in any script.

    >>> words("Über 3 नदियाँ!")
    ['über', '3', 'नदियाँ']
    """
    found: list[str] = _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
    return found


def _f1(output: str, reference: str) -> float:
    got, expected = normalise(output).split(), normalise(reference).split()
    if not got or not expected:
        return float(got == expected)
    common = sum((Counter(got) & Counter(expected)).values())
    return 2 * common / (len(got) + len(expected))


@cache
def _rouge_scorer() -> Any:
    from rouge_score import rouge_scorer
    from rouge_score.tokenizers import Tokenizer

    class AnyScript(Tokenizer):  # type: ignore[misc]
        def tokenize(self, text: str) -> list[str]:
            return words(text)

    return rouge_scorer.RougeScorer(["rougeL", "rouge1", "rouge2"], tokenizer=AnyScript())
