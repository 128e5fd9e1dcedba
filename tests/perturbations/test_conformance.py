"""Every registered perturbation keeps the contract, and the contract's check catches those that do not."""

import doctest
import importlib
import pkgutil
import random
from collections.abc import Sequence
from random import Random

import pytest

import holdfast.perturbations
from holdfast.perturbations import Edit, Edits, Perturbation, perturbations
from holdfast.perturbations.choose import edit_count
from holdfast.perturbations.testing import check_perturbation
from holdfast.perturbations.text import count_characters

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


@pytest.mark.parametrize(
    ("function", "complaint"),
    [
        (first_letter_lost, "became empty|tears|protected|makes"),
        (global_chance, "global random state"),
        (idle, "changes nothing"),
        (deaf_to_strength, "makes .* edits, not"),
        (without_protect, r"must take \(text, strength, rng, \*, protect=\(\)\), but .*'protect'"),
    ],
)
def test_the_check_says_what_a_plugin_does_wrong(function: object, complaint: str) -> None:
    plugin = Perturbation("plugin", "test", 0.1, 0.2, function, count_characters)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=f"plugin: .*({complaint})"):
        check_perturbation(plugin)


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
