"""The effect of each perturbation on small texts."""

import itertools
import re
import unicodedata
from random import Random
from typing import Any

import pytest

from holdfast.language.keyboards import keyboard_of, neighbours
from holdfast.language.text import cluster_starts, count_words
from holdfast.perturbations import Edits, perturbations
from holdfast.perturbations.families.characters import _misreadings

PROMPT = "Please summarise the big meeting about the harbour and tell me when the work begins."


def change(name: str, text: str, strength: float, seed: int = 0, **extras: Any) -> Edits:
    return perturbations.get(name).apply(text, strength, Random(seed), **extras)


def test_identity_changes_nothing_at_any_strength() -> None:
    assert change("identity", PROMPT, 1.0).text == PROMPT


def test_every_typo_is_one_of_the_five_kinds() -> None:
    for seed in range(200):
        for edit in change("typos", PROMPT, 0.1, seed).edits:
            old, new = edit.removed, edit.inserted
            keys = neighbours()[old[0]]
            assert new in ("", old * 2, old[::-1]) or new in keys or (new[0] == old and new[1] in keys)


def test_typos_are_distributed_like_real_misspellings() -> None:
    edits = [edit for seed in range(800) for edit in change("typos", PROMPT, 0.02, seed).edits]
    lost = sum(edit.inserted == "" for edit in edits) / len(edits)
    swapped = sum(len(edit.removed) == 2 for edit in edits) / len(edits)
    assert 0.33 < lost < 0.50
    assert 0.08 < swapped < 0.22


def test_typos_avoid_first_letters_if_possible() -> None:
    firsts = {match.start() for match in re.finditer(r"\b\w", PROMPT)}
    assert not any(edit.position in firsts for seed in range(100) for edit in change("typos", PROMPT, 0.05, seed).edits)


def test_typos_never_touch_each_other() -> None:
    edits = change("typos", PROMPT, 0.3, 1).edits
    assert all(a.position + len(a.removed) < b.position for a, b in itertools.pairwise(edits))


def test_typos_accept_a_letter_whose_key_has_no_neighbours() -> None:
    assert all(
        change("typos", "किस इकाई द्वारा लिए गए निर्णय ने टेस्ला के पेटेंट को बहाल किया?", 0.1, seed).edits for seed in range(60)
    )


@pytest.mark.parametrize("seed", range(40))
def test_devanagari_typos_replace_a_sign_only_with_a_sign(seed: int) -> None:
    for edit in change("typos", "किसने क्षत्रिय भाषा लिखी थी", 0.3, seed).edits:
        if len(edit.removed) == len(edit.inserted) and sorted(edit.removed) != sorted(edit.inserted):
            pairs = [(old, new) for old, new in zip(edit.removed, edit.inserted, strict=True) if old != new]
            assert len(pairs) == 1
            assert len({unicodedata.category(letter) == "Lo" for letter in pairs[0]}) == 1
            assert len(cluster_starts(edit.inserted)) == 2


@pytest.mark.parametrize(
    ("text", "key", "near"),
    [
        ("Is it far?", "y", "tughj"),
        ("Ist das schön?", "y", "asx"),
        ("Où est la gare ?", "q", "azsw"),
        ("naïve café in São Paulo", "q", "wa"),
        ("är det långt?", "y", "tughj"),
        ("यह क्या है?", "क", "गदरतस"),
    ],
)
def test_the_keyboard_is_guessed_from_the_text(text: str, key: str, near: str) -> None:
    assert set(keyboard_of(text)[key]) <= set(near)


@pytest.mark.parametrize("name", ["typos", "char_deletion"])
def test_devanagari_is_changed_by_whole_clusters(name: str) -> None:
    text = "नमस्ते क्षत्रिय, कैसे हैं आप?"
    result = change(name, text, 0.5, 3)
    cuts = set(cluster_starts(text))
    assert result.edits
    assert all({edit.position, edit.position + len(edit.removed)} <= cuts for edit in result.edits)


def test_exactly_the_requested_share_of_characters_is_deleted() -> None:
    text = "abcdefghij" * 10
    assert [len(change("char_deletion", text, strength).text) for strength in (0.001, 0.1, 0.5)] == [99, 90, 50]


def test_char_deletion_keeps_one_letter() -> None:
    assert len(change("char_deletion", "abc", 1.0).text) == 1


def test_case_changes_only_the_case() -> None:
    result = change("case", PROMPT, 0.3)
    assert result.text.lower() == PROMPT.lower()
    assert len(result.edits) == round(0.3 * len(PROMPT))
    assert change("case", "ß हिन्दी", 1.0).edits == ()


def test_deleted_words_leave_single_spaces() -> None:
    for seed in range(30):
        text = change("word_deletion", PROMPT, 0.3, seed).text
        assert "  " not in text
        assert text == text.strip()
        assert set(re.findall(r"\w+", text)) <= set(re.findall(r"\w+", PROMPT))


def test_exactly_the_requested_share_of_words_is_deleted() -> None:
    text = "one two three four five six seven eight nine ten"
    assert [count_words(change("word_deletion", text, strength).text) for strength in (0.01, 0.3, 1.0)] == [9, 7, 1]


def test_word_deletion_never_joins_a_protected_span() -> None:
    for seed in range(20):
        text = change("word_deletion", "pay 5 or b/c and take {cup}s of x 7 now", 0.5, seed).text
        assert re.search(r"(^| )5( |$)", text)
        assert re.search(r"(^| )7( |$)", text)
        assert "{cup}s" in text


def test_spacing_changes_only_whitespace() -> None:
    for seed in range(20):
        text = change("spacing", PROMPT, 0.3, seed).text
        assert text != PROMPT
        assert re.sub(r"\s", "", text) == re.sub(r"\s", "", PROMPT)


def test_spacing_never_joins_two_numbers() -> None:
    for seed in range(20):
        assert "55" not in change("spacing", "5 5 5 5", 1.0, seed).text


def test_punctuation_changes_only_punctuation() -> None:
    for seed in range(20):
        text = change("punctuation", PROMPT, 0.3, seed).text
        assert text != PROMPT
        assert re.findall(r"\w+", text) == re.findall(r"\w+", PROMPT)


def test_punctuation_matches_the_script_of_the_text() -> None:
    inserted = {e.inserted for seed in range(40) for e in change("punctuation", "नमस्ते दुनिया", 1.0, seed).edits}
    assert "।" in inserted
    assert "." not in inserted


def test_confusables_are_different_characters() -> None:
    result = change("confusables", "hope", 1.0, 1)
    assert len(result.text) == 4
    assert not any(character.isascii() for character in result.text)


def test_ocr_confuses_pairs_and_single_letters() -> None:
    edits = [edit for seed in range(60) for edit in change("ocr", "modern clients will learn of it", 0.1, seed).edits]
    made = {(edit.removed, edit.inserted) for edit in edits}
    assert {("rn", "m"), ("cl", "d"), ("m", "rn"), ("l", "1"), ("o", "0")} <= made


def test_no_ocr_reading_starts_with_the_original() -> None:
    assert all(other[0] != seen[0] for seen, others in _misreadings().items() for other in others)


def test_full_width_letters_normalise_to_the_original() -> None:
    result = change("fullwidth", PROMPT, 0.5)
    assert result.text != PROMPT
    assert unicodedata.normalize("NFKC", result.text) == PROMPT
    assert change("fullwidth", "नमस्ते 5 é", 1.0).edits == ()


@pytest.mark.parametrize("text", [PROMPT, "क्षत्रिय नमस्ते", "x👩‍👩‍👧‍👦y 🇮🇳🇫🇷", "שלום مرحبا"])
def test_zero_width_characters_leave_clusters_unchanged(text: str) -> None:
    new = change("zero_width", text, 1.0).text
    hidden = "\u200b\u2060\ufeff"
    starts, old_starts = cluster_starts(new), cluster_starts(text)
    clusters = [new[start:end] for start, end in itertools.pairwise(starts) if new[start:end] not in hidden]
    assert clusters == [text[start:end] for start, end in itertools.pairwise(old_starts)]
    assert not re.search(rf"(?<!\S)[{hidden}]|[{hidden}](?!\S)", new)


@pytest.mark.parametrize(
    ("text", "possible"),
    [("é", "eèêë"), ("e\u0301", "eèêë"), ("ž", "z"), ("ø", "o"), ("Ł", "L"), ("C", "Ç"), ("ế", "e")],
)
def test_accents_are_dropped_added_and_confused(text: str, possible: str) -> None:
    assert {change("accents", text, 1.0, seed).text for seed in range(60)} == set(possible)


def test_accents_apply_only_to_latin_letters() -> None:
    assert change("accents", "привет नमस्ते k 5", 1.0).edits == ()


def test_markdown_marks_words_and_lines_but_no_code() -> None:
    texts = [change("markdown", "First of all\nthe second `x = 1` line", 0.5, seed).text for seed in range(80)]
    assert any("**" in text for text in texts)
    assert not any("~" in text for text in texts)
    assert any(re.search(r"^(- |\* |# |> |1\. )", text, re.MULTILINE) for text in texts)
    assert all(text.count("`") == 2 and "`x = 1`" in text for text in texts)
    assert all(re.findall(r"[a-z]+", text, re.IGNORECASE) == "First of all the second x line".split() for text in texts)


def test_emoji_adds_only_emoji() -> None:
    result = change("emoji", PROMPT, 0.3)
    assert all(edit.removed == "" for edit in result.edits)
    assert len(result.edits) == round(0.3 * count_words(PROMPT))
