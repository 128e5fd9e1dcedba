"""The registry of sentence encoders, and the choice of an encoder by name, path and language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeVar

from holdfast.errors import UserError
from holdfast.language.detection import languages_of
from holdfast.metrics.metric import Encode
from holdfast.registry import Registry


@dataclass(frozen=True, slots=True)
class Encoder:
    """A registered encoder, not loaded yet.

    Attributes:
        build: Loads the encoder, or raises UserError saying what to install.
        languages: Codes of the languages that the encoder supports; empty means all.
        compares: Codes of other languages in which it tells a changed meaning from a kept one, though it was not
            trained for them.
        power: The exponent applied to its distances. An encoder that sees only characters overestimates the distance
            between paraphrases; an exponent of 2 compensates.
    """

    build: Callable[[], Encode]
    languages: frozenset[str] = frozenset()
    compares: frozenset[str] = frozenset()
    power: float = 1.0


encoders: Registry[Encoder] = Registry("encoders", "holdfast.metrics.encoders")

FALLBACK = "lexical"
"""The encoder for texts in languages that the chosen one doesn't support."""

B = TypeVar("B", bound=Callable[[], Encode])


def encoder(
    name: str,
    *,
    languages: frozenset[str] = frozenset(),
    compares: frozenset[str] = frozenset(),
    power: float = 1.0,
) -> Callable[[B], B]:
    """Register a function that builds an encoder.

    Args:
        name: The name under which users select the encoder.
        languages: Codes of the languages that it supports; empty means all.
        compares: Codes of other languages in which it can compare texts (see `Encoder`).
        power: The exponent applied to its distances (see `Encoder`).

    Returns:
        A decorator that returns the function unchanged.
    """

    def register(build: B) -> B:
        encoders.register(name, Encoder(build, languages, compares, power))
        _known.cache_clear()
        return build

    return register


@dataclass(frozen=True)
class Encoding:
    """The encoders of a run: the main one, others by language code, and a fallback for all other languages."""

    name: str
    main: Encode
    by_language: Mapping[str, tuple[str, Encode]] = field(default_factory=dict)
    fallback: Encode | None = None

    def choose(self, *texts: str) -> str:
        """Return the name of the encoder that can compare texts in the languages of all these."""
        return self._chosen(texts, _known(self.name).compares)

    def reads(self, text: str) -> bool:
        """Return whether the user named an encoder that supports the language of this text."""
        return self._chosen([text], frozenset()) != FALLBACK or self.name == FALLBACK

    def encode(self, name: str) -> Encode:
        """Return the encoder with a name that `choose` returned."""
        return self._all()[name]

    def power(self, name: str) -> float:
        """Return the exponent applied to that encoder's distances."""
        return _known(name).power

    def wrapped(self, wrap: Callable[[str, Encode], Encode]) -> Encoding:
        """Return a copy in which each encoder is replaced by `wrap(name, encode)`."""
        kept = {name: wrap(name, encode) for name, encode in self._all().items()}
        others = {language: (name, kept[name]) for language, (name, _) in self.by_language.items()}
        return replace(self, main=kept[self.name], by_language=others, fallback=kept.get(FALLBACK))

    def _chosen(self, texts: Iterable[str], others: frozenset[str]) -> str:
        """Return the encoder for the languages of these texts, if the main one can do with these other languages."""
        known = _known(self.name).languages
        if not known and not self.by_language:
            return self.name
        names = {
            self.by_language[language][0]
            if language in self.by_language
            else self.name
            if not known or language in known | others
            else FALLBACK
            for language in languages_of(*texts)
        } or {self.name}
        return names.pop() if len(names) == 1 else FALLBACK

    def _all(self) -> dict[str, Encode]:
        found = {self.name: self.main} | dict(self.by_language.values())
        return found if self.fallback is None else {FALLBACK: self.fallback} | found


def encoding_of(spec: str, load: Callable[[str], Encode] | None = None) -> Encoding:
    """Load the encoders that a specification names.

    Args:
        spec: The main encoder and others by language, as in `minilm` or `minilm,hi=path/to/encoder`. Each is a
            registered name, a directory, or a hub name of a sentence-transformers or transformers encoder.
        load: Loads an encoder by name; `load_encoder` if None.

    Raises:
        UserError: If the specification is malformed, or an encoder is unknown or can't be loaded.
    """
    load = load or load_encoder
    first, *others = [part.strip() for part in spec.split(",")]
    if not first or "=" in first:
        raise UserError(f"--encoder '{spec}': the main encoder must come first, as in minilm,hi=path/to/encoder")
    by_language = {}
    for other in others:
        language, equals, name = other.partition("=")
        if not (language and equals and name):
            raise UserError(f"--encoder: '{other}' must have the form language=encoder, as in hi=path/to/encoder")
        by_language[language] = name, load(name)
    main = load(first)
    return Encoding(first, main, by_language, None if first == FALLBACK else load(FALLBACK))


def check_encoders(spec: str) -> None:
    """Raise UserError if `spec` names an encoder that is neither registered nor looks like a path or hub name."""

    def check(name: str) -> Encode:
        if not is_elsewhere(name):
            encoders.get(name)
        return lambda texts: NotImplemented

    encoding_of(spec, check)


def load_encoder(name: str) -> Encode:
    """Load a registered encoder, or one from a directory or hub repository.

    Raises:
        UserError: If the encoder is unknown or can't be loaded.
    """
    from holdfast.metrics.encoders.remembering import Remembered

    if is_elsewhere(name):
        from holdfast.metrics.encoders.transformer_encoder import load_transformer

        return Remembered(load_transformer(name))
    return Remembered(encoders.get(name).build())


@cache
def _known(name: str) -> Encoder:
    """Return the registry entry of an encoder; an unregistered one is assumed to support every language."""
    return encoders.get(name) if name in encoders.names() else Encoder(lambda: load_encoder(name))


def is_elsewhere(name: str) -> bool:
    """Whether an encoder is named by a path or as on the hub, rather than registered."""
    return "/" in name or "\\" in name or name.startswith((".", "~"))
