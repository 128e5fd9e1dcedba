"""Every registered perturbation keeps the contract, and `check_perturbation` catches violations."""

import doctest
import importlib
import pkgutil
import random
from collections.abc import Sequence
from random import Random

import pytest

import holdfast.language
import holdfast.perturbations
from holdfast.errors import UserError
from holdfast.language.text import count_characters
from holdfast.perturbations import Edit, Edits, Perturbation, perturbation, perturbations
from holdfast.perturbations.choose import edit_count
from holdfast.perturbations.testing import check_perturbation

MODULES = [
    module.name
    for package in (holdfast.language, holdfast.perturbations)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]


@pytest.mark.parametrize("name", perturbations.names())
def test_every_perturbation_keeps_the_contract(name: str) -> None:
    check_perturbation(name)


@pytest.mark.parametrize("module", MODULES)
def test_docstring_examples_are_correct(module: str) -> None:
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def drops_first_letter(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text, (Edit(0, text[0], ""),) if text and strength else ())


def uses_global_random(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    random.random()
    return Edits(text)


def makes_empty_edits(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text, (Edit(0, "", ""),) if text and strength else ())


def ignores_strength(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text, tuple(Edit(at, "a", "b") for at, letter in enumerate(text) if letter == "a" and strength))


def lacks_protect(text: str, strength: float, rng: Random) -> Edits:
    return Edits(text)


def returns_text(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> str:
    return text.upper()


def returns_nothing(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> None:
    Edits(text)


def never_edits(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text)


def edits_tamil_only(text: str, strength: float, rng: Random, *, protect: Sequence[str] = ()) -> Edits:
    return Edits(text, [(0, "மழை", "வெயில்")] if text.startswith("மழை") and strength == 1 else [])


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (drops_first_letter, "became empty|splits|protected|expected"),
        (uses_global_random, "global random state"),
        (makes_empty_edits, "changes nothing"),
        (ignores_strength, "expected .* edits at strength"),
        (returns_text, r"expected Edits, got a str; return Edits\(text, "),
        (returns_nothing, "expected Edits, got None"),
        (never_edits, "none of the texts was edited"),
        (lacks_protect, r"must take \(text, strength, rng, \*, protect=\(\)\), but .*'protect'"),
    ],
)
def test_the_check_reports_what_is_wrong_with_a_function(function: object, complaint: str) -> None:
    plugin = Perturbation("plugin", "test", 0.1, 0.2, function, count_characters)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=f"plugin: .*({complaint})"):
        check_perturbation(plugin)


def test_the_check_accepts_texts_for_a_specialised_perturbation() -> None:
    plugin = Perturbation("plugin", "language", 0.1, 0.2, edits_tamil_only, None)
    with pytest.raises(AssertionError, match="pass some"):
        check_perturbation(plugin, max_examples=5)
    check_perturbation(plugin, max_examples=5, texts=["மழை பெய்கிறது"])


@pytest.mark.parametrize(
    ("family", "light", "heavy", "complaint"),
    [
        ("words", 2, 5, "expected 0 < light <= heavy <= 1, got light=2 and heavy=5"),
        ("words", 0.5, 0.1, "expected 0 < light <= heavy <= 1"),
        ("words", 0.0, 0.1, "light must be > 0, got light=0.0"),
        ("charcters", 0.1, 0.2, "unknown family 'charcters'; did you mean 'characters'"),
        ("Words", 0.1, 0.2, "did you mean 'words'"),
        (" ", 0.1, 0.2, "family is empty"),
    ],
)
def test_the_check_reports_what_is_wrong_with_a_declaration(
    family: str, light: float, heavy: float, complaint: str
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_perturbation(Perturbation("plugin", family, light, heavy, ignores_strength, None))


def test_invalid_strengths_are_rejected_at_registration() -> None:
    with pytest.raises(
        UserError, match="'plugin': expected strengths with 0 <= light <= heavy <= 1, got light=2 and heavy=5"
    ):
        perturbation("plugin", family="words", light=2, heavy=5, units=None)


def test_the_check_reports_an_unknown_expectation() -> None:
    plugin = Perturbation("plugin", "test", 0.1, 0.2, makes_empty_edits, count_characters, expects="opposite")  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="plugin: expects must be one of invariant, changed, got 'opposite'"):
        check_perturbation(plugin)


def test_the_check_reports_an_extra_the_function_lacks() -> None:
    plugin = Perturbation("plugin", "test", 0.1, 0.2, makes_empty_edits, count_characters, ("paraphrases",))
    with pytest.raises(AssertionError, match=r"must take \(.*protect=\(\), paraphrases=\(\)\), but .*'paraphrases'"):
        check_perturbation(plugin)


@pytest.mark.parametrize("name", ["typos", "word_deletion", "spacing", "confusables", "markdown"])
def test_ten_megabytes_get_exactly_the_requested_edits(name: str) -> None:
    entry = perturbations.get(name)
    assert entry.units is not None
    text = "The big car was here, and so were 5 kg of rice. " * 208_334
    result = entry.apply(text, 0.001, Random(0))
    assert len(text) >= 10_000_000
    assert len(result.edits) == edit_count(0.001, entry.units(text))
    assert 0.99 < len(result.text) / len(text) < 1.01
