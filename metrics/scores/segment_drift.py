"""Segment drift as a pair metric; `holdfast.metrics.drift` measures it."""

from collections.abc import Sequence

from holdfast.metrics.drift_columns import DRIFTS
from holdfast.metrics.metric import Encode, Scores, pair_metric


@pair_metric("segment_drift", dict.fromkeys(DRIFTS, False), needs_encoder=True)
def drift_scores(clean: Sequence[str], perturbed: Sequence[str], *, encode: Encode) -> list[Scores]:
    """Return the numbers of `segment_drift` by name; identical answers score 0."""
    from holdfast.metrics.drift import segment_drift
    from holdfast.metrics.encoders.encoder import Encoding

    return [drift.scores() for drift in segment_drift(clean, perturbed, encoding=Encoding("given", encode))]
