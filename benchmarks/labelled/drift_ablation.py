"""Measure what each kind of difference earns: fit the costs without it, and measure drift on foreign and own pairs.

python benchmarks/labelled/drift_ablation.py --fit NAME=FILE,FILE ... --on FILE ... [--encoder minilm] [--cache DIR]
    [--kinds KIND ...] [--most 300]

The costs are fitted on the families of --fit, as `holdfast calibrate --fit` does, but in a single round from the
shipped costs; the AUROC is that of the worst segment of each pair of --on. With --cache, vectors are kept in a folder,
so that a change of the detectors is measured in a minute. --kinds lists what is left out, each in turn (default: every
kind).
"""

import argparse
import hashlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.harness.actions.fitting import KINDS, Family, auroc, fitted, read_families, strengths_of
from holdfast.metrics.costs import Costs, shipped_costs
from holdfast.metrics.encoders.encoder import encoding_of
from holdfast.metrics.labelled_pairs import drawn_pairs
from holdfast.metrics.metric import Encode


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--fit", nargs="+", required=True, metavar="NAME=FILE")
    arguments.add_argument("--on", nargs="+", type=Path, required=True, metavar="FILE")
    arguments.add_argument("--encoder", default="minilm")
    arguments.add_argument("--cache", type=Path, metavar="DIR")
    arguments.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS, metavar="KIND")
    arguments.add_argument("--most", type=int, default=300, help="pairs of either class to draw from a file of --on")
    args = arguments.parse_args()
    encoding = encoding_of(args.encoder)
    if args.cache:
        args.cache.mkdir(exist_ok=True)
        encoding = encoding.wrapped(lambda name, encode: Kept(encode, args.cache / name))
    families = read_families(args.fit)
    measured = [Family(file.stem, (file,), tuple(drawn_pairs(file, args.most))) for file in args.on]
    costs = shipped_costs().of(args.encoder != "lexical")
    began = time.process_time()
    strengths = [strengths_of(family, encoding, costs) for family in families]
    on = [strengths_of(family, encoding, costs) for family in measured]
    print(f"{time.process_time() - began:.0f} s of processor time")
    names = [
        family.name.removeprefix("drift_pairs_").removeprefix("pairs_").removesuffix("_train") for family in measured
    ]
    print(f"{'without':18}{'mean':>8}" + "".join(f"{name:>9}" for name in names))
    print(row("(shipped costs)", measured, on, costs))
    for kind in ("", *args.kinds):
        kept = [np.where(np.array(KINDS) == kind, 0.0, each) for each in strengths]
        print(row(kind or "(nothing)", measured, on, dropped(fitted(families, kept), kind)), flush=True)


def dropped(costs: Costs, kind: str) -> Costs:
    return Costs({each: 0.0 if each == kind else weight for each, weight in costs.weights.items()}, costs.middle)


def row(name: str, families: Sequence[Family], strengths: Sequence[Any], costs: Costs) -> str:
    weights = np.array([costs.weights[kind] for kind in KINDS])
    values = [
        auroc(each @ weights, np.array([changed for *_, changed in family.pairs]))
        for family, each in zip(families, strengths, strict=True)
    ]
    return f"{name:18}{np.mean(values):8.4f}" + "".join(f"{value:9.4f}" for value in values)


class Kept:
    """An encoder that keeps its vectors in a folder, one file for the texts of each call."""

    def __init__(self, encode: Encode, folder: Path) -> None:
        self._encode, self._folder = encode, folder
        self._folder.mkdir(exist_ok=True)
        if hasattr(encode, "with_words"):
            self.with_words = self._with_words

    def __call__(self, texts: Sequence[str]) -> Any:
        return self._read(repr(list(texts)), lambda: {"rows": self._encode(texts)})["rows"]

    def _with_words(self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]) -> tuple[Any, list[Any]]:
        def read() -> dict[str, Any]:
            rows, words = self._encode.with_words(texts, spans)  # type: ignore[attr-defined]
            return {"rows": rows, "words": np.concatenate(words)}

        found = self._read(repr((list(texts), [list(each) for each in spans])), read)
        return found["rows"], [*_cut(found["words"], [len(each) for each in spans])]

    def _read(self, key: str, make: Any) -> Any:
        file = self._folder / f"{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}.npz"
        if not file.exists():
            np.savez(file, **make())
        return np.load(file)


def _cut(rows: Any, lengths: Sequence[int]) -> Iterator[Any]:
    at = 0
    for length in lengths:
        yield rows[at : at + length]
        at += length


if __name__ == "__main__":
    main()
