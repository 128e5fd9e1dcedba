"""Interventions: texts around a prompt that may help a model to cope, tried on the same variants."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.store.manifest import MITIGATED
from holdfast.paths import expanded
from holdfast.reading import read_text
from holdfast.suggestions import did_you_mean
from holdfast.tasks.templates import render

MITIGATIONS = {
    "robust_prompt": (
        "The question below may contain typing errors, odd spacing or punctuation, look-alike letters or emoji. Ignore "
        "them: work out what is meant, and give only the answer.\n\n{{ prompt }}"
    ),
    "language_pinning": (
        "Answer in the language and in the script of the question below. If you don't know the answer, or can't give "
        "it in that language, answer only UNSURE.\n\n{{ prompt }}"
    ),
}
"""The texts that have a name."""


_LONGEST_PATH = 255


def with_mitigations(adapters: Sequence[Adapter], specs: Sequence[str]) -> list[Adapter]:
    """Return each adapter as it is, and once more with each mitigation, named `adapter+mitigation`.

    Args:
        adapters: The adapters.
        specs: Names of `MITIGATIONS`; or `NAME=FILE`, `FILE` or `NAME=TEXT`: a text of the user's own, a template with
            `{{ prompt }}`, or a text that is put in front of the prompt. A text has a space, which no name has.

    Raises:
        UserError: If a name or a file is unknown, a template is invalid, or two mitigations have the same name.
    """
    found: dict[str, str] = {}
    for spec in specs:
        name, text = _mitigation(spec)
        if name in found:
            raise UserError(f"--mitigations: two are called '{name}': name them as in NAME=FILE")
        found[name] = text
        apply_mitigation(text, "a prompt")
    taken = {adapter.name for adapter in adapters}
    made = []
    for adapter in adapters:
        made.append(adapter)
        for name, text in found.items():
            both = f"{adapter.name}{MITIGATED}{name}"
            if both in taken:
                raise UserError(f"--mitigations: an adapter is already called '{both}': rename it")
            made.append(replace(adapter, name=both, mitigation=text))
    return made


def apply_mitigation(text: str, prompt: str) -> str:
    """Return a prompt with a mitigation around it.

    >>> apply_mitigation("Be careful. {{ prompt }}", "Who?"), apply_mitigation("Be careful.", "Who?")
    ('Be careful. Who?', 'Be careful.\\n\\nWho?')
    """
    if "{{" not in text:
        return f"{text}\n\n{prompt}"
    made = render(text, {"prompt": prompt}, "--mitigations")
    if prompt not in made:
        raise UserError("--mitigations: a template without {{ prompt }} asks nothing: add it where the prompt goes")
    return made


def _mitigation(spec: str) -> tuple[str, str]:
    """Return the name and the text of a mitigation."""
    if spec in MITIGATIONS:
        return spec, MITIGATIONS[spec]
    name, equals, rest = spec.partition("=")
    given = rest if equals else spec
    if equals and (not name.strip() or MITIGATED in name):
        raise UserError(f"--mitigations: a mitigation can't be called '{name}': use a name without {MITIGATED}")
    if equals and len(given) > _LONGEST_PATH:
        return name, given.replace("\\n", "\n").strip()
    path = expanded(given)
    if path.is_file():
        text = read_text(path, "mitigation").strip()
        if not text:
            raise UserError(f"--mitigations: '{given}' is empty: write the text that goes around the prompt")
        return name if equals else path.stem.replace(MITIGATED, "-"), text
    if equals and " " in given.strip():
        return name, given.replace("\\n", "\n").strip()
    if given != Path(given).name or path.suffix:
        raise UserError(f"--mitigations: file '{given}' does not exist")
    raise UserError(
        f"--mitigations: unknown '{given}'{did_you_mean(given, MITIGATIONS)}; your own text is NAME=FILE or NAME=TEXT"
    )
