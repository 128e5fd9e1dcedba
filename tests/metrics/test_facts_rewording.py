"""Facts of sentences that were put in other words, and of others that look alike and say something else."""

import pytest

from holdfast.metrics.drift import BREAK, segment_drift


def drifts(clean: str, perturbed: str) -> list[bool]:
    """Whether an answer breaks, and whether it does the other way round."""
    return [drift.max_drift >= BREAK for drift in segment_drift([clean, perturbed], [perturbed, clean])]


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Sales fell by a third last year.", "Sales fell by a quarter last year."),
        ("One fifth of the members voted.", "One third of the members voted."),
        ("He ate a third of the cake.", "He ate a fifth of the cake."),
        ("Prices went up by a tenth.", "Prices went up by a fifth."),
        ("A quarter of all trees died.", "A third of all trees died."),
        ("Costs dropped by a half.", "Costs dropped by a quarter."),
        ("The meeting is in early March.", "The meeting is in early May."),
        ("The course starts in late May.", "The course starts in late June."),
        ("They open in mid-March.", "They open in mid-April."),
        ("The lease ends this March.", "The lease ends this April."),
        ("Water the plant every day.", "Water the plant every other day."),
        ("We meet every week.", "We meet every other week."),
        ("The report comes out every month.", "The report comes out every second month."),
        ("The bank sold the flat to Ms Berg.", "The bank bought the flat from Ms Berg."),
        ("Tom lent Anna a bike.", "Tom borrowed a bike from Anna."),
        ("The office sent the forms to Ben.", "The office received the forms from Ben."),
        ("Peter is Julia's employer.", "Peter is Julia's employee."),
        ("Siemens sold the unit to Bosch.", "Siemens bought the unit from Bosch."),
        ("The house was sold.", "The house was bought."),
        ("Arsenal beat Chelsea.", "Arsenal lost to Chelsea."),
        ("The pump works.", "The pump no longer works."),
        ("The plan has funding.", "The plan lacks funding."),
        ("They kept their promise.", "They failed to keep their promise."),
        ("He was aware of the risk.", "He was unaware of the risk."),
        ("You need a permit.", "You don't need a permit."),
        ("You need a permit.", "A permit is unnecessary."),
        ("The method is recommended.", "The method is deprecated."),
        ("The contract is binding.", "The contract is void."),
        ("The court upheld the law.", "The court struck down the law."),
        ("The judge affirmed the sentence.", "The judge overturned the sentence."),
        ("The star of the evening was Ann.", "The star of the morning was Ann."),
        ("He works at night.", "He works in the morning."),
        ("He stays.", "He goes."),
        ("Karen lent Miguel her car.", "Miguel lent Karen his car."),
        ("Paul gave Rita his keys.", "Rita gave Paul her keys."),
        ("Ann sent Tom her notes.", "Tom sent Ann his notes."),
        ("He phoned his sister.", "She phoned her sister."),
        ("The mayor charged the editor with libel.", "The mayor was charged with libel by the editor."),
        ("The coach praised the team for its effort.", "The coach was praised for his effort by the team."),
        ("The duke accused the bishop of treason.", "The duke was accused of treason by the bishop."),
        ("Tom will fetch the kids.", "Greg will fetch the kids."),
        ("Oscar is late again.", "Wendy is late again."),
        ("Greg wants soup.", "Derek wants soup."),
    ],
)
def test_something_else_is_said(clean: str, perturbed: str) -> None:
    assert drifts(clean, perturbed) == [True, True]


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("A third of the staff left.", "One third of the staff left."),
        ("A quarter of all trees died.", "25 % of all trees died."),
        ("Sales fell by a fifth.", "Sales fell by 20 percent."),
        ("He needs a third chance.", "He needs one more chance, a third."),
        ("We meet every other week.", "We meet every second week."),
        ("We meet every day.", "We meet daily."),
        ("The bank sold the flat to Ms Berg.", "Ms Berg bought the flat from the bank."),
        ("Tom lent Anna a bike.", "Anna borrowed a bike from Tom."),
        ("The teacher gave the class a test.", "The class received a test from the teacher."),
        ("Maria taught Leo chess.", "Leo learned chess from Maria."),
        ("Peter is Julia's employer.", "Julia is Peter's employee."),
        ("The firm was bought by Siemens.", "Siemens bought the firm."),
        ("Siemens sold the unit to Bosch.", "The unit was bought by Bosch."),
        ("Arsenal beat Chelsea.", "Chelsea lost to Arsenal."),
        ("The pump no longer works.", "The pump has ceased to work."),
        ("He does not attend meetings any more.", "He has stopped attending meetings."),
        ("The old method should not be used.", "The old method is deprecated."),
        ("She did not answer the question.", "She avoided answering the question."),
        ("The plan doesn't have any funding.", "The plan lacks funding."),
        ("They didn't keep their promise.", "They failed to keep their promise."),
        ("The drink contains no sugar.", "The drink is free of sugar."),
        ("You don't need a permit.", "A permit is unnecessary."),
        ("He wasn't aware of the risk.", "He was unaware of the risk."),
        ("The file isn't complete.", "The file is incomplete."),
        ("Nobody under sixteen can enter.", "You must be at least sixteen to enter."),
        ("It is impossible to predict the result.", "Nobody can predict the result."),
        ("The guard did not let them in.", "The guard prevented them from entering."),
        ("Plants take in water through roots.", "Plants absorb water through roots."),
        ("The game was cancelled on account of rain.", "The game was cancelled because of rain."),
        ("He came out on top in the race.", "He won the race."),
        ("It was the best match of the night.", "It was the best match of the evening."),
        ("The coach praised the team for its effort.", "The team was praised for its effort by the coach."),
        ("The duke accused the bishop of treason.", "The bishop was accused of treason by the duke."),
    ],
)
def test_the_same_is_said_in_other_words(clean: str, perturbed: str) -> None:
    assert drifts(clean, perturbed) == [False, False]
