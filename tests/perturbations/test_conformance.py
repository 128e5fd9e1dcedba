"""Every registered perturbation keeps the contract, and the contract's check catches those that do not."""

import doctest
import importlib
import pkgutil
import random
from collections.abc import Sequence
from random import Random

import pytest

import holdfast.perturbations
from holdfast.errors import UserError
from holdfast.language.text import count_characters
from holdfast.perturbations import Edit, Edits, Perturbation, perturbation, perturbations
from holdfast.perturbations.choose import edit_count
from holdfast.perturbations.testing import check_perturbation

MODULES = [f"holdfast.perturbations.{module.name}" for module in pkgutil.iter_modules(holdfast.perturbations.__path__)]


@pytest.mark.parametrize("name", perturbations.names())
def test_every_perturbation_keeps_the_contract(name: str) -> None:
    check_perturbation(name)


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_the_docstrings_are_true(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def first_letter_lost(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text, (Edit(0, text[0], ""),) if text and strength else ())


def global_chance(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    random.random()
    return Edits(text)


def idle(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text, (Edit(0, "", ""),) if text and strength else ())


def deaf_to_strength(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text, tuple(Edit(at, "a", "b") for at, letter in enumerate(text) if letter == "a" and strength))


def without_protect(text: str, strength: float, rng: Random) -> Edits:
    return Edits(text)


def plain_text(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> str:
    return text.upper()


def forgetful(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> None:
    Edits(text)


def lazy(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text)


def for_tamil(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text, [(0, "மழை", "வெயில்")] if text.startswith("மழை") and strength == 1 else [])


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (first_letter_lost, "became empty|tears|protected|makes"),
        (global_chance, "global random state"),
        (idle, "changes nothing"),
        (deaf_to_strength, "makes .* edits, not"),
        (plain_text, r"returns a str, not Edits; return Edits\(text, "),
        (forgetful, "returns None, not Edits"),
        (lazy, "edits none of the texts it is checked on"),
        (without_protect, r"must take \(text, strength, rng, \*, protect=\(\)\), but .*'protect'"),
    ],
)
def test_the_check_says_what_a_plugin_does_wrong(function: object, complaint: str) -> None:
    plugin = Perturbation("plugin", "test", 0.1, 0.2, function, count_characters)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=f"plugin: .*({complaint})"):
        check_perturbation(plugin)


def test_a_perturbation_of_few_texts_is_checked_on_those() -> None:
    plugin = Perturbation("plugin", "language", 0.1, 0.2, for_tamil, None)
    with pytest.raises(AssertionError, match="hand some in"):
        check_perturbation(plugin, max_examples=5)
    check_perturbation(plugin, max_examples=5, texts=["மழை பெய்கிறது"])


@pytest.mark.parametrize(
    ("family", "light", "heavy", "complaint"),
    [
        ("words", 2, 5, "0 < light <= heavy <= 1 must hold, but light is 2 and heavy 5"),
        ("words", 0.5, 0.1, "0 < light <= heavy <= 1 must hold"),
        ("words", 0.0, 0.1, "light must be more than 0, but light is 0.0"),
        ("charcters", 0.1, 0.2, "family 'charcters': did you mean 'characters'"),
        ("Words", 0.1, 0.2, "did you mean 'words'"),
        (" ", 0.1, 0.2, "the family has no name"),
    ],
)
def test_the_check_says_what_is_wrong_with_a_declaration(
    family: str, light: float, heavy: float, complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_perturbation(Perturbation("plugin", family, light, heavy, deaf_to_strength, None))


def test_strengths_that_are_no_shares_are_not_registered() -> None:
    with pytest.raises(UserError, match="'plugin': light and heavy are shares from 0 to 1, .*not 2 and 5"):
        perturbation("plugin", family="words", light=2, heavy=5, units=None)


def test_the_check_names_an_expectation_that_is_none() -> None:
    plugin = Perturbation("plugin", "test", 0.1, 0.2, idle, count_characters, expects="opposite")  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="plugin: expects is 'opposite'; use one of invariant, changed"):
        check_perturbation(plugin)


def test_the_check_names_an_extra_that_the_function_does_not_take() -> None:
    plugin = Perturbation("plugin", "test", 0.1, 0.2, idle, count_characters, ("paraphrases",))
    with pytest.raises(AssertionError, match=r"must take \(.*protect=\(\), paraphrases=\(\)\), but .*'paraphrases'"):
        check_perturbation(plugin)


@pytest.mark.parametrize("name", ["typos", "word_deletion", "spacing", "confusables", "markdown"])
def test_ten_megabytes_take_seconds_and_exactly_the_edits_asked_for(name: str) -> None:
    entry = perturbations.get(name)
    assert entry.units is not None
    text = "The big car was here, and so were 5 kg of rice. " * 208_334
    result = entry.apply(text, 0.001, Random(0))
    assert len(text) >= 10_000_000
    assert len(result.edits) == edit_count(0.001, entry.units(text))
    assert 0.99 < len(result.text) / len(text) < 1.01
