"""Comparers by entailment: which pairs are asked, and what an alignment makes of the answers."""

from collections.abc import Sequence

from holdfast.metrics.comparers.entailment import ByEntailment, Entailment, Pair
from holdfast.metrics.drift import Drift, segment_drift


class ByWords:
    """A text entails another if it has all its words, and contradicts it if only one has 'not'; keeps what it is asked."""

    def __init__(self) -> None:
        self.asked: list[list[Pair]] = []

    def __call__(self, pairs: Sequence[Pair]) -> list[Entailment]:
        self.asked.append(list(pairs))
        read = [[set(text.lower().replace(".", " ").split()) for text in pair] for pair in pairs]
        return [Entailment(float(one >= other), float(("not" in one) != ("not" in other))) for one, other in read]


def drifts(entail: ByWords, *pairs: Pair) -> list[Drift]:
    clean, perturbed = zip(*pairs, strict=True)
    return segment_drift(clean, perturbed, encoding="lexical", comparer=ByEntailment(entail))


def test_only_pairs_that_a_plan_uses_are_asked() -> None:
    entail = ByWords()
    before, after = "The ferry leaves at noon.", "The ferry does not leave at noon."
    rest = "Anna bought two red apples. Carl repaired the old bicycle. Nobody saw a comet."
    [found] = drifts(entail, (f"{before} {rest}", f"{after} {rest}"))
    assert [sorted(each) for each in entail.asked] == [sorted([(before, after), (after, before)])]
    assert [each.drift for each in found.clean] == [1, 0, 0, 0]


def test_identical_answers_and_segments_are_never_asked() -> None:
    entail = ByWords()
    found = drifts(
        entail, ("It rains. It pours.", "It rains. It pours."), ("It rains. It pours.", "It pours. It rains.")
    )
    assert entail.asked == []
    assert [each.max_drift for each in found] == [0, 0]


def test_all_answers_are_asked_in_one_batch_and_once() -> None:
    entail = ByWords()
    pair = ("Anna sings.", "Anna does not sing.")
    comparer = ByEntailment(entail)
    for _ in range(2):
        segment_drift(
            [pair[0], pair[0], "Carl reads."], [pair[1], pair[1], "Carl."], encoding="lexical", comparer=comparer
        )
    [asked] = entail.asked
    assert sorted(asked) == sorted([pair, pair[::-1], ("Carl reads.", "Carl."), ("Carl.", "Carl reads.")])


def test_a_sentence_split_in_two_does_not_drift() -> None:
    one, two = "Anna sings in the choir and Carl reads.", "Anna sings in the choir. And Carl reads."
    for pair in ((one, two), (two, one)):
        [found] = drifts(ByWords(), pair)
        assert (found.max_drift, found.lost_mass, found.added_mass) == (0, 0, 0)


def test_what_others_asked_does_not_change_an_answer() -> None:
    pairs = [
        ("Anna sings. Carl reads. Eve does not swim.", "Eve swims. Anna sings loudly."),
        ("Eve does not swim. Carl reads.", "Carl reads. Eve swims."),
        ("Anna sings loudly. Eve swims.", "Carl reads. Anna sings."),
    ]
    alone = [drifts(ByWords(), pair)[0] for pair in pairs]
    assert drifts(ByWords(), *pairs) == alone
    assert drifts(ByWords(), *pairs[::-1]) == alone[::-1]
