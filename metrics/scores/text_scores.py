"""Text overlap with the references (exact match, token F1 and ROUGE), in any script."""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from holdfast.language.compared_words import characters, compared_words
from holdfast.metrics.metric import Metadata, Scores, sample_metric

_ARTICLE = re.compile(r"\b(a|an|the)\b")


@sample_metric("exact_match", {"exact_match": True})
def exact_match(
    outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]
) -> list[Scores]:
    """Return 1 if the output equals a reference after SQuAD's normalisation (see `normalise`), else 0.

    >>> exact_match(["The Nile."], [["Nile", "River Nile"]], [{}])
    [{'exact_match': 1.0}]
    """
    return [
        {"exact_match": float(normalise(output) in {normalise(reference) for reference in answers})} if answers else {}
        for output, answers in zip(outputs, references, strict=True)
    ]


@sample_metric("token_f1", {"token_f1": True})
def token_f1(outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]) -> list[Scores]:
    """Return the token F1 of the output against its best-matching reference (Rajpurkar et al. 2016).

    The tokens are the words that SQuAD's normalisation leaves; in scripts without spaces, they are characters, as in
    MLQA (Lewis et al. 2020).

    >>> token_f1(["the river Nile"], [["Nile"]], [{}])
    [{'token_f1': 0.6666666666666666}]
    """
    return [
        {"token_f1": max(_f1(output, reference) for reference in answers)} if answers else {}
        for output, answers in zip(outputs, references, strict=True)
    ]


@sample_metric("rouge", {"rougeL": True, "rouge1": True, "rouge2": True})
def rouge(outputs: Sequence[str], references: Sequence[Sequence[str]], metadata: Sequence[Metadata]) -> list[Scores]:
    """Return the ROUGE-L, ROUGE-1 and ROUGE-2 F-measures, each the best over the references (Lin 2004).

    Computed by the rouge-score package with the tokenizer `holdfast.language.compared_words.compared_words`, since its
    own drops all non-ASCII letters.

    >>> rouge(["Anna calls Ben"], [["Anna calls Ben"]], [{}])
    [{'rougeL': 1.0, 'rouge1': 1.0, 'rouge2': 1.0}]
    """
    scorer = _rouge_scorer()
    best = [
        scorer.score_multi(answers, output) if answers else {}
        for output, answers in zip(outputs, references, strict=True)
    ]
    return [{key: float(score.fmeasure) for key, score in row.items()} for row in best]


def normalise(text: str) -> str:
    """Normalise a text as SQuAD v1.1 does (Rajpurkar et al. 2016), in any script.

    Lower case; punctuation removed, not replaced by a space; articles removed; spaces collapsed. Beyond ASCII, NFKC,
    casefolding and Unicode's punctuation extend the rule. Where nothing would be left, the articles stay, or else the
    punctuation: the answers "A" and "+" are not the empty answer.

    >>> normalise("  The Nile, of course!"), normalise("U.S."), normalise("1,000"), normalise("A.")
    ('nile of course', 'us', '1000', 'a')
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    plain = "".join(character for character in folded if not _is_punctuation(character))
    return next((" ".join(left.split()) for left in (_ARTICLE.sub(" ", plain), plain, folded) if left.strip()), "")


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character)[0] == "P"


def _f1(output: str, reference: str) -> float:
    got, expected = _tokens(output), _tokens(reference)
    if not got or not expected:
        return float(got == expected)
    common = sum((Counter(got) & Counter(expected)).values())
    return 2 * common / (len(got) + len(expected))


def _tokens(text: str) -> list[str]:
    return [piece for word in normalise(text).split() for piece in characters(word)]


@cache
def _rouge_scorer() -> Any:
    from rouge_score import rouge_scorer
    from rouge_score.tokenizers import Tokenizer

    class AnyScript(Tokenizer):  # type: ignore[misc]
        def tokenize(self, text: str) -> list[str]:
            return compared_words(text)

    return rouge_scorer.RougeScorer(["rougeL", "rouge1", "rouge2"], tokenizer=AnyScript())
