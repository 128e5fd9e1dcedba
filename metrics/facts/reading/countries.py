"""Countries by name, language and demonym in any language, from the Unicode CLDR (Babel)."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

from holdfast.language.stems import stem

_WORLD = frozenset("de en es fr pt".split())
"""Languages of several countries, whose variants the CLDR names by demonym: American English, Swiss French."""

_ALIASES = {"uk": "GB", "usa": "US", "britain": "GB", "british": "GB", "america": "US", "american": "US"}
"""English short forms that the CLDR lists only within others: United Kingdom, American English."""


@lru_cache(maxsize=1 << 16)
def country_of(word: str, language: str = "en") -> str:
    """Return the territory code of a lower-case word that names a country, or its language and people; the code of a
    language that no country is called after; "" for others.

    The CLDR has no demonyms, but names of languages and of their variants by country, which are mostly the same words:
    Chinese, American English, schweizerisch.

    >>> [country_of(word) for word in ("china", "chinese", "us", "american", "kettle", "catalan", "italian")]
    ['CN', 'CN', 'US', 'US', '', 'ca', 'IT']
    """
    names = _names(language)
    return names.get(word) or names.get(stem(word, language), "")


@cache
def _names(language: str) -> dict[str, str]:
    from babel import Locale, UnknownLocaleError

    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    found = {name.lower(): code for code, name in locale.territories.items() if len(code) == 2 and code.isalpha()}
    languages = {name.lower(): code for code, name in locale.languages.items() if " " not in name}
    for name, code in (*_variants(locale).items(), *_tongues(locale).items(), *languages.items()):
        found.setdefault(name, code)
    found = {stem(name, language): code for name, code in reversed(found.items())} | found
    return found | {"us": "US"} | (_ALIASES if locale.language == "en" else {})


def _tongues(locale: Any) -> dict[str, str]:
    """Return the languages that are called like the country whose first official language they are: French, not
    Portuguese in Brazil, nor Catalan in Spain."""
    from babel.core import get_global
    from babel.languages import get_official_languages

    likely, found = get_global("likely_subtags"), dict[str, str]()
    for territory, place in locale.territories.items():
        spoken = get_official_languages(territory)[:1] if len(territory) == 2 else ()
        for code in spoken:
            name = locale.languages.get(code, "").lower()
            if name[:2] and name[:2] == place[:2].lower():
                first = str(likely.get(code, "")).endswith(f"_{territory}")
                found[name] = territory if first else found.get(name, territory)
    return found


def _variants(locale: Any) -> dict[str, str]:
    """Return the demonyms in the names of variants of languages, if they name one country: American, not European."""
    found: dict[str, set[str]] = {}
    for code, name in locale.languages.items():
        language, _, territory = code.partition("_")
        if language in _WORLD and len(territory) == 2:
            found.setdefault(name.lower().split()[0], set()).add(territory)
    tongues = {name.lower() for name in locale.languages.values()}
    return {name: min(codes) for name, codes in found.items() if len(codes) == 1 and name not in tongues}
