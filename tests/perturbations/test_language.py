"""Code-switching, romanisation and language detection."""

from random import Random

import pytest

from holdfast.language.detection import language_of
from holdfast.language.word_tables import read_lines
from holdfast.perturbations import perturbations
from holdfast.perturbations.families.romanise import in_latin


def change(name: str, text: str) -> str:
    return perturbations.get(name).apply(text, 1.0, Random(0)).text


@pytest.mark.parametrize(
    ("text", "switched"),
    [
        ("What is the capital of France?", "What is the rajdhani of France?"),
        ("two sisters and a pen", "two behnein aur a kalam"),
        ("Water is life.", "Paani is zindagi."),
        ("How often does it rain?", "How often does it rain?"),
        ("They need help; the need for help", "They need help; the zaroorat for help"),
        ("an apple", "an apple"),
        ('the "river" River Thames', 'the "river" River Thames'),
        ("भारत की राजधानी क्या है?", "भारत की capital क्या है?"),
        ("aaj mausam kaisa hai?", "aaj weather kaisa hai?"),
        ("Wie heißt die Stadt und der Fluss?", "Wie heißt die Stadt und der Fluss?"),
    ],
)
def test_code_switch_translates_content_words(text: str, switched: str) -> None:
    assert change("code_switch", text) == switched


def test_the_code_switch_table_is_large_and_complete() -> None:
    lines = read_lines("code_switch_hi.txt", "holdfast.perturbations")
    assert len(lines) >= 350
    assert all(line.count("=") == 2 for line in lines)


@pytest.mark.parametrize(
    ("word", "latin"),
    [
        ("नमस्ते", "namaste"),
        ("किताब", "kitab"),
        ("करना", "karna"),
        ("समझना", "samajhna"),
        ("मित्र", "mitra"),
        ("दोस्त", "dost"),
        ("ठीक", "theek"),
        ("हाँ", "haan"),
        ("बच्चा", "baccha"),
        ("गए", "gaye"),
        ("आए", "aaye"),
        ("ज़रूरी", "zaruri"),
        ("abc", ""),
        ("कabc", ""),
    ],
)
def test_hindi_is_romanised_as_people_type_it(word: str, latin: str) -> None:
    assert in_latin(word) == latin


def test_only_devanagari_is_romanised_and_numbers_are_kept() -> None:
    assert change("romanise", "भारत में 28 राज्य हैं, OK?") == "bharat mein 28 rajya hain, OK?"
    assert change("romanise", "no Hindi here") == "no Hindi here"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Who wrote Hamlet?", "en"),
        ("rivers", "en"),
        ("भारत की राजधानी क्या है?", "hi"),
        ("reminder set karo ki kal meeting hai", "hi-Latn"),
        ("Quelle est la capitale de la France?", "fr"),
        ("中国的首都是哪里", "zh"),
        ("", ""),
    ],
)
def test_language_is_detected_by_script_and_function_words(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("name", ["code_switch", "synonyms"])
@pytest.mark.parametrize(
    "text",
    [
        "Main kal nahi aaunga",
        "Car mein pet hai",
        "Are bhai sun to sahi",
        "Koi restaurant suggest kar do yaar",
        "yeh pal mere liye hai",
        "Homework kar ke so ja bhai",
        "आप यह काम कर सकते हैं",
    ],
)
def test_ambiguous_words_are_kept_in_mixed_text(name: str, text: str) -> None:
    changed = perturbations.get(name).apply(text, 1.0, Random(0))
    touched = {edit.removed.lower() for edit in changed.edits}
    assert not touched & {"main", "pet", "sun", "to", "are", "suggest", "kar", "pal", "mere", "so", "ja", "कर"}


def test_ambiguous_words_are_replaced_in_english_text() -> None:
    assert change("code_switch", "The sun is hot") == "The suraj is garam"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Are bhai sun to sahi", "hi-Latn"),
        ("events ki list dikhao", "hi-Latn"),
        ("Ghar ke liye sabzi laana", "hi-Latn"),
        ("Какая столица Франции?", "ru"),
        ("ما هي عاصمة فرنسا؟", "ar"),
        ("Türkiye'nin başkenti neresidir", "tr"),
        ("café opening hours today", "en"),
    ],
)
def test_hinglish_is_distinguished_from_other_languages(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_unit_after_a_number_is_romanised() -> None:
    assert change("romanise", "7 बजे 500 रुपये दो।") == "7 baje 500 rupye do।"
    kept = perturbations.get("romanise").apply("500 रुपये दो", 1.0, Random(0), protect=["500 रुपये"])
    assert kept.text == "500 रुपये do"
