"""Metrics of words in scripts without spaces between words, which are compared by character."""

import pytest

from holdfast.language.compared_words import compared_words
from holdfast.metrics.scores.key_facts import entity_recall, key_fact_recall
from holdfast.metrics.scores.safety import answer_rate, is_incoherent
from holdfast.metrics.scores.text_scores import exact_match, rouge, token_f1


@pytest.mark.parametrize(
    ("output", "reference", "common", "total"),
    [
        ("我们住在上海", "他们住在上海", 5, 12),  # Chinese: one of six characters differs
        ("犬が好き", "猫が好き", 3, 8),  # Japanese
        ("ชอบชา", "ชอบกา", 4, 10),  # Thai
        ("ມັກແມວ", "ມັກປາ", 2, 9),  # Lao: ມັ ກ ແ ມ ວ and ມັ ກ ປ າ
        ("买iPhone手机", "买iPad手机", 3, 8),  # a Latin word counts as one
        ("北京。", "北 京", 2, 4),
        ("东京", "北海", 0, 4),
    ],
)
def test_overlap_is_by_character(output: str, reference: str, common: int, total: int) -> None:
    expected = 2 * common / total
    assert token_f1([output], [[reference]], [{}])[0]["token_f1"] == pytest.approx(expected)
    assert rouge([output], [[reference]], [{}])[0]["rouge1"] == pytest.approx(expected)


def test_rouge_l_follows_the_order_of_characters() -> None:
    row = rouge(["上海在哪"], [["哪在上海"]], [{}])[0]  # same characters; longest common subsequence: 上海
    assert (row["rouge1"], row["rougeL"], row["rouge2"]) == (1.0, 0.5, pytest.approx(1 / 3))


def test_marks_stay_with_their_letters() -> None:
    assert compared_words("ที่นี่") == ["ที่", "นี่"]
    assert compared_words("ភ្នំពេញ 2020年") == ["ភ្នំ", "ពេ", "ញ", "2020", "年"]


def test_words_of_spaced_scripts_are_whole() -> None:
    assert compared_words("नमस्ते, 안녕하세요 Москва") == ["नमस्ते", "안녕하세요", "москва"]
    assert token_f1(["안녕하세요"], [["안녕"]], [{}])[0]["token_f1"] == 0.0


def test_exact_match_removes_punctuation_of_any_script() -> None:
    assert exact_match(["「北京」。"], [["北京"]], [{}])[0]["exact_match"] == 1.0


def test_facts_are_found_inside_unspaced_text() -> None:
    about = [{"key_facts": ["五点", "上海", "海上"]}]
    assert key_fact_recall(["安娜五点到上海。"], [[]], about)[0]["key_fact_recall"] == pytest.approx(2 / 3)
    assert key_fact_recall(["安娜喜欢banana"], [[]], [{"key_facts": ["ana"]}])[0]["key_fact_recall"] == 0.0


def test_a_name_in_another_order_of_words_is_recalled() -> None:
    row = entity_recall(["Berg, Anna"], [["We met Anna Berg"]], [{}])[0]
    assert row["name_recall"] == 1.0


def test_words_are_counted_as_perturbations_cut_them() -> None:
    assert answer_rate(["中国的首都是北京。"], [[]], [{}])[0]["answer_words"] == 5.0  # 中国 的 首都 是 北京
    assert answer_rate(["don't go, कभी-कभी 👨‍👩‍👧"], [[]], [{}])[0]["answer_words"] == 3.0


def test_repetition_without_spaces_is_incoherent() -> None:
    assert is_incoherent("哈哈" * 10)
    assert not is_incoherent("列车晚上十点离开里昂站，早上六点到达巴黎，请提前半小时上车，并带好您的车票和证件。")
