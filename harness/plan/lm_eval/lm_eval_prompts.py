"""The prompts of a task of lm-eval: its few-shot examples and its question, with another content in its input field."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.harness.plan.lm_eval.lm_eval_chat import Chat
from holdfast.tasks import Sample

FIELD = "perturbed_field"
"""The key of a task's `metadata` that names the field of its documents to perturb."""

_USUAL = (
    *("question", "query", "problem", "prompt", "instruction", "input", "goal", "sentence", "sentence1", "text"),
    *("premise", "content", "article", "document", "dialogue", "passage", "context", "ctx", "story"),
)
"""Names of fields that hold what a user would type, the likeliest first."""

_PROBE = "Could something else stand here?"


@dataclass(frozen=True, slots=True)
class Prompts:
    """Renders a task's prompts (`Task.prompt`)."""

    source: Any
    """The task of lm-eval."""
    documents: Sequence[dict[str, Any]]
    field: str
    """The field that holds the content."""
    frames: Sequence[tuple[str, str]]
    """What stands before each document's question (instruction, description, examples), and what behind it."""

    def __call__(self, sample: Sample, content: str) -> str:
        """Return the prompt for a sample whose content may be perturbed.

        White space at the end of a prompt belongs to the choices that follow (`white_space_after`), as in lm-eval.
        """
        text = self._whole(int(sample.id), content)
        return text.rstrip() if sample.choices else text

    def white_space_after(self, number: int) -> str:
        """Return the white space at the end of a document's clean prompt."""
        text = self._whole(number, self.documents[number][self.field])
        return text[len(text.rstrip()) :]

    def _whole(self, number: int, content: str) -> str:
        before, after = self.frames[number]
        return before + _question(self.source, {**self.documents[number], self.field: content}) + after


def prompts_of(
    source: Any, name: str, documents: Sequence[dict[str, Any]], system: str | None, chat: Chat | None
) -> Prompts:
    """Return the prompts of a task, with the few-shot examples that lm-eval would draw for each document.

    Args:
        source: The task of lm-eval, with its number of few-shot examples set.
        name: Its name, for messages.
        documents: Its documents, in lm-eval's order, on which the examples that are drawn depend.
        system: What stands before everything else.
        chat: The chat template, if prompts are put into one.

    Raises:
        UserError: If the task fails on a document, or none of the fields reaches the prompt.
    """
    frames: list[tuple[str, str]] = []
    try:
        for document in documents:
            whole = source.fewshot_context(
                document,
                num_fewshot=source.get_config("num_fewshot") or 0,
                system_instruction=system,
                apply_chat_template=chat is not None,
                fewshot_as_multiturn=chat is not None,
                chat_template=chat,
                gen_prefix=source.doc_to_prefix(document),
            )
            before, found, after = whole.rpartition(_question(source, document))
            if not found:
                raise UserError(f"task '{name}': the chat template changes the question of document {len(frames)}")
            frames.append((before, after))
        field = _field(source, name, documents[0])
    except UserError:
        raise
    except Exception as error:  # a task's own code can raise anything
        why = f"{type(error).__name__}: {first_line(error)}"
        raise UserError(f"task '{name}' fails on its document {len(frames)} ({why})") from None
    return Prompts(source, documents, field, frames)


def _question(source: Any, document: dict[str, Any]) -> str:
    """Return what a document asks, without the beginning of an answer that a task may give."""
    [question, *_] = source.build_qa_turn(
        q=source.doc_to_text(document), gen_prefix=None, tgt_delim=source.config.target_delimiter, few_delim=""
    )
    return str(question.to_text())


def _field(source: Any, name: str, document: dict[str, Any]) -> str:
    """Return the field to perturb: the one that the task names, or the likeliest that reaches the prompt alone."""
    metadata = source.get_config("metadata") or {}
    named = metadata.get(FIELD)
    before = _question(source, document), source.doc_to_target(document)
    reaching = []
    for key, value in document.items():
        if isinstance(value, str) and value.strip():
            changed = {**document, key: f"{value} {_PROBE}"}
            if _question(source, changed) != before[0] and source.doc_to_target(changed) == before[1]:
                reaching.append(key)
    if named is not None and named not in reaching:
        raise UserError(f"task '{name}': its metadata name '{named}' as {FIELD}, which doesn't reach the prompt")
    if not reaching:
        raise UserError(
            f"task '{name}': no field of its documents reaches the prompt as text, so none can be perturbed"
        )
    order = {key: place for place, key in enumerate(_USUAL)}
    return named or min(reaching, key=lambda key: (order.get(key, len(order)), -len(document[key])))
