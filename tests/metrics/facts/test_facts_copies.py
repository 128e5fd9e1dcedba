"""Text that must be copied exactly (addresses, code), and emoji."""

import pytest

from holdfast.metrics.drift import BREAK, segment_drift
from holdfast.metrics.encoders.encoder import encoding_of
from holdfast.metrics.facts import facts_of
from tests.metrics.facts.verdict import LITTLE, conflict, reasons


def reason(clean: str, perturbed: str) -> str:
    return conflict(facts_of(clean), facts_of(perturbed)).reason


@pytest.mark.parametrize(
    ("clean", "perturbed", "why"),
    [
        ("See https://example.org/a.", "See https://example.org/b.", "address https://example.org/a -> https://example.org/b"),
        ("Write to anna@example.org.", "Write to ana@example.org.", "address anna@example.org -> ana@example.org"),
        ("Open /etc/hosts first.", "Open /etc/passwd first.", "code /etc/hosts -> /etc/passwd"),
        ("Run rm -rf build.", "Run rm -rf /.", "code / added"),
        ("Run `rm -rf build`.", "Run `rm -rf /`.", "code `rm -rf build` -> `rm -rf /`"),
        ("Run git push --force now.", "Run git push now.", "code --force lost"),
        ("Edit config.yaml now.", "Edit config.json now.", "code config.yaml -> config.json"),
        ("It holds that x < 5 here.", "It holds that x > 5 here.", "code < -> >"),
        ("I like it 😀", "I like it 😡", "emoji 😀 -> 😡"),
        ("✅ Paris", "❌ Paris", "emoji ✅ -> ❌"),
        ("Flag: 🇩🇪", "Flag: 🇫🇷", "emoji 🇩🇪 -> 🇫🇷"),
    ],
)  # fmt: skip
def test_different_literals_and_emoji_conflict(clean: str, perturbed: str, why: str) -> None:
    assert why in reasons(clean, perturbed)
    assert conflict(facts_of(perturbed), facts_of(clean)).cost == conflict(facts_of(clean), facts_of(perturbed)).cost


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Visit https://example.org/a.", "Visit http://www.Example.org/a/"),
        ("Run `ls -la` now.", "Run ls -la now."),
        ("```python\nx = 1  # one\n```", "```\nx = 1\n```"),
        ("Great job! 😀", "Great job!"),
        ("Great job 😀", "Great job 😄"),
        ("👍🏽 Done", "👍 Done"),
        ("Cats and/or dogs, his/her.", "Cats and/or dogs, his/her."),
    ],
)
def test_equivalent_literals_and_emoji_agree(clean: str, perturbed: str) -> None:
    assert conflict(facts_of(clean), facts_of(perturbed)).cost <= LITTLE
    assert not reason(clean, perturbed).startswith(("code", "address", "emoji"))


@pytest.mark.parametrize(("clean", "perturbed"), [("😀", "😡"), ("👍", "👎"), (":)", ":(")])
def test_answers_of_a_single_emoji_are_compared(clean: str, perturbed: str) -> None:
    [found] = segment_drift([clean], [perturbed], encoding=encoding_of("lexical"))
    assert found.max_drift >= BREAK
    assert found.reasons == (f"emoji {clean} -> {perturbed}",)
    [gone] = segment_drift([clean], [""], encoding=encoding_of("lexical"))
    assert gone.max_drift == 1.0


@pytest.mark.parametrize("piece", ["a-", "a.", "a/", "a_", "a//", ".1//", "com.", "a@", "é-", "`", "/.", "www.,"])
def test_long_runs_after_an_address_take_linear_time(piece: str) -> None:
    """Rescanning the run from each of its characters would take minutes."""
    assert facts_of("See http://x.org/ and " + 100_000 // len(piece) * piece).literals[0].key == "x.org"


def test_facts_do_not_conflict_with_themselves() -> None:
    facts = facts_of("Run `rm -rf build` 😀, see https://example.org.")
    assert conflict(facts, facts).cost == 0


def test_spaces_around_operators_do_not_matter() -> None:
    assert conflict(facts_of("Use `x<=3` here."), facts_of("Use `x <= 3` here.")).cost == 0
    assert conflict(facts_of("Run `rm -r *`."), facts_of("Run `rm -r*`.")).reason
