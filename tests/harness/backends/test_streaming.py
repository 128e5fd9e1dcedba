"""Answers made in one thread and taken in another."""

from threading import Event

import pytest

from holdfast.harness.backends.backend import Generation
from holdfast.harness.backends.engines.streaming import Put, streamed


def answer(number: int) -> Generation:
    return Generation(str(number), "text", 1, "stop")


def test_every_answer_is_handed_out_once_and_in_order() -> None:
    def produce(put: Put, stopped: Event) -> None:
        for number in range(200):
            put(answer(number))

    batches = list(streamed(produce))
    assert [generation.key for batch in batches for generation in batch] == [str(number) for number in range(200)]
    assert all(batches)


def test_the_first_is_handed_out_while_the_second_is_made() -> None:
    taken = Event()

    def produce(put: Put, stopped: Event) -> None:
        put(answer(1))
        assert taken.wait(10)
        put(answer(2))

    batches = streamed(produce)
    assert next(batches) == [answer(1)]
    taken.set()
    assert list(batches) == [[answer(2)]]


def test_a_failure_comes_after_the_answers_before_it() -> None:
    def produce(put: Put, stopped: Event) -> None:
        put(answer(1))
        raise OSError("gone")

    batches = streamed(produce)
    assert next(batches) == [answer(1)]
    with pytest.raises(OSError, match="gone"):
        next(batches)


def test_who_stops_taking_stops_the_making() -> None:
    ended = Event()

    def produce(put: Put, stopped: Event) -> None:
        put(answer(1))
        assert stopped.wait(10)
        ended.set()

    batches = streamed(produce)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert ended.is_set()
