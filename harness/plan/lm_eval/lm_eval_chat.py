"""The chat template of the evaluated model, for prompts of lm-eval's tasks, which lm-eval puts into it itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.errors import UserError, first_line
from holdfast.harness.backends.backend import BackendOptions
from holdfast.harness.store.config import RunConfig
from holdfast.training.prompt_frame import opening_of


@dataclass(frozen=True, slots=True)
class Chat:
    """Renders messages as lm-eval's own models do."""

    tokenizer: Any
    source: str
    """The template."""
    variables: Mapping[str, Any]

    def __call__(self, messages: Sequence[Mapping[str, str]], add_generation_prompt: bool = True) -> str:
        """Return the messages in the template, up to where the answer begins or, for an answer that is begun, goes on.

        Raises:
            UserError: If the template fails on them.
        """
        try:
            text: str = self.tokenizer.apply_chat_template(
                list(messages),
                chat_template=self.source,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=not add_generation_prompt,
                **self.variables,
            )
        except Exception as error:  # a template can raise anything
            raise UserError(f"the model's chat template fails ({first_line(error)})") from None
        # what the tokenizer puts before every text, the engine adds
        begins = self.tokenizer.bos_token if opening_of(self.tokenizer) else None
        return text.removeprefix(begins) if begins else text


def chat_of(config: RunConfig) -> Chat | None:
    """Return the chat template for prompts of lm-eval's tasks; None without one, or if a server applies it.

    Raises:
        UserError: If --apply_chat_template is set and the model has none, or is not at hand.
    """
    if not config.apply_chat_template or config.model == "api":
        return None
    if "pretrained" not in config.model_args:
        raise UserError("--apply_chat_template: name the model with pretrained=... in --model_args")
    from holdfast.harness.backends.engines.hf_loading import open_checkpoint

    options = BackendOptions(config.model_args, chat_template_kwargs=config.chat_template_kwargs)
    _, _, prompting = open_checkpoint(options)
    if prompting.template is None:
        raise UserError("--apply_chat_template: the model has no chat template: omit it, or name one in --model_args")
    return Chat(prompting.tokenizer, prompting.template.source, config.chat_template_kwargs)
