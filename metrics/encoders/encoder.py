"""Sentence encoders: what turns a segment into a vector, by name, by path, and by the language that is to be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TypeVar

from holdfast.errors import UserError
from holdfast.language.answer_languages import languages_of
from holdfast.metrics.metric import Encode
from holdfast.registry import Registry


@dataclass(frozen=True, slots=True)
class Encoder:
    """What is known of an encoder before it is loaded.

    `build` loads it, or raises UserError naming what to install. `languages` are the codes of those that it reads;
    empty: all. Its distances are raised to `power` before they count: two bends down those of an encoder that sees
    letters alone, and so finds any two wordings far apart.
    """

    build: Callable[[], Encode]
    languages: frozenset[str] = frozenset()
    power: float = 1.0


encoders: Registry[Encoder] = Registry("encoders", "holdfast.metrics.encoders")

FALLBACK = "lexical"
"""The encoder for texts that the chosen one can't read."""

B = TypeVar("B", bound=Callable[[], Encode])


def encoder(name: str, *, languages: frozenset[str] = frozenset(), power: float = 1.0) -> Callable[[B], B]:
    """Register a builder of an encoder under `name`, with the languages that it reads and the power of its distances
    (see `Encoder`)."""

    def register(build: B) -> B:
        encoders.register(name, Encoder(build, languages, power))
        _known.cache_clear()
        return build

    return register


@dataclass(frozen=True)
class Encoding:
    """The encoder of a run, those for other languages by their codes, and the one for what none of them reads."""

    name: str
    main: Encode
    by_language: Mapping[str, tuple[str, Encode]] = field(default_factory=dict)
    fallback: Encode | None = None

    def choose(self, *texts: str) -> str:
        """The name of the encoder that can read all of these texts."""
        if not _known(self.name).languages and not self.by_language:
            return self.name
        names = {self._reader(language) for language in languages_of(*texts)} or {self.name}
        return names.pop() if len(names) == 1 else FALLBACK

    def reads(self, text: str) -> bool:
        """Whether an encoder that knows the language of this text was named."""
        return self.choose(text) != FALLBACK or self.name == FALLBACK

    def encode(self, name: str) -> Encode:
        """The encoder that `choose` named."""
        return self._all()[name]

    def power(self, name: str) -> float:
        """What the distances of the encoder that `choose` named are raised to."""
        return _known(name).power

    def wrapped(self, wrap: Callable[[str, Encode], Encode]) -> Encoding:
        """The same encoders, each as `wrap(name, encode)` returns it."""
        kept = {name: wrap(name, encode) for name, encode in self._all().items()}
        others = {language: (name, kept[name]) for language, (name, _) in self.by_language.items()}
        return replace(self, main=kept[self.name], by_language=others, fallback=kept.get(FALLBACK))

    def _reader(self, language: str) -> str:
        if language in self.by_language:
            return self.by_language[language][0]
        known = _known(self.name).languages
        return self.name if language in known or not known else FALLBACK

    def _all(self) -> dict[str, Encode]:
        found = {self.name: self.main} | dict(self.by_language.values())
        return found if self.fallback is None else {FALLBACK: self.fallback} | found


def encoding_of(spec: str, load: Callable[[str], Encode] | None = None) -> Encoding:
    """The encoders that `spec` names and loads: `minilm`, or with others by language, `minilm,hi=path/to/encoder`.

    A name is a registered one, a directory or a hub name of a sentence-transformers or transformers encoder; `load`
    replaces how they are loaded. Raises UserError for what is none.
    """
    load = load or load_encoder
    first, *others = [part.strip() for part in spec.split(",")]
    if not first or "=" in first:
        raise UserError(f"--encoder '{spec}': name first the encoder of most texts, as in minilm,hi=path/to/encoder")
    by_language = {}
    for other in others:
        language, equals, name = other.partition("=")
        if not (language and equals and name):
            raise UserError(f"--encoder: '{other}' is not of the form language=encoder, as in hi=path/to/encoder")
        by_language[language] = name, load(name)
    main = load(first)
    return Encoding(first, main, by_language, None if first == FALLBACK else load(FALLBACK))


def check_encoders(spec: str) -> None:
    """Raise UserError where `spec` names an encoder that is neither registered nor looks like a path or hub name."""

    def check(name: str) -> Encode:
        if not _is_elsewhere(name):
            encoders.get(name)
        return lambda texts: NotImplemented

    encoding_of(spec, check)


def load_encoder(name: str) -> Encode:
    """A registered encoder, or the one in a directory or hub repository; raises UserError where there is none."""
    if _is_elsewhere(name):
        from holdfast.metrics.encoders.transformer_encoder import load_transformer

        return load_transformer(name)
    return encoders.get(name).build()


@cache
def _known(name: str) -> Encoder:
    """What was declared of an encoder; one that nobody registered reads everything."""
    return encoders.get(name) if name in encoders.names() else Encoder(lambda: load_encoder(name))


def _is_elsewhere(name: str) -> bool:
    return "/" in name or "\\" in name or name.startswith((".", "~"))
