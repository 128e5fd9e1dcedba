"""Prepositions and conjunctions, one of the largest, and pronouns that exchange their roles."""

import pytest

from tests.metrics.facts.verdict import LITTLE, SERIOUS, between


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("The ferry to Bergen is full.", "The ferry from Bergen is full."),
        ("The voucher is valid until Friday.", "The voucher is valid from Friday."),
        ("She has led the choir since 2004.", "She led the choir until 2004."),
        ("Rents rose by 7 percent.", "Rents rose to 7 percent."),
        ("The letter was written by Ines.", "The letter was written to Ines."),
        ("It is a book about Darwin.", "It is a book by Darwin."),
        ("The key lies in the box.", "The key lies behind the box."),
        ("Choose tea or coffee.", "Choose tea and coffee."),
        ("He walked home because it rained.", "He walked home although it rained."),
        ("Wait until the light is green.", "Wait if the light is green."),
        ("They sailed despite the storm.", "They sailed because of the storm."),
        ("Das Angebot gilt bis Freitag.", "Das Angebot gilt ab Freitag."),
        ("Il règne depuis 1918.", "Il règne jusqu'en 1918."),
        ("La tienda abre desde el lunes.", "La tienda abre hasta el lunes."),
        ("Lagos is the largest city of the country.", "Lagos is one of the largest cities of the country."),
        ("She told him that he had won.", "He told her that she had won."),
        ("I will call you.", "You will call me."),
    ],
)
def test_another_relation_is_a_conflict(clean: str, perturbed: str) -> None:
    for one, other in ((clean, perturbed), (perturbed, clean)):
        assert between(one, other).cost >= SERIOUS, between(one, other)


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("He talked with the mayor.", "He talked to the mayor."),
        ("The report on whales is long.", "The report about whales is long."),
        ("The train to Graz is late.", "The train for Graz is late."),
        ("It opens from 9 to 5.", "It opens between 9 and 5."),
        ("The chapel dates from 1340.", "The chapel dates back to 1340."),
        ("This is different from that plan.", "This is different to that plan."),
        ("There is no milk or sugar.", "There is no milk and no sugar."),
        ("Before noon he swam and after noon he slept.", "After noon he slept and before noon he swam."),
        ("He was in Rome in 1990.", "In 1990 he was in Rome."),
        ("To the caller who rang: hello.", "To the Sound-Off caller who rang: hello."),
        ("She could not help falling.", "She could not but fall."),
        ("Oslo is one of the largest ports.", "Oslo is among the largest ports."),
        ("Er spricht über den Krieg.", "Er spricht vom Krieg."),
    ],
)
def test_relations_that_may_mean_the_same_agree(clean: str, perturbed: str) -> None:
    for one, other in ((clean, perturbed), (perturbed, clean)):
        assert between(one, other).cost <= LITTLE, between(one, other)
