"""Tasks of lm-eval: its own prompts, filters and metrics, with the same results as lm-eval's on clean prompts."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from holdfast import Results, UserError, evaluate
from holdfast.harness.cli import main
from holdfast.harness.models.checkpoints import find_checkpoint
from tests.harness.fakes import Fake

pytest.importorskip("lm_eval", reason="the package lm-eval is not installed")

TEMPLATE = """{% for message in messages %}<{{ message.role }}>
{{ message.content }}
{% endfor %}{% if add_generation_prompt %}<assistant>
{% endif %}"""
WHO = ["Ann", "Ben", "Carla", "Dev"]
ROWS = [
    {
        "question": f"Who took the {thing} from the shelf",
        "names": WHO,
        "place": i % 4,
        "answer": WHO[i % 4],
        "sum": f"There are two. #### {i}",
    }
    for i, thing in enumerate(("blue cup", "old map", "red hat", "long rope", "thin book", "small lamp"))
]
MATCH = {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}
GENERATED = {"output_type": "generate_until", "generation_kwargs": {"until": ["\n"], "max_gen_toks": 6}}
CHOSEN = {"output_type": "multiple_choice", "doc_to_choice": "names", "doc_to_target": "place"}
TASKS: dict[str, dict[str, Any]] = {
    "plain": {**GENERATED, "doc_to_text": "{{question}}?", "doc_to_target": "answer", "metric_list": [MATCH]},
    "described": {
        **GENERATED,
        "description": "Answer with a name.\n\n",
        "doc_to_text": "Q: {{question}}?\nA:",
        "doc_to_target": "{{names}}",
        "metric_list": [{**MATCH, "ignore_case": True, "ignore_punctuation": True}],
        "num_fewshot": 1,
        "fewshot_split": "test",
    },
    "counted": {
        **GENERATED,
        "doc_to_text": "{{question}}?\nCount:",
        "doc_to_target": "{{sum}}",
        "metric_list": [{**MATCH, "regexes_to_ignore": ["(?s).*#### "]}],
        "num_fewshot": 2,
        "fewshot_split": "test",
        "filter_list": [
            {"name": "strict", "filter": [{"function": "regex", "regex_pattern": "#### (\\d+)"}, {"function": "take_first"}]},
            {"name": "loose", "filter": [{"function": "regex", "regex_pattern": "(\\w+)"}, {"function": "take_first"}]},
        ],
    },
    "chosen": {**CHOSEN, "doc_to_text": "{{question}}?\nAnswer:", "metric_list": [{"metric": "acc"}, {"metric": "acc_norm"}]},
    "below": {**CHOSEN, "doc_to_text": "{{question}}?", "target_delimiter": "\n", "metric_list": [{"metric": "acc"}], "num_fewshot": 2, "fewshot_split": "test"},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with these tasks, and their data."""
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    common = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(data)}}, "test_split": "test"}
    for name, task in TASKS.items():
        (tmp_path / f"{name}.yaml").write_text(json.dumps({"task": name, **common, **task}))
    return tmp_path


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """The pocket model without a length of answers of its own, which would replace that of lm-eval's tasks."""
    copy = tmp_path / "model"
    shutil.copytree(find_checkpoint("pocket-base"), copy)
    settings = json.loads((copy / "generation_config.json").read_text())
    (copy / "generation_config.json").write_text(json.dumps(settings | {"max_new_tokens": None}))
    return copy


@pytest.mark.parametrize("end", [None, "\n", ""])
def test_clean_prompts_give_the_results_of_lm_eval(end: str | None, folder: Path, checkpoint: Path) -> None:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    chat = end is not None
    (checkpoint / "chat_template.jinja").write_text(TEMPLATE.replace("<assistant>\n", f"<assistant>{end}"))
    model = f"pretrained={checkpoint},dtype=float32"
    manager = TaskManager(include_path=str(folder), include_defaults=False)
    asked_so = {"system_instruction": "Be brief.", "apply_chat_template": chat}
    theirs = simple_evaluate(
        model="hf", model_args=model, tasks=[*TASKS], task_manager=manager, device="cpu", bootstrap_iters=0, **asked_so
    )
    done = evaluate(
        model_args=model,
        adapters="base",
        tasks=[f"lm_eval/{name}" for name in TASKS],
        include_path=folder,
        perturbations="typos@0.1",
        encoder="lexical",
        min_meaning=0,
        output_path=folder / "run",
        **asked_so,
    )
    lines = [json.loads(line) for line in (done.path / "samples.jsonl").read_text().splitlines()]
    clean = [line for line in lines if line["perturbation"] == "clean"]
    compared = 0
    for name in TASKS:
        asked = {sample["doc_id"]: sample["arguments"][0][0] for sample in theirs["samples"][name]}
        mine = [line for line in clean if line["task"] == f"lm_eval/{name}"]
        ends = str.rstrip if "doc_to_choice" in TASKS[name] else str  # lm-eval counts it to the choices
        assert {int(line["sample"]): line["prompt"] for line in mine} == {i: ends(text) for i, text in asked.items()}
        answers = {sample["doc_id"]: [each[0] for each in sample["resps"]] for sample in theirs["samples"][name]}
        for line in mine:
            theirs_too = answers[int(line["sample"])]
            if "likelihoods" in line:
                assert line["likelihoods"] == pytest.approx([float(each[0]) for each in theirs_too], abs=1e-3)
            else:
                before, after = line.get("margins", ("", ""))
                assert [f"{before}{line['output']}{after}"] == theirs_too
        for key in {key for line in mine for key in line["scores"]} & {
            "acc", "acc_norm", "exact_match", "exact_match,strict", "exact_match,loose"
        }:  # fmt: skip
            metric, _, filtered = key.partition(",")
            found = sum(line["scores"][key] for line in mine) / len(mine)
            assert found == pytest.approx(theirs["results"][name][f"{metric},{filtered or 'none'}"], abs=1e-6), key
            compared += 1
    assert compared == 7


def test_a_check_reads_the_scores_of_a_task_of_lm_eval(folder: Path, run: Callable[..., Results]) -> None:
    adapters = "old=pocket-steady,new=pocket-narrow"
    done = run(Fake(), tasks="lm_eval/described", include_path=folder, adapters=adapters, perturbations="typos@0.1")
    script = (
        "import holdfast, sys\n"
        "found = holdfast.check(f'{sys.argv[1]}:old', f'{sys.argv[1]}:new')\n"
        "print([each.score for each in found.primaries][:2])"
    )
    shown = subprocess.run([sys.executable, "-c", script, str(done.path)], capture_output=True, text=True, check=False)
    assert shown.stdout.strip() == "['exact_match', 'exact_match']", shown.stderr


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"output_type": "loglikelihood"}, "can't be run .output_type loglikelihood"),
        ({"repeats": 4}, "asks each question 4 times"),
        ({"metric_list": [{**MATCH, "metric": "nosuch"}]}, "lm-eval can't run its metrics nosuch on an answer"),
        ({"doc_to_text": "Say something."}, "no field of its documents reaches the prompt"),
        ({"metadata": {"perturbed_field": "sum"}}, "name 'sum' as perturbed_field, which doesn't reach the prompt"),
        (
            {"doc_to_text": "{{missing_field.x}}"},
            "can't load its task 'other' .UndefinedError: 'missing_field' is undefined",
        ),
    ],
)
def test_a_task_that_cannot_be_run_is_refused(
    task: dict[str, Any], said: str, folder: Path, run: Callable[..., Results]
) -> None:
    content = json.loads((folder / "plain.yaml").read_text())
    (folder / "other.yaml").write_text(json.dumps({**content, **task, "task": "other"}))
    with pytest.raises(UserError, match=said):
        run(Fake(), tasks="lm_eval/other", include_path=folder)


def test_no_progress_bar_of_the_data_stands_in_our_output(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    datasets = pytest.importorskip("datasets")
    shown = datasets.are_progress_bars_disabled()
    assert main(["validate", "--tasks", "lm_eval/plain", "--include_path", str(folder), "--adapters", "base"]) == 0
    assert "examples" not in capsys.readouterr().err
    assert datasets.are_progress_bars_disabled() == shown


def test_an_unknown_task_is_named_with_the_nearest(folder: Path, run: Callable[..., Results]) -> None:
    with pytest.raises(UserError, match="lm-eval has no task 'plane'; did you mean 'plain'"):
        run(Fake(), tasks="lm_eval/plane", include_path=folder)


def test_a_broken_task_file_is_named(folder: Path, run: Callable[..., Results]) -> None:
    (folder / "broken.yaml").write_text("task: [")
    with pytest.raises(UserError, match="broken.yaml can't be read"):
        run(Fake(), tasks="lm_eval/broken", include_path=folder)


def test_a_task_file_that_includes_a_missing_one_is_named(folder: Path, run: Callable[..., Results]) -> None:
    (folder / "other.yaml").write_text("include: common.yaml  # shared keys\ntask: other\n")
    with pytest.raises(UserError, match="other.yaml includes 'common.yaml', which is not a file"):
        run(Fake(), tasks="lm_eval/other", include_path=folder)


def test_settings_of_lm_eval_need_its_tasks(run: Callable[..., Results]) -> None:
    with pytest.raises(UserError, match="--num_fewshot is about tasks of lm-eval"):
        run(Fake(), tasks="factual_qa", num_fewshot=2)


def test_tasks_with_and_without_the_chat_template_are_not_mixed(folder: Path, run: Callable[..., Results]) -> None:
    with pytest.raises(UserError, match="run them separately, or set chat_template=none"):
        run(Fake(), tasks="factual_qa,lm_eval/plain", include_path=folder)
    plain = {"model_args": "pretrained=pocket-aligned,chat_template=none", "limit": 2}
    done = run(Fake(), tasks="factual_qa,lm_eval/plain", include_path=folder, **plain)
    assert set(done.manifest.tasks) == {"factual_qa", "lm_eval/plain"}


def test_a_task_names_the_field_to_perturb(folder: Path, run: Callable[..., Results]) -> None:
    content = json.loads((folder / "plain.yaml").read_text()) | {"task": "other"}
    chosen = {"doc_to_text": "{{question}}? {{sum}}", "metadata": {"perturbed_field": "sum"}}
    (folder / "other.yaml").write_text(json.dumps(content | chosen))
    fake = Fake()
    run(fake, tasks="lm_eval/other", include_path=folder, perturbations="case@0.5")
    assert all(any(f"{row['question']}? " in request.prompt for row in ROWS) for request in fake.asked)
    assert any("two" not in request.prompt for request in fake.asked)
