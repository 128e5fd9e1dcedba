"""The conformance check that every perturbation passes, ours and yours: `check_perturbation("typos")`."""

import inspect
import random
from collections.abc import Sequence
from difflib import get_close_matches
from random import Random
from typing import Any, get_args

from holdfast.errors import UserError
from holdfast.language.text import cluster_starts
from holdfast.perturbations.choose import edit_count
from holdfast.perturbations.edits import Edits
from holdfast.perturbations.perturbation import Expectation, Perturbation, perturbations
from holdfast.perturbations.protected import protected_spans

NASTY_TEXTS = (
    "",
    " \t\n ",
    "\0",
    "a",
    "न",
    "?",
    "\ud800 lone \udfff surrogates",
    "שלום עולם, מה שלומך?",
    "👩‍👩‍👧‍👦 family 🇮🇳🇫🇷 flags 👍🏽 x",
    "क्षत्रिय नमस्ते, आप कैसे हैं?",
    "e\u0301le\u0300ve, a\u200db \u0301 mark, \u0600. prefix",
    "line\r\nbreaks\r\n",
    "nul\0 in\0side, \u0378 unassigned \U0003fffe\uffff, private \ue000",
    "مرحبا hello नमस्ते привет 你好, שָׁלוֹם 한국어 \u1112\u1161\u11ab!",
    "\u202ethgil\u202c right-to-left, zero\u200bwidth\ufeff \u2060 e\U000e0101",
    "1" * 50,
    "\u0301\u0302 \u200d \u093f\u094d",
    "What is the capital of France?",
    "Summarise the big dialogue, please. Ann: the car cost $4.50 (5 %), see https://a.org/x?y=1 or `f(x)` {name}!",
    "请告诉我2020年中国的首都（北京）和iPhone手机的价格是3万元！「原文」 https://a.cn/x",
    "日本の首都はどこですか？ｶﾞ ケーキを食べました。",
    "เมืองหลวงของประเทศไทยคืออะไร ๑๒๓ ន្ត្រី ပြည်ထောင်စု ສະບາຍດີ",
    """He said "as is", she 'not so', they «oui»; don't ask, it's 10:30 am in {{town}} and -3.5 °C, COVID-19.""",
)
"""Texts that every perturbation takes without raising."""

_LITERAL = "Zanzibar"
_WORDS = [
    "the",
    "big",
    "car's",
    "Ann",
    _LITERAL,
    "4.50",
    "kg",
    '"so it goes"',
    "{slot}",
    "`x`",
    "कृपया",
    "जल",
    "👍🏽",
    ".",
]
_ALPHABET = "aAbé zतेि्🇮🇳👩\u200d\u0301\r\n.,?'\"`{}0ß\ud800שİ中的ค็เ"


FAMILIES = (
    "characters",
    "words",
    "layout",
    "unicode",
    "decoration",
    "rewording",
    "distraction",
    "meaning",
    "language",
    "control",
)
"""The families there are; yours may be another."""


def check_perturbation(named: str | Perturbation, *, max_examples: int = 100, texts: Sequence[str] = ()) -> None:
    """Raise AssertionError, saying what is wrong, unless the perturbation keeps the contract.

    Its strengths are shares above 0, `light` at most `heavy`; its family is one of `FAMILIES`, or a new one. The
    function takes `(text, strength, rng, *, protect=())` and the extras it declares; and for the nasty texts above,
    `texts` (those that it is for, where it is for few), a megabyte, and `max_examples` texts that hypothesis makes up:

    1. the same text, strength and generator state give the same edits, and global random state is not touched;
    2. edits are sorted, apart, inside the text, true to it and not idle, and the new text differs from the
       old if there are any;
    3. their number is exactly `edit_count(strength, units)`, at most what strength 1 makes; none at strength 0;
    4. protected spans, and the literals in `protect`, stay; no grapheme cluster is torn;
    5. a text that is not empty does not become empty;
    6. it changes at least one of them, unless its family is `control`.
    """
    try:
        from hypothesis import HealthCheck, given, settings
        from hypothesis import strategies as st
    except ImportError as error:
        raise UserError("check_perturbation needs hypothesis, which is missing: pip install holdfast-eval[dev]") from error

    entry = perturbations.get(named) if isinstance(named, str) else named
    _check_declaration(entry)
    edited = 0
    for text in (*NASTY_TEXTS, *texts):
        for strength in (0.0, 0.02, 0.5, 1.0):
            edited += _check(entry, text, strength, 0)
    long = "The big car, 3.5 m long, was here; ünd हिन्दी भाषा 👍🏽! " * 20_000
    result = _apply(entry, long, 0.05, 0)
    _check_edits(entry, result)
    assert result.text, f"{entry.name}: a megabyte of text became empty"

    words = st.sampled_from(_WORDS)
    prose = st.lists(words, max_size=12).map(" ".join)
    anything = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates and unassigned, too
    soup = st.text(alphabet=st.sampled_from(_ALPHABET), max_size=40)

    @settings(
        max_examples=max_examples,
        deadline=None,
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(text=prose | soup | anything, strength=st.floats(0, 1), seed=st.integers(0, 2**32))
    def holds(text: str, strength: float, seed: int) -> None:
        nonlocal edited
        edited += _check(entry, text, strength, seed)

    holds()
    assert edited or entry.family == "control", (
        f"{entry.name}: edits none of the texts it is checked on, at any strength; if it is for texts of another kind, "
        "hand some in: check_perturbation(..., texts=[...])"
    )


def _check_declaration(entry: Perturbation) -> None:
    given = f"light is {entry.light} and heavy {entry.heavy}"
    assert 0 <= entry.light <= entry.heavy <= 1, f"{entry.name}: 0 < light <= heavy <= 1 must hold, but {given}"
    assert entry.light or entry.family == "control", f"{entry.name}: light must be more than 0, but {given}"
    assert entry.family.strip(), f"{entry.name}: the family has no name; use one of {', '.join(FAMILIES)}, or a new one"
    near = get_close_matches(entry.family.lower(), FAMILIES, n=1, cutoff=0.8)
    assert not near or entry.family in FAMILIES, f"{entry.name}: family '{entry.family}': did you mean '{near[0]}'?"
    known = get_args(Expectation)
    assert entry.expects in known, f"{entry.name}: expects is {entry.expects!r}; use one of {', '.join(known)}"
    named = dict.fromkeys(("protect", *entry.extras), ())
    try:
        inspect.signature(entry.apply).bind("", 0.0, Random(0), **named)
    except TypeError as error:
        signature = ", ".join(["text, strength, rng, *, protect=()", *(f"{name}=()" for name in entry.extras)])
        raise AssertionError(f"{entry.name}: must take ({signature}), but {error}") from error


def _check(entry: Perturbation, text: str, strength: float, seed: int) -> bool:
    """Whether the text was edited."""
    before = random.getstate()
    result = _apply(entry, text, strength, seed)
    assert random.getstate() == before, f"{entry.name}: uses the global random state; use the generator handed in"
    again = _apply(entry, text, strength, seed)
    assert again == result, f"{entry.name}: the same generator state gave other edits for {text!r}"
    _check_edits(entry, result)
    _check_count(entry, result, strength, seed)
    _check_protected(entry, result)
    assert result.text or not text, f"{entry.name}: {text!r} became empty"
    return bool(result.edits)


def _apply(entry: Perturbation, text: str, strength: float, seed: int) -> Edits:
    extras: dict[str, Any] = {"paraphrases": [f"Put otherwise: {text}"]}
    wanted = {name: extras[name] for name in entry.extras if name in extras}
    result: object = entry.apply(text, strength, Random(seed), protect=[_LITERAL], **wanted)
    kind = "None" if result is None else f"a {type(result).__name__}"
    assert isinstance(result, Edits), (
        f"{entry.name}: returns {kind}, not Edits; return Edits(text, [(position, removed, inserted), ...])"
    )
    assert result.original == text, f"{entry.name}: `original` is not the text handed in ({text!r})"
    return result


def _check_edits(entry: Perturbation, result: Edits) -> None:
    text, at = result.original, 0
    boundaries = set(cluster_starts(text))
    previous = -1
    for edit in result.edits:
        end = edit.position + len(edit.removed)
        where = f"{entry.name}: {edit} in {text[:200]!r}"
        assert edit.position >= at, f"{where} overlaps or precedes the edit before it"
        assert edit.position > previous, f"{where} begins where the edit before it begins"
        assert text[edit.position : end] == edit.removed, f"{where} removes what is not there"
        assert edit.removed != edit.inserted, f"{where} changes nothing"
        assert {edit.position, end} <= boundaries, f"{where} tears a grapheme cluster"
        at, previous = end, edit.position
    assert not result.edits or result.text != text, f"{entry.name}: the edits to {text[:200]!r} undo one another"


def _check_count(entry: Perturbation, result: Edits, strength: float, seed: int) -> None:
    text, made = result.original, len(result.edits)
    if strength == 0:
        assert made == 0, f"{entry.name}: strength 0 must change nothing, but {text!r} was changed"
    elif entry.units is not None:
        possible = len(_apply(entry, text, 1.0, seed).edits)
        expected = min(edit_count(strength, entry.units(text)), possible)
        assert made == expected, (
            f"{entry.name}: strength {strength} on {text!r} makes {made} edits, not {expected} "
            f"(of {entry.units(text)} units, {possible} edits at strength 1)"
        )


def _check_protected(entry: Perturbation, result: Edits) -> None:
    text, new = result.original, result.text
    for start, end in protected_spans(text, [_LITERAL]):
        kept = text[start:end]
        assert kept in new, f"{entry.name}: the protected {kept!r} is not in {new!r}"
        if entry.units is not None:
            assert not _touched(result, start, end), f"{entry.name}: changes inside the protected {kept!r} of {text!r}"


def _touched(result: Edits, start: int, end: int) -> bool:
    edges: Sequence[tuple[int, int]] = [(edit.position, edit.position + len(edit.removed)) for edit in result.edits]
    return any(first < end and last > start for first, last in edges)
