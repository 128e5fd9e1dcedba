"""Groups and items of samples, and the samples that a limit keeps."""

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import UserError
from holdfast.tasks import Sample, Task, limited, load_task
from holdfast.tasks.groups import count_groups, group_labels


def write(path: Path, *lines: dict[str, object]) -> str:
    path.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return str(path)


def test_a_file_gives_samples_one_group_or_several(tmp_path: Path) -> None:
    lines = [
        {"id": 1, "content": "a", "group": "art"},
        {"id": 2, "content": "b", "group": {"language": "hi", "level": 3}, "item": 7},
        {"id": 3, "content": "c", "group": None},
    ]
    samples = load_task(write(tmp_path / "mine.jsonl", *lines)).samples
    assert [group_labels(sample) for sample in samples] == [("art",), ("language=hi", "level=3"), ()]
    assert [sample.item for sample in samples] == ["", "7", ""]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("topic", ("art",)),
        ("'{{ topic }}-{{ lang }}'", ("art-hi",)),
        ("[lang, topic]", ("lang=hi", "topic=art")),
        ("{language: lang, subject: '{{ topic | upper }}'}", ("language=hi", "subject=ART")),
    ],
)
def test_a_yaml_task_maps_groups_and_items(tmp_path: Path, asked: str, expected: tuple[str, ...]) -> None:
    write(tmp_path / "data.jsonl", {"question": "Who?", "topic": "art", "lang": "hi", "number": 4})
    path = tmp_path / "task.yaml"
    path.write_text(
        f"task: t\ndataset_path: data.jsonl\ndoc_to_content: question\ndoc_to_group: {asked}\ndoc_to_item: number\n"
    )
    sample = load_task(str(path)).samples[0]
    assert (group_labels(sample), sample.item) == (expected, "4")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"group": ["a", "b"]}, "sample 'x': 'group' must be a string, or an object for several groupings"),
        ({"group": {"language": ["hi"]}}, "'group' must be a string, or an object"),
        ({"group": "all"}, "a group can't be called 'all'"),
        ({"item": 1.5}, "'item' must be a string or an integer, got 1.5"),
    ],
)
def test_an_invalid_group_or_item_is_refused(metadata: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Sample("x", "Who?", metadata=metadata)


def test_an_invalid_group_names_its_row(tmp_path: Path) -> None:
    lines: list[dict[str, object]] = [{"id": i, "content": "a", "group": group} for i, group in enumerate(("b", ["c"]))]
    with pytest.raises(UserError, match=r"mine.jsonl, line 2: sample '1': 'group' must be a string"):
        load_task(write(tmp_path / "mine.jsonl", *lines))


def test_an_id_is_no_group() -> None:
    samples = [Sample(str(i), "Who?", metadata={"group": f"g{i}"}) for i in range(101)]
    with pytest.raises(UserError, match="task 't' has 101 groups, more than 100"):
        Task("t", tuple(samples), ("answer_rate",))


def test_the_suites_have_groups() -> None:
    assert count_groups(load_task("multilingual_qa").samples) == {
        f"language={name}": 20 for name in ("en", "hi", "hi-Latn", "en-hi")
    }
    sentiment = load_task("financial_sentiment").samples
    assert count_groups(sentiment) == Counter(f"label={sample.references[0]}" for sample in sentiment)


def test_a_limit_keeps_the_same_items_in_every_language() -> None:
    kept = limited(load_task("multilingual_qa"), 12)
    assert Counter(sample.groups["language"] for sample in kept) == dict.fromkeys(("en", "hi", "hi-Latn", "en-hi"), 3)
    assert {sample.item for sample in kept} == {"01", "02", "03"}


def test_a_limit_keeps_labels_in_proportion() -> None:
    samples = [Sample(str(i), "?", ("no" if i < 30 else "yes",)) for i in range(40)]
    labelled = Task("t", tuple(samples), ("label_accuracy",))
    assert Counter(sample.references[0] for sample in limited(labelled, 8)) == {"no": 6, "yes": 2}
    plain = Task("t", tuple(samples), ("exact_match",))
    assert limited(plain, 8) == plain.samples[:8]


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30), st.data())
def test_a_limit_is_in_proportion_in_order_and_nested(names: list[str], data: st.DataObject) -> None:
    task = Task("t", tuple(Sample(str(i), "?", metadata={"group": n}) for i, n in enumerate(names)), ("answer_rate",))
    small = data.draw(st.integers(1, len(names)))
    kept = [int(sample.id) for sample in limited(task, small)]
    assert len(kept) == small
    assert kept == sorted(kept)
    assert set(kept) <= {int(sample.id) for sample in limited(task, data.draw(st.integers(small, len(names))))}
    for name, count in Counter(names).items():
        share = sum(names[i] == name for i in kept)
        assert abs(share - small * count / len(names)) <= 1.5
