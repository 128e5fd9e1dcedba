"""What the words of a text are, in many languages: as they are written, and as scores compare them."""

import unicodedata

import pytest

from holdfast.language.compared_words import compared_words, parts
from holdfast.language.detection import language_of
from holdfast.language.grammar import word_after, word_before
from holdfast.language.hinglish import is_mixed
from holdfast.language.text import count_words, lower_words, words
from holdfast.metrics.facts import words_of


@pytest.mark.parametrize(
    ("text", "written", "compared"),
    [
        ("Don't say she’s well-known.", "don't say she’s well-known", "don t say she s well known"),
        ("Die Tür, größer!", "die tür größer", "die tür grösser"),
        ("L'eau d'aujourd’hui", "l'eau d'aujourd’hui", "l eau d aujourd hui"),
        ("हिन्दी में कितनी नदियाँ हैं?", "हिन्दी में कितनी नदियाँ हैं", "हिन्दी में कितनी नदियाँ हैं"),
        ("क्\u200dया कभी-कभी", "क्\u200dया कभी-कभी", "क्या कभी कभी"),
        ("می\u200cخواهم بروم", "می\u200cخواهم بروم", "میخواهم بروم"),
        ("cafe\u0301 x\u0301y", "cafe\u0301 x\u0301y", "café x\u0301y"),
        ("中国的首都是北京。", "中国 的 首都 是 北京", "中 国 的 首 都 是 北 京"),
        ("ケーキを2個", "ケーキ を 2個", "ケ ー キ を 2 個"),
        ("ที่นี่ดี", "ที่นี่ดี", "ที่ นี่ ดี"),
        ("I ❤️ it 👨‍👩‍👧 👍🏽!", "i it", "i it"),
        ("read 12 of snake_case", "read 12 of snake_case", "read 12 of snake case"),
        ("３ Ⅳ", "３ ⅳ", "3 iv"),
    ],
)
def test_words_in_many_languages(text: str, written: str, compared: str) -> None:
    assert lower_words(text) == written.split(" ")
    assert compared_words(text) == compared.split(" ")
    assert count_words(text) == len(words(text)) == len(lower_words(text))


def test_no_part_of_an_emoji_is_a_word() -> None:
    for text in ("👨‍👩‍👧", "❤️", "🇮🇳", "👍🏽", "\u200d", "\u0301"):
        assert count_words(text) == len(parts(text)) == 0


def test_ascii_texts_are_cut_like_any_other() -> None:
    text = "It's a well-known rule: 'snake_case', a-b-c -- and 3rd x_ 'tis rock'n'roll."
    other = text + " é"
    assert lower_words(text) == lower_words(other)[:-1]
    assert parts(text) == parts(other)[:-1]


def test_neighbouring_words_are_whole_in_any_script() -> None:
    text = "Wo ist die Tür – heute? हिन्दी में 'क्या' है"
    assert word_before(text, text.index("Tür")) == "die"
    assert word_after(text, text.index(" ist")) == "ist"
    assert word_after(text, text.index(" –")) == ""  # a dash is no word
    assert word_before(text, text.index("'क्या")) == "में"
    assert word_after(text, text.index(" में")) == "में"


def test_hinglish_is_recognised_beside_an_apostrophe() -> None:
    assert is_mixed("Ann's phone kharab hai")
    assert not is_mixed("It's Ann's phone")


@pytest.mark.parametrize(
    ("text", "language"),
    [("Elle a préféré rester chez elle.", "fr"), ("Él está aquí, ¿quién está ahí?", "es"), ("Fährt er früh?", "de")],
)
def test_decomposed_letters_do_not_hide_the_language(text: str, language: str) -> None:
    assert language_of(unicodedata.normalize("NFD", text)) == language_of(text) == language
    assert language_of("l'eau d'ici 3") == language_of("l’eau d’ici")


def test_words_carry_their_joiners_but_emoji_are_none() -> None:
    assert [word.form for word in words_of("क्\u200dया 1,000 ❤️ है", "hi")] == ["क्\u200dया", "1,000", "है"]
