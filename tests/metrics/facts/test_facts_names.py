"""Names, misspellings, and roles (who does what to whom)."""

import pytest

from holdfast.language.spelling import correct_misspellings
from holdfast.metrics.facts import comparer, facts_of, findings
from holdfast.metrics.facts.reading.countries import country_of
from tests.metrics.facts.verdict import LITTLE, SERIOUS, conflict, reasons, verdict


def reason(clean: str, perturbed: str) -> str:
    return conflict(facts_of(clean), facts_of(perturbed)).reason


@pytest.mark.parametrize(
    ("clean", "perturbed", "why"),
    [
        ("We saw Anna in Lyon.", "We saw Anna in Nice.", "name Lyon -> Nice"),
        ("Anna's car is red.", "Clara's car is red.", "name Anna -> Clara"),
        ("Anna cooks.", "Clara cooks.", "name Anna -> Clara"),
        ("The WHO warned us.", "The IMF warned us.", ""),
        ("We meet Anna.", "We meet Anya.", "name Anna -> Anya"),
        ("सीता घर गई।", "गीता घर गई।", "name सीता -> गीता"),
        ("Sita called.", "Gita called.", "name Sita -> Gita"),
        ("राम घर गया।", "मोहन घर गया।", "name राम -> मोहन"),
        ("Ask Dr. Osei about it.", "Ask Dr. Mensah about it.", "name Osei -> Mensah"),
        ("anna lives here.", "clara lives here.", "name anna -> clara"),
    ],
)
def test_different_names_conflict(clean: str, perturbed: str, why: str) -> None:
    assert reason(clean, perturbed).startswith(why or "name")


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("We saw Anna in Lyon.", "we saw anna in lyon."),
        ("We saw Anna in Lyon.", "WE SAW ANNA IN LYON."),
        ("Ask Dr. Osei.", "Ask Osei."),
        ("The US agreed.", "The United States agreed."),
        ("The U.S. agreed.", "The US agreed."),
        ("The World Food Programme warned us.", "The WFP warned us."),
        ("The dept. for tourism pays.", "The department for tourism pays."),
        ("Approx. five came.", "Approximately five came."),
        ("Prof. Lee spoke.", "Professor Lee spoke."),
    ],
)
def test_the_same_names_agree(clean: str, perturbed: str) -> None:
    assert reason(clean, perturbed) == ""


def test_a_misspelt_name_costs_little_unless_both_exist() -> None:
    assert conflict("We meet Quillfeather.", "We meet Quilfeather.").cost < LITTLE
    assert conflict("We meet Quillfeather.", "We meet Fotheringay.").cost >= SERIOUS
    assert conflict("We meet Anna.", "We meet Anya.").cost >= SERIOUS
    compare = comparer(["We meet Anna.", "Anya is away."], ["We meet Anya.", "Anya is away."])
    assert verdict(compare((0,), (0,))).cost >= SERIOUS


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Anna calls Ben.", "Ben calls Anna."),
        ("Anna called Ben.", "Anna was called by Ben."),
        ("The dog bit the man.", "The man bit the dog."),
        ("They flew from Paris to Rome.", "They flew from Rome to Paris."),
        ("Anna is taller than Ben.", "Ben is taller than Anna."),
        ("They sold 20 apples and 30 pears.", "They sold 30 apples and 20 pears."),
        ("राम ने श्याम को बुलाया।", "श्याम ने राम को बुलाया।"),
        ("Rahul ne Sameer ko bulaya.", "Sameer ne Rahul ko bulaya."),
    ],
)
def test_swapped_arguments_conflict(clean: str, perturbed: str) -> None:
    assert reason(clean, perturbed).startswith("roles")


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Anna called Ben.", "Ben was called by Anna."),
        ("On Monday, Anna calls Ben.", "Anna calls Ben on Monday."),
        ("Anna and Ben cook.", "Ben and Anna cook."),
        ("Buy apples, pears and plums.", "Buy plums, pears and apples."),
        ("When the pump failed, the plant closed.", "The plant closed when the pump failed."),
        ("They flew from Paris to Rome.", "They flew to Rome from Paris."),
        ("They sold 20 apples and 30 pears.", "They sold 30 pears and 20 apples."),
        ("After Anna called Ben, Clara left.", "Clara left after Anna called Ben."),
    ],
)
def test_reordering_without_swapping_roles_agrees(clean: str, perturbed: str) -> None:
    assert reason(clean, perturbed) == ""


def test_misspellings_are_corrected_from_the_other_answer() -> None:
    clean = ["They will probably meet at the restaurant."]
    assert correct_misspellings(clean, ["Tehy will probaly meet at the resturant."])[1] == clean
    assert correct_misspellings(["They wil meet."], ["They will meet."])[0] == ["They will meet."]


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [("prices increase", "prices decrease"), ("he is able", "he is unable"), ("They don't go.", "They do go.")],
)
def test_different_words_are_not_misspellings(clean: str, perturbed: str) -> None:
    assert correct_misspellings([clean], [perturbed]) == ([clean], [perturbed])


@pytest.mark.parametrize(
    ("clean", "perturbed", "why"),
    [
        ("She is allergic to penicillin.", "She is allergic to amoxicillin.", "word penicillin -> amoxicillin"),
        ("Take aspirin twice a day.", "Take ibuprofen twice a day.", "word aspirin -> ibuprofen"),
        ("The exporter pays.", "The importer pays.", "antonym exporter -> importer"),
        ("It returns a list.", "It returns a string.", "word list -> string"),
    ],
)
def test_a_word_in_the_place_of_another_is_found(clean: str, perturbed: str, why: str) -> None:
    assert why in reasons(clean, perturbed)


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("The film is long.", "The movie is long."),
        ("She bought a sofa.", "She bought a couch."),
        ("The Chinese ministry agreed.", "China's ministry agreed."),
        ("American troops left.", "U.S. troops left."),
        ("Die französische Regierung stimmte zu.", "Frankreichs Regierung stimmte zu."),
    ],
)
def test_two_words_for_the_same_are_no_difference(clean: str, perturbed: str) -> None:
    assert reasons(clean, perturbed) == []


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("They live in Cinderford.", "They live in Cinderham."),
        ("Marek paid the bill.", "Luisa paid the bill."),
    ],
)
def test_names_that_begin_alike_or_open_a_sentence_conflict(clean: str, perturbed: str) -> None:
    assert conflict(clean, perturbed).reason.startswith("name")


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Kurdish forces shelled the town.", "Turkish forces shelled the town."),
        ("It is written in Hindi.", "It is written in Tamil."),
        ("The English team won.", "The American team won."),
        ("The Portuguese striker scored.", "The Brazilian striker scored."),
        ("They speak Catalan there.", "They speak Spanish there."),
    ],
)
def test_peoples_and_languages_of_one_country_are_not_the_same(clean: str, perturbed: str) -> None:
    assert any(why.startswith(("name", "word")) for why in reasons(clean, perturbed))


def test_no_language_stands_for_another() -> None:
    from babel import Locale

    for code in ("en", "de", "fr", "es"):
        names = {name.lower() for tongue, name in Locale(code).languages.items() if "_" not in tongue}
        countries = [country for name in names if (country := country_of(name, code))]
        assert len(countries) == len(set(countries)) > 10


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Court Strikes Down the Controversial Death Penalty", "Court Overturns the Controversial Death Penalty"),
        ("The Libyan minister resigned.", "Libya's minister resigned."),
        ("Insp. McKinlay spoke.", "Inspector McKinlay spoke."),
        ("Rates rose at BoE.", "Rates rose at Bank of England."),
        ("We met Eric there.", "We met US there."),
    ],
)
def test_what_only_looks_like_another_name_is_none(clean: str, perturbed: str) -> None:
    assert not any(why.startswith("name") for why in reasons(clean, perturbed))


def kinds(clean: str, perturbed: str) -> set[str]:
    return {found.kind for found in findings(facts_of(clean), facts_of(perturbed))}


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("He moved in 1990 to Oslo and in 1999 to Rome.", "He moved in 1999 to Oslo and in 1990 to Rome."),
        ("They shipped grain from Genoa to Tunis.", "They shipped grain from Tunis to Genoa."),
        ("The clerk showed the visitor the door.", "The visitor showed the clerk the door."),
        ("Public debates and private talks followed.", "Private debates and public talks followed."),
        ("The porter quit because the boiler broke.", "The boiler broke because the porter quit."),
        ("If the valve sticks, the pump stops.", "If the pump stops, the valve sticks."),
        ("The niece of the brewer sued the mason.", "The brewer sued the niece of the mason."),
        (
            "What she read was dull, but what she heard was fine.",
            "What she read was fine, but what she heard was dull.",
        ),
        ("A third of them were Dutch, a tenth were Danish.", "A third of them were Danish, a tenth were Dutch."),
        (
            "The heron, named after an old poet, was found by monks.",
            "The monks, named after an old poet, was found by heron.",
        ),
    ],
)
def test_words_in_each_others_place_are_exchanged(clean: str, perturbed: str) -> None:
    assert "exchanged" in kinds(clean, perturbed) & kinds(perturbed, clean)


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("He moved in 1990 to Oslo and in 1999 to Rome.", "He moved in 1999 to Rome and in 1990 to Oslo."),
        ("Ann, Bob and Carl came.", "Carl, Bob and Ann came."),
        ("She sings and he dances.", "He dances and she sings."),
        ("If the valve sticks, the pump stops.", "The pump stops if the valve sticks."),
        ("Before noon he swam and after noon he slept.", "After noon he slept and before noon he swam."),
        ("The surgeon, a friend of the mayor, came.", "A friend of the mayor, the surgeon, came."),
        ("Buy a ripe pear, a plum and a lemon.", "Buy a lemon, a plum and a ripe pear."),
        ("The river Lune rose.", "The Lune river rose."),
        ("It needs high flow rates.", "It needs high rates of flow."),
        ("Anna is taller than Ben.", "Ben is shorter than Anna."),
        ("Anna called Ben.", "Ben was called by Anna."),
    ],
)
def test_words_that_move_with_their_neighbours_are_not_exchanged(clean: str, perturbed: str) -> None:
    assert not {"exchanged", "roles"} & kinds(clean, perturbed)


def test_a_conflict_counts_less_the_more_else_is_reworded() -> None:
    alone = "The nurse measured his pulse in the ward.", "The porter measured his pulse in the ward."
    among = "The nurse measured his pulse in the ward.", "In the ward a porter took the pulse that he had."
    strength = [
        max((found.strength for found in findings(*map(facts_of, pair)) if found.kind == "word"), default=0.0)
        for pair in (alone, among)
    ]
    assert strength[0] > 2 * strength[1]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Quillfeather sold well.", set()),
        ("Quillfeather's book sold well.", {"quillfeather"}),
        ("Quillfeather and Ben left.", {"quillfeather", "ben"}),
        ("Quillfeather Jones left.", {"quillfeather", "jones"}),
    ],
)
def test_a_first_word_is_a_name_by_what_follows(text: str, names: set[str]) -> None:
    assert facts_of(text).names == names
