"""Renders users' Jinja2 templates in a sandbox, since task files may come from untrusted sources."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from holdfast.errors import UserError


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
    from jinja2 import TemplateError

    if template == "{{ content }}":
        return str(values["content"])
    try:
        return str(_compiled(template).render(values))
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        known = ", ".join(sorted(values))
        raise UserError(f"{where}: {error}; available names: {known}") from None


@cache
def _compiled(template: str) -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    return environment.from_string(template)
