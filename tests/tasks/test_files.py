"""Tasks from files: what they may contain, and clear errors for what they may not."""

import json
from pathlib import Path

import pytest

from holdfast.errors import UserError
from holdfast.tasks import Sample, load_task


def write(path: Path, *lines: object) -> str:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return str(path)


def test_a_file_of_prompts_is_a_task_named_after_it(tmp_path: Path) -> None:
    name = write(
        tmp_path / "mine.jsonl",
        {"id": "a", "content": "Who?", "references": ["Anna", "Ann"], "topic": "people"},
        "",
        {"id": 2, "content": "Where?", "references": "Lyon"},
    )
    task = load_task(name)
    assert task.name == "mine"
    assert task.samples == (
        Sample("a", "Who?", ("Anna", "Ann"), {"topic": "people"}),
        Sample("2", "Where?", ("Lyon",)),
    )


def test_a_single_string_counts_as_a_list_of_one(tmp_path: Path) -> None:
    task = load_task(write(tmp_path / "mine.jsonl", {"id": 1, "content": "Hello", "paraphrases": "Good day"}))
    assert task.samples[0].metadata["paraphrases"] == ("Good day",)


def test_choices_are_not_part_of_the_metadata(tmp_path: Path) -> None:
    task = load_task(
        write(tmp_path / "mine.jsonl", {"id": 1, "content": "So?", "choices": ["yes", "no"], "topic": "x"})
    )
    assert task.samples == (Sample("1", "So?", (), {"topic": "x"}, ("yes", "no")),)
    line = {"id": 1, "content": "So?", "choices": [" the red car", "the blue car"], "references": "the red car"}
    task = load_task(write(tmp_path / "mine.jsonl", line))
    assert task.samples[0].choices == ("the red car", "the blue car")
    assert task.metrics == ("exact_match",)  # no credit for the words that a wrong choice shares


def test_prompts_without_references_are_judged_by_drift_only(tmp_path: Path) -> None:
    task = load_task(write(tmp_path / "mine.jsonl", {"id": 1, "content": "Hello"}))
    assert task.metrics == ("answer_rate",)


def test_misspelt_references_are_named(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    row = {"id": 1, "content": "Where?", "topic": "cities"}
    load_task(write(tmp_path / "right.jsonl", {**row, "references": "Lyon", "reference": "an atlas"}))
    load_task(write(tmp_path / "none.jsonl", row))
    assert not recwarn
    with pytest.warns(UserWarning, match="wrong.jsonl has no 'references'.*--references refrences"):
        load_task(write(tmp_path / "wrong.jsonl", {**row, "refrences": "Lyon"}))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            [{"id": 1, "content": "a"}, {"id": 2, "text": "b"}],
            r"line 2: missing field 'content' \(found id, text\)",
        ),
        ([{"content": "a"}], r"line 1: missing field 'id'"),
        ([{"id": 1, "content": "a"}, {"id": 1, "content": "b"}], r"line 2: duplicate id '1', also on line 1"),
        ([{"id": 1, "content": "a"}, '{"id": 2,'], r"line 2: not valid JSON"),
        (['{"id": 1, "content": "a", "content": "b"}'], r"line 1: 'content' is given twice"),
        (["[1, 2]"], r"line 1: expected a JSON object"),
        ([{"id": 1, "content": 5}], r"line 1: 'content' must be a string, got 5"),
        (
            [{"id": 1, "content": "a", "references": {"x": 1}}],
            r"line 1: 'references' must be a string or a list of strings",
        ),
        (
            [{"id": 1, "content": "a", "references": "x"}, {"id": 2, "content": "b"}],
            r"line 2: only some samples have references",
        ),
        ([], r"contains no samples"),
        ([{"id": 1, "content": "a", "choices": ["x"]}], r"line 1: 'choices' must be at least two distinct"),
        ([{"id": 1, "content": "a", "choices": ["x", "x"]}], r"line 1: 'choices' must be at least two distinct"),
        (
            [{"id": 1, "content": "a", "choices": {"text": "x"}}],
            r"line 1: 'choices' must be a string or a list of strings",
        ),
        ([{"id": 1, "content": "a", "choices": []}], r"line 1: 'choices' must be at least two distinct"),
        (
            [{"id": 1, "content": "a", "choices": ["x", "y"], "references": [0]}],
            r"line 1: the reference '0' is not one of the choices \['x', 'y'\]",
        ),
        (
            [{"id": 1, "content": "a", "choices": ["x", "y"]}, {"id": 2, "content": "b"}],
            r"line 2: only some samples have choices",
        ),
        (
            [{"id": 1, "content": "a", "protect": None}],
            r"line 1: 'protect' must be a string or a list of strings, got null",
        ),
    ],
)
def test_an_invalid_line_is_reported_with_its_number(tmp_path: Path, lines: list[object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_task(write(tmp_path / "mine.jsonl", *lines))


def test_a_wrong_encoding_is_reported_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b'{"id": 1, "content": "a"}\n{"id": 2, "content": "caf\xe9"}\n')
    with pytest.raises(UserError, match=r"line 2: not UTF-8 \(byte 0xe9\); save the file as UTF-8"):
        load_task(str(path))


def test_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": 1, "content": "a"}\r\n{"id": 2, "content": "b"}\r\n')
    assert [sample.content for sample in load_task(str(path)).samples] == ["a", "b"]


def test_missing_files_and_unknown_names_are_reported(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        load_task(str(tmp_path / "none.jsonl"))
    with pytest.raises(UserError, match="not a task file"):
        load_task(str(tmp_path / "prompts.docx"))
    with pytest.raises(UserError, match="did you mean 'factual_qa'"):
        load_task("factual_q")


QA = """
task: capitals
dataset_path: data.jsonl
doc_to_content: question
doc_to_text: "Q: {{ question }}? ({{ topic }})"
doc_to_target: answer
metric_list: [{metric: exact_match}, token_f1]
generation_kwargs: {max_gen_toks: 8, until: ["\\n"]}
"""


def test_a_yaml_task_maps_other_fields(tmp_path: Path) -> None:
    write(tmp_path / "data.jsonl", {"question": "capital of France", "answer": ["Paris"], "topic": "cities"})
    path = tmp_path / "capitals.yaml"
    path.write_text(QA)
    task = load_task(str(path))
    assert (task.name, task.metrics, task.max_new_tokens, task.stop) == (
        "capitals",
        ("exact_match", "token_f1"),
        8,
        ("\n",),
    )
    sample = task.samples[0]
    assert (sample.id, sample.content, sample.references) == ("1", "capital of France", ("Paris",))
    assert task.render(sample, "captial of France") == "Q: captial of France? (cities)"


def test_a_yaml_task_may_combine_fields(tmp_path: Path) -> None:
    write(tmp_path / "data.jsonl", {"key": "x", "first": "a", "second": "b"})
    path = tmp_path / "pair.yaml"
    path.write_text(
        "task: pair\ndataset_path: data.jsonl\ndoc_to_id: 'p-{{ key }}'\n"
        "doc_to_content: '{{ first }} and {{ second }}'\ndoc_to_target: '{{ second }}'\n"
    )
    sample = load_task(str(path)).samples[0]
    assert (sample.id, sample.content, sample.references) == ("p-x", "a and b", ("b",))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("doc_to_content: question", "doc_to_content: query"),
            r"line 1: doc_to_content: missing field 'query'",
        ),
        (("doc_to_text", "doc_to_txt"), r"unknown key 'doc_to_txt'; did you mean 'doc_to_text'\?"),
        (("task: capitals\n", ""), r"'task' is missing"),
        (("data.jsonl", "nowhere.jsonl"), r"file '.*nowhere.jsonl' does not exist"),
        (("until", "stop"), r"unknown key 'stop'; known: max_gen_toks, until"),
        (("max_gen_toks: 8", "max_gen_toks: many"), r"'max_gen_toks' must be an integer >= 1, got 'many'"),
        (('["\\n"]', '""'), r"'until' must be a non-empty string or a list of them"),
        (("{{ question }}", "{{ topic }}"), r"'doc_to_text' doesn't contain the content"),
        (("{{ question }}", "the question"), r"'doc_to_text' doesn't contain the content"),
        (("[{metric", "[[{metric"), r"not valid YAML"),
    ],
)
def test_an_invalid_yaml_task_is_reported(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    write(tmp_path / "data.jsonl", {"question": "capital of France", "answer": ["Paris"], "topic": "cities"})
    path = tmp_path / "capitals.yaml"
    path.write_text(QA.replace(*change))
    with pytest.raises(UserError, match=message):
        load_task(str(path))


@pytest.mark.parametrize(
    ("mapped", "reference"),
    [
        ("doc_to_choice: options\ndoc_to_target: label", "no"),
        ("doc_to_choice: options\ndoc_to_target: '{{ label }}'", "no"),
        ("doc_to_choice: '{{ options }}'\ndoc_to_target: label", "no"),
        ("doc_to_choice: [no, yes, 1]\ndoc_to_target: label", "yes"),
        ("doc_to_choice: options\ndoc_to_target: answer", "yes"),
    ],
)
def test_a_yaml_task_may_be_multiple_choice(tmp_path: Path, mapped: str, reference: str) -> None:
    line = {"question": "So?", "options": ["yes", "no"], "label": 1, "answer": "yes", "choices": {"other": "things"}}
    write(tmp_path / "data.jsonl", line)
    file = tmp_path / "task.yaml"
    file.write_text(f"task: t\ndataset_path: data.jsonl\ndoc_to_content: question\n{mapped}\n", "utf-8")
    [sample] = load_task(str(file)).samples
    assert sample.references == (reference,)
    assert reference in sample.choices
    assert sample.metadata["choices"] == {"other": "things"}


@pytest.mark.parametrize(
    ("mapped", "message"),
    [
        (
            "doc_to_choice: nothing",
            r"task.yaml: 'doc_to_choice' must be a list or the name of a field with a list, got 'nothing'",
        ),
        (
            "doc_to_choice: options\ndoc_to_target: label",
            r"line 1: doc_to_target is 5; expected an index from 0 to 1",
        ),
    ],
)
def test_invalid_choices_are_reported(tmp_path: Path, mapped: str, message: str) -> None:
    write(tmp_path / "data.jsonl", {"question": "So?", "options": ["yes", "no"], "label": 5})
    file = tmp_path / "task.yaml"
    file.write_text(f"task: t\ndataset_path: data.jsonl\ndoc_to_content: question\n{mapped}\n", "utf-8")
    with pytest.raises(UserError, match=message):
        load_task(str(file))


def test_doc_to_text_may_be_the_field_name(tmp_path: Path) -> None:
    write(tmp_path / "data.jsonl", {"question": "capital of France", "answer": ["Paris"]})
    path = tmp_path / "capitals.yaml"
    path.write_text(QA.replace('"Q: {{ question }}? ({{ topic }})"', "question"))
    task = load_task(str(path))
    assert task.render(task.samples[0], "captial of France") == "captial of France"


def test_a_failing_template_is_reported(tmp_path: Path) -> None:
    write(tmp_path / "data.jsonl", {"question": "capital of France", "answer": ["Paris"]})
    path = tmp_path / "capitals.yaml"
    path.write_text(QA.replace("{{ topic }}", "{{ content + 1 }}"))
    task = load_task(str(path))
    with pytest.raises(UserError, match="prompt of task 'capitals', sample '1'"):
        task.render(task.samples[0], "x")


def test_an_unknown_name_in_a_template_lists_the_available_ones(tmp_path: Path) -> None:
    write(tmp_path / "data.jsonl", {"question": "capital of France", "answer": ["Paris"]})
    path = tmp_path / "capitals.yaml"
    path.write_text(QA)
    task = load_task(str(path))
    with pytest.raises(UserError, match="'topic' is undefined; available names: .*content"):
        task.render(task.samples[0], "x")


def test_a_template_cannot_escape_its_sandbox(tmp_path: Path) -> None:
    write(tmp_path / "data.jsonl", {"question": "q", "answer": "a"})
    path = tmp_path / "evil.yaml"
    path.write_text(QA.replace("{{ topic }}", "{{ ''.__class__.__mro__ }}"))
    task = load_task(str(path))
    with pytest.raises(UserError, match="unsafe"):
        task.render(task.samples[0], "x")


def test_content_is_never_rendered_as_a_template(tmp_path: Path) -> None:
    task = load_task(write(tmp_path / "mine.jsonl", {"id": 1, "content": "{{ 7 * 7 }} {x}"}))
    assert task.render(task.samples[0], "{{ 7 * 7 }} {x}") == "{{ 7 * 7 }} {x}"
