"""Word slips, distractors and negation."""

import re
from random import Random

import pytest

from holdfast.language.word_tables import read_lines
from holdfast.perturbations import Edits, expectation, perturbations

PROMPT = "Please summarise the big meeting about the harbour and tell me when the work begins."


def change(name: str, text: str, strength: float, seed: int = 0) -> Edits:
    return perturbations.get(name).apply(text, strength, Random(seed))


def test_swapping_keeps_the_same_words() -> None:
    for seed in range(20):
        text = change("word_swap", PROMPT, 0.2, seed).text
        assert text != PROMPT
        assert sorted(re.findall(r"\w+", text)) == sorted(re.findall(r"\w+", PROMPT))


def test_no_swap_across_punctuation_and_protected_spans() -> None:
    assert change("word_swap", "one, two 3 four", 1.0).edits == ()


def test_function_words_are_repeated_first() -> None:
    text = change("word_repeat", "The harbour of the city", 0.6).text
    assert text == "The the harbour of of the the city"


@pytest.mark.parametrize(
    ("text", "strength", "left"),
    [
        ("Who wrote the play, and when?", 0.3, "Who wrote the play,"),
        ("one two three", 1.0, "one"),
        ("pay 5 euros at once", 1.0, "pay 5 euros"),
        ("what is 2 + 2", 1.0, "what is 2 + 2"),
        ("and/or maybe", 1.0, "and"),
    ],
)
def test_truncation_stops_at_a_protected_span(text: str, strength: float, left: str) -> None:
    assert change("truncate", text, strength).text == left


def test_distractors_leave_the_text_unchanged() -> None:
    for seed in range(10):
        result = change("distractor", "Who wrote it? And when?", 1.0, seed)
        assert all(edit.removed == "" for edit in result.edits)
        assert len(result.edits) == 3
    assert len(change("distractor", "Who wrote it?", 0.25).edits) == 1


def test_distractors_match_the_language_and_have_no_numbers() -> None:
    known = [line.partition(": ") for line in read_lines("distractors.txt", "holdfast.perturbations")]
    assert len(known) >= 120
    assert not any(re.search(r"\d", sentence) for _, _, sentence in known)
    for text, language in [("भारत की राजधानी क्या है?", "hi"), ("aaj mausam kaisa hai?", "hi-Latn"), (PROMPT, "en")]:
        (edit,) = change("distractor", text, 0.25).edits
        assert (language, edit.inserted.strip()) in {(name, sentence) for name, _, sentence in known}


def test_a_distractor_is_added_between_turns_not_within_one() -> None:
    text = "Ann: Hi. How are you?\nBob: Fine. You?"
    for seed in range(10):
        assert all(
            turn in change("distractor", text, 1.0, seed).text for turn in ("Ann: Hi. How are you?", "Bob: Fine. You?")
        )


@pytest.mark.parametrize(
    ("text", "negated"),
    [
        ("Is it safe to drink tap water?", "Is it unsafe to drink tap water?"),
        ("Was it unfair of him to leave?", "Was it fair of him to leave?"),
        ("Which planets have rings?", "Which planets do not have rings?"),
        ("Which countries are in the EU?", "Which countries aren't in the EU?"),
        ("Who wrote Hamlet?", "Who did not write Hamlet?"),
        ("Why is the sky blue?", "Why isn't the sky blue?"),
        ("Which of the two did not sign?", "Which of the two signed?"),
        ("He doesn't like tea.", "He likes tea."),
        ("He can swim well.", "He cannot swim well."),
        ("The old bank opens at nine.", "The old bank does not open at nine."),
        ("The firm announced a plan.", "The firm did not announce a plan."),
        ("Tom lives in Paris.", "Tom does not live in Paris."),
        ("They eat meat.", "They do not eat meat."),
        ("Fix the bug", "Do not fix the bug"),
        ("Give me a list.", "Do not give me a list."),
        ("Please open the door.", "Please do not open the door."),
        ("Do not open it.", "Open it."),
        ("Profits rose again.", "Profits did not rise again."),
        ("She plays chess.", "She does not play chess."),
        ("The shop is open.", "The shop is not open."),
        ("They can not come.", "They can come."),
        ("It isn't late.", "It is late."),
        ("Summarise the text.", "Do not summarise the text."),
        ("दुकान नौ बजे खुलती है।", "दुकान नौ बजे नहीं खुलती है।"),
        ("मैं स्कूल जा सकता हूँ।", "मैं स्कूल नहीं जा सकता हूँ।"),
        ("Kal baarish ho rahi hai", "Kal baarish nahi ho rahi hai"),
        ("Alarm laga do", "Alarm mat lagao"),
        ("कृपया सूची बनाइए।", "कृपया सूची मत बनाइए।"),
        ("Light band mat karo", "Light band karo"),
        ("वह घर पर नहीं है।", "वह घर पर है।"),
    ],
)
def test_sentences_are_negated(text: str, negated: str) -> None:
    assert change("negate", text, 1.0).text == negated


@pytest.mark.parametrize(
    "text",
    [
        "Is Rome old?",
        "Is it safe or unsafe to swim?",
        "Which cities are the largest?",
        "Which animals can dogs see?",
        "Nobody came.",
        "How tall is it?",
        "a red rose",
        "Isn't it late?",
        'He wrote "it is so".',
        "If it is late, we go.",
        "क्या यह सच है?",
        "Where is the Nile?",
        "When was the last time it rained?",
        "how many seasons are there",
        "What are ways to relax?",
        "भारत की राजधानी क्या है?",
        "dukaan kahan hai?",
    ],
)
def test_nothing_is_negated_if_no_rule_is_sure_to_fit(text: str) -> None:
    changed = change("negate", text, 1.0).text
    assert changed == text or "wrote" in text


def test_each_sentence_is_negated_once() -> None:
    text = "The shop is open. It is warm and it is late. Who wrote it?"
    result = change("negate", text, 1.0)
    assert result.text == "The shop is not open. It is not warm and it is late. Who did not write it?"
    assert len(change("negate", text, 0.3).edits) == 1


def test_only_a_negation_is_expected_to_change_the_answer() -> None:
    assert [expectation(name) for name in ("negate", "distractor", "truncate")] == ["changed", "invariant", "invariant"]


@pytest.mark.parametrize("strength", [0.1, 0.3, 0.5])
def test_truncation_keeps_a_number_and_its_month_together(strength: float) -> None:
    text = change("truncate", "Please book a table for two on 4 March near the old town", strength)
    assert not text.text.endswith("4")
