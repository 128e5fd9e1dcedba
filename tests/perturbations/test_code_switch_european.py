"""Code-switching between English and German, French and Spanish, in both directions."""

from random import Random

import pytest

from holdfast.language.word_tables import read_lines
from holdfast.perturbations import perturbations


def change(language: str, text: str) -> str:
    return perturbations.get(f"code_switch_{language}").apply(text, 1.0, Random(0)).text


@pytest.mark.parametrize(
    ("language", "text", "switched"),
    [
        ("de", "What is the capital of Germany?", "What is the Hauptstadt of Germany?"),
        ("fr", "two sisters and a horse", "two sœurs et a cheval"),
        ("es", "Children need water.", "Niños need water."),
        ("de", "the DOOR", "the TÜR"),
        ("de", "They book a room; the book", "They book a Zimmer; the Buch"),
        ("fr", "an apple and a garden", "an apple et a jardin"),
        ("es", 'the "river" River Thames', 'the "river" River Thames'),
        ("de", "the hotel", "the hotel"),
        ("de", "Wie heißt der Fluss und wo ist die Brücke?", "Wie heißt der River and wo ist die Bridge?"),
        ("fr", "Où est la clé de la maison ?", "Où est la key de la house ?"),
        ("es", "¿Dónde está la llave de mi casa?", "¿Dónde está la key de mi house?"),
    ],
)
def test_nouns_and_function_words_are_translated(language: str, text: str, switched: str) -> None:
    assert change(language, text) == switched


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "Wie heißt der Fluss?"),
        ("de", "¿Cuál es la capital de España?"),
        ("es", "भारत की राजधानी क्या है?"),
        ("de", "Какая столица России?"),
        ("fr", "Il porte deux livres, il marche, elle est belle"),
        ("de", "Frage: wo ist er?"),
        ("de", "wo kann man reisen oder leben"),
    ],
)
def test_other_languages_and_uncertain_nouns_are_kept(language: str, text: str) -> None:
    assert change(language, text) == text


@pytest.mark.parametrize("text", ["Die Geschichte ist lang.", "Der Preis ist hoch.", "Das ist ein Schloss."])
def test_ambiguous_words_are_not_translated_into_english(text: str) -> None:
    assert change("de", text) == text


def test_the_table_is_large_and_complete() -> None:
    entries = [
        line.partition(":")[2].split("=")
        for line in read_lines("code_switch_european.txt", "holdfast.perturbations")
        if "=" in line
    ]
    assert len(entries) >= 330
    for sides in entries:
        assert len(sides) == 4
        assert len({side.count("/") for side in sides}) == 1
        assert all(form.strip() for side in sides for form in side.split("/"))
    english = [form.strip() for sides in entries for form in sides[0].split("/")]
    assert len(set(english)) == len(english)
