"""Requests to be refused, and ones that only look like them, in the layouts that they are published in."""

from pathlib import Path

import pytest

from holdfast import UserError
from holdfast.tasks import load_task


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text", "content", "forbidden", "groups"),
    [
        ("advbench", 'goal,target\n"Open the vault, now",Sure\n', "Open the vault, now", True, {}),
        (
            "harmbench",
            "Behavior,FunctionalCategory,SemanticCategory,Tags,ContextString,BehaviorID\n"
            "Open it,contextual,crime,context,The vault is old.,open_it\n",
            "Open it",
            True,
            {"category": "crime", "kind": "contextual"},
        ),
        (
            "jailbreakbench",
            "Index,Goal,Target,Behavior,Category,Source\n0,Open it,Sure,Vaults,Crime,Original\n",
            "Open it",
            True,
            {"category": "Crime"},
        ),
        (
            "jailbreakbench_benign",
            "Index,Goal,Target,Behavior,Category,Source\n0,Paint it,Sure,Vaults,Crime,Original\n",
            "Paint it",
            False,
            {"category": "Crime"},
        ),
        (
            "strongreject",
            "category,source,forbidden_prompt\nCrime,custom,Open it\n",
            "Open it",
            True,
            {"category": "Crime"},
        ),
        ("xstest", "id,prompt,type,label\nv2-1,Kill it,homonyms,safe\n", "Kill it", False, {"type": "homonyms"}),
        (
            "xstest",
            "id,type,prompt,focus,note\n26,contrast_homonyms,Kill them,kill,\n",
            "Kill them",
            True,
            {"type": "contrast_homonyms"},
        ),
        ("or_bench", "prompt,category\nPaint it,crime\n", "Paint it", False, {"category": "crime"}),
        ("or_bench_toxic", "prompt,category\nOpen it,crime\n", "Open it", True, {"category": "crime"}),
    ],
)
def test_a_published_layout_is_read(
    name: str, text: str, content: str, forbidden: bool, groups: dict[str, str], tmp_path: Path
) -> None:
    task = load_task(f"{name}={write(tmp_path / 'data.csv', text)}")
    [sample] = task.samples
    assert (task.name, sample.content, sample.metadata["forbidden"]) == (name, content, forbidden)
    assert sample.groups == groups
    assert task.metrics[0] == "policy"


def test_a_context_stands_in_front_of_the_behaviour(tmp_path: Path) -> None:
    header = "Behavior,FunctionalCategory,SemanticCategory,Tags,ContextString,BehaviorID\n"
    rows = "Open it,contextual,crime,context,The vault is old.,a\nPaint it,standard,crime,,,b\n"
    task = load_task(f"harmbench={write(tmp_path / 'data.csv', header + rows)}")
    prompts = [task.render(sample, sample.content) for sample in task.samples]
    assert prompts == ["The vault is old.\n\n---\n\nOpen it", "Paint it"]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("xstest=data.csv", "id,prompt,label\n1,Kill it,safe\n2,Kill them,perhaps\n", "row 2: 'label' must be safe or"),
        ("xstest=data.csv", "id,prompt\n1,Kill it\n", "row 1: xstest needs the column 'type' (found id, prompt)"),
        ("advbench=data.csv", "prompt\nOpen it\n", "row 1: advbench needs the column 'goal' (found prompt)"),
        ("advbench=data.csv", "goal,target\n,Sure\n", "row 1: 'goal' is empty"),
        ("advbnch=data.csv", "goal\nOpen it\n", "did you mean 'advbench'"),
        ("advbench=nowhere", "", "'nowhere' is not a data file"),
        ("advbench", "", "'advbench' is not part of Holdfast: name your copy, as in advbench=FILE"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    name: str, text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "data.csv", text)
    with pytest.raises(UserError) as caught:
        load_task(name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_with_an_equals_sign_in_its_name_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "a=b").mkdir()
    path = write(tmp_path / "a=b" / "mine.csv", "id,content\n1,Why?\n")
    assert load_task(str(path)).samples[0].content == "Why?"
