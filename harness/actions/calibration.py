"""`holdfast calibrate`: fit the drift from which an answer counts as broken, and measure how often that is right."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from holdfast.errors import UserError
from holdfast.harness.plan import model_judge  # noqa: F401 (registers the comparer)
from holdfast.harness.results.statistics import Values, proportion_interval
from holdfast.harness.store.records import IDENTITY
from holdfast.harness.store.stored_run import open_run
from holdfast.metrics.comparers.segment_comparer import FACTS, Comparer, comparer_of
from holdfast.metrics.drift import segment_drift
from holdfast.metrics.encoders.encoder import Encoding, encoding_of
from holdfast.metrics.labelled_pairs import LabelledPair, embedded_pairs, read_pairs
from holdfast.metrics.segments import Granularity
from holdfast.writing import check_own_file, write_text

_BEGINNING = rb'\{\s*"threshold": [^,]+,\s*"wanted_false_alarm": '
"""How the file of a calibration begins."""

FLOOR_QUANTILE = 0.95
"""A break must exceed the drift that this share of repeated prompts stays below."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A threshold of `break_drift`, and how it does on pairs that it was not fitted on.

    Attributes:
        threshold: Answers with at least this `break_drift` count as broken.
        wanted_false_alarm: The bound on false alarms that was asked for.
        fitted_on: Number of pairs in the half that it was fitted on.
        fitted_false_alarm: Share of that half's pairs of equal meaning at or above the threshold.
        false_alarm: The same share for the other half, with its 95 % Wilson interval.
        power: Share of the other half's changed pairs at or above the threshold, with its 95 % Wilson interval.
        power_by_kind: The same, by kind of change.
        judged_on: Number of pairs in the other half.
        noise_floor: The drift that 95 % of repeated prompts stay below; None without runs.
    """

    threshold: float
    wanted_false_alarm: float
    fitted_on: int
    fitted_false_alarm: float
    false_alarm: float
    false_alarm_interval: tuple[float, float]
    power: float
    power_interval: tuple[float, float]
    power_by_kind: dict[str, float]
    judged_on: int
    noise_floor: float | None
    encoder: str
    comparer: str
    granularity: Granularity


def calibrate(
    runs: Sequence[Path] = (),
    *,
    pairs: Path | None = None,
    encoder: str = "minilm",
    comparer: str = FACTS,
    granularity: Granularity = "sentence",
    false_alarm: float = 0.1,
) -> Calibration:
    """Fit the smallest threshold that keeps false alarms low with confidence and lies above the noise floor of `runs`.

    With confidence: the upper end of the Wilson interval of the false-alarm rate is at most `false_alarm`. The rate
    itself would be optimistic, since few pairs determine it and rules were written on them. The threshold is fitted on
    one half of the labelled pairs and measured on the other.

    Args:
        runs: Runs whose noise floor the threshold must exceed.
        pairs: A file of labelled pairs; by default the embedded set.
        encoder: The sentence encoder.
        comparer: What judges how far two segments differ.
        granularity: What answers are cut into.
        false_alarm: The bound on the false-alarm rate, in (0, 1).

    Raises:
        UserError: If pairs or runs can't be read, or a half lacks changed or unchanged pairs.
    """
    if not 0 < false_alarm < 1:
        raise UserError(f"--false_alarm must be between 0 and 1, got {false_alarm:g}")
    labelled = read_pairs(pairs) if pairs else embedded_pairs()
    halves = {name: [pair for pair in labelled if pair.split == name] for name in ("build", "test")}
    for name, half in halves.items():
        if {pair.changed for pair in half} != {True, False}:
            raise UserError(f"the labelled pairs of the half '{name}' must include both changed and unchanged ones")
    floor = _noise_floor(runs)  # first, since the rest takes long
    encoding, judging = encoding_of(encoder), comparer_of(comparer)
    drifts = {name: _drifts(half, encoding, judging, granularity) for name, half in halves.items()}
    same = drifts["build"][[not pair.changed for pair in halves["build"]]]
    threshold = _just_above(max(_bounded(same, false_alarm), floor or 0.0))
    broke = drifts["test"] >= threshold
    changed = np.array([pair.changed for pair in halves["test"]])
    kinds = sorted({pair.kind for pair in halves["test"] if pair.changed})
    by_kind = {kind: broke[[pair.changed and pair.kind == kind for pair in halves["test"]]].mean() for kind in kinds}
    return Calibration(
        threshold=round(threshold, 6),
        wanted_false_alarm=false_alarm,
        fitted_on=len(halves["build"]),
        fitted_false_alarm=float((same >= threshold).mean()),
        false_alarm=float(broke[~changed].mean()),
        false_alarm_interval=proportion_interval(broke[~changed].astype(float)),
        power=float(broke[changed].mean()),
        power_interval=proportion_interval(broke[changed].astype(float)),
        power_by_kind={kind: round(float(share), 4) for kind, share in by_kind.items()},
        judged_on=len(halves["test"]),
        noise_floor=floor,
        encoder=encoder,
        comparer=comparer,
        granularity=granularity,
    )


def check_target(out: Path) -> None:
    """Raise UserError unless a calibration can be written to `out`; a file of something else is not replaced."""
    check_own_file(out, _BEGINNING)


def print_calibration(found: Calibration, out: Path | None) -> None:
    """Print a calibration, and write it as JSON to `out` if given."""
    how = f"encoder {found.encoder}, comparer {found.comparer}, {found.granularity}"
    print(f"break threshold  {found.threshold:.4f}   ({how})")
    low, high = found.false_alarm_interval
    print(f"false alarms     {found.false_alarm:.3f} [{low:.3f}, {high:.3f}] on pairs of equal meaning")
    print(f"                 {found.fitted_false_alarm:.3f} on the half it was fitted on")
    low, high = found.power_interval
    print(f"power            {found.power:.3f} [{low:.3f}, {high:.3f}] on changed pairs")
    for kind, share in found.power_by_kind.items():
        print(f"  {kind:<15}{share:.3f}")
    if found.noise_floor is not None:
        print(f"noise floor      {found.noise_floor:.4f} (95 % of repeated prompts stay below)")
    print(f"fitted on {found.fitted_on} pairs, judged on {found.judged_on} others")
    print(f"use it with: holdfast run --break_threshold {found.threshold:g}")
    if out is not None:
        write_text(out, json.dumps(asdict(found), indent=2) + "\n")


def _drifts(pairs: Sequence[LabelledPair], encoding: Encoding, comparer: Comparer, granularity: Granularity) -> Values:
    found = segment_drift(
        [pair.clean for pair in pairs],
        [pair.perturbed for pair in pairs],
        encoding=encoding,
        granularity=granularity,
        comparer=comparer,
    )
    return np.array([drift.break_drift for drift in found])


def _noise_floor(runs: Sequence[Path]) -> float | None:
    drifts = [
        line["scores"].get("break_drift", 0.0)
        for run in runs
        for line in open_run(run).answers()
        if line["perturbation"] == IDENTITY
    ]
    return float(np.quantile(drifts, FLOOR_QUANTILE)) if drifts else None


def _bounded(drifts: Values, false_alarm: float) -> float:
    """Return the smallest drift at which the false-alarm rate is at most `false_alarm` with confidence.

    With too few pairs for that, return the largest drift.
    """
    falling = np.sort(drifts)[::-1]
    for drift in falling:
        if proportion_interval((drifts >= drift).astype(float))[1] > false_alarm:
            return float(drift)
    return float(falling[-1])


def _just_above(drift: float) -> float:
    return min(1.0, drift + 1e-4)
