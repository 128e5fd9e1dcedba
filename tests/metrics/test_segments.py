"""Where answers are cut into segments, and where they are not."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import UserError
from holdfast.metrics.segments import segment


def cut(text: str, granularity: str = "sentence") -> list[str]:
    return [part.text for part in segment([text], granularity)[0]]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("It costs $4.5 million. Mr. Bo paid.", ["It costs $4.5 million.", "Mr. Bo paid."]),
        ("राम घर गया। सीता आई।", ["राम घर गया।", "सीता आई।"]),
        ("First line\nsecond line", ["First line", "second line"]),
        (
            "A long line that was wrapped by an editor at fifty or more\ncharacters goes on. Next.",
            ["A long line that was wrapped by an editor at fifty or more\ncharacters goes on.", "Next."],
        ),
        ("It opens at 5 p.m. Anna waits.", ["It opens at 5 p.m.", "Anna waits."]),
        ("It opens at 5 p.m. on Monday.", ["It opens at 5 p.m. on Monday."]),
        ("Prof. J. R. Lee, e.g. in the U.S. Senate, said no.", ["Prof. J. R. Lee, e.g. in the U.S. Senate, said no."]),
        ("Pay 4,5 or 4.5 at www.a.org/x.y?z=1. Done.", ["Pay 4,5 or 4.5 at www.a.org/x.y?z=1.", "Done."]),
        ('He said "Go. Now." and left. She stayed.', ['He said "Go. Now." and left.', "She stayed."]),
        ('He said "Go. Now." She stayed.', ['He said "Go. Now."', "She stayed."]),
        ('"Go!" he said. So we did.', ['"Go!" he said.', "So we did."]),
        ('"We saw it. It was big."', ['"We saw it.', 'It was big."']),
        (
            "It rained (very hard. All day.) and stopped. Good.",
            ["It rained (very hard. All day.) and stopped.", "Good."],
        ),
        ("#Person1#: Hi! How are you?\n#Person2#: Fine.", ["#Person1#: Hi!", "How are you?", "#Person2#: Fine."]),
        ("Buy:\n- milk, 1.5 l\n- bread\n\nThanks.", ["Buy:", "- milk, 1.5 l", "- bread", "Thanks."]),
        (
            "Run this:\n```\na = 1. \nb = f(x). C\n```\nThen stop.",
            ["Run this:", "```\na = 1. \nb = f(x). C\n```", "Then stop."],
        ),
        ("他来了。她走了！", ["他来了。", "她走了！"]),
        ("डॉ. राम ने कहा। वह गया॥ ठीक?", ["डॉ. राम ने कहा।", "वह गया॥", "ठीक?"]),
        ("i went home. then i slept.", ["i went home.", "then i slept."]),
        ("Well... perhaps. Plan B works… or not.", ["Well... perhaps.", "Plan B works… or not."]),
        ("1. Boil water.\n2. Add tea.", ["1. Boil water.", "2. Add tea."]),
        ("Really?! Yes.", ["Really?!", "Yes."]),
        ("...", []),
        ("", []),
    ],
)
def test_text_is_split_into_sentences(text: str, parts: list[str]) -> None:
    assert cut(text) == parts


def test_clauses_are_not_cut_inside_numbers_or_quotations() -> None:
    text = 'Anna said "soup, and bread" to us, but Ben paid 1,000 euros because he is kind.'
    assert cut(text, "clause") == [
        'Anna said "soup, and bread" to us,',
        "but Ben paid 1,000 euros",
        "because he is kind.",
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "Give me 4,5 litres, and (if you can, or will) the 1,000 euros; then go",
            ["Give me 4,5 litres,", "and (if you can, or will) the 1,000 euros;", "then go"],
        ),
        ("राम घर गया और सीता बाज़ार गई।", ["राम घर गया", "और सीता बाज़ार गई।"]),
        ("Ram ghar gaya lekin Sita nahi aayi", ["Ram ghar gaya", "lekin Sita nahi aayi"]),
        ("```\nif a, b and c or d: pass\n```", ["```\nif a, b and c or d: pass\n```"]),
    ],
)
def test_clauses_end_at_punctuation_and_conjunctions(text: str, parts: list[str]) -> None:
    assert cut(text, "clause") == parts


@given(
    st.text(alphabet=st.sampled_from('aB1 .,!?"“”()।\n-`डॉ。e\u2028'), max_size=60),
    st.sampled_from(["sentence", "clause", "phrase"]),
)
def test_segments_are_ordered_and_keep_every_letter(text: str, granularity: str) -> None:
    parts = segment([text], granularity)[0]
    assert all(text[part.start : part.end] == part.text for part in parts)
    assert all(one.end <= other.start for one, other in pairwise(parts))
    covered = "".join(part.text for part in parts)
    assert [c for c in covered if c.isalnum()] == [c for c in text if c.isalnum()]


def test_mass_is_the_number_of_content_words() -> None:
    masses = {
        text: segment([text])[0][0].mass
        for text in ("the and of", "Anna's dog doesn't bark", "他来了我们走", "राम की किताब है")
    }
    assert masses == {"the and of": 1, "Anna's dog doesn't bark": 3, "他来了我们走": 3, "राम की किताब है": 2}


def test_phrases_are_also_cut_before_prepositions() -> None:
    assert cut("Anna waits at the station with Ben.", "phrase") == ["Anna waits", "at the station", "with Ben."]


@pytest.mark.parametrize("granularity", ["sentence", "clause", "phrase"])
@pytest.mark.parametrize("text", ["  Hello there.  Bye, now!  ", "a\n\nb", "नमस्ते। दो, तीन", "x\ud800y. z"])
def test_spans_point_to_the_text_of_each_segment(granularity: str, text: str) -> None:
    for part in segment([text], granularity)[0]:
        assert text[part.start : part.end] == part.text
        assert part.mass >= 1


def test_an_unknown_granularity_raises_user_error() -> None:
    with pytest.raises(UserError, match="expected one of sentence, clause, phrase"):
        segment(["a"], "word")


def test_spaced_abbreviations_do_not_end_a_sentence() -> None:
    [found] = segment(["Er mag Obst, z. B. Äpfel, d. h. er isst es. Man kauft u. a. Birnen."])
    assert [part.text for part in found] == ["Er mag Obst, z. B. Äpfel, d. h. er isst es.", "Man kauft u. a. Birnen."]
