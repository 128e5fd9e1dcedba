"""Yield answers while others are still being generated, so that scoring doesn't hold up the engine."""

from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Event, Thread
from time import sleep

from holdfast.harness.backends.backend import Generation

MAX_BATCH = 64
"""Maximum number of answers yielded together."""

PAUSE = 0.02
"""Seconds to wait for more answers after a small batch. Waking up for each answer takes the interpreter away from the
generating thread: with 64 concurrent requests of 50 ms each, it cost 3 % of their rate (benchmarks/api_speed.py)."""

Put = Callable[[Generation], None]
Produce = Callable[[Put, Event], None]


def stream(produce: Produce) -> Iterator[list[Generation]]:
    """Run `produce(put, stopped)` in a thread, and yield the answers that it puts, in batches.

    If the consumer stops early, the event `stopped` is set, and `produce` should return soon. An exception that it
    raises is raised here, after the answers that came before it.
    """
    answers: SimpleQueue[Generation | BaseException | None] = SimpleQueue()
    stopped = Event()

    def work() -> None:
        try:
            produce(answers.put, stopped)
        except BaseException as error:  # raised again in the consumer's thread
            answers.put(error)
        else:
            answers.put(None)

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        going = True
        while going:
            batch: list[Generation] = []
            while going and (not batch or (len(batch) < MAX_BATCH and not answers.empty())):
                answer = answers.get()
                if isinstance(answer, Generation):
                    batch.append(answer)
                else:
                    going, failure = False, answer
            if batch:
                yield batch
            if going and len(batch) < MAX_BATCH:
                sleep(PAUSE)
        if failure is not None:
            raise failure
    finally:
        stopped.set()
        thread.join()
