"""`holdfast explain` and `holdfast drift`: compare two answers segment by segment, with the reasons."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import regex

from holdfast.errors import UserError, printable
from holdfast.harness.execute.encoding import run_encoding
from holdfast.harness.execute.scoring import DIGITS
from holdfast.harness.plan.preparation import load_tasks
from holdfast.harness.results.console import ShownConsole
from holdfast.harness.results.layout.wrapping import WIDTH, wrapped
from holdfast.harness.results.marking.located_edits import located_edits
from holdfast.harness.results.marking.word_diff import shown, shown_edits
from holdfast.harness.results.reopening import as_in_run, find_answer
from holdfast.harness.store.lines import Line
from holdfast.language.unspaced import is_unspaced
from holdfast.metrics.drift import Drift, SegmentDrift, segment_drift
from holdfast.metrics.encoders.encoder import encoding_of
from holdfast.metrics.encoders.model_states import MODEL
from holdfast.metrics.segments import Granularity
from holdfast.reading import read_bytes

_SMALL, _LARGE = 0.2, 0.5


def explain(folder: Path, key: str | None, *, as_json: bool) -> None:
    """Compare one answer of a run (by default the one that drifted most) with its clean answer, and print it."""
    found = find_answer(folder, key)
    config, clean, perturbed = found.manifest.config, found.clean, found.perturbed
    with as_in_run(found.manifest):
        [drift] = segment_drift(
            [clean["output"]],
            [perturbed["output"]],
            encoding=run_encoding(config, load_tasks(config.tasks, config) if MODEL in config.encoder else ()),
            granularity=config.granularity,
            pipeline=config.spacy_pipeline,
            comparer=config.comparer,
        )
    if as_json:
        fields = ("key", "adapter", "task", "sample", "perturbation", "severity", "repeat", "edits")
        asked = {name: perturbed[name] for name in fields}
        texts = {
            f"{side}_{name}": line[name]
            for side, line in (("clean", clean), ("perturbed", perturbed))
            for name in ("prompt", "output")
        }
        _print_json(asked | texts | as_dict(drift))
        return
    name = f"{perturbed['perturbation']}@{perturbed['severity']}"
    print(shown(f"{perturbed['adapter']}, {perturbed['task']}, {perturbed['sample']}, {name} ({perturbed['key']})"))
    print(f"\n{_prompt(clean['prompt'], perturbed)}\n")
    print_drift(drift)


def compare_files(
    first: Path, second: Path, *, encoder: str, comparer: str, granularity: Granularity, as_json: bool
) -> None:
    """Print how far the text in `second` drifted from the one in `first`; `-` is standard input.

    Raises:
        UserError: If a text can't be read.
    """
    if str(first) == str(second) == "-":
        raise UserError("standard input can be only one of the two texts; name a file for the other")
    texts = [_read(first)], [_read(second)]
    [drift] = segment_drift(*texts, encoding=encoding_of(encoder), granularity=granularity, comparer=comparer)
    if as_json:
        _print_json(as_dict(drift))
    else:
        print_drift(drift)


def print_drift(drift: Drift) -> None:
    """Print the numbers, then each segment above its counterpart, in colour on a terminal."""
    from rich.table import Table
    from rich.text import Text

    scores = ", ".join(f"{name} {value:.3f}" for name, value in drift.scores().items())
    print("\n".join(wrapped(scores) + ([f"encoder {printable(drift.encoder)}"] if drift.encoder else [])))
    console = ShownConsole(WIDTH)
    for part, *texts in _rows(drift):
        table = Table.grid(padding=(0, 2, 0, 0))
        style = "green" if part.drift < _SMALL else "yellow" if part.drift < _LARGE else "red"
        table.add_row(Text(f"{part.drift:.3f}", style=style), Text(part.reason))
        for side, text, words in zip(("clean", "perturbed"), texts, _words(part), strict=True):
            marked = Text(text or "(nothing)")
            for word in words:
                whole = regex.escape(word) if is_unspaced(word) else rf"(?<!\w){regex.escape(word)}(?!\w)"
                for found in regex.finditer(whole, text):
                    marked.stylize("bold underline", *found.span())
            table.add_row(side, marked)
        console.print()
        console.print(table)


def as_dict(drift: Drift) -> dict[str, Any]:
    """Return everything about a drift, for JSON."""
    return {
        "scores": {name: round(value, DIGITS) for name, value in drift.scores().items()},
        "encoder": drift.encoder,
        "reasons": list(drift.reasons),
        "clean": [_segment(part) for part in drift.clean],
        "perturbed": [_segment(part) for part in drift.perturbed],
        "links": [link._asdict() | {"mass": round(link.mass, DIGITS)} for link in drift.links],
    }


def _segment(part: SegmentDrift) -> dict[str, Any]:
    return {
        "text": part.segment.text,
        "start": part.segment.start,
        "end": part.segment.end,
        "drift": round(part.drift, DIGITS),
        "partner": part.partner.text if part.partner else None,
        "conflict": round(part.conflict, DIGITS),
        "reason": part.reason,
        "differences": [
            {
                "kind": each.kind,
                "strength": round(each.strength, DIGITS),
                "clean": list(each.clean),
                "perturbed": list(each.perturbed),
            }
            for each in part.findings
        ],
    }


def _rows(drift: Drift) -> Sequence[tuple[SegmentDrift, str, str]]:
    """Pair each clean segment with its counterpart; perturbed segments without one follow."""
    rows = [(part, part.segment.text, _partner(part)) for part in drift.clean]
    shown = {part.partner for part in drift.clean}
    rest = [part for part in drift.perturbed if part.segment not in shown]
    return rows + [(part, _partner(part), part.segment.text) for part in rest]


def _words(part: SegmentDrift) -> tuple[set[str], set[str]]:
    """Return the words to mark on either side: those of every difference that has a reason."""
    told = [each for each in part.findings if each.reason]
    return {word for each in told for word in each.clean}, {word for each in told for word in each.perturbed}


def _partner(part: SegmentDrift) -> str:
    return part.partner.text if part.partner else ""


def _prompt(clean_prompt: str, perturbed: Line) -> str:
    """Mark the edits in the prompt, if they can be located within the text that the template put around the content."""
    found = located_edits(clean_prompt, perturbed["prompt"], perturbed["edits"])
    return shown_edits(found) if found else shown(f"{clean_prompt}\n-> {perturbed['prompt']}")


def _read(path: Path) -> str:
    content = sys.stdin.buffer.read() if str(path) == "-" else read_bytes(path)
    if b"\0" in content:
        raise UserError(f"'{path}' contains NUL bytes: it is not a text file")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise UserError(f"'{path}' is not UTF-8 text: convert it, for example with iconv") from None


def _print_json(content: Mapping[str, Any]) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=2))
