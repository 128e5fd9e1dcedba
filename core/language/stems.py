"""A light stemmer ("closed" and "closing" share a stem) and antonyms recognised by prefix or suffix."""

from functools import lru_cache

from holdfast.language.inflection import graded_forms, irregular_forms
from holdfast.language.language_files import language_files
from holdfast.language.lexicon_tables import Grammar, grammar

_DEVANAGARI_ENDINGS = tuple("ियों ियाँ ियां ाओं ुओं ों ें ीं ाएँ ाएं ता ती ते ना नी ने ा ी े ो ि".split())
_PREFIXES = (
    *"under over inter intra super hyper hypo fore post anti ante mono poly down sub pro pre dis out".split(),
    *"un up ex in im en em de re bi".split(),
)
_NEGATIVE_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "mis", "anti", "counter", "अ", "ना", "ग़ैर", "गैर")


@lru_cache(maxsize=1 << 16)
def stem(word: str, language: str = "en") -> str:
    """Return the stem of a lower-case word.

    English uses light rules and a table of irregular forms; Hindi and languages with a language file strip endings.

    >>> [stem(word) for word in ("closing", "closed", "stopped", "bought", "highest", "cities")]
    ['clos', 'clos', 'stop', 'buy', 'high', 'citi']
    >>> stem("लड़कों") == stem("लड़का")
    True
    >>> stem("geöffnete", "de") == stem("geöffneten", "de")
    True
    """
    if language in language_files():
        return _bare(word, grammar(language))
    if "\u0900" <= word[:1] <= "\u097f":
        ending = next((end for end in _DEVANAGARI_ENDINGS if word.endswith(end) and len(word) > len(end) + 1), "")
        return word.removesuffix(ending)
    if "_" in word:
        return word
    word = irregular_forms().get(word, word)
    word = graded_forms().get(word, word)
    if len(word) < 4 or not word.isascii():
        return word
    root = _singular(word)
    for ending in ("ing", "ed"):
        rest = root.removesuffix(ending)
        if rest != root and len(rest) > 2 and any(vowel in rest for vowel in "aeiouy"):
            root = _undoubled(rest)
            break
    if root.endswith("ly") and len(root) > 5:
        root = root[:-2]
    root = root.rstrip("e") if len(root) > 3 else root
    return root[:-1] + "i" if root.endswith("y") and len(root) > 3 else root


def _bare(word: str, rules: Grammar) -> str:
    """Strip a language's prefixes and endings from a word, keeping at least three letters."""
    if "_" in word:
        return word
    start = next((len(one) for one in rules.prefixes if word.startswith(one) and len(word) > len(one) + 2), 0)
    ending = next((len(one) for one in rules.endings if word.endswith(one) and len(word) - start > len(one) + 2), 0)
    return word[start : len(word) - ending]


def _singular(word: str) -> str:
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _undoubled(root: str) -> str:
    return root[:-1] if len(root) > 3 and root[-1] == root[-2] and root[-1] not in "lsze" else root


@lru_cache(maxsize=1 << 16)
def negated_stems(word: str) -> frozenset[str]:
    """Return the stems that a word turns into their opposite, judging by its form alone.

    >>> sorted(negated_stems("unhappi")), "harmful" in negated_stems("harmless")
    (['happi'], True)
    """
    roots = {word.removeprefix(prefix) for prefix in _NEGATIVE_PREFIXES if word.startswith(prefix)}
    if word.endswith("less") and len(word) > 6:
        root = word.removesuffix("less")
        roots |= {root, root + "ful", root + "i"}
    return frozenset(root for root in roots if len(root) >= 3 and are_opposite_forms(root, word))


@lru_cache(maxsize=1 << 16)
def are_opposite_forms(one: str, other: str) -> bool:
    """Return whether two stems are opposites by form: a negative prefix, or "-less" against "-ful".

    >>> pairs = [("happi", "unhappi"), ("harmless", "harmful"), ("port", "import")]
    >>> [are_opposite_forms(one, other) for one, other in pairs]
    [True, True, False]
    """
    short, long = sorted((one, other), key=len)
    if len(short) >= 4 and any(long == prefix + short for prefix in _NEGATIVE_PREFIXES):
        return long not in {"import", "invest", "intend", "impress", "discover", "display", "distress", "increas"}
    if "less" in one or "less" in other:
        bare, without = (other, one) if one.endswith("less") else (one, other)
        root = without.removesuffix("less")
        return len(root) > 2 and bare in {root, root + "ful", root + "i"}
    return False


@lru_cache(maxsize=1 << 16)
def unprefixed(word: str) -> frozenset[str]:
    """Return what is left of a stem without a prefix, if that is long enough to be a root.

    Two stems with one root and different prefixes hardly ever mean the same.

    >>> unprefixed("export") & unprefixed("import"), unprefixed("overcook") & unprefixed("undercook")
    (frozenset({'port'}), frozenset({'cook'}))
    """
    if not word.startswith(_PREFIXES):
        return frozenset()
    return frozenset(word[len(one) :] for one in _PREFIXES if len(word) > len(one) + 3 and word.startswith(one))
