"""Variants: named by a spec, seeded from their fields, identical everywhere."""

import os
import subprocess
import sys
from random import Random

import pytest
from rapidfuzz.distance import Levenshtein

from holdfast.errors import UserError
from holdfast.perturbations import (
    Edits,
    Perturbation,
    Variant,
    clean_variant,
    make_variant,
    parse,
    perturbations,
    seed_for,
)

TEXT = "What is the capital of France, and who founded it?"


def variant(
    perturbation: str = "typos", severity: str = "heavy", sample_id: str = "7", repeat: int = 0, text: str = TEXT
) -> Variant:
    return make_variant(
        text, task="qa", sample_id=sample_id, perturbation=perturbation, severity=severity, repeat=repeat, seed=0
    )


def test_a_variant_records_its_edits_and_edit_rate() -> None:
    made = variant("char_deletion", "0.1")
    assert Edits(TEXT, made.edits).text == made.text
    assert made.edit_rate == pytest.approx(len(made.edits) / len(TEXT))
    assert (made.perturbation, made.severity, made.repeat) == ("char_deletion", "0.1", 0)


def test_the_clean_variant_is_the_unchanged_text() -> None:
    assert clean_variant(TEXT) == Variant(TEXT, "clean", "", 0, (), 0.0)


def test_variants_depend_on_sample_and_repeat_but_not_on_order() -> None:
    forward = [variant(sample_id=str(number), repeat=repeat) for number in range(5) for repeat in range(2)]
    backward = [variant(sample_id=str(number), repeat=repeat) for number in range(4, -1, -1) for repeat in (1, 0)]
    assert forward == backward[::-1]
    assert len({made.text for made in forward}) > 5


def test_variants_are_the_same_in_every_process() -> None:
    code = (
        "from holdfast.perturbations import make_variant as m, perturbations as p\n"
        f"print([m({TEXT!r}, task='qa', sample_id='7', perturbation=n, severity='heavy', repeat=0, seed=0).text"
        " for n in p.names()].__repr__().encode('unicode_escape'))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    here = repr([variant(name).text for name in perturbations.names()]).encode("unicode_escape")
    assert outputs == {f"{here!r}{os.linesep}".encode()}


def test_seeds_never_change_between_versions() -> None:
    assert seed_for("qa", "7", "typos", "light", 0, 0).getrandbits(32) == 324740586


def test_fields_that_look_alike_when_joined_get_different_seeds() -> None:
    assert seed_for("a", "b|c", "x", "", 0, 0).random() != seed_for("a|b", "c", "x", "", 0, 0).random()
    assert seed_for("a", "\ud800", "x", "", 0, 0).random() != seed_for("a", "\udfff", "x", "", 0, 0).random()


def test_sample_paraphrases_reach_the_perturbation() -> None:
    made = make_variant(
        TEXT, task="qa", sample_id="7", perturbation="paraphrase", severity="heavy", repeat=0, seed=0,
        paraphrases=["France has which capital, and by whom was it founded?"],
    )  # fmt: skip
    assert made.text == "France has which capital, and by whom was it founded?"


def test_an_unknown_extra_is_rejected_at_registration() -> None:
    with pytest.raises(UserError, match="'mine': unknown extra 'entities'; expected any of: paraphrases"):
        Perturbation("mine", "test", 0.1, 0.2, lambda *_: Edits(""), None, ("entities",))


@pytest.mark.parametrize(
    ("spec", "parsed"),
    [("typos", ("typos", None)), ("typos@heavy", ("typos", "heavy")), (" emoji @ 0.08 ", ("emoji", "0.08"))],
)
def test_a_spec_has_a_name_and_optionally_a_severity(spec: str, parsed: tuple[str, str | None]) -> None:
    assert parse(spec) == parsed


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("typo", "unknown perturbation 'typo'; did you mean 'typos'?"),
        ("typos@hard", "unknown severity 'hard' for perturbation 'typos'; use light, heavy or a number"),
        ("typos@1.5", "unknown severity '1.5'"),
        ("typos@nan", "unknown severity 'nan'"),
        ("typos@", "unknown severity ''"),
        ("typos@0.1+emoji", "put it at the end, where it applies to all parts: typos+emoji@0.1"),
        ("@heavy", "missing perturbation name in '@heavy'"),
    ],
)
def test_an_invalid_spec_is_reported_in_one_line(spec: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(spec)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", perturbations.names())
def test_every_severity_maps_to_a_strength(name: str) -> None:
    entry = perturbations.get(name)
    if entry.reshapes:
        assert 1 <= entry.strength("light") <= entry.strength("heavy")
        assert entry.strength("8") == entry.strength("#8") == 8
        return
    assert 0 <= entry.strength("light") <= entry.strength("heavy") <= 1
    assert entry.strength("0.08") == 0.08


def test_listing_the_names_imports_nothing_heavy() -> None:
    heavy = ("torch", "spacy", "transformers", "nltk", "hypothesis", "emoji", "confusable_homoglyphs", "pandas")
    code = (
        "import sys; from holdfast.perturbations import perturbations; perturbations.names()\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    imported = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert imported == "[]\n"


def test_equal_generators_give_equal_sequences_of_variants() -> None:
    first, second = Random(5), Random(5)
    apply = perturbations.get("typos").apply
    assert [apply(TEXT, 0.1, first) for _ in range(3)] == [apply(TEXT, 0.1, second) for _ in range(3)]


@pytest.mark.parametrize("name", perturbations.names())
def test_the_edit_rate_of_a_long_text_is_a_close_approximation(name: str) -> None:
    text = " ".join(f"{TEXT} The big river no. {number} is in the old city." for number in range(300))
    made = variant(name, text=text)
    assert len(text) > 10_000
    assert made.edit_rate == pytest.approx(Levenshtein.normalized_distance(text, made.text), abs=0.01, rel=0.1)


@pytest.mark.parametrize("name", ["typos", "paraphrase", "typos+emoji"])
def test_a_megabyte_of_text_is_perturbed(name: str) -> None:
    """A quadratic algorithm would take hours here."""
    text = "The big river is in the old city. " * 30_000
    made = variant(name, text=text)
    assert made.text != text
    assert 0 < made.edit_rate < 1


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ([(0, "zzz", "Q")], "returned an edit that doesn't match the text \\('zzz' at 0 of 'a cat'"),
        ([(2, "cat", "dog"), (0, "a", "one")], ".*doesn't match the text"),
        ([(0, "a cat", "")], "deleted the whole text"),
        ([(0, 5, "one")], "fails on sample '7' of 'qa' \\(TypeError: "),
        (None, "fails on sample '7' of 'qa' \\(TypeError: "),
    ],
)
def test_a_failing_third_party_perturbation_is_named(
    edits: list[tuple[int, str, str]], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = Perturbation("theirs", "test", 0.1, 0.2, lambda text, *_, **__: Edits(text, edits), None)
    monkeypatch.setattr("holdfast.perturbations.variants.parts_of", lambda name: [theirs])
    fields = {"task": "qa", "sample_id": "7", "severity": "light", "repeat": 0, "seed": 0}
    with pytest.raises(
        UserError, match=f"perturbation 'theirs' {message}.*check_perturbation on it to find all problems"
    ):
        make_variant("a cat", perturbation="theirs", **fields)  # type: ignore[arg-type]
