"""Countries by name, language and demonym in any language, from the Unicode CLDR (Babel)."""

from __future__ import annotations

from functools import cache

from holdfast.language.stems import stem

_ALIASES = {"uk": "GB", "usa": "US", "britain": "GB", "british": "GB", "america": "US", "american": "US"}
"""English short forms that the CLDR lists only within others: United Kingdom, American English."""


@cache
def country_of(word: str, language: str = "en") -> str:
    """Return the territory code of a lower-case word that names a country, its language or its people; "" for others.

    The CLDR has no demonyms, but names of languages and of their variants by country, which are mostly the same words:
    Chinese, American English, schweizerisch.

    >>> [country_of(word) for word in ("china", "chinese", "us", "american", "kettle")]
    ['CN', 'CN', 'US', 'US', '']
    """
    names = _names(language)
    return names.get(word) or names.get(stem(word, language), "")


@cache
def _names(language: str) -> dict[str, str]:
    from babel import Locale, UnknownLocaleError
    from babel.core import get_global

    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    likely = get_global("likely_subtags")
    found: dict[str, str] = {}
    for code, name in locale.territories.items():
        if len(code) == 2 and code.isalpha():
            found.setdefault(name.lower(), code)
    for code, name in locale.languages.items():
        territory = str(likely.get(code, code)).rpartition("_")[2]
        first = name.lower().split()[0]
        if len(territory) == 2 and territory.isupper() and first not in _places(locale):
            found.setdefault(first, territory)
    found = {stem(name, language): code for name, code in reversed(found.items())} | found
    return found | {"us": "US"} | (_ALIASES if locale.language == "en" else {})


@cache
def _places(locale: object) -> frozenset[str]:
    """Return words with which the names of several languages begin, such as "old" and "northern"."""
    firsts = [name.lower().split()[0] for name in locale.languages.values() if " " in name]  # type: ignore[attr-defined]
    return frozenset(first for first in firsts if firsts.count(first) > 2)
