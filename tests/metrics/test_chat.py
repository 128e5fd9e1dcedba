"""Polite phrases around an answer are ignored."""

import pytest

from holdfast.metrics.chat import without_chat
from holdfast.metrics.drift import BREAK, segment_drift
from holdfast.metrics.segments import segment


def content(text: str) -> list[str]:
    return [part.text for part in without_chat(segment([text])[0])]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Sure! Paris is the capital. Enjoy!", ["Paris is the capital."]),
        ("Of course, here you go: Use a soft cloth.", ["Use a soft cloth."]),
        ("Based on the information provided, the answer is 42.", ["42."]),
        ("It is open. Let me know if you need anything else.", ["It is open."]),
        ("Gerne! Berlin ist groß. Ich hoffe, das hilft dir weiter.", ["Berlin ist groß."]),
        ("¡Claro! Roma es bella.", ["Roma es bella."]),
        ("Bien sûr ! Il pleut. N'hésitez pas à demander.", ["Il pleut."]),
        ("当然可以。北京是首都。", ["北京是首都。"]),
        ("Sure! I'm sorry, but I can't help with that.", ["I'm sorry, but I can't help with that."]),
        ("Sure things are rare. Of course not.", ["Sure things are rare.", "Of course not."]),
        ("Certainly not.", ["Certainly not."]),
        ("Enjoy the silence of the woods.", ["Enjoy the silence of the woods."]),
        ("I'd be happy to help! It is 5. Don't hesitate to ask.", ["It is 5."]),
        ("Great! Of course!", ["Great!", "Of course!"]),
        ("Great-grandmother Ada lived in Paris.", ["Great-grandmother Ada lived in Paris."]),
        ("Sure - it is open.", ["it is open."]),
        ("The correct answer is: C.", ["C."]),
        ("Final answer: 42. The best choice is option B.", ["42.", "B."]),
        ("Die richtige Antwort lautet Bonn. La respuesta es Quito.", ["Bonn.", "Quito."]),
        ("The answer isn't Rome. The answer is not Rome.", ["The answer isn't Rome.", "not Rome."]),
        ("The answer is that nobody has measured it so far.", ["The answer is that nobody has measured it so far."]),
        ("Hi there, thanks for reaching out! It ships today. Have a lovely day!", ["It ships today."]),
        ("I'm sorry you're going through this. Rest it. I hope you feel better soon.", ["Rest it."]),
        ("It is open. Would you like to know more?", ["It is open."]),
        ("Thank you for you patiense. It ships today.", ["It ships today."]),
        ("Thanks to the rain it is green. I hope for rain.", ["Thanks to the rain it is green.", "I hope for rain."]),
        ("I'm sorry, I can't help you. Try again.", ["I'm sorry, I can't help you.", "Try again."]),
        (
            "It rains. Do not thank me. I never wish you well.",
            ["It rains.", "Do not thank me.", "I never wish you well."],
        ),
        ("First, second, and third prizes went to Ann.", ["First, second, and third prizes went to Ann."]),
    ],
)
def test_polite_phrases_are_stripped_from_an_answer(text: str, parts: list[str]) -> None:
    assert content(text) == parts


def test_a_stripped_segment_keeps_its_span() -> None:
    text = "Sure!  Here you go: it is Paris. Enjoy!"
    [part] = without_chat(segment([text])[0])
    assert text[part.start : part.end] == part.text == "it is Paris."


@pytest.mark.parametrize(
    ("clean", "perturbed", "breaks"),
    [
        ("Paris is the capital.", "Certainly! Paris is the capital. I hope this helps.", False),
        ("Great question! It is 12.", "It is 12. Let me know if there's anything else.", False),
        ("Sure!", "No.", True),
        ("Sure! It is 12.", "Sure! It is 13.", True),
        ("Add two eggs.", "Sure! I'm sorry, but I can't help with that.", True),
        ("Of course you may enter.", "Of course you may not enter.", True),
        ("C", "The correct answer is C.", False),
        ("B", "The correct answer is C.", True),
    ],
)
def test_politeness_does_not_count_as_drift(clean: str, perturbed: str, breaks: bool) -> None:
    assert [drift.max_drift >= BREAK for drift in segment_drift([clean, perturbed], [perturbed, clean])] == [breaks] * 2
