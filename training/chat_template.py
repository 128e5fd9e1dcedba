"""A tokenizer's chat template: which one to use, and messages rendered by it without losing their content."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import takewhile
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.limits import time_limit
from holdfast.paths import expanded
from holdfast.reading import read_text

Messages = Sequence[Mapping[str, Any]]

_OFF, _OWN = {"none", "false"}, {"auto", "true"}
_PROBES = ("Does a short question arrive?", "And this second one, which differs?")
_SWITCH = re.compile(r"/(?:no_)?think\b")
_SECONDS = 10.0
"""The most time that a template gets for one conversation."""

_RENDERINGS = 16
"""How often one conversation is rendered, so that a template which draws lots is found out."""

_WAY_OUT = "choose another with chat_template=NAME, none or FILE in --model_args"


@dataclass(frozen=True)
class ChatTemplate:
    """A chat template of a tokenizer; what it renders contains what was to be asked.

    Args:
        tokenizer: The tokenizer, which supplies the special tokens that templates insert.
        source: The template, in Jinja.
        name: Its name in error messages.
        clock: The time that the template reads, so that a run renders the same prompts on every day.
        variables: Further variables for the template, such as enable_thinking.
    """

    tokenizer: Any
    source: str
    name: str
    clock: datetime
    variables: Mapping[str, Any]

    def render(self, messages: Messages) -> str:
        """Return the messages in the template, up to where the answer begins.

        Raises:
            UserError: If the template fails or refuses a message, or drops what the user or the system says.
        """
        text = self._render(messages, parts=self._takes_parts)
        if lost := _lost(text, messages):
            raise UserError(f"{self.name} drops or changes {_excerpt(lost)}: {_WAY_OUT}")
        return text

    @cached_property
    def turn_end(self) -> str:
        """What the template puts at the end of an assistant's turn, without the white space after it; "" if nothing.

        Some templates add more after the last turn (an end of text), so it must also follow a turn in the middle.
        """
        turns = [{"role": role, "content": probe} for role, probe in zip(("user", "assistant"), _PROBES, strict=True)]
        last, middle = self._after_answer(turns), self._after_answer([*turns, turns[0]])
        known = "|".join(map(re.escape, self.tokenizer.get_added_vocab()))  # a common prefix must not cut one in two
        words = re.compile(f"({known})|(\\s+)" if known else r"(\s+)")
        both = zip(*(filter(None, words.split(text)) for text in (last, middle)), strict=False)
        common = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], both))
        heads_answers = last == self._after_answer(turns, answers=True)  # `last` may be the head of the next answer
        return common.rstrip() or ("" if heads_answers else last.rstrip())

    @cached_property
    def turn_end_token(self) -> int | None:
        """The token that `turn_end` consists of; None if it is a text or several tokens."""
        found = self.tokenizer.get_added_vocab().get(self.turn_end.strip())
        return None if found is None else int(found)

    def _after_answer(self, messages: Messages, *, answers: bool = False) -> str:
        """Return the text after the second message, an answer; "" if the template refuses or changes it."""
        try:
            text = self._render(messages, parts=self._takes_parts, answers=answers)
        except UserError:
            return ""
        return text.partition(messages[1]["content"])[2]

    @cached_property
    def _takes_parts(self) -> bool:
        """Whether the template reads content as a list of parts instead of a text; UserError if it reads neither."""
        refused = UserError(f"{self.name} drops or changes what the user says: {_WAY_OUT}")
        for parts in (False, True):
            try:
                probes = [[{"role": "user", "content": probe}] for probe in _PROBES]
                texts = [self._render(probe, parts=parts) for probe in probes]
                spelled_out = any("'text'" in text for text in texts)  # the list itself, as Python prints it
                if not spelled_out and not any(map(_lost, texts, probes)):
                    return parts
            except UserError as error:
                refused = refused if parts else error
        raise refused

    def _render(self, messages: Messages, *, parts: bool, answers: bool = True) -> str:
        """Return the messages in the template, with the head of the next answer or without."""
        asked = messages
        if parts:
            asked = [{**each, "content": [{"type": "text", "text": each["content"]}]} for each in messages]
        try:
            with time_limit(_SECONDS, "rendering"):
                text: str = self.tokenizer.apply_chat_template(
                    asked,
                    chat_template=self.source,
                    tokenize=False,
                    add_generation_prompt=answers,
                    **{"strftime_now": self.clock.strftime, **self.variables},
                )
        except Exception as error:  # a template can raise anything
            hint = "leave out the system message, or " if messages[0]["role"] == "system" else ""
            raise UserError(
                f"{self.name} fails on {_excerpt(messages[-1])} ({first_line(error)}): {hint}{_WAY_OUT}"
            ) from None
        return text


def find_template(
    tokenizer: Any,
    wanted: object = "auto",
    *,
    owner: str,
    clock: datetime | None = None,
    variables: Mapping[str, Any] | None = None,
) -> ChatTemplate | None:
    """Return a tokenizer's chat template, or None if it has none or none is wanted.

    Args:
        tokenizer: A transformers tokenizer.
        wanted: "auto" for its own (the one called "default", if it has several), the name of one, a file, or "none".
        owner: Whose template it is, for error messages.
        clock: The time that the template reads; now, if None.
        variables: Further variables for the template.

    Raises:
        UserError: If `wanted` is neither a name nor a file, the tokenizer has several and none is chosen, the template
            is empty, drops what the user says or renders it differently each time, or a variable is given that it
            doesn't use.
    """
    template = _chosen(tokenizer, str(wanted), owner)
    for variable in variables or {}:
        if template is None or not re.search(rf"\b{re.escape(variable)}\b", template[1]):
            used = f"{template[0]} does not use it" if template else f"no chat template of {owner} is used"
            raise UserError(f"--chat_template_kwargs: '{variable}' has no effect, since {used}")
    if template is None:
        return None
    name, source = template
    if not source.strip():
        raise UserError(f"{name} is empty: {_WAY_OUT}")
    found = ChatTemplate(tokenizer, source, name, clock or datetime.now(UTC), dict(variables or {}))
    probe = [{"role": "user", "content": _PROBES[0]}]
    if len({found.render(probe) for _ in range(_RENDERINGS)}) > 1:
        raise UserError(f"{name} renders the same message differently each time: {_WAY_OUT}")
    return found


def _chosen(tokenizer: Any, choice: str, owner: str) -> tuple[str, str] | None:
    """Return the name and the source of a tokenizer's template; raise UserError if `choice` names none."""
    if choice.lower() in _OFF:
        return None
    own = {} if tokenizer.chat_template is None else tokenizer.chat_template
    named: dict[str, str] = own if isinstance(own, dict) else {"default": own}
    if choice.lower() in _OWN:
        if not named:
            return None
        choice = next(iter(named)) if len(named) == 1 else "default"
        if choice not in named:
            raise UserError(f"{owner} has several chat templates: choose one with {_choices(named)} in --model_args")
    name = f"chat template '{choice}' of {owner}" if len(named) > 1 else f"the chat template of {owner}"
    if choice in named:
        return name, named[choice]
    return f"chat template '{choice}'", _read(choice, named, owner)


def _read(wanted: str, named: Mapping[str, str], owner: str) -> str:
    file = expanded(wanted)
    if not os.path.isfile(file):
        known = f"; {owner} has {_choices(named)}" if named else ""
        raise UserError(f"--model_args: chat_template '{wanted}' is neither a template of {owner} nor a file{known}")
    return read_text(file, "--model_args: chat_template")


def _choices(named: Iterable[str]) -> str:
    return ", ".join(f"chat_template={name}" for name in sorted(named))


def _lost(rendered: str, messages: Messages) -> Mapping[str, Any] | None:
    """Return the first message of the user or the system that the rendered text lacks.

    Templates may strip a message, and take out the words that switch reasoning on and off.
    """
    shown = _SWITCH.sub("", rendered)
    asked = (each for each in messages if each["role"] in ("system", "user"))
    return next((each for each in asked if _SWITCH.sub("", each["content"]).strip() not in shown), None)


def _excerpt(message: Mapping[str, Any]) -> str:
    shown = " ".join(message["content"].split())
    return f"the {message['role']}'s message {shown[:60] + ('...' if len(shown) > 60 else '')!r}"
