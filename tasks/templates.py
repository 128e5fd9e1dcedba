"""Users' Jinja2 templates, in a sandbox: a task file may come from anywhere."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from holdfast.errors import UserError


def render(template: str, values: Mapping[str, Any], where: str) -> str:
    """The template filled with the values; `where` opens the UserError that a broken or unknown name raises.

    >>> render("{{ question }}?", {"question": "Who"}, "doc_to_text")
    'Who?'
    """
    from jinja2 import TemplateError

    if template == "{{ content }}":
        return str(values["content"])
    try:
        return str(_compiled(template).render(values))
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        known = ", ".join(sorted(values))
        raise UserError(f"{where}: {error}; the template may use {known}") from None


@cache
def _compiled(template: str) -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return environment.from_string(template)
