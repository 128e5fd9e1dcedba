"""Task files with lm-eval's keys: the supported ones do what they do there, the others are refused by name."""

import json
from pathlib import Path
from random import Random

import pytest

from holdfast.errors import UserError
from holdfast.tasks import load_task
from holdfast.tasks.output_filters import OutputFilter

ROWS = [{"question": f"What is {i} plus {i}?", "answer": str(2 * i), "options": ["1", str(2 * i)]} for i in range(8)]


def task_file(folder: Path, more: str, rows: list[dict[str, object]] | None = None) -> str:
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, rows or ROWS)))
    (folder / "task.yaml").write_text(f"task: sums\ndataset_path: data.jsonl\ndoc_to_target: answer\n{more}\n")
    return str(folder / "task.yaml")


def test_a_prompt_without_a_content_field_is_perturbed_as_a_whole(tmp_path: Path) -> None:
    task = load_task(task_file(tmp_path, 'doc_to_text: "Q: {{question}}\\nA:"'))
    sample = task.samples[3]
    assert sample.content == "Q: What is 3 plus 3?\nA:"
    assert task.render(sample, "Q: Waht?") == "Q: Waht?"


def test_a_file_adds_to_the_keys_of_those_that_it_includes(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "base.yaml").write_text("include: most.yaml\ntarget_delimiter: '='\nnum_fewshot: 1\n")
    (tmp_path / "shared" / "most.yaml").write_text(
        "doc_to_text: '{{question}}'\ndescription: 'Add up.'\nnum_fewshot: 3\n"
    )
    more = "include: shared/base.yaml\ndescription: 'Sum: '\nfewshot_config: {sampler: first_n}"
    task = load_task(task_file(tmp_path, more))
    assert task.render(task.samples[5], "x?") == "Sum: What is 0 plus 0?=0\n\nx?"


@pytest.mark.parametrize(("sampler", "first"), [("", False), ("fewshot_config: {sampler: first_n}", True)])
def test_examples_are_drawn_as_lm_eval_draws_them(tmp_path: Path, sampler: str, first: bool) -> None:
    text = (
        'doc_to_content: question\ndoc_to_text: "Q: {{question}}\\nA:"\nnum_fewshot: 2\ndescription: "Add up.\\n\\n"\n'
    )
    task = load_task(task_file(tmp_path, text + sampler))
    random = Random(1234)
    for sample, row in zip(task.samples, ROWS, strict=True):
        drawn = ROWS[:3] if first else random.sample(ROWS, 3)
        shots = [each for each in drawn if each != row][:2]
        expected = "Add up.\n\n" + "".join(f"Q: {each['question']}\nA: {each['answer']}\n\n" for each in shots)
        assert task.render(sample, "x?") == f"{expected}Q: x?\nA:"


def test_examples_may_come_from_another_split(tmp_path: Path) -> None:
    (tmp_path / "train.jsonl").write_text(json.dumps({"question": "What is 40 plus 2?", "answer": ["42", "forty-two"]}))
    more = (
        "doc_to_content: question\nnum_fewshot: 1\ntest_split: test\ntraining_split: train\n"
        'target_delimiter: " = "\nfewshot_delimiter: "\\n"\n'
    )
    path = Path(task_file(tmp_path, more))
    kwargs = "dataset_path: json\ndataset_kwargs: {data_files: {test: data.jsonl, train: train.jsonl}}"
    path.write_text(path.read_text().replace("dataset_path: data.jsonl", kwargs))
    task = load_task(str(path))
    assert task.render(task.samples[0], "x?") == "What is 40 plus 2? = 42\nx?"


def test_examples_of_choices_show_the_chosen_one(tmp_path: Path) -> None:
    rows = [{"q": f"So {i}?", "gold": i % 2} for i in range(3)]
    more = "doc_to_text: \"{{q}}\"\ndoc_to_choice: \"{{ ['no', 'yes'] }}\"\nnum_fewshot: 1\nfewshot_config: {sampler: first_n}"
    path = Path(task_file(tmp_path, more, rows))
    path.write_text(
        path.read_text().replace("doc_to_target: answer", "doc_to_target: gold\noutput_type: multiple_choice")
    )
    task = load_task(str(path))
    assert task.render(task.samples[2], "So 2?") == "So 0? no\n\nSo 2?"
    assert (task.samples[1].choices, task.samples[1].references) == (("no", "yes"), ("yes",))


def test_generating_a_choice_is_no_multiple_choice(tmp_path: Path) -> None:
    more = "doc_to_content: question\ndoc_to_choice: options\noutput_type: generate_until"
    path = Path(task_file(tmp_path, more))
    path.write_text(path.read_text().replace("doc_to_target: answer", "doc_to_target: 1"))
    sample = load_task(str(path)).samples[3]
    assert (sample.choices, sample.references) == ((), ("6",))


def test_acc_is_the_accuracy_of_choices(tmp_path: Path) -> None:
    metrics = (
        "metric_list: [{metric: acc, aggregation: mean, higher_is_better: true}]\ntag: [math]\nmetadata: {version: 1}"
    )
    task = load_task(task_file(tmp_path, f"doc_to_content: question\ndoc_to_choice: options\n{metrics}"))
    assert task.metrics == ("exact_match",)


@pytest.mark.parametrize(
    ("steps", "output", "expected"),
    [
        (
            "[{function: regex, regex_pattern: '#### (\\-?[0-9.,]+)'}, {function: take_first}]",
            "so #### 12 #### 13",
            "12",
        ),
        ("[{function: regex, regex_pattern: '(\\d+)', group_select: -1}]", "1 then 2 then 3", "3"),
        ("[{function: regex, regex_pattern: '(a)|(b)'}]", "xxb", "b"),
        ("[{function: regex, regex_pattern: 'z'}]", "abc", "[invalid]"),
        ("[{function: regex, regex_pattern: z, fallback: none}]", "abc", "none"),
        ("[{function: lowercase}, {function: remove_whitespace}]", "  ABC ", "abc "),
        ("[{function: map, mapping_dict: {A: yes}, default_value: no}]", "A", "yes"),
        ("[{function: map, mapping_dict: {A: yes}, default_value: no}]", "B", "no"),
    ],
)
def test_a_filter_changes_what_is_compared(tmp_path: Path, steps: str, output: str, expected: str) -> None:
    more = f"doc_to_content: question\nfilter_list: [{{name: strict, filter: {steps}}}]"
    assert load_task(task_file(tmp_path, more)).judged(output) == expected


def test_a_slow_pattern_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.tasks.output_filters._SECONDS", 0.2)
    with pytest.raises(UserError, match="regex_pattern takes longer than 0.2 s"):
        OutputFilter("regex", {"regex_pattern": "(a+)+$"}).apply("a" * 40 + "b")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            "output_type: loglikelihood",
            "output_type 'loglikelihood' is not supported: use generate_until or multiple_choice",
        ),
        ("output_type: multiple_choice", "output_type multiple_choice needs 'doc_to_choice'"),
        ("process_docs: x", "lm-eval's key 'process_docs' is not supported: change the rows beforehand"),
        ("include: base.yaml", "base.yaml' does not exist"),
        ("include: task.yaml", "task.yaml includes itself"),
        ("include: 3", "'include' must be the name of a file, or a list of them, got 3"),
        ("num_fewshots: 1", "unknown key 'num_fewshots'; did you mean 'num_fewshot'"),
        ("num_fewshot: -1", "'num_fewshot' must be an integer >= 0, got -1"),
        ("num_fewshot: 8", "num_fewshot is 8, but examples can be drawn from only 7 other rows"),
        ("fewshot_config: {samples: []}", "'fewshot_config' may only have a sampler"),
        ("metric_list: [acc]", "'acc' is the accuracy of choices"),
        ("metric_list: [acc_norm]", "lm-eval's metric 'acc_norm' is not supported: use acc"),
        ("metric_list: [{metric: exact_match, ignore_case: false}]", "'ignore_case' can only be true"),
        (
            "metric_list: [{metric: exact_match, regexes_to_ignore: [x]}]",
            "its setting 'regexes_to_ignore' is not supported",
        ),
        ("metric_list: [{metric: exact_match, aggregation: median}]", "aggregation must be mean, got 'median'"),
        ("filter_list: [{filter: [{function: majority_vote}]}]", "function 'majority_vote' is not supported"),
        ("filter_list: [{filter: [{function: regex, pattern: x}]}]", "the filter function 'regex' has no 'pattern'"),
        ("filter_list: [{filter: [{function: regex, regex_pattern: '('}]}]", "invalid regex_pattern"),
        ("filter_list: [{filter: []}, {filter: []}]", "'filter_list' must have one filter"),
        ("generation_kwargs: {do_sample: true}", "answers of a task are greedy"),
        ("repeats: 3", "'repeats' must be 1"),
        ("dataset_kwargs: {trust_remote_code: true}", "'dataset_kwargs' may only name data_files"),
        ("encoding: 5", "'encoding' must be a string"),
    ],
)
def test_an_unsupported_key_is_refused_with_what_to_do(tmp_path: Path, more: str, message: str) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")):
        load_task(task_file(tmp_path, f"doc_to_content: question\n{more}"))


def test_a_file_of_choices_reports_all_mistakes(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"question": "So?", "answer": answer, "options": ["a", "b"]} for answer in ("a", "x", 7)
    ]
    path = task_file(tmp_path, "doc_to_content: question\ndoc_to_choice: options", rows)
    with pytest.raises(
        UserError, match="has 2 mistakes: line 2: the reference 'x' is not one of the choices .*; line 3"
    ):
        load_task(path)


def test_a_yaml_task_reads_tables_and_encodings(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_bytes("question,answer\nWo?,Köln\n".encode("latin-1"))
    path = tmp_path / "t.yaml"
    path.write_text(
        "task: t\ndataset_path: q.csv\nencoding: latin-1\ndoc_to_content: question\ndoc_to_target: answer\n"
    )
    assert load_task(str(path)).samples[0].references == ("Köln",)
