"""Answers handed out while others are still being generated, so that scoring takes no time from the engine."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Event, Thread
from time import sleep

from holdfast.harness.backends.backend import Generation

TOGETHER = 64
"""At most this many answers are handed out together."""

PAUSE = 0.02
"""Seconds to wait for more where few came: to be woken by each takes the interpreter from who generates, which with 64
requests under way at 50 ms each cost 3 % of their rate (benchmarks/api_speed.py)."""

Put = Callable[[Generation], None]
Produce = Callable[[Put, Event], None]


def streamed(produce: Produce) -> Iterator[list[Generation]]:
    """Run `produce(put, stopped)` in a thread of its own, and hand out what it puts, as it comes.

    Whoever takes the answers may take their time, or stop: then the event is set and `produce` is to return soon. What
    it raises is raised here, after the answers that came before.
    """
    answers: SimpleQueue[Generation | BaseException | None] = SimpleQueue()
    stopped = Event()

    def work() -> None:
        try:
            produce(answers.put, stopped)
        except BaseException as error:  # whatever it is, it is raised in the other thread
            answers.put(error)
        else:
            answers.put(None)

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        going = True
        while going:
            batch: list[Generation] = []
            while going and (not batch or (len(batch) < TOGETHER and not answers.empty())):
                answer = answers.get()
                if isinstance(answer, Generation):
                    batch.append(answer)
                else:
                    going, failure = False, answer
            if batch:
                yield batch
            if going and len(batch) < TOGETHER:
                sleep(PAUSE)
        if failure is not None:
            raise failure
    finally:
        stopped.set()
        thread.join()
