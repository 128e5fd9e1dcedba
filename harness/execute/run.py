"""A run in progress: generate, score and store the answers that are still missing."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from holdfast.harness.backends import Backend, Generation
from holdfast.harness.execute.attending import SHIFT, AttentionShifts
from holdfast.harness.execute.failing import failure_of
from holdfast.harness.execute.labelling import labels_of
from holdfast.harness.execute.scoring import DIGITS, Score, Scored, drifted_segments, row_of
from holdfast.harness.execute.tally import Tally
from holdfast.harness.plan.lm_eval.lm_eval_tasks import is_lm_eval_task
from holdfast.harness.plan.plan import Item, requests_for
from holdfast.harness.plan.search import Attempts
from holdfast.harness.store.progress import Advance
from holdfast.harness.store.records import CLEAN, IDENTITY, Record
from holdfast.harness.store.run_folder import Samples
from holdfast.perturbations import Edit
from holdfast.tasks.groups import group_labels

_CHUNK = 256
"""Number of copied answers that are stored together."""


class Run:
    """The state of a run in progress: which items are stored, their clean answers, and the search's attempts.

    Args:
        engine: Generates the answers.
        score: Scores them.
        samples: The open samples file; answers in it are not generated again.
        log_segments: Also store the drifted segments.
        attempts: Records attempts for a greedy search.
        shifts: Measures attention shifts.
        keep_reasoning: Score what a model thinks aloud as a part of its answer.
    """

    def __init__(
        self,
        engine: Backend,
        score: Score,
        samples: Samples,
        log_segments: bool,
        attempts: Attempts | None = None,
        shifts: AttentionShifts | None = None,
        keep_reasoning: bool = False,
    ) -> None:
        self._engine = engine
        self._score = score
        self._samples = samples
        self._log_segments = log_segments
        self._attempts = attempts
        self._shifts = shifts
        self._keep_reasoning = keep_reasoning
        self._done: set[str] = set()
        self._clean: dict[tuple[str, str, str], Generation] = {}
        self.seconds = {"generate": 0.0, "score": 0.0}
        self.tallies: defaultdict[str, Tally] = defaultdict(Tally)
        """What became of the answers, by task."""
        for line in samples:
            self._done.add(line["key"])
            answer = _stored(line)
            self.tallies[line["task"]].add(line["sample"], answer, line["scores"])
            if line["perturbation"] == CLEAN:
                self._clean[line["adapter"], line["task"], line["sample"]] = answer
            elif attempts and line["perturbation"] != IDENTITY:
                search = tuple(line[name] for name in ("adapter", "task", "sample", "perturbation", "severity"))
                attempts.add(search, line["repeat"], (Edit(*edit) for edit in line["edits"]), line["scores"])

    def count(self) -> int:
        """Return the number of stored answers."""
        return len(self._done)

    def ask(self, items: Sequence[Item], advance: Advance) -> None:
        """Generate, score and store all `items` that are not stored yet.

        Args:
            items: The items.
            advance: Called with the number of answers stored.

        Raises:
            RuntimeError: If the engine leaves a request unanswered.
        """
        requests = requests_for(items)
        sharing = {request.key: shared for request, shared in requests.items()}
        done = {key for key, shared in sharing.items() if all(item.key in self._done for item in shared)}
        began = time.perf_counter()
        for generations in self._engine.generate(list(requests), done):
            self.seconds["generate"] += time.perf_counter() - began
            answered = [(item, _unshaped(item, answer)) for answer in generations for item in sharing[answer.key]]
            self._store(answered, advance)
            began = time.perf_counter()
        unanswered = sum(item.key not in self._done for item in items)
        if unanswered:
            raise RuntimeError(f"the backend left {unanswered} of {len(items)} requests unanswered")

    def copy_clean(self, items: Sequence[Item], advance: Advance) -> None:
        """Store the clean answer again for items whose prompt the perturbation didn't change."""
        missing = (item for item in items if item.key not in self._done)
        while chunk := list(islice(missing, _CHUNK)):
            self._store([(item, self._clean[item.clean_key]) for item in chunk], advance)

    def _store(self, answered: Sequence[tuple[Item, Generation]], advance: Advance) -> None:
        began = time.perf_counter()
        missing = [(item, answer) for item, answer in answered if item.key not in self._done]
        if self._keep_reasoning:
            missing = [(item, with_reasoning(answer)) for item, answer in missing]
        for item, answer in missing:
            if item.question.variant.perturbation == CLEAN:
                self._clean[item.clean_key] = answer
        items = [item for item, _ in missing]
        scored = self._score([row_of(item, answer, self._clean_output) for item, answer in missing])
        if self._shifts:
            self._add_shifts(missing, scored, self._shifts)
        self._samples.append(self._record(*pair, scores) for pair, scores in zip(missing, scored, strict=True))
        self._done.update(item.key for item in items)
        if self._attempts:
            self._remember(items, scored, self._attempts)
        for (item, answer), result in zip(missing, scored, strict=True):
            self.tallies[item.question.task.name].add(item.question.sample.id, answer, result.scores)
        self.seconds["score"] += time.perf_counter() - began
        advance(len(items))

    def _remember(self, items: Sequence[Item], scored: Sequence[Scored], attempts: Attempts) -> None:
        for item, result in zip(items, scored, strict=True):
            variant = item.question.variant
            if variant.perturbation not in (CLEAN, IDENTITY):
                search = (*item.clean_key, variant.perturbation, variant.severity)
                attempts.add(search, variant.repeat, variant.edits, result.scores)

    def _add_shifts(
        self, answered: Sequence[tuple[Item, Generation]], scored: Sequence[Scored], shifts: AttentionShifts
    ) -> None:
        for (item, answer), result in zip(answered, scored, strict=True):
            if result.drift is not None:
                shift = shifts.of(item, answer.output, self._clean_output(item), result.drift)
                if shift is not None:
                    result.scores[SHIFT] = round(shift, DIGITS)

    def _clean_output(self, item: Item) -> str:
        return self._clean[item.clean_key].output

    def _record(self, item: Item, answer: Generation, scored: Scored) -> Record:
        variant = item.question.variant
        label, predicted = labels_of(item, answer.output) or (None, None)
        return Record(
            key=item.key,
            adapter=item.adapter.name,
            adapter_digest=item.adapter.digest,
            task=item.question.task.name,
            sample=item.question.sample.id,
            perturbation=variant.perturbation,
            severity=variant.severity,
            repeat=variant.repeat,
            edit_rate=round(variant.edit_rate, DIGITS),
            edits=tuple((edit.position, edit.removed, edit.inserted) for edit in variant.edits),
            meaning=item.question.meaning,
            prompt=item.question.prompt,
            output=answer.output,
            tokens=answer.tokens,
            finish=answer.finish,
            truncated=answer.truncated,
            scores=scored.scores,
            reason=scored.drift.worst.reason if scored.drift and scored.drift.worst else "",
            encoder=scored.drift.encoder if scored.drift else "",
            likelihoods=answer.likelihoods or None,
            reasoning=answer.reasoning or None,
            margins=answer.margins if any(answer.margins) and is_lm_eval_task(item.question.task.name) else None,
            groups=group_labels(item.question.sample) or None,
            item=item.question.sample.item or None,
            failure=failure_of(item, answer.output, self._clean_output) or None,
            label=label,
            predicted=predicted,
            segments=drifted_segments(scored.drift) if self._log_segments and scored.drift else None,
        )


def _unshaped(item: Item, answer: Generation) -> Generation:
    """Return the answer to a prompt in another shape as if it were to the clean one: its options as lettered there."""
    shape = item.question.shape
    if shape is None or not shape.letters:
        return answer
    choices = item.question.sample.choices
    likelihoods = shape.clean_likelihoods(answer.likelihoods, choices) if answer.likelihoods else ()
    return replace(answer, output=shape.clean_answer(answer.output), likelihoods=likelihoods)


def _stored(line: Mapping[str, Any]) -> Generation:
    """Return the answer in a line of samples.jsonl."""
    return Generation(
        line["key"],
        line["output"],
        line["tokens"],
        line["finish"],
        line["truncated"],
        tuple(line.get("likelihoods", ())),
        line.get("reasoning", ""),
        tuple(line.get("margins", ("", ""))),
    )


def with_reasoning(answer: Generation) -> Generation:
    """Return the answer with the model's reasoning as a part of its text."""
    if not answer.reasoning:
        return answer
    return replace(answer, output=f"{answer.reasoning}\n\n{answer.output}".strip(), reasoning="", margins=("", ""))
