"""Attention shift, on small hand-made matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.metrics.adapters.attention import attention_shift, back_mapping


def test_equal_attention_has_no_shift() -> None:
    shares = np.array([[0.7, 0.3], [0.2, 0.8]])
    assert attention_shift(shares, shares, np.eye(2, 3), [0, 1], [3, 1]) == 0.0


def test_the_shift_is_the_share_of_attention_that_moved() -> None:
    clean, perturbed = np.array([[1.0, 0.0]]), np.array([[0.25, 0.75]])
    assert attention_shift(clean, perturbed, np.eye(2, 3), [0], [1]) == pytest.approx(0.75)


def test_segments_are_compared_with_partners_by_mass() -> None:
    clean, perturbed = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    assert attention_shift(clean, perturbed, np.eye(2, 3), [1, 0], [1, 1]) == 0.0
    assert attention_shift(clean, perturbed, np.eye(2, 3), [0, 0], [1, 3]) == pytest.approx(0.25)


def test_prompt_segments_are_mapped_back_through_edits() -> None:
    clean = "Who came? When was it?"
    spans, merged = [(0, 9), (10, 22)], [(0, 20)]
    mapping = back_mapping(spans, merged, [(8, "? ", " ")])
    assert mapping.shape == (1, 3)
    assert mapping[0] == pytest.approx([9 / 20, 11 / 20, 0], abs=0.06)
    assert len(clean) == 22


def test_attention_to_inserted_text_counts_as_shift() -> None:
    back = back_mapping([(0, 9)], [(0, 9), (10, 30)], [(9, "", " " + "x" * 20)])
    assert back[1].tolist() == [0.0, 1.0]
    assert attention_shift(np.array([[1.0]]), np.array([[0.4, 0.6]]), back, [0], [1]) == pytest.approx(0.6)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), max_size=5))
def test_rows_of_the_back_mapping_sum_to_one(steps: list[tuple[int, int, int]]) -> None:
    text = "abcdefghij klmnopqrst uvwxyz"
    edits, at, shift = [], 0, 0
    for gap, removed, inserted in steps:
        at += gap
        edits.append((at, text[at : at + removed], "#" * inserted))
        at += len(text[at : at + removed]) + 1
        shift += inserted - len(edits[-1][1])
    length = len(text) + shift
    mapping = back_mapping([(0, 10), (11, 21), (22, 28)], [(0, length)], edits) if length > 0 else None
    assert mapping is None or mapping.sum() == pytest.approx(1)
