"""`--adapter_scales` that scale nothing, or are none."""

from pathlib import Path

import pytest

from holdfast.harness.cli import main
from holdfast.harness.models.checkpoints import find_adapters, find_base, scaled


@pytest.mark.parametrize(
    ("scales", "said"),
    [
        ("-1,x", "adapter_scales.0: a scale is a number from 0 on, as in 0,0.5,1, not '-1'"),
        ("-.5", "not '-.5'"),
        ("0.5,x", "adapter_scales.1: a scale is a number from 0 on, as in 0,0.5,1, not 'x'"),
        ("inf", "not 'inf'"),
        (",", "adapter_scales: name at least one"),
    ],
)
def test_what_is_no_scale_is_named(scales: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--adapter_scales", scales, "--output_path", str(tmp_path)]) == 1
    assert said in capsys.readouterr().err


def test_scales_without_an_adapter_are_said_to_be_passed_over() -> None:
    base = find_base("pocket-aligned")
    with pytest.warns(UserWarning, match="--adapter_scales is passed over: the base alone has no update to scale"):
        assert scaled([base], [0.5]) == [base]
    assert [each.name for each in scaled(find_adapters(["base", "pocket-steady"], base), [0.5])] == [
        "base",
        "pocket-steady@0.5",
    ]
