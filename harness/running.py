"""One run in progress: ask the engine, score what comes, store it, never ask twice."""

import time
from collections import Counter
from collections.abc import Sequence
from itertools import islice

from holdfast.harness.backends import Backend, Generation
from holdfast.harness.plan import Item, requests_for
from holdfast.harness.progress import Advance
from holdfast.harness.records import CLEAN, Record, Samples
from holdfast.harness.scoring import Scored, Scorer, drifted_segments

COPIED_AT_ONCE = 256


class Running:
    """What is known while a run goes on: which items are stored, and the clean answers."""

    def __init__(self, engine: Backend, scorer: Scorer, samples: Samples, log_segments: bool) -> None:
        self._engine = engine
        self._scorer = scorer
        self._samples = samples
        self._log_segments = log_segments
        self._done: set[str] = set()
        self._clean: dict[tuple[str, str, str], Generation] = {}
        self.seconds = {"generate": 0.0, "score": 0.0}
        self.truncated: Counter[str] = Counter()
        """By task: prompts that did not fit into the model and lost their beginning."""
        for line in samples:
            self._done.add(line["key"])
            self.truncated[line["task"]] += line["truncated"]
            if line["perturbation"] == CLEAN:
                answer = Generation(line["key"], line["output"], line["tokens"], line["finish"], line["truncated"])
                self._clean[line["adapter"], line["task"], line["sample"]] = answer

    def count(self) -> int:
        """How many generations are stored."""
        return len(self._done)

    def ask(self, items: Sequence[Item], advance: Advance) -> None:
        """Generate, score and store all of `items` that are not stored yet."""
        asked = requests_for(items)
        sharing = {request.key: shared for request, shared in asked.items()}
        done = {key for key, shared in sharing.items() if all(item.key in self._done for item in shared)}
        began = time.perf_counter()
        for generations in self._engine.generate(list(asked), done):
            self.seconds["generate"] += time.perf_counter() - began
            self._store([(item, answer) for answer in generations for item in sharing[answer.key]], advance)
            began = time.perf_counter()

    def copy_clean(self, items: Sequence[Item], advance: Advance) -> None:
        """Store the clean answer again for items whose prompt the perturbation could not change."""
        missing = (item for item in items if item.key not in self._done)
        while chunk := list(islice(missing, COPIED_AT_ONCE)):
            self._store([(item, self._clean[item.clean_key]) for item in chunk], advance)

    def _store(self, answered: Sequence[tuple[Item, Generation]], advance: Advance) -> None:
        began = time.perf_counter()
        missing = [(item, answer) for item, answer in answered if item.key not in self._done]
        for item, answer in missing:
            if item.question.variant.perturbation == CLEAN:
                self._clean[item.clean_key] = answer
        items = [item for item, _ in missing]
        scored = self._scorer.score(items, [answer.output for _, answer in missing], self._clean_output)
        self._samples.append(self._record(*pair, scores) for pair, scores in zip(missing, scored, strict=True))
        self._done.update(item.key for item in items)
        self.truncated.update(item.question.task.name for item, answer in missing if answer.truncated)
        self.seconds["score"] += time.perf_counter() - began
        advance(len(items))

    def _clean_output(self, item: Item) -> str:
        return self._clean[item.clean_key].output

    def _record(self, item: Item, answer: Generation, scored: Scored) -> Record:
        variant = item.question.variant
        return Record(
            key=item.key,
            adapter=item.adapter.name,
            adapter_digest=item.adapter.digest,
            task=item.question.task.name,
            sample=item.question.sample.id,
            perturbation=variant.perturbation,
            severity=variant.severity,
            repeat=variant.repeat,
            edit_rate=round(variant.edit_rate, 6),
            edits=tuple((edit.position, edit.removed, edit.inserted) for edit in variant.edits),
            prompt=item.question.prompt,
            output=answer.output,
            tokens=answer.tokens,
            finish=answer.finish,
            truncated=answer.truncated,
            scores=scored.scores,
            segments=drifted_segments(scored.drift) if self._log_segments and scored.drift else None,
        )
