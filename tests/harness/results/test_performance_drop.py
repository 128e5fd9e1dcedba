"""The performance drop rate beside the difference: (clean - perturbed) / clean."""

from collections.abc import Callable

import pytest

from holdfast import Results
from holdfast.harness.backends import Request
from holdfast.tasks import Sample, Task
from tests.harness.fakes import Fake


def test_pdr_is_the_lost_share_of_the_clean_score(run: Callable[..., Results]) -> None:
    texts = [f"Tell me about the thing with number {i} please" for i in range(4)]
    samples = tuple(Sample(str(i), text, ("right",)) for i, text in enumerate(texts))

    def rule(request: Request) -> str:
        known = request.prompt in texts[:3] or "number 0" in request.prompt
        return "right" if known and request.adapter == "base" else "wrong"

    told = run(Fake(rule=rule), tasks=Task("quiz", samples, ("exact_match",)), perturbations="spacing@0.2")
    board = told.leaderboard.set_index("adapter")
    row = board.loc["base"]
    assert row["clean"] == 0.75
    assert 0 <= row["perturbed"] < 0.75
    assert row["pdr"] == pytest.approx((0.75 - row["perturbed"]) / 0.75, abs=1e-5)
    assert board["pdr"].isna()["other"]
