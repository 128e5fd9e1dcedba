"""Perturbations of Chinese, Japanese and Thai, which have no spaces between words."""

from random import Random

import pytest

from holdfast.language.text import count_tokens, count_words, words
from holdfast.perturbations import Edits, perturbations
from holdfast.perturbations.choose import edit_count
from holdfast.perturbations.protected import protected_spans

CHINESE = "请告诉我2020年中国的首都（北京）和iPhone手机的价格是3万元吗？"
JAPANESE = "日本の首都はどこですか？ケーキを食べました。"
THAI = "เมืองหลวงของประเทศไทยคืออะไร"
TEXTS = (CHINESE, JAPANESE, THAI)


def change(name: str, text: str, strength: float, seed: int = 0, protect: tuple[str, ...] = ()) -> Edits:
    return perturbations.get(name).apply(text, strength, Random(seed), protect=protect)


def words_in(text: str) -> list[str]:
    return [text[start:end] for start, end in words(text)]


@pytest.mark.parametrize("text", TEXTS)
def test_a_sentence_is_split_into_several_short_words(text: str) -> None:
    assert count_words(text) >= 7
    assert max(map(len, words_in(text))) <= 7
    assert "".join(words_in(text)) == "".join(letter for letter in text if letter not in "（）？。")


def test_words_end_at_script_changes_and_particles() -> None:
    assert words_in("中国的首都") == ["中国", "的", "首都"]
    assert words_in("用iPhone手机 don't 안녕하세요") == ["用", "iPhone", "手机", "don't", "안녕하세요"]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", ["word_deletion", "word_swap", "word_repeat", "markdown"])
def test_the_number_of_edits_follows_from_the_strength(name: str, text: str) -> None:
    for seed in range(20):
        assert len(change(name, text, 0.2, seed).edits) == edit_count(0.2, count_words(text))


@pytest.mark.parametrize("text", TEXTS)
def test_no_spaces_are_added_between_words(text: str) -> None:
    for name in ("word_deletion", "word_swap", "truncate"):
        for seed in range(20):
            assert " " not in change(name, text, 0.3, seed).text
    assert change("word_repeat", "你好", 1.0).text == "你好你好"


def test_remaining_latin_words_do_not_run_together() -> None:
    assert change("word_deletion", "iPhone和iPad", 0.3, 0, ("iPhone", "iPad")).text == "iPhone iPad"
    for seed in range(20):
        assert "iPhoneiPad" not in change("word_swap", "买iPhone和iPad吗", 0.5, seed).text


def test_numbers_are_protected_with_their_counters_only() -> None:
    spans = [CHINESE[start:end] for start, end in protected_spans(CHINESE)]
    assert spans == ["2020年", "3万元"]
    changed = {edit.removed for seed in range(30) for edit in change("word_deletion", CHINESE, 0.3, seed).edits}
    assert {"诉我", "中国"} <= changed


def test_spaces_punctuation_and_emoji_go_between_words() -> None:
    assert count_tokens("你好！ 中国的首都") == 4
    assert change("spacing", "中国的首都", 1.0).text == "中国 的 首都"
    assert len(change("emoji", CHINESE, 0.2).edits) == len(change("punctuation", CHINESE, 0.2).edits) >= 3


def test_the_end_is_cut_off_word_by_word() -> None:
    assert change("truncate", "中国的首都是哪里？", 0.4).text == "中国的首都"
