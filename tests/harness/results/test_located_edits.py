"""Edits of a content are found in the prompt that a template made of it."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.harness.results.marking.located_edits import located_edits
from holdfast.perturbations import Edits


@given(st.text(max_size=20), st.text(max_size=40), st.text(max_size=20), st.data())
def test_edits_are_found_wherever_the_template_put_the_content(
    before: str, content: str, after: str, data: st.DataObject
) -> None:
    ends = data.draw(st.lists(st.integers(0, len(content)), max_size=6).map(sorted))
    spans = list(zip(ends[::2], ends[1::2], strict=False))
    edits = [(start, content[start:end], data.draw(st.text(max_size=3))) for start, end in spans]
    perturbed = before + Edits(content, edits).text + after
    found = located_edits(before + content + after, perturbed, edits)
    assert found is not None
    assert found.text == perturbed


def test_edits_that_are_nowhere_in_the_prompt_are_not_made_up() -> None:
    assert located_edits("Q: the cat sat", "Q: a dog sat", [(4, "cat", "dog")]) is None
    assert located_edits("Q: the cat sat", "Q: the cat", []) is None


def test_a_megabyte_is_searched_at_once() -> None:
    clean = "a" * 1_000_000
    found = located_edits(f"{clean}!", f"b{clean}!", [(0, "", "b")])
    assert found is not None
    assert found.edits[0].position == 0
    assert located_edits(clean, f"{clean}aa", [(0, "", "a"), (900_000, "", "b")]) is None
