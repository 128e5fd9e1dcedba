"""Renders users' Jinja2 templates in a sandbox, since task files may come from untrusted sources."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from holdfast.errors import UserError
from holdfast.limits import memory_limit, time_limit

_SECONDS, _BYTES = 10.0, 2**30
"""The most time and memory that a template gets."""

_INSERTED = re.compile(r"{{ *\w+ *}}")


def render(template: str, values: Mapping[str, Any], where: str) -> str:
    """Return the template filled in with the values.

    Args:
        template: The Jinja2 template.
        values: The names it may use.
        where: Where the template comes from, for error messages.

    Raises:
        UserError: If the template is invalid, uses an unknown name or fails.

    >>> render("{{ question }}?", {"question": "Who"}, "doc_to_text")
    'Who?'
    """
    if template == "{{ content }}":
        return str(values["content"])
    return str(_filled(_environment(), template, values, where))


def evaluate(template: str, values: Mapping[str, Any], where: str) -> Any:
    """Return the value of a template that is a single expression, such as a list or a number, else the filled-in text.

    Text in brackets that reads as a Python list is that list, as in lm-eval.

    Args:
        template: The Jinja2 template.
        values: The names it may use.
        where: Where the template comes from, for error messages.

    Raises:
        UserError: If the template is invalid, uses an unknown name or fails.

    >>> evaluate("{{ names }}", {"names": ["Ann", "Anna"]}, "x"), evaluate("{{ names[0] }}!", {"names": ["Ann"]}, "x")
    (['Ann', 'Anna'], 'Ann!')
    >>> evaluate("['{{ a }}', '{{ b }}']", {"a": "yes", "b": "no"}, "doc_to_choice")
    ['yes', 'no']
    """
    found = _filled(_native_environment(), template, values, where)
    if isinstance(found, str) and found.strip()[:1] == "[" and found.strip()[-1:] == "]":
        with suppress(ValueError, SyntaxError, MemoryError, RecursionError):
            return ast.literal_eval(found.strip())
    return found


def _filled(environment: Any, template: str, values: Mapping[str, Any], where: str) -> Any:
    try:
        if _only_inserts(template):
            return _compiled(environment, template).render(values)
        with time_limit(_SECONDS, f"{where}: the template"), memory_limit(_BYTES):
            return _compiled(environment, template).render(values)
    except MemoryError:
        raise UserError(f"{where}: the template needs more than {_BYTES >> 20} MiB") from None
    except RecursionError:
        raise UserError(f"{where}: the template nests or calls itself too deeply") from None
    except Exception as error:  # a template can raise anything
        if isinstance(error, UserError):
            raise
        known = ", ".join(sorted(values))
        raise UserError(f"{where}: {error}; available names: {known}") from None


@cache
def _only_inserts(template: str) -> bool:
    """Whether a template does nothing but insert values, so that it needs no limits."""
    return "{" not in _INSERTED.sub("", template)


@cache
def _compiled(environment: Any, template: str) -> Any:
    return environment.from_string(template)


@cache
def _environment() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)


@cache
def _native_environment() -> Any:
    """Return the sandbox of `_environment`, but with values of single expressions kept as they are."""
    from jinja2 import StrictUndefined
    from jinja2.nativetypes import NativeCodeGenerator, NativeTemplate
    from jinja2.sandbox import SandboxedEnvironment

    class NativeSandbox(SandboxedEnvironment):
        code_generator_class = NativeCodeGenerator
        concat = staticmethod(_single_or_text)

    class SandboxTemplate(NativeTemplate):
        environment_class = NativeSandbox  # type: ignore[assignment]

    NativeSandbox.template_class = SandboxTemplate
    return NativeSandbox(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)


def _single_or_text(pieces: Iterable[Any]) -> Any:
    """Return the only piece that is not white space, unless it is text; else all pieces as text."""
    found = [list(piece) if isinstance(piece, (tuple, Iterator)) else piece for piece in pieces]
    text = "".join(map(str, found))  # which also reports undefined names
    rest = [piece for piece in found if not (isinstance(piece, str) and not piece.strip())]
    return rest[0] if len(rest) == 1 and not isinstance(rest[0], str) else text
