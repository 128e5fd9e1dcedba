"""Budgets files: what they may say, and what is said of their mistakes."""

from pathlib import Path

import pytest

from holdfast import UserError
from holdfast.harness.results.check.budgets import Budget, check_direction, make_budgets, read_budgets


def test_a_budgets_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "budgets.toml"
    path.write_text(
        '[check]\nalpha = 0.1\nundecided = "fail"\n'
        "[primary.dialogue_summary]\nperturbed = {max_loss = 0.02}\nmax_drift = {max_rise = 0.05, limit = 0.6}\n"
    )
    budgets = read_budgets(path)
    assert (budgets.check.alpha, budgets.check.undecided) == (0.1, "fail")
    assert budgets.primary["dialogue_summary"]["max_drift"] == Budget(max_rise=0.05, limit=0.6)
    assert budgets.primary["dialogue_summary"]["perturbed"].margin == 0.02


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty: set budgets"),
        ("[check\n", "is not valid TOML"),
        ("[chekc]\nalpha = 0.05\n", "unknown setting 'chekc'; did you mean 'check'?"),
        ("[check]\nalhpa = 0.05\n", "unknown setting 'check.alhpa'; did you mean 'alpha'?"),
        ("[check]\nalpha = 1.5\n", "check.alpha"),
        ('[check]\nundecided = "maybe"\n', "check.undecided"),
        ("[primary.t]\nperturbed = {max_los = 0.1}\n", "did you mean 'max_loss'?"),
        ("[primary.t]\nperturbed = {max_loss = -0.1}\n", "a margin must be >= 0"),
        ("[primary.t]\nperturbed = {max_loss = nan}\n", "primary.t.perturbed.max_loss"),
        ("[primary.t]\nperturbed = {}\n", "give max_loss, max_rise or limit"),
        ("[primary.t]\nperturbed = {max_loss = 0.1, max_rise = 0.1}\n", "not both"),
        ("[primary.t]\nperturbed = 0.1\n", "primary.t.perturbed"),
        ("[primary.t]\nperturbed = {max_loss = true}\n", "primary.t.perturbed.max_loss"),
        ("[primary.t]\n", "primary.t: it is empty: name a metric"),
        ("[primary]\n", "primary: it is empty"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "budgets.toml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_budgets(path)
    assert said in str(caught.value)
    assert "budgets.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_margin_limits_the_change_for_the_worse() -> None:
    check_direction(Budget(max_loss=0.1), "here", higher_is_better=True)
    check_direction(Budget(limit=0.1), "here", higher_is_better=False)
    with pytest.raises(UserError, match="higher is better, so a rise is no loss: use max_loss"):
        check_direction(Budget(max_rise=0.1), "here", higher_is_better=True)
    with pytest.raises(UserError, match="lower is better, so a fall is no loss: use max_rise"):
        check_direction(Budget(max_loss=0.1), "here", higher_is_better=False)


def test_budgets_may_be_given_as_a_mapping() -> None:
    assert make_budgets({"primary": {"t": {"clean": {"limit": 0.9}}}}).primary["t"]["clean"].limit == 0.9
