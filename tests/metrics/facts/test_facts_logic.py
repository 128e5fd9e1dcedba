"""Negations, opposites, comparisons and quantifiers: contradictions and paraphrases."""

import pytest

from holdfast.metrics.facts import facts_of
from tests.metrics.facts.verdict import LITTLE, SERIOUS, Verdict, conflict


def found(clean: str, perturbed: str) -> Verdict:
    return conflict(facts_of(clean), facts_of(perturbed))


@pytest.mark.parametrize(
    ("kind", "clean", "perturbed"),
    [
        ("negation", "He can't come.", "He can come."),
        ("negation", "The door does not lock.", "The door locks."),
        ("negation", "They do n't lock the door.", "They do lock the door."),
        ("negation", "She never eats meat.", "She eats meat."),
        ("negation", "She does not sell the car.", "She does sell the car at a discount."),
        ("negation", "He does not play the film.", "He does play the film on a display."),
        ("negation", "They left without paying.", "They left paying."),
        ("negation", "He signed the letter.", "He refused to sign the letter."),
        ("negation", "The pump failed to start.", "The pump did start."),
        ("negation", "He is no longer the coach.", "He is the coach."),
        ("negation", "She said he did not win.", "She did not say he won."),
        ("negation", "यह अच्छा नहीं है", "यह अच्छा है"),
        ("negation", "Yeh sahi nahi hai.", "Yeh sahi hai."),
        ("antonym", "The shop is open.", "The shop is closed."),
        ("antonym", "They accepted the offer.", "They rejected the offer."),
        ("antonym", "The water is safe to drink.", "The water is dangerous to drink."),
        ("antonym", "The claim is true.", "The claim is untrue."),
        ("antonym", "The spray is harmful.", "The spray is harmless."),
        ("antonym", "She turned the offer down.", "She accepted the offer."),
        ("antonym", "दरवाज़ा खुला है।", "दरवाज़ा बंद है।"),
        ("antonym", "Dukaan khuli hai.", "Dukaan band hai."),
        ("comparison", "Prices rose in June.", "Prices fell in June."),
        ("comparison", "It went up.", "It went down."),
        ("comparison", "The new one is faster.", "The new one is slower."),
        ("antonym", "October is the driest month.", "October is the wettest month."),
        ("antonym", "He switched the old radio on.", "He switched the old radio off."),
        ("antonym", "Turn it on.", "Turn it off."),
        ("antonym", "They let him in.", "They let him out."),
        ("antonym", "It is on the table.", "It is under the table."),
        ("antonym", "Brakes slow the wheels.", "Brakes speed up the wheels."),
        ("comparison", "The air is more polluted.", "The air is less polluted."),
        ("comparison", "It costs less now, and the room is quiet.", "It costs little now, and the room is noisy."),
        ("comparison", "Take it before meals.", "Take it after meals."),
        ("comparison", "At least five came.", "At most five came."),
        ("comparison", "It weighs more than 5 kg.", "It weighs less than 5 kg."),
        ("quantifier", "All students passed.", "Some students passed."),
        ("quantifier", "Most shops close.", "Few shops close."),
        ("quantifier", "He is always late.", "He is rarely late."),
        ("quantifier", "Everyone clapped.", "Hardly anyone clapped."),
        ("quantifier", "A few people came.", "Few people came."),
        ("quantifier", "Not all guests stayed.", "All guests stayed."),
        ("quantifier", "सभी छात्र पास हुए।", "कुछ छात्र पास हुए।"),
        ("quantifier", "She never eats meat.", "She rarely eats meat."),
        ("quantifier", "Up to 50 guests can stay.", "More than 50 guests can stay."),
        ("quantifier", "Nearly half of them agreed.", "More than half of them agreed."),
        ("quantifier", "Exactly 20 people signed.", "More than 20 people signed."),
        ("quantifier", "Sie zahlt höchstens 20 Euro.", "Sie zahlt mehr als 20 Euro."),
        ("quantifier", "Il faut au plus 50 euros.", "Il faut plus de 50 euros."),
        ("unit", "The temple dates from 200 BC.", "The temple dates from 200 AD."),
        ("comparison", "He died in mid-June.", "He died in late June."),
    ],
)
def test_contradictions_are_found(kind: str, clean: str, perturbed: str) -> None:
    for one, other in ((clean, perturbed), (perturbed, clean)):
        assert found(one, other).reason.split()[0] == kind
        assert found(one, other).cost >= SERIOUS


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("He can't come.", "He cannot come."),
        ("You don't have to buy a ticket.", "No ticket is required."),
        ("He did not leave without paying.", "He paid and left."),
        ("We want cleaner air.", "We want less polluted air."),
        ("Wir wollen leisere Autos.", "Wir wollen weniger laute Autos."),
        ("Fill in the form.", "Fill out the form."),
        ("He got out of the car in Rome.", "In Rome he left the car."),
        ("Turn the lights on at night.", "At night, turn on the lights."),
        ("She doesn't eat meat.", "She does not eat meat."),
        ("It is not safe.", "It is dangerous."),
        ("He is not aware of it.", "He is unaware of it."),
        ("They do not like the film.", "They dislike the film."),
        ("Many shops close.", "Most shops close."),
        ("It is not uncommon.", "It is common."),
        ("He is not able to help.", "He is unable to help."),
        ("They no longer sell it.", "They do not sell it anymore."),
        ("He failed to sign.", "He did not sign."),
        ("He is unable to sign.", "He can't sign."),
        ("He was able to sign.", "He could sign."),
        ("It is not open.", "It is closed."),
        ("No doubt he will come.", "He will come."),
        ("Most of the shops close.", "The majority of the shops close."),
        ("It is usually late.", "It is mostly late."),
        ("Anna is taller than Ben.", "Ben is shorter than Anna."),
        ("Oslo is north of Rome.", "Rome is south of Oslo."),
        ("At least 50 guests came.", "More than 50 guests came."),
        ("Up to 50 guests can stay.", "No more than 50 guests can stay."),
        ("Not many stayed.", "Few stayed."),
        ("Not only Anna came.", "Anna came."),
        ("All right, come in.", "Okay, come in."),
        ("Turn the dial.", "Rotate the dial."),
        ("यह दिन अच्छा है", "यह दिन ठीक है"),
    ],
)
def test_paraphrases_agree(clean: str, perturbed: str) -> None:
    for one, other in ((clean, perturbed), (perturbed, clean)):
        assert found(one, other).cost <= LITTLE, found(one, other)


def test_a_negation_in_a_reworded_sentence_is_less_certain() -> None:
    clean, perturbed = "The plan is not feasible.", "Nobody could ever realise such proposals."
    assert found(clean, perturbed).cost < 1


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Yes.", "No."),
        ("no", "yes"),
        ("Answer: yes", "Answer: no"),
        ("Yes, the seat is free.", "No, the seat is not free."),
        ("Yes, both lifts work.", "No, neither of the lifts works."),
        ("Yes, you can.", "No, you can't."),
        ("Sí, la puerta está abierta.", "No, la puerta no está abierta."),
        ("Sim, a porta está aberta.", "Não, a porta não está aberta."),
        ("Да.", "Нет."),
        ("हाँ।", "नहीं।"),
    ],
)
def test_yes_and_no_as_answers_are_opposites(clean: str, perturbed: str) -> None:
    cost, reason, _ = found(clean, perturbed)
    assert cost > SERIOUS
    assert reason.startswith("antonym")


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("No, the seat isn't free.", "The seat isn't free."),
        ("No, it is not.", "No."),
        ("No, no trains run today.", "No trains run today."),
        ("No, la puerta no está abierta.", "La puerta no está abierta."),
        ("The seat is free.", "Yes, the seat is free."),
    ],
)
def test_an_answer_that_the_sentence_repeats_is_no_negation(clean: str, perturbed: str) -> None:
    assert found(clean, perturbed).cost < LITTLE


@pytest.mark.parametrize("negation", ["No-one came.", "No trains run.", "No. 5 is open."])
def test_no_before_a_word_or_number_is_not_an_answer(negation: str) -> None:
    assert "no" not in facts_of(negation).keys
