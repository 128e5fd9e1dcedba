"""Answers produced in one thread and consumed in another."""

from threading import Event

import pytest

from holdfast.harness.backends.backend import Generation
from holdfast.harness.backends.engines.streaming import Put, stream


def answer(number: int) -> Generation:
    return Generation(str(number), "text", 1, "stop")


def test_every_answer_is_yielded_once_and_in_order() -> None:
    def produce(put: Put, stopped: Event) -> None:
        for number in range(200):
            put(answer(number))

    batches = list(stream(produce))
    assert [generation.key for batch in batches for generation in batch] == [str(number) for number in range(200)]
    assert all(batches)


def test_an_answer_is_yielded_while_the_next_is_produced() -> None:
    taken = Event()

    def produce(put: Put, stopped: Event) -> None:
        put(answer(1))
        assert taken.wait(10)
        put(answer(2))

    batches = stream(produce)
    assert next(batches) == [answer(1)]
    taken.set()
    assert list(batches) == [[answer(2)]]


def test_an_exception_is_raised_after_the_answers_before_it() -> None:
    def produce(put: Put, stopped: Event) -> None:
        put(answer(1))
        raise OSError("gone")

    batches = stream(produce)
    assert next(batches) == [answer(1)]
    with pytest.raises(OSError, match="gone"):
        next(batches)


def test_the_producer_stops_when_the_consumer_does() -> None:
    ended = Event()

    def produce(put: Put, stopped: Event) -> None:
        put(answer(1))
        assert stopped.wait(10)
        ended.set()

    batches = stream(produce)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert ended.is_set()
