"""`label_accuracy` reads the one label that an answer affirms."""

import pytest

from holdfast.metrics.scores.labels import label_accuracy

SENTIMENT = "positive|negative|neutral"


def given(output: str, labels: str) -> str | None:
    """The label that counts as given: the only one with which the answer would be right."""
    listed = labels.split("|")
    rows = [label_accuracy([output], [[label]], [{"labels": listed}])[0] for label in listed]
    right = [label for label, row in zip(listed, rows, strict=True) if row["label_accuracy"]]
    assert {row["label_given"] for row in rows} == {float(bool(right))}
    return right[0] if right else None


@pytest.mark.parametrize(
    ("output", "labels", "label"),
    [
        ("Positive.", SENTIMENT, "positive"),
        ("This is not negative; it's neutral.", SENTIMENT, "neutral"),
        ("It isn't neutral but positive.", SENTIMENT, "positive"),
        ("Neither positive nor negative, so neutral.", SENTIMENT, "neutral"),
        ("Negative rather than neutral", SENTIMENT, "negative"),
        ("Without doubt positive", SENTIMENT, "positive"),
        ("Without any anger it is neutral", SENTIMENT, "neutral"),
        ("Is it positive? No: negative.", SENTIMENT, "negative"),
        ("B is wrong and C is right.", "A|B|C", "C"),
        ("The answer is not (B) but (C).", "A|B|C", "C"),
        ("No es bueno, es malo.", "bueno|malo", "malo"),
        ("Das ist nicht gut, sondern schlecht.", "gut|schlecht", "schlecht"),
        ("Ce n'est pas vrai, c'est faux.", "vrai|faux", "faux"),
        ("यह सही नहीं है, यह गलत है।", "सही|गलत", "गलत"),
        ("这不是好评，而是差评。", "好评|差评", "差评"),
        ("非常好评", "好评|差评", "好评"),
        ("不是好评，是差评", "好评|差评", "差评"),
        ("这不是差评，答案是好评", "好评|差评", "好评"),
        ("I choose C. Options A and B are incorrect.", "A|B|C", "C"),
        ("A, B and D are not right: C.", "A|B|C|D", "C"),
        ("It is A, and B is wrong.", "A|B", "A"),
        ("The answer is A, and B or C are wrong.", "A|B|C", "A"),
        ("It's positive, isn't it?", SENTIMENT, "positive"),
        ("Das ist gut, nicht wahr?", "gut|schlecht", "gut"),
        ("It cannot be denied that it is positive.", SENTIMENT, "positive"),
        ("정답은 긍정입니다.", "긍정|부정", "긍정"),
        ("긍정이 아니라 부정적인 리뷰입니다", "긍정|부정", "부정"),
        ("良いではなく、悪いです", "良い|悪い", "悪い"),
        ("ไม่ใช่ดี แต่เป็นแย่", "ดี|แย่", "แย่"),
        ("Это не правда, а ложь", "правда|ложь", "ложь"),
        ("Không phải tích cực mà là tiêu cực.", "tích cực|tiêu cực", "tiêu cực"),
        ("Câu trả lời không phải là A mà là B.", "A|B", "B"),
        ("No matter what others say: yes", "yes|no", "yes"),
        ("No. One of them is right.", "yes|no", "no"),
    ],
)
def test_the_label_affirmed_counts(output: str, labels: str, label: str) -> None:
    assert given(output, labels) == label


@pytest.mark.parametrize(
    "output",
    [
        "positive or negative",
        "It is not positive.",
        "I don't think it's positive",
        "Is it positive?",
        "Is it positive, or is it?",
        "no idea",
        "",
    ],
)
def test_no_label_is_given_unless_exactly_one_is_affirmed(output: str) -> None:
    assert given(output, SENTIMENT) is None


@pytest.mark.parametrize(
    ("output", "right", "single"),
    [("Yes, that is true.", 1.0, 1.0), ("Yes, that is false.", 0.0, 0.0), ("False.", 0.0, 1.0)],
)
def test_several_references_are_one_label(output: str, right: float, single: float) -> None:
    labels = [{"labels": ["yes", "true", "no", "false"]}]
    [scores] = label_accuracy([output], [["yes", "true"]], labels)
    assert scores == {"label_accuracy": right, "label_given": single}


@pytest.mark.parametrize(
    ("output", "labels", "label"),
    [
        ("A short look suggests B.", "A|B", "B"),
        ("The film is a triumph: B", "A|B", "B"),
        ("A is correct.", "A|B", "A"),
        ("I would choose option A here.", "A|B|I", "A"),
        ("The answer is A because it fits.", "A|B", "A"),
        ("a", "A|B", "A"),
        ("I think it is B", "B|I", "B"),
        ("Yes, there is no risk", "yes|no", "yes"),
        ("No, it is not.", "yes|no", "no"),
        ("La respuesta a la pregunta es B", "A|B", "B"),
    ],
)
def test_articles_and_pronouns_are_no_labels(output: str, labels: str, label: str) -> None:
    assert given(output, labels) == label


@pytest.mark.parametrize(
    ("output", "labels", "label"),
    [
        ("👎", "👍|👎", "👎"),
        ("Great film 👍🏽!", "👍|👎", "👍"),
        ("The sign is -.", "+|-", "-"),
        ("a well-known case", "+|-", None),
        ("My grade: B+", "B|B+|B-", "B+"),
        ("C#", "C|C++|C#", "C#"),
        ("(b)", "(A)|(B)", "(B)"),
        ("-1", "-1|1", "-1"),
        ("1.5", "1|5", None),
    ],
)
def test_labels_may_be_signs(output: str, labels: str, label: str | None) -> None:
    assert given(output, labels) == label


@pytest.mark.parametrize(
    ("output", "labels", "label"),
    [
        ("It is very good.", "good|very good", "very good"),
        ("not_entailment", "entailment|not entailment", "not entailment"),
        ("not enough information", "supported|not enough information", "not enough information"),
        ("nonpositive", SENTIMENT, None),
        ("这是好评吧", "好评|差评", "好评"),
        ("GROSSE STRASSE", "straße|weg", "straße"),
    ],
)
def test_the_longest_whole_label_counts(output: str, labels: str, label: str | None) -> None:
    assert given(output, labels) == label


def test_without_labels_the_references_are_searched() -> None:
    assert label_accuracy(["yes"], [["yes"]], [{}]) == [{"label_accuracy": 1.0, "label_given": 1.0}]


@pytest.mark.parametrize(
    ("label", "output"),
    [
        ("\u0130stanbul", "The answer is \u0130STANBUL."),
        ("\u0130", "\u0130"),
        ("Straße", "STRASSE"),
        ("STRASSE", "die Straße."),
        ("ẞ", "ß"),
        ("\ufb01ne", "Fine, I think"),
        ("fine", "It is \ufb01ne"),
        ("café", "It is CAFE\u0301."),
        ("cafe\u0301", "Café"),
        ("\u0390", "\u03aa\u0301"),
        ("\u1fb3", "\u1fbc"),
        ("ΣΑΣ", "σας"),
        ("\u01f0", "J\u030c"),
    ],
)
def test_a_label_is_found_however_its_case_is_folded(label: str, output: str) -> None:
    assert given(output, f"{label}|other") == label
    assert given(f"Not {output}", f"{label}|other") is None


@pytest.mark.parametrize("output", ["No one knows.", "no one, really", "No idea", "No longer valid", "No-one says yes"])
def test_a_negation_within_a_phrase_is_no_answer(output: str) -> None:
    assert given(output, "yes|no") is None


@pytest.mark.parametrize("output", ["Không phải tích cực", "Đây không phải là một đánh giá tích cực"])
def test_a_vietnamese_denial_denies(output: str) -> None:
    assert given(output, "tích cực|tiêu cực") is None
