"""Certainty and obligation: must, should, may, might, only."""

import pytest

from holdfast.metrics.facts import facts_of
from tests.metrics.facts.verdict import LITTLE, Verdict, between, conflict, reasons


def found(clean: str, perturbed: str) -> Verdict:
    return conflict(facts_of(clean), facts_of(perturbed))


@pytest.mark.parametrize(
    ("clean", "perturbed", "why"),
    [
        ("You must pay.", "You may pay.", "modality must -> may"),
        ("You must wear a helmet.", "You should wear a helmet.", "modality must -> should"),
        ("You have to pay.", "You can pay.", "modality have to -> can"),
        ("You must pay.", "You don't have to pay.", "modality must -> don't have to"),
        ("It will rain.", "It might rain.", "modality will -> might"),
        ("Vous devez payer.", "Vous pouvez payer.", "modality devez -> pouvez"),
        ("Вы должны заплатить.", "Вы можете заплатить.", "modality должны -> можете"),
        ("Only members may enter.", "Members may enter.", "quantifier only lost"),
        ("Children are allowed only with an adult.", "Children are allowed with an adult.", "quantifier only lost"),
        ("Nur Mitglieder dürfen rein.", "Mitglieder dürfen rein.", "quantifier only lost"),
    ],
)
def test_different_modality_conflicts(clean: str, perturbed: str, why: str) -> None:
    assert why in reasons(clean, perturbed)
    assert found(clean, perturbed).cost > 0
    assert found(perturbed, clean).cost == found(clean, perturbed).cost


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("You have to sign it.", "You must sign it."),
        ("You need to register.", "You must register."),
        ("You don't have to pay.", "You need not pay."),
        ("It may rain.", "It might rain."),
        ("Perhaps it will rain.", "It may rain."),
        ("You must submit the form.", "Submit the form."),
        ("It can hold five litres.", "It holds five litres."),
        ("You may not smoke here.", "You must not smoke here."),
        ("Only five people came.", "Just five people came."),
        ("It is only a draft.", "It is just a draft."),
        ("Only members may enter.", "No one but members may enter."),
        ("It opens in May.", "It opens in May 2024."),
        ("I will do it.", "I'll do it."),
        ("The minister will visit Paris.", "The minister is going to visit Paris."),
        ("He said he will resign.", "He said he would resign."),
        ("The film was not bad.", "The film was okay."),
    ],
)
def test_equivalent_modality_agrees(clean: str, perturbed: str) -> None:
    for one, other in ((clean, perturbed), (perturbed, clean)):
        assert found(one, other).cost <= LITTLE, found(one, other)


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("She will resign on Monday.", "She resigned on Monday."),
        ("The bridge was closed.", "The bridge will be closed."),
        ("The drug may cause nausea.", "The drug causes nausea."),
    ],
)
def test_tense_and_hedges_count_as_wording_and_less_than_an_obligation(clean: str, perturbed: str) -> None:
    obliged = between("You must pay on Monday.", "You may pay on Monday.").whole
    assert 0 < between(clean, perturbed).whole < obliged
    assert between(perturbed, clean).whole == between(clean, perturbed).whole
