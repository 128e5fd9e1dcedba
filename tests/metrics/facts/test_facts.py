"""Numbers, units, dates and times: which ones contradict each other, and which only look different."""

import numpy as np
import pytest

from holdfast.metrics.facts import Worded, comparer, facts_of, words_of
from tests.metrics.facts.verdict import conflict


def reason(clean: str, perturbed: str) -> str:
    return conflict(facts_of(clean), facts_of(perturbed)).reason


@pytest.mark.parametrize(
    ("clean", "perturbed", "why"),
    [
        ("Meet at 5 pm.", "Meet at 5 am.", "time 5 pm -> 5 am"),
        ("The train leaves at 10:30.", "The train leaves at 10:50.", "time 10:30 -> 10:50"),
        ("Revenue was $4.5 million.", "Revenue was $5.4 million.", "number $4.5 million -> $5.4 million"),
        ("She bought two apples.", "She bought three apples.", "number two -> three"),
        ("It costs 20 euros.", "It costs 20 dollars.", "unit 20 euros -> 20 dollars"),
        ("Walk 5 km.", "Walk 5 miles.", "unit 5 km -> 5 miles"),
        (
            "It was 20 degrees Celsius.",
            "It was 20 degrees Fahrenheit.",
            "unit 20 degrees Celsius -> 20 degrees Fahrenheit",
        ),
        ("Add 5 mg.", "Add 5 g.", "unit 5 mg -> 5 g"),
        ("It holds 6 m³.", "It holds 6 m².", "number 6 m3 -> 6 m2"),
        ("It makes 12 knots.", "It makes 12 km/h.", "unit 12 knots -> 12 km/h"),
        ("It was 99 mg/dL.", "It was 99 mmol/L.", "unit 99 mg/dL -> 99 mmol/L"),
        ("It falls at 8 m/s.", "It falls at 8 m/min.", "unit 8 m/s -> 8 m/min"),
        ("It lasted two hours.", "It lasted two days.", "unit two hours -> two days"),
        ("Sales rose 20%.", "Sales rose 25%.", "number 20% -> 25%"),
        ("Half of them came.", "A quarter of them came.", "number Half -> quarter"),
        ("She came third.", "She came second.", "number third -> second"),
        ("The vote is on 12 May 2024.", "The vote is on 21 May 2024.", "date 12 May 2024 -> 21 May 2024"),
        ("It opens in March.", "It opens in June.", "date March -> June"),
        ("Come on Tuesday.", "Come on Friday.", "date Tuesday -> Friday"),
        ("It costs $3 in the morning.", "It costs €3 in the morning.", "unit $3 -> €3"),
        ("It took 2 h 30 min.", "It took 140 minutes.", "number 2 h 30 min -> 140 minutes"),
        ("It took an hour.", "It took two hours.", "number an hour -> two hours"),
        ("Rates rose 5%.", "Rates rose 5 percentage points.", "unit 5% -> 5 percentage points"),
        ("World War II ended.", "World War I ended.", "number II -> I"),
        ("It is -5 °C.", "It is 5 °C.", "number -5° C -> 5° C"),
        ("Growth was −3 percent.", "Growth was +3 percent.", "number -3 percent -> 3 percent"),
        ("The balance is -$5.", "The balance is $5.", "number -$5 -> $5"),
        ("Они сказали: минус 3.", "Они сказали: 3.", "number минус 3 -> 3"),
        ("Both teams lost.", "The three teams lost.", "number Both -> three"),
        ("Prices rose from 3 to 5 euros.", "Prices rose from 5 to 3 euros.", "roles of numbers"),
        ("Arsenal won 2-1.", "Arsenal won 1-2.", "roles of numbers"),
        ("Mix it 3:1 with water.", "Mix it 1:3 with water.", "roles of numbers"),
        ("It is due on 03/04/2024.", "It is due on 04/03/2024.", "date 03/04/2024 -> 04/03/2024"),
        ("Use Python 3.10 here.", "Use Python 3.1 here.", "number 3.10 -> 3.1"),
        ("It needs version 1.20.", "It needs version 1.2.", "number 1.20 -> 1.2"),
        ("Louis XIV ruled.", "Louis XVI ruled.", "number XIV -> XVI"),
        ("It took a couple of hours.", "It took six hours.", "number a couple of hours -> six hours"),
        ("बैठक 5 बजे है।", "बैठक 7 बजे है।", "time 5 बजे -> 7 बजे"),
        ("मकान 12 लाख का है।", "मकान 15 लाख का है।", "number 12 लाख -> 15 लाख"),
        ("Meeting somvar ko hai.", "Meeting budhvar ko hai.", "date somvar -> budhvar"),
    ],
)
def test_different_values_conflict(clean: str, perturbed: str, why: str) -> None:
    assert reason(clean, perturbed) == why


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Revenue was $4.5 million.", "Revenue was 4.5 million dollars."),
        ("Revenue was $4.5 million.", "Revenue was 4,500,000 USD."),
        ("Revenue was $4.5 million.", "Revenue was $4.5m."),
        ("She posted $3 million bail.", "She posted $3-million bail."),
        ("It costs $5 dollars.", "It costs 5 dollars."),
        ("The season 2020/21 was short.", "The season 2020-2021 was short."),
        ("The season 1999/00 was short.", "The season 1999-2000 was short."),
        ("She served 1990–95.", "She served 1990 to 1995."),
        ("She was born in nineteen eighty-four.", "She was born in 1984."),
        ("It is a nineteenth-century church.", "It is a 19th-century church."),
        ("The temple dates from 200 BC.", "The temple dates from 200 B.C.E."),
        ("दाम साढ़े पाँच रुपये है।", "दाम 5.5 रुपये है।"),
        ("Twelve people came.", "12 people came."),
        ("A dozen people came.", "12 people came."),
        ("It has twenty-five rooms.", "It has 25 rooms."),
        ("It has two hundred and fifty rooms.", "It has 250 rooms."),
        ("It took half an hour.", "It took 30 minutes."),
        ("It took a quarter of an hour.", "It took 15 minutes."),
        ("The film lasts 90 minutes.", "The film lasts an hour and a half."),
        ("The film lasts 90 minutes.", "The film lasts one and a half hours."),
        ("The film lasts 90 minutes.", "The film lasts 1 hour and 30 minutes."),
        ("It took two hours and a half.", "It took 2.5 hours."),
        ("It took an hour.", "It took 60 minutes."),
        ("Wait three quarters of an hour.", "Wait 45 minutes."),
        ("The bus runs every quarter of an hour.", "The bus runs every 15 minutes."),
        ("Stay a fortnight.", "Stay two weeks."),
        ("It closes at midnight.", "It closes at 12 am."),
        ("It closes at midnight.", "It closes at 00:00."),
        ("It took a couple of hours.", "It took two hours."),
        ("It pays 20 euros an hour.", "It pays 20 euros per hour."),
        ("Light travels 300,000 kilometres per second.", "Light travels 300 000 km/s."),
        ("It makes 36 km an hour.", "It makes 10 m/s."),
        ("Its density is 1 g/cm³.", "Its density is 1 gram per cubic centimetre."),
        ("It downloads 50 megabits per second.", "It downloads 50 Mbps."),
        ("It was 99 mg/dL.", "It was 99 milligrams per decilitre."),
        ("The lake covers 580 square kilometres.", "The lake covers 224 square miles."),
        ("Keep to 60 miles per hour.", "Keep to 97 kilometres per hour."),
        ("Ask him/her.", "Ask him or her."),
        ("She turned twenty-one years.", "She turned 21."),
        ("The tank holds 6 m³.", "The tank holds 6000 litres."),
        ("It has 60 m² of floor.", "It has 60 sqm of floor."),
        ("World War II ended.", "World War 2 ended."),
        ("Both teams lost.", "The two teams lost."),
        ("Both Anna and Ben came.", "Anna and Ben came."),
        ("It is −5 °C.", "It is minus 5 °C."),
        ("It is 5 degrees below zero.", "It is -5 degrees."),
        ("The balance is -$5.", "The balance is $-5."),
        ("Growth was 3 percent.", "Growth was +3 percent."),
        ("It takes 3-5 days.", "It takes 3 to 5 days."),
        ("Ten minus 3 is 7.", "10 minus three is 7."),
        ("COVID-19 spread.", "COVID 19 spread."),
        ("Arsenal won 2-1.", "Arsenal won 2:1."),
        ("It is due on 03/04/2024.", "It is due on 4 March 2024."),
        ("For Anna 9.50 was enough.", "For Anna 9.5 was enough."),
        ("Pay 3.50 euros.", "Pay 3.5 euros."),
        ("World War II ended.", "World War Two ended."),
        ("World War II ended.", "The Second World War ended."),
        ("She has type II diabetes.", "She has type 2 diabetes."),
        ("It costs 1.200,50 euros.", "It costs 1200.50 euros."),
        ("It costs 1,200.50 dollars.", "It costs $1200.50."),
        ("It costs 5'000 francs.", "It costs 5000 francs."),
        ("He has ٣ cats.", "He has 3 cats."),
        ("It took one year.", "It took 12 months."),
        ("It lasts 48 hours.", "It lasts two days."),
        ("Half a million came.", "500,000 came."),
        ("Two thirds agreed.", "2/3 agreed."),
        ("A quarter of the staff agreed.", "25 percent of the staff agreed."),
        ("One in ten fell ill.", "10% fell ill."),
        ("Walk 5 km.", "Walk 5000 m."),
        ("Walk 5 miles.", "Walk 8 km."),
        ("Water boils at 100 degrees Celsius.", "Water boils at 212 degrees Fahrenheit."),
        ("It was 68 °F.", "It was 20 °C."),
        ("It is 20% off.", "It is 20 percent off."),
        ("Meet at 3 pm.", "Meet at 15:00."),
        ("Meet at noon.", "Meet at 12:00."),
        ("Come at 10:30.", "Come at 10:30 am."),
        ("The vote is on 12 May 2024.", "The vote is on 2024-05-12."),
        ("The vote is on 12 May 2024.", "The vote is on May 12th, 2024."),
        ("The vote is on the 12th of May.", "The vote is on May 12."),
        ("It opens in May 2024.", "It opens in May."),
        ("the 19th century", "the nineteenth century"),
        ("It costs 20 euros.", "It costs 20."),
        ("Pay Rs. 500.", "Pay 500 rupees."),
        ("It costs ₹5,00,000.", "It costs 5 lakh rupees."),
        ("It costs 200 Swiss francs.", "It costs CHF 200."),
        ("मकान की कीमत १२ लाख", "मकान की कीमत 12 लाख"),
        ("दस लोग आए।", "10 लोग आए।"),
        ("Bees log aaye hain.", "20 log aaye hain."),
        ("Roughly 0.04 percent", "Roughly .04 %"),
        ("1. Sign it", "2. Sign it"),
        ("a \U00010d40", "a"),
    ],
)
def test_equal_values_in_other_notations_agree(clean: str, perturbed: str) -> None:
    assert reason(clean, perturbed) == ""
    assert reason(perturbed, clean) == ""


def test_months_and_weekdays_are_not_names() -> None:
    assert facts_of("They met in May and on Monday.").names == frozenset()


def test_may_is_a_month_only_in_context() -> None:
    assert facts_of("You may go.").quantities == ()
    assert [one.kind for one in facts_of("It opens in May.").quantities] == ["date"]


def test_mon_is_a_weekday_before_another() -> None:
    assert [one.key for one in facts_of("Mon-Fri").quantities] == ["weekday 1-5"]
    assert facts_of("Mon dieu").quantities == ()


def test_vectors_of_words_count_only_where_the_words_differ_or_moved() -> None:
    def wording(clean: str, perturbed: str) -> list[float]:
        sides = [words_of(text, "en") for text in (clean, perturbed)]
        vectors = np.eye(sum(map(len, sides)), dtype=np.float32)  # no word is like another
        words = [Worded(sides[0], vectors[: len(sides[0])])], [Worded(sides[1], vectors[len(sides[0]) :])]
        found = comparer([clean], [perturbed], words=words)((0,), (0,))
        return [each.strength for each in found if each.kind == "wording"]

    assert wording("three quarters", "75 percent") == wording("Yes, you can.", "Yes.") == []
    assert wording("the old kettle fell", "the old ladder fell") == [1.0, 1.0]
    assert 0 < min(wording("Ann saw Bob here", "Bob here saw Ann")) < 1


def test_one_is_a_number_only_before_a_unit() -> None:
    assert facts_of("This one is mine.").numbers == frozenset()
    assert facts_of("Wait one hour.").numbers == {"60 min"}


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It was -5 in the morning.", {"-5"}),
        ("It was minus 5 in the morning.", {"-5"}),
        ("It was 5 in the morning.", {"5:00"}),
        ("Between 3-5 pm.", {"3", "17:00"}),
        ("It read 6.75 pm.", {"6.75"}),
        ("It began at 6.45 pm.", {"18:45"}),
        ("It took 2 h 30 min.", {"150 min"}),
        ("It began at 14h30.", {"14:30"}),
    ],
)
def test_times_amounts_and_durations_are_distinguished(text: str, numbers: set[str]) -> None:
    assert facts_of(text, "en").numbers == numbers


def test_a_word_may_express_the_sign_of_a_number() -> None:
    assert not reason("Revenue growth was -3%.", "Revenue fell 3%.").startswith("number")


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("The shop closes at noon.", "The shop closes at six."),
        ("They arrived at 8 a.m. sharp.", "They arrived at nine sharp."),
        ("It was built in 1990.", "It was built in May."),
    ],
)
def test_a_quantity_of_another_kind_in_the_same_place_conflicts(clean: str, perturbed: str) -> None:
    assert reason(clean, perturbed)
    assert reason(perturbed, clean)
