"""Paraphrases and contractions: different words, the same content."""

from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.language.english_verbs import verb_forms
from holdfast.language.grammar import closed_class
from holdfast.language.text import words
from holdfast.perturbations import Edits, perturbations
from holdfast.perturbations.families.hindi import mood
from holdfast.perturbations.protected import protected_spans

ASKED = [
    "What is the capital of France?",
    "Who wrote Hamlet?",
    "When was Ada Lovelace born?",
    "When did the war end?",
    "How much money does she make in 3 days?",
    "who won the world cup in 1998",
    "In 1998, who won the cup?",
    "Is Ada Lovelace the author?",
    "Does he play chess?",
    "Give me the list of rivers.",
    "Summarise the dialogue. Be brief.",
    "Ann has 4 pears. She eats 2. How many pears are left?",
    "Shares of Alport rose 12% after a strong quarter",
    "भारत की राजधानी क्या है?",
    "France ki capital kya hai?",
]


def paraphrase(text: str, strength: float, seed: int = 0, **extras: Any) -> Edits:
    return perturbations.get("paraphrase").apply(text, strength, Random(seed), **extras)


@pytest.mark.parametrize(
    ("question", "recasts"),
    [
        ("What is the capital of France?", ["what the capital of France is", "The capital of France is what"]),
        ("Who wrote Hamlet?", ["who wrote Hamlet", "Who was it that wrote Hamlet", "By whom was Hamlet written?"]),
        ("Can you explain why it rains?", ["xplain why it rains."]),
        ("How do I boil an egg?", ["how to boil an egg", "how I can boil an egg"]),
        ("Does he plan and execute it?", ["whether he plans and executes it"]),
        ("Why is the sky blue?", ["why the sky is blue"]),
        ("When was Ada Lovelace born?", ["when Ada Lovelace was born"]),
        ("How many legs does a spider have?", ["how many legs a spider has"]),
        ("How many seas are there on Mars?", ["how many seas there are on Mars"]),
        ("How much did she spend in all?", ["how much she spent in all"]),
        ("Is Rome in Italy?", ["whether Rome is in Italy"]),
        ("Who won in 1998?", ["who won in 1998", "In 1998, who won?", "Who was it that won in 1998?"]),
        ("भारत की राजधानी क्या है?", ["भारत की राजधानी क्या है"]),
        ("France ki capital kya hai?", ["France ki capital kya hai"]),
    ],
)
def test_a_medium_paraphrase_recasts_a_question(question: str, recasts: list[str]) -> None:
    for seed in range(8):
        text = paraphrase(question, 0.5, seed).text
        assert text != question
        assert any(recast in text for recast in recasts)


@pytest.mark.parametrize(
    "question",
    [
        "When does the big old shop open?",
        "What is the man who wrote it called?",
        "Was the capital moved?",
        "How tall is the actor who plays Hagrid?",
    ],
)
def test_a_question_that_no_rule_fits_is_introduced(question: str) -> None:
    assert paraphrase(question, 0.5).text.lower().endswith(question.lower())


def test_a_light_paraphrase_keeps_the_question() -> None:
    text = paraphrase("What is the capital of France?", 0.25).text
    assert text.lower().endswith("what is the capital of france?")


def test_a_light_paraphrase_makes_commands_polite() -> None:
    assert paraphrase("Summarise the dialogue.", 0.25, 1).text in (
        "Please summarise the dialogue.",
        "Kindly summarise the dialogue.",
        "A request: Summarise the dialogue.",
    )


@pytest.mark.parametrize("text", ASKED)
def test_a_higher_strength_never_changes_less(text: str) -> None:
    for seed in range(20):
        sizes = [_size(paraphrase(text, strength, seed)) for strength in (0.1, 0.25, 0.5, 0.6, 0.75, 1.0)]
        assert all(lower <= higher for lower, higher in pairwise(sizes))


def _size(edits: Edits) -> int:
    return sum(len(edit.removed) + len(edit.inserted) for edit in edits.edits)


@given(text=st.sampled_from(ASKED), strength=st.floats(0.01, 1), seed=st.integers(0, 999))
def test_content_words_numbers_and_names_are_kept(text: str, strength: float, seed: int) -> None:
    changed = paraphrase(text, strength, seed).text
    assert _content(text) <= _content(changed)
    assert all(text[start:end] in changed for start, end in protected_spans(text))


def _content(text: str) -> set[str]:
    """Return the content words, verbs in base form, without verbs of asking."""
    bases = {form: base for table in verb_forms().values() for form, base in table.items()}
    found = {bases.get(text[start:end].lower(), text[start:end].lower()) for start, end in words(text)}
    return found - closed_class() - {"give", "show", "tell"}


def test_a_sample_paraphrase_is_used_with_word_level_edits() -> None:
    own = "Which city is the capital of France?"
    result = paraphrase("What is the capital of France?", 0.75, paraphrases=[own])
    assert result.text == own
    assert len(result.edits) > 0
    assert all("capital of France" not in edit.removed for edit in result.edits)


def test_a_sample_paraphrase_that_loses_a_number_is_ignored() -> None:
    text = paraphrase("Who won in 1998?", 0.75, paraphrases=["Who won back then?"]).text
    assert "1998" in text


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("I'm here and it isn't late.", "I am here and it is not late."),
        ("I am here and it is not late.", "I'm here and it's not late."),
        ("What is the time?", "What's the time?"),
        ("They’ve been told.", "They have been told."),
        ("It's been fun, let's go.", "It has been fun, let us go."),
        ("I'd like tea.", "I would like tea."),
    ],
)
def test_contractions_work_in_both_directions(text: str, other: str) -> None:
    assert perturbations.get("contractions").apply(text, 1.0, Random(0)).text == other


@pytest.mark.parametrize(
    "text",
    [
        "Isn't she late?",
        "Why don't they go?",
        "I wonder where they are now.",
        "The dog's bone is Ann's.",
        'He said "I am here".',
        "I would.",
        "Yes, I am.",
        "Not only does it not only rain.",
    ],
)
def test_unsuitable_contractions_are_kept(text: str) -> None:
    assert perturbations.get("contractions").apply(text, 1.0, Random(0)).text == text


@pytest.mark.parametrize("name", ["paraphrase", "distractor"])
@pytest.mark.parametrize(
    "text", ["ما هي عاصمة فرنسا؟", "מהי בירת צרפת?", "法国的首都是哪里？", "Какая столица Франции?", "Wer ist das?"]
)
def test_no_english_is_added_to_text_in_another_language(name: str, text: str) -> None:
    assert perturbations.get(name).apply(text, 0.75, Random(0)).text == text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Kal 7 baje ka alarm laga do", "request"),
        ("Mujhe ek story sunao", "request"),
        ("Reminder set karo ki kal meeting hai", "request"),
        ("Please light band kar do yaar", "request"),
        ("Batao kaun jeeta?", "request"),
        ("Mujhe ticket chahiye", "statement"),
        ("Mera laptop kharab ho gaya hai", "statement"),
        ("Office kaise jaun", "question"),
        ("मुझे एक कहानी सुनाइए।", "request"),
        ("अलार्म लगा दो", "request"),
        ("मुझे पानी चाहिए।", "statement"),
        ("मौसम कैसा है?", "question"),
    ],
)
def test_the_mood_of_hindi_sentences_is_detected(text: str, what: str) -> None:
    assert mood(text) == what


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("Alarm laga do", {"Please alarm laga do", "Kripya alarm laga do", "Ek request hai: Alarm laga do"}),
        (
            "Mera ghar door hai",
            {f"{frame}: Mera ghar door hai" for frame in ("Ek baat", "Yeh dekhiye", "Dhyaan dijiye")},
        ),
        ("सूची बनाइए।", {"कृपया सूची बनाइए।", "एक निवेदन: सूची बनाइए।"}),
        ("Kripya gaana chalao", {"Ek request hai: Kripya gaana chalao", "Meri request: Kripya gaana chalao"}),
    ],
)
def test_a_hindi_introduction_fits_the_mood(text: str, frames: set[str]) -> None:
    assert {paraphrase(text, 0.25, seed).text for seed in range(20)} == frames


def test_only_names_keep_their_capital_inside_hinglish() -> None:
    office = {paraphrase("Office kaise jaun?", 0.5, seed).text for seed in range(9)}
    delhi = {paraphrase("Delhi kahan hai?", 0.5, seed).text for seed in range(9)}
    assert all("ki office kaise" in text for text in office)
    assert all("ki Delhi kahan" in text for text in delhi)


def test_a_statement_that_no_rule_fits_has_contractions_expanded() -> None:
    assert paraphrase("I don't like rain, it's been wet.", 0.5).text.endswith(": I do not like rain, it has been wet.")
