"""Batches: every request in exactly one, equal settings in each, adapters mixed only if allowed."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.harness.backends import Request, Settings
from holdfast.harness.backends.engines.batching import batches

REQUESTS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 50), st.sampled_from([16, 32]), st.booleans(), st.booleans()),
    max_size=40,
)


@given(REQUESTS, st.integers(1, 9), st.sets(st.sampled_from("abc")))
def test_every_request_is_in_one_batch_with_equal_settings(
    drawn: list[tuple[str, int, int, bool, bool]], size: int, together: set[str]
) -> None:
    requests = [
        Request(str(i), adapter, "x", Settings(most), int(again), ("y", "n") if chosen else ())
        for i, (adapter, _, most, again, chosen) in enumerate(drawn)
    ]
    found = list(batches(requests, [length for _, length, *_ in drawn], size, together))
    assert sorted(i for batch in found for i in batch) == list(range(len(requests)))
    for batch in found:
        assert 0 < len(batch) <= size
        assert len({(requests[i].settings, bool(requests[i].choices)) for i in batch}) == 1
        adapters = {requests[i].adapter for i in batch}
        assert len(adapters) == 1 or adapters <= together
        order = [(drawn[i][0], -drawn[i][1]) for i in batch]
        assert order == sorted(order)


def test_only_incomplete_batches_are_mixed() -> None:
    requests = [Request(f"{adapter}{i}", adapter, "x", Settings()) for adapter in "abcd" for i in range(5)]
    found = [[requests[i].key for i in batch] for batch in batches(requests, [1] * 20, 4, "abc")]
    assert found == [["a0", "a1", "a2", "a3"], ["b0", "b1", "b2", "b3"], ["c0", "c1", "c2", "c3"],
                     ["d0", "d1", "d2", "d3"], ["d4"], ["a4", "b4", "c4"]]  # fmt: skip


def test_a_repetition_gets_different_neighbours() -> None:
    first = [Request(f"{adapter}{i}", adapter, "x", Settings()) for adapter in "ab" for i in range(2)]
    again = [Request(f"{r.key}'", r.adapter, r.prompt, r.settings, 1) for r in first]
    sizes = [[len(batch) for batch in batches(each, [1] * 4, 4, "ab")] for each in (first, again)]
    assert sizes == [[4], [2, 2]]
