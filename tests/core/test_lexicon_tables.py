"""What the lexicon knows is stated once, for perturbations and metrics alike."""

import re
from random import Random

import pytest

from holdfast.language.english_verbs import verb_form, verbs
from holdfast.language.inflection import forms
from holdfast.language.lexicon_tables import THESAURUS, abbreviations
from holdfast.language.sentences import sentence_spans
from holdfast.language.stems import stem
from holdfast.language.thesaurus import synonym_table
from holdfast.language.word_tables import read_lines
from holdfast.metrics.drift import BREAK, segment_drift
from holdfast.perturbations import perturbations


def test_irregular_forms_serve_replacing_and_reading() -> None:
    assert verb_form("begin", "past") == "began"
    assert stem("began") == stem("begin")
    assert forms("noun", "thief") == ("thief", "thieves")
    assert stem("thieves") == stem("thief")
    assert synonym_table()["swept"].by_part == {"verb": ["brushed"]}
    assert "sweeped" not in synonym_table()


def test_verbs_in_o_take_es() -> None:
    assert verb_form("go", "third") == "goes"
    assert verb_form("undergo", "third") == "undergoes"
    assert forms("noun", "photo") == ("photo", "photos")


def test_common_verbs_are_listed_by_base_form() -> None:
    assert len(verbs()) > 350
    assert not any("/" in base for base in verbs())


def test_an_abbreviation_is_read_and_ends_no_sentence() -> None:
    assert abbreviations()["govt"] == ("government",)
    text = "The govt. office opens on Thur. 5 Sept. and closes at 3. Ask Mr. Lee of Ames Corp. The rest is easy."
    ends = [text[start:end].split()[-1] for start, end in sentence_spans(text)]
    assert ends == ["3.", "Corp.", "easy."]


@pytest.mark.parametrize("name", ["names.txt", "verbs_en.txt", "no_denials_en.txt"])
def test_no_word_is_listed_twice(name: str) -> None:
    listed = [word for line in read_lines(name) for word in line.split()]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("name", THESAURUS)
def test_no_synonym_is_stated_in_either_direction_again(name: str) -> None:
    lines = [line.split(": ", 1) for line in read_lines(name)]
    pairs = [(kind, *re.split(" [=>] ", entry)) for kind, entry in lines if kind != "never" and "," not in entry]
    twice = [(kind, *words) for kind, *words in pairs if len(words) == 2 and (kind, *words[::-1]) in pairs]
    assert not twice


@pytest.mark.parametrize(
    ("denied", "other", "affirmed"),
    [
        ("वह कल नही आया।", "वह कल नहीं आया।", "वह कल आया।"),
        ("woh kal nahii aaya hai", "woh kal nhi aaya hai", "woh kal aaya hai"),
    ],
)
def test_every_spelling_of_a_hindi_negation_is_known_everywhere(denied: str, other: str, affirmed: str) -> None:
    same, changed = segment_drift([denied, denied], [other, affirmed], encoding="lexical")
    assert same.max_drift < BREAK < changed.max_drift
    made = perturbations.get("negate").apply(denied, 1.0, Random(0)).text
    assert "नही" not in made
    assert "nah" not in made
