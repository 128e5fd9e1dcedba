"""Whatever two answers hold, drift is a number: no exception, no NaN, symmetric, 0 for identical answers."""

import math

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from holdfast.metrics.costs import CONFLICTS, COVERAGE
from holdfast.metrics.drift import segment_drift
from holdfast.metrics.drift_columns import DRIFTS
from holdfast.metrics.facts import facts_of, findings

EXAMPLES = 60

TOKENISED = """I do n't know the answer .|don 't|It 's|they 'll|n't|'s|`` Yes , '' he said .|( a )|-LRB- x -RRB-|wo n't|
@-@|U.S .|Mr . Lee|$ 4 . 5|1 , 000|10 % .|, ,|. . .|: )|12 : 30 p.m .|2 / 3|3rd|- 5|' ' '|no . 5|can not|Anna 's"""
BROKEN = (
    "Ã©tÃ©|donâ€™t|Ã¼ber|ï¿½|\ufffd\ufffd|\ud800|a\udfffb|\x00|no\x00t|e\u0301te\u0301|n\u0303|\u0301|\u200d|\ufeff"
)
BROKEN += "|\u202eabc|𝔸𝕟𝕟𝕒|①②|½|²|٣٫٥|１２３|\u2028|\r\n|\x85|İ|ß|ﬁ|ǆ|👩‍👩‍👧|🇩🇪|🇩|:(|\U000e0041"
FOREIGN = """Der Hund sieht den Mann nicht.|fünfundzwanzig Euro|Le chat n'est pas là.|quatre-vingt-dix|l'été|El niño no come.|
वह नहीं आया।|तीन किलो|wo nahi aaya|他没有来。|三十只狗|2020年5月|彼は来ない。|Он не пришёл.|Ольгу|لم يأتِ|٥ كيلو|ไม่มา|그는 오지 않았다.|
O gato não veio.|δεν ήρθε|לא בא|আসেনি"""
ENGLISH = """Anna paid 20 euros.|Ben left on Monday, 12 May 2024|at 10:30|never|all|must|not only|before|Rome|than|by|was called|
if|because|then|half past three|two thirds|-3 °C|5 miles|H2O|2x - 3|`rm -rf /`|www.a.org|Dr.|US$5|24/7|1.5e6|3 × 10^5|(b)|
World War II|of|and|or|,|;|1.|- |\n|\t|I'm sorry, I can't help.|Sure!|neither|nor|few|most|only|A -> B|x|I|no"""
PIECES = [piece.strip("\n") for pool in (TOKENISED, BROKEN, FOREIGN, ENGLISH) for piece in pool.split("|")] + ["\n"]

pieces = (
    st.sampled_from(PIECES)
    | st.text(max_size=4)
    | st.text(alphabet=st.characters(categories=("Cs", "Mn", "Nd", "Sc")), max_size=3)
)


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, str]:
    """Draw an answer, and another or the same with some pieces replaced, dropped, added or moved."""
    ours = draw(st.lists(pieces, max_size=12))
    if draw(st.booleans()):
        theirs = draw(st.lists(pieces, max_size=12))
    else:
        theirs = list(ours)
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(theirs)))
            theirs[at : at + draw(st.integers(0, 2))] = draw(st.lists(pieces, max_size=1))
        theirs = draw(st.permutations(theirs)) if draw(st.integers(0, 4)) == 0 else theirs
    glue = draw(st.sampled_from([" ", " ", "", ". "]))
    return glue.join(ours), glue.join(theirs)


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(answers())
@example(("I do n't know the answer .", "I know the answer ."))
@example((5 * "I do n't know . " + "don 't", 6 * "I do n't know . " + "don 't"))
@example(("I do n't know the answer . Anna paid 20 euros.", "12 : 30 p.m . donâ€™t a\udfffb"))
@example(("Der Hund sieht den Mann nicht.", "I do n't know the answer .Der Hund sieht den Mann nicht."))
def test_any_two_answers_have_a_symmetric_drift(pair: tuple[str, str]) -> None:
    one, other = pair
    there, back, same = segment_drift([one, other, one], [other, one, one], encoding="lexical")
    for drift in (there, back):
        assert all(0.0 <= getattr(drift, name) <= 1.0 for name in DRIFTS), drift.scores()  # false for NaN
    assert math.isclose(there.max_drift, back.max_drift, abs_tol=1e-9), (there, back)
    assert not any(same.scores().values())


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(answers())
@example(("I do n't know the answer .", "`rm -rf /`"))
def test_any_two_segments_have_findings_of_known_kinds(pair: tuple[str, str]) -> None:
    ours, theirs = map(facts_of, pair)
    for found in (*findings(ours, theirs), *findings(theirs, ours)):
        assert found.kind in COVERAGE | CONFLICTS
        assert 0.0 < found.strength <= 1.0
    assert not findings(ours, facts_of(pair[0]))
