"""Whatever a parser reads, it returns a value or raises one UserError of one line; it never hangs or crashes.

The budget is fixed, so that CI takes seconds; `pytest tests/fuzzing --long` goes on for an hour with other seeds.
"""

import signal
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from types import FrameType

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from holdfast.errors import UserError
from tests.fuzzing.mutations import mutate
from tests.fuzzing.parsers import Files, Parser, parsers

PARSERS = parsers()
EXAMPLES = 40
LONG_SECONDS = 3600
SLOWEST = 30
"""Seconds after which a parser hangs."""


class Hung(BaseException):
    """A parser takes too long."""


@contextmanager
def alarm() -> Iterator[None]:
    def ring(number: int, frame: FrameType | None) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SLOWEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def refusal(parser: Parser, files: Files) -> str:
    """Return the message with which a parser refuses broken input; "" if it reads it."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        try:
            with alarm():
                parser.read(Path(folder))
        except UserError as error:
            return str(error)
    return ""


def is_one_line(message: str) -> bool:
    return not set(message) & set("\n\r\x1b\x00\x85\u202e")


def broken(parser: Parser, random: Random) -> Files:
    files = dict(parser.files)
    name = random.choice([*files])
    return {**files, name: mutate(files[name], random)}


@pytest.mark.parametrize("name", PARSERS)
def test_valid_input_is_read(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for file, content in PARSERS[name].files.items():
            (Path(folder) / file).write_bytes(content)
        if name == "subspace":
            with pytest.raises(UserError):
                PARSERS[name].read(Path(folder))
        else:
            PARSERS[name].read(Path(folder))


@pytest.mark.parametrize("name", PARSERS)
def test_broken_input_is_a_value_or_one_line(name: str, request: pytest.FixtureRequest) -> None:
    tried = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32))
    def search(seed: int) -> None:
        nonlocal tried
        tried += 1
        message = refusal(PARSERS[name], broken(PARSERS[name], Random(seed)))
        assert is_one_line(message), repr(message)

    search()
    assert tried
    if request.config.getoption("--long"):
        end = time.monotonic() + LONG_SECONDS / len(PARSERS)
        random = Random(time.time_ns())
        while time.monotonic() < end:
            tried += 1
            seed = random.getrandbits(64)
            try:
                message = refusal(PARSERS[name], broken(PARSERS[name], Random(seed)))
                assert is_one_line(message), repr(message)
            except BaseException:
                print(f"{name}: seed {seed}")
                raise
    print(f"{name}: {tried} inputs tried")
