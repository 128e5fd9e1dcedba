"""Say when the setup itself is noisy: the same prompt gets different answers."""

from typing import TYPE_CHECKING

from holdfast.harness.store.config import RunConfig
from holdfast.harness.store.records import IDENTITY
from holdfast.tasks.sample import ALL

if TYPE_CHECKING:
    import pandas as pd

HIGH = 0.1
"""A noise floor above this is reported."""


def noisy_setup(breakdown: "pd.DataFrame", config: RunConfig) -> str:
    """Say that the noise floor is high, where it is highest, and what helps; empty if it isn't.

    Args:
        breakdown: The breakdown of a run.
        config: The run's configuration.
    """
    cells = breakdown[
        (breakdown["perturbation"] == IDENTITY) & (breakdown["group"] == ALL) & (breakdown["noise_floor"] > HIGH)
    ].to_dict("records")
    if not cells:
        return ""
    worst = max(cells, key=lambda cell: float(cell["noise_floor"]))
    if config.gen_kwargs.temperature:
        helps = "answers are sampled; --gen_kwargs temperature=0 makes them greedy"
    elif config.model == "api":
        helps = "the server rounds differently in other batches; serve the model in float32 and with a fixed batch size"
    else:
        helps = "--model_args dtype=float32 and a fixed --batch_size help"
    return (
        f"high noise floor: the same prompt, asked again in another batch, drifts {worst['noise_floor']:.2f} (adapter "
        f"'{worst['adapter']}', task '{worst['task']}'), so this setup hides smaller drifts; {helps}"
    )
