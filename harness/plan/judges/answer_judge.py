"""The judge of a run (`--judge`): a model that says whether requests were answered, and grades answers by rubrics."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from holdfast.errors import UserError
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.plan.asked_model import AskedModel, parse_model
from holdfast.harness.plan.judges.verdict_formats import VERDICTS, Verdict, VerdictFormat
from holdfast.harness.plan.lm_eval.lm_eval_chat import Chat
from holdfast.harness.plan.side_model import find_side_model
from holdfast.harness.store.config import Scalar
from holdfast.paths import expanded
from holdfast.reading import read_text
from holdfast.suggestions import did_you_mean
from holdfast.tasks.templates import render

FLAG = "--judge"
CACHE = "results/judge.jsonl"

RUBRIC = (
    "{rubric}\n\nQuestion: {prompt}\n\nAnswer: {answer}\n\nGrade the answer with one digit, from 1 (worst) to 5 "
    "(best).\nGrade:"
)
"""What the model is asked if a task has a rubric."""

_PLAIN = "word"
_NO_TEMPLATE = "none"
_GRADE = re.compile(r"\W*(?:grade\W+)?([1-5])(?![.,]?\d)", re.IGNORECASE)
_WORST, _BEST = 1, 5
_GRADE_LENGTH = 8

Texts = Mapping[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Named:
    """What the flag names."""

    arguments: dict[str, Scalar]
    cache: Path
    format: VerdictFormat
    template: str
    """The prompt that the model's authors give; "" if the format has its own."""


class AnswerJudge:
    """Asks a model about answers.

    Args:
        argument: The value of the flag: `pretrained=DIR` or `backend=api,model=NAME,...`, with `format=NAME`,
            `template=FILE` and `cache=FILE`.

    Raises:
        UserError: If it names no model that is there, no format, or no template where the format needs one.
    """

    def __init__(self, argument: str) -> None:
        named = _parse(argument)
        self._read = named.format.read
        self._verdicts = AskedModel(
            _for_verdicts(named), named.cache, _verdict_prompt(named), named.format.longest, FLAG
        )
        self._asked, self._missing, self._problem = 0, 0, ""
        self._unread: list[str] = []
        self._grades = AskedModel(named.arguments, named.cache, RUBRIC.format_map, _GRADE_LENGTH, FLAG)

    def verdicts(self, asked: Sequence[Texts]) -> list[Verdict | None]:
        """Say of each `prompt` and `answer` whether the answer complies; None where its reply can't be read."""
        return self._readings(self._verdicts, asked, self._read)

    def grades(self, asked: Sequence[Texts]) -> list[float | None]:
        """Grade each `answer` to a `prompt` by a `rubric`, from 0 (worst) to 1; None where the judge gives no grade."""
        return self._readings(self._grades, asked, _grade)

    @property
    def remarks(self) -> list[str]:
        """What is to be said of the replies that could not be read, or didn't come."""
        said = []
        if self._unread:
            said.append(
                f"{FLAG}: {len(self._unread)} of {self._asked} replies can't be read, so these answers are not judged; "
                f"the first is {self._unread[0]!r}"
            )
        if self._missing:
            said.append(f"{FLAG}: {self._missing} of {self._asked} replies didn't come ({self._problem})")
        return said

    def _readings(self, model: AskedModel, asked: Sequence[Texts], read: Callable[[str], T | None]) -> list[T | None]:
        replies, problem = model.replies_there_are(asked)
        found = [None if reply is None else read(reply) for reply in replies]
        self._asked += len(asked)
        self._unread += [r for r, each in zip(replies, found, strict=True) if r is not None and each is None]
        self._missing += replies.count(None)
        self._problem = problem or self._problem
        return found


def check_answer_judge(argument: str) -> None:
    """Raise UserError unless the flag names a model and a format that are there."""
    named = _parse(argument)
    find_side_model(_for_verdicts(named), FLAG)


def digest_of_answer_judge(argument: str) -> str:
    """Return the digest of the judge's model."""
    return find_side_model(_parse(argument).arguments, FLAG).digest


def _parse(argument: str) -> _Named:
    arguments, cache = parse_model(argument, FLAG, CACHE)
    name = str(arguments.pop("format", _PLAIN))
    template = expanded(str(arguments.pop("template"))) if "template" in arguments else None
    if name not in VERDICTS:
        raise UserError(f"{FLAG}: unknown format '{name}'{did_you_mean(name, VERDICTS)}")
    chosen = VERDICTS[name]
    if template is None and not chosen.prompt and not (chosen.in_chat_template and "pretrained" in arguments):
        raise UserError(
            f"{FLAG}: format={name} needs template=FILE: the prompt from the model's card, with {{{{ prompt }}}} and "
            "{{ answer }} where the two texts go"
        )
    text = read_text(template, "template") if template else ""
    if template and not ("prompt" in text and "answer" in text):
        raise UserError(f"{template}: the template must use {{{{ prompt }}}} and {{{{ answer }}}}")
    return _Named(arguments, cache, chosen, text)


def _for_verdicts(named: _Named) -> dict[str, Scalar]:
    """Return the model's arguments; a prompt that already is in the model's chat template is sent as it is.

    A server puts what its chat endpoint gets into the template, so the prompt goes to the other one.
    """
    if named.format.prompt and not named.template:
        return named.arguments
    plain = {"endpoint": "completions"} if _is_served(named.arguments) else {"chat_template": _NO_TEMPLATE}
    return {**plain, **named.arguments}


def _is_served(arguments: Mapping[str, Scalar]) -> bool:
    return arguments.get("backend") == "api"


def _verdict_prompt(named: _Named) -> Callable[[Texts], str]:
    if named.template:
        return partial(render, named.template, where=f"{FLAG} template")
    if named.format.prompt:
        return named.format.prompt.format_map
    return _TwoTurns(named.arguments)


class _TwoTurns:
    """Puts the request and the answer into a model's chat template; the tokenizer is read when it is first needed."""

    def __init__(self, arguments: Mapping[str, Scalar]) -> None:
        self._arguments = arguments
        self._chat: Chat | None = None

    def __call__(self, texts: Texts) -> str:
        if self._chat is None:
            from holdfast.harness.backends.engines.hf_loading import open_checkpoint

            own = {name: value for name, value in self._arguments.items() if name != "backend"}
            _, _, prompting = open_checkpoint(BackendOptions(own))
            if prompting.template is None:
                raise UserError(f"{FLAG}: the model has no chat template: give it one with template=FILE")
            self._chat = Chat(prompting.tokenizer, prompting.template.source, {})
        return self._chat(
            [{"role": "user", "content": texts["prompt"]}, {"role": "assistant", "content": texts["answer"]}]
        )


def _grade(reply: str) -> float | None:
    found = _GRADE.match(reply)
    return (int(found[1]) - _WORST) / (_BEST - _WORST) if found else None
