"""A language model of any backend that is asked about texts; its replies are kept in a file."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.backends import Backend, Request
from holdfast.harness.backends.backend import RESUMES, Settings
from holdfast.harness.plan.side_model import find_side_model, load_side_model
from holdfast.harness.store.config import Scalar, parse_pairs
from holdfast.harness.store.reply_cache import ReplyCache, key_of

Texts = Mapping[str, str]
"""Texts by their names in the prompt."""


class AskedModel:
    """Replies to a prompt about texts, from the cache or else by the model, which is loaded when it is first needed.

    Args:
        arguments: The model, as `parse_model` returns it.
        cache: The file of replies.
        prompt: Returns the prompt about texts; sent in the model's chat template if it has one.
        longest: Maximum length of a reply in tokens.
        flag: The flag for error messages.

    Raises:
        UserError: If the model can't be found, or the cache can't be read.
    """

    def __init__(
        self, arguments: dict[str, Scalar], cache: Path, prompt: Callable[[Texts], str], longest: int, flag: str
    ) -> None:
        self._arguments, self._prompt, self._flag = arguments, prompt, flag
        self._settings = Settings(max_new_tokens=longest)
        self._digest = find_side_model(arguments, flag).digest
        self._cache = ReplyCache(cache, "reply")
        self._loaded: tuple[Backend, str] | None = None
        self._replied = False

    def replies(self, about: Sequence[Texts]) -> list[str]:
        """Return a reply for each set of texts, given by their names in the prompt."""
        keys = self._ask(about)
        return [self._cache.known[key] for key in keys]

    def replies_there_are(self, about: Sequence[Texts]) -> tuple[list[str | None], str]:
        """Return the replies, None where the model fails to give one, and why it fails; "" if it doesn't.

        Raises:
            UserError: If it fails before it has given a single reply.
        """
        try:
            return [*self.replies(about)], ""
        except UserError as error:
            why = str(error).removesuffix(f": {RESUMES}")  # that is about the answers of the evaluated model
            if not self._replied:
                raise UserError(f"{self._flag}: {why}") from None
            return [self._cache.known.get(self._key(self._prompt(texts))) for texts in about], why

    def _key(self, prompt: str) -> str:
        return key_of(sorted(self._arguments.items()), self._digest, prompt)

    def _ask(self, about: Sequence[Texts]) -> list[str]:
        """Ask what the cache doesn't have, and return the key of each reply."""
        prompts = [self._prompt(texts) for texts in about]
        keys = [self._key(prompt) for prompt in prompts]
        missing = {key: i for i, key in enumerate(keys) if key not in self._cache.known}
        if missing:
            self._loaded = self._loaded or load_side_model(self._arguments, self._flag)
            engine, name = self._loaded
            requests = [Request(key, name, prompts[i], self._settings) for key, i in missing.items()]
            for batch in engine.generate(requests):
                for answer in batch:
                    self._cache.add(answer.key, about[missing[answer.key]], answer.output)
                    self._replied = True
        return keys


def parse_model(argument: str, flag: str, cache: str) -> tuple[dict[str, Scalar], Path]:
    """Return the arguments of a model, and the file of its replies.

    Args:
        argument: `pretrained=DIR`, or `backend=api,model=NAME,...`; `cache=FILE` names the file.
        flag: The flag for error messages.
        cache: The file if none is named.

    Raises:
        UserError: If there are no arguments.
    """
    arguments = parse_pairs(argument, flag)
    if not arguments:
        raise UserError(f"{flag} needs a model, as in pretrained=DIR or backend=api,model=NAME,base_url=URL")
    return arguments, Path(str(arguments.pop("cache", cache)))
