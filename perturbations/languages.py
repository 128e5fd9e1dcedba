"""Which language a text is in, as far as the perturbations need to know: by its script and by its small words."""

import re

_SAMPLE = 2_000  # characters looked at
_DEVANAGARI = re.compile("[\u0904-\u0939]")
_LATIN = re.compile("[A-Za-z]")
_HINGLISH = frozenset(
    "kya kyaa hai hain kaun kahan kahaan kab kitne kitna kitni kaise kaisa kaisi kyun kyon kiska kisne kisko "
    "kaunsa nahi nahin mujhe mera meri mere hoga hogi karo kare karein karna karne batao bataiye bataye yeh woh "
    "aur liye wala wale wali aaj abhi raha rahi rahe gaya gayi tha kijiye dikhao lagao bhejo hota hoti bajaye "
    "bajao dilao dilaye yaad kal koi ko ki ke ka se par tak".split()
)
# Small words of English and of its neighbours in the Latin script; words that two of them share are left out.
_ENGLISH = frozenset(
    "the is are was were of and what who which when where how does did to for with this that it you my has have "
    "be from by at can will please not she they his her its we your or if there why".split()
)
_OTHER = frozenset(
    "der das ist und nicht ein eine mit von wie wer wo le les est une des dans qui que quel quelle el los las una "
    "por para cuál qué del di il che sono não uma het een".split()
)
_WORD = re.compile(r"\w+")


def language_of(text: str) -> str:
    """`hi`, `hi-Latn` (Hinglish), `en`, or "" for any other; a text without a small word to tell by counts as English.

    >>> [language_of(text) for text in ["राजधानी क्या है?", "aaj mausam kaisa hai", "Who was it?", "Wer ist das?"]]
    ['hi', 'hi-Latn', 'en', '']
    """
    sample = text[:_SAMPLE]
    if not sample.isascii():
        latin = len(_LATIN.findall(sample))
        if len(_DEVANAGARI.findall(sample)) > latin / 2:
            return "hi"
        if 2 * latin < sum(map(str.isalpha, sample)):
            return ""
    if not _LATIN.search(sample):
        return ""
    found = _WORD.findall(sample.lower())
    hinglish, english, other = (sum(map(small.__contains__, found)) for small in (_HINGLISH, _ENGLISH, _OTHER))
    if hinglish > max(english, other):
        return "hi-Latn"
    return "" if other > english else "en"
