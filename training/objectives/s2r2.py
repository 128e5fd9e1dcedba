"""S2R2 (arXiv 2605.01605): penalise the worst segment drift under perturbed prompts, and keep the adapter stable.

The paper's full text is not available: details beyond its abstract and public reviews are this project's
reconstruction, marked [own].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.training.method import method
from holdfast.training.objectives.segments.settings import S2R2

if TYPE_CHECKING:
    from holdfast.training.contract import Objective, TrainingContext


@method("s2r2", "loss", settings=S2R2, perturbs=True, classifies=False)
def s2r2(settings: S2R2, context: TrainingContext) -> Objective:
    """Penalise the worst segment drift under perturbed prompts, and adapter instability (arXiv 2605.01605)."""
    from holdfast.training.objectives.segments.objective import SegmentDriftObjective

    return SegmentDriftObjective(settings, context)
