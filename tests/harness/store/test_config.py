"""Settings given as flags, YAML and Python, and the one-line error for an invalid one."""

from pathlib import Path

import pytest

from holdfast.errors import UserError
from holdfast.harness.store.config import make_config
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
        ({"perturbations": ""}, "perturbations: name at least one, got none"),
    ],
)
def test_an_invalid_setting_is_named(settings: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_config(settings)


@pytest.mark.parametrize(
    ("text", "message"), [("tasks: [a", "not valid YAML"), ("- a", "must hold settings"), ("[", "not valid YAML")]
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_yaml(path, "configuration file")
    with pytest.raises(UserError, match="configuration file .* does not exist"):
        read_yaml(tmp_path / "none.yaml", "configuration file")
