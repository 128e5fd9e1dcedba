"""Settings given as flags, YAML and Python, and the one-line error for an invalid one."""

from pathlib import Path

import pytest

from holdfast.errors import UserError
from holdfast.harness.store.config import make_config
from holdfast.reading import read_json
from holdfast.yaml_file import read_yaml


def test_lists_and_mappings_may_be_strings_as_in_flags() -> None:
    config = make_config(
        {"tasks": "a,b", "model_args": "pretrained=x,dtype=float32", "severity": "light,0.2", "limit": "3"}
    )
    assert config.tasks == ["a", "b"]
    assert config.model_args == {"pretrained": "x", "dtype": "float32"}
    assert config.severity == ["light", "0.2"]
    assert config.limit == 3


def test_settings_may_come_from_yaml(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("tasks: [a]\nmodel_args: {pretrained: x}\nseverity: 0.1\ngen_kwargs: {max_new_tokens: 8}\n")
    config = make_config(read_yaml(path, "configuration file"))
    assert (config.tasks, config.severity, config.gen_kwargs.max_new_tokens) == (["a"], ["0.1"], 8)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": "a"}, "unknown setting 'task'; did you mean 'tasks'?"),
        ({"repeats": 0}, "repeats: input should be greater than or equal to 1, got 0"),
        ({"limit": "many"}, "limit: .* got 'many'"),
        ({"model_args": "pocket-base,dtype"}, "--model_args: expected name=value, got 'dtype'"),
        ({"granularity": "word"}, "granularity: .*'sentence', 'clause' or 'phrase'"),
        ({"gen_kwargs": "temprature=1"}, "gen_kwargs has no 'temprature'; did you mean 'temperature'"),
        ({"tasks": []}, "tasks: "),
        ({"batch_size": "large"}, "batch_size: .* got 'large'"),
        ({"batch_size": "-2"}, "batch_size: .* greater than or equal to 1, got '-2'"),
        ({"batch_size": 0}, "batch_size: "),
        ({"replicas": 2}, "replicas is only for Ray clusters: add --distributed ray"),
        ({"gen_kwargs": "stop="}, "gen_kwargs.stop.0: a stop string must have at least one character"),
        ({"gen_kwargs": {"stop": ["a", ""]}}, "gen_kwargs.stop.1: a stop string must have at least one character"),
        ({"model_args": "pretrained=a,pretrained=b"}, "--model_args: 'pretrained' is given twice"),
        ({"model_args": "a,pretrained=b"}, "--model_args: 'pretrained' is given twice"),
        ({"perturbations": ""}, "perturbations: name at least one, got none"),
    ],
)
def test_an_invalid_setting_is_named(settings: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_config(settings)


@pytest.mark.parametrize(
    ("given", "stop"), [("stop= ", " "), (r"stop=\n", "\n"), (r"top_p=0.5, stop=\tEnd ", "\tEnd "), ("stop=1", "1")]
)
def test_a_stop_string_is_taken_as_it_is_written(given: str, stop: str) -> None:
    assert make_config({"gen_kwargs": given}).gen_kwargs.stop == [stop]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tasks: [a", "not valid YAML"),
        ("- a", "must hold settings"),
        ("[", "not valid YAML"),
        ("tasks: a\nseed: 1\ntasks: b\n", "line 3: 'tasks' is given twice"),
        ("model_args:\n  a: 1\n  a: 2\n", "line 3: 'a' is given twice"),
        ('{"tasks": "a", "tasks": "b"}', "line 1: 'tasks' is given twice"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_yaml(path, "configuration file")
    with pytest.raises(UserError, match="configuration file .* does not exist"):
        read_yaml(tmp_path / "none.yaml", "configuration file")


def test_a_merged_mapping_may_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("a: &x {k: 1, j: 2}\nb:\n  <<: *x\n  k: 3\nc:\n  <<: *x\n  k: 4\n")
    merged = read_yaml(path, "file")
    assert (merged["b"], merged["c"]) == ({"j": 2, "k": 3}, {"j": 2, "k": 4})


def test_a_json_file_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "adapter_config.json"
    path.write_text('{"peft_type": "LORA", "inner": {"r": 8, "r": 4}}')
    with pytest.raises(UserError, match="adapter_config.json': 'r' is given twice: leave one out"):
        read_json(path)
