"""`holdfast calibrate`: from which drift on an answer counts as broken, and how often that is right."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from holdfast.errors import UserError
from holdfast.harness.plan.sample_variants import IDENTITY
from holdfast.harness.results.statistics import Values, proportion_interval
from holdfast.harness.store.records import SAMPLES, make_folder, read_samples
from holdfast.metrics.drift import segment_drift
from holdfast.metrics.encoders.encoder import Encoding, encoding_of
from holdfast.metrics.labelled_pairs import LabelledPair, embedded_pairs, read_pairs
from holdfast.metrics.segments import Granularity

FLOOR_QUANTILE = 0.95
"""A break must exceed what this share of repeated prompts stays below."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A threshold of `max_drift`, what it was fitted on, and how it does on the pairs it was not fitted on.

    `fitted_false_alarm` is the share of the fitted pairs of equal meaning at or over the threshold, `false_alarm` that
    of the others, `power` that of the other changed pairs, both with their 95 % Wilson intervals; `noise_floor` the
    drift that 95 % of repeated prompts stay below, where runs were given.
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
    granularity: Granularity


def calibrate(
    runs: Sequence[Path] = (),
    *,
    pairs: Path | None = None,
    encoder: str = "minilm",
    granularity: Granularity = "sentence",
    false_alarm: float = 0.1,
) -> Calibration:
    """The smallest threshold whose false alarms are at most `false_alarm` with confidence, and that lies above the
    noise floor of `runs`.

    With confidence: the upper end of the Wilson interval of the share of pairs of equal meaning called broken is at
    most `false_alarm`. The share itself would be too kind, as few pairs decide on it, and rules were made on them.
    Fitted on one half of the labelled pairs (`pairs`, or the embedded set), judged on the other. Raises UserError
    for pairs or runs that can't be read, and for a set that lacks changed or unchanged pairs in either half.
    """
    if not 0 < false_alarm < 1:
        raise UserError(f"--false_alarm {false_alarm:g}: use a share between 0 and 1, such as 0.1")
    labelled = read_pairs(pairs) if pairs else embedded_pairs()
    halves = {name: [pair for pair in labelled if pair.split == name] for name in ("build", "test")}
    for name, half in halves.items():
        if {pair.changed for pair in half} != {True, False}:
            raise UserError(f"the labelled pairs need changed and unchanged ones in their half '{name}'")
    floor = _noise_floor(runs)  # before what takes long
    encoding = encoding_of(encoder)
    drifts = {name: _drifts(half, encoding, granularity) for name, half in halves.items()}
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
        granularity=granularity,
    )


def print_calibration(found: Calibration, out: Path | None) -> None:
    """Print a calibration in words, and write it as JSON where `out` says so."""
    print(f"break threshold  {found.threshold:.4f}   (encoder {found.encoder}, {found.granularity})")
    low, high = found.false_alarm_interval
    print(f"false alarms     {found.false_alarm:.3f} [{low:.3f}, {high:.3f}] on pairs of equal meaning")
    print(f"                 {found.fitted_false_alarm:.3f} on those it was fitted on")
    low, high = found.power_interval
    print(f"power            {found.power:.3f} [{low:.3f}, {high:.3f}] on changed pairs")
    for kind, share in found.power_by_kind.items():
        print(f"  {kind:<15}{share:.3f}")
    if found.noise_floor is not None:
        print(f"noise floor      {found.noise_floor:.4f} (95 % of repeated prompts stay below)")
    print(f"fitted on {found.fitted_on} pairs, judged on {found.judged_on} others")
    print(f"use it with: holdfast run --break_threshold {found.threshold:g}")
    if out is not None:
        make_folder(out.parent, "--out")
        out.write_text(json.dumps(asdict(found), indent=2) + "\n", "utf-8")


def _drifts(pairs: Sequence[LabelledPair], encoding: Encoding, granularity: Granularity) -> Values:
    found = segment_drift(
        [pair.clean for pair in pairs],
        [pair.perturbed for pair in pairs],
        encoding=encoding,
        granularity=granularity,
    )
    return np.array([drift.max_drift for drift in found])


def _noise_floor(runs: Sequence[Path]) -> float | None:
    drifts = [
        line["scores"]["max_drift"]
        for run in runs
        for line in read_samples(run / SAMPLES)
        if line["perturbation"] == IDENTITY
    ]
    return float(np.quantile(drifts, FLOOR_QUANTILE)) if drifts else None


def _bounded(drifts: Values, false_alarm: float) -> float:
    """The smallest drift that so few exceed that the share of those who do is at most `false_alarm` with confidence;
    the largest, where they are too few to be sure of that."""
    falling = np.sort(drifts)[::-1]
    for drift in falling:
        if proportion_interval((drifts >= drift).astype(float))[1] > false_alarm:
            return float(drift)
    return float(falling[-1])


def _just_above(drift: float) -> float:
    return min(1.0, drift + 1e-4)
