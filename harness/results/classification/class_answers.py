"""The answers of a run that give a label, as classes."""

from typing import TYPE_CHECKING

from holdfast.harness.results.answer_frame import KEY
from holdfast.harness.results.comparison import for_means
from holdfast.harness.store.manifest import Manifest
from holdfast.harness.store.records import CLEAN, IDENTITY

if TYPE_CHECKING:
    import pandas as pd

LABEL, PREDICTED, CONFIDENCE, FLIPPED = "label", "predicted", "confidence", "flipped"


def class_answers(answers: "pd.DataFrame", manifest: Manifest) -> "pd.DataFrame":
    """Return the answers that tables of classes are about: with a label, to prompts that still ask the same.

    Args:
        answers: One row per answer, with `label`, `predicted` and `confidence`.
        manifest: The run's.

    Returns:
        The answers, with `prompts` (clean or perturbed) and `flipped`: 1 where the predicted label differs from that of
        the clean prompt, 0 where it doesn't, NaN for clean answers.
    """
    labelled = answers[(answers[LABEL] != "") & (answers["perturbation"] != IDENTITY) & ~answers["directed"]]
    is_clean = labelled["perturbation"] == CLEAN
    clean = labelled[is_clean].set_index(KEY)[PREDICTED]
    kept = labelled[is_clean | labelled.index.isin(for_means(labelled[~is_clean], manifest).index)]
    before = clean.reindex(kept.set_index(KEY).index).to_numpy()
    prompts = kept["perturbation"].where(kept["perturbation"] == CLEAN, "perturbed")
    flipped = (kept[PREDICTED] != before).astype(float).where(kept["perturbation"] != CLEAN)
    return kept.assign(prompts=prompts, **{FLIPPED: flipped})
