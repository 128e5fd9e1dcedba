"""`holdfast shrink`: find the fewest edits of a prompt that still break the answer, by delta debugging."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from holdfast.errors import UserError
from holdfast.harness.backends import Backend, backends
from holdfast.harness.backends.backend import BackendOptions, Build, Request, find_files
from holdfast.harness.execute.encoding import run_encoding
from holdfast.harness.execute.run import with_reasoning
from holdfast.harness.models.adapter import Adapter
from holdfast.harness.models.checkpoints import scale_adapters
from holdfast.harness.plan.adapter_choice import choose_adapters
from holdfast.harness.plan.label_choices import with_label_choices
from holdfast.harness.plan.lm_eval.lm_eval_tasks import for_engine
from holdfast.harness.plan.mitigations import with_mitigations
from holdfast.harness.plan.plan import items_for, question_maker, requests_for
from holdfast.harness.plan.preparation import load_tasks
from holdfast.harness.plan.sample_variants import SampleVariant
from holdfast.harness.plan.shaping import reshapes
from holdfast.harness.results.marking.word_diff import shown, shown_edits
from holdfast.harness.results.reopening import AnswerPair, as_in_run, find_answer
from holdfast.metrics.comparers.segment_comparer import comparer_of
from holdfast.metrics.drift import segment_drift
from holdfast.perturbations import Edit, Edits, Variant

Chosen = tuple[int, ...]
"""Indices into a variant's edits."""

_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A variant before and after shrinking: its edits, the answers and their drifts from the clean answer.

    `asked` is the number of prompts that were generated.
    """

    before: Edits
    after: Edits
    clean_output: str
    before_output: str
    after_output: str
    before_drift: float
    after_drift: float
    threshold: float
    asked: int


def shrink(folder: Path, key: str | None = None, *, device: str | None = None, backend: Build | None = None) -> Shrunk:
    """Reduce a variant to a smallest subset of its edits whose answer still drifts.

    The answer must still drift by the run's break threshold, or by as much as the whole variant's if that is less.
    Smallest means that no single edit can be left out (1-minimal; ddmin, Zeller and Hildebrandt 2002). The adapter is
    loaded and generates again, with the run's settings.

    Args:
        folder: A run.
        key: The key of an answer in samples.jsonl; by default the one that drifted most.
        device: Where to run; by default the run's device.
        backend: Builds the engine instead of the run's backend.

    Raises:
        UserError: If the answer did not drift, the weights have changed, or the drift is not reproducible.
    """
    found = find_answer(folder, key)
    if reshapes(found.perturbed["perturbation"]):
        raise UserError(
            f"answer {found.perturbed['key']}: {found.perturbed['perturbation']} changes the form of the whole prompt, "
            "which has no single edits to leave out"
        )
    drift = found.perturbed["scores"].get("max_drift", 0.0)
    if not found.perturbed["edits"] or drift <= _TOLERANCE:
        raise UserError(f"answer {found.perturbed['key']} did not drift: there is nothing to shrink")
    threshold = min(found.manifest.config.break_threshold, drift) - _TOLERANCE
    with as_in_run(found.manifest):
        return _shrunk(found, _Trial(found, device, backend), threshold)


def _shrunk(found: AnswerPair, trial: "_Trial", threshold: float) -> Shrunk:
    everything = tuple(range(len(trial.whole.edits)))
    if trial.drifts([everything])[0] < threshold:
        raise UserError(
            f"generated again, answer {found.perturbed['key']} drifts by {trial.drifts([everything])[0]:.3f}, not "
            f"{found.perturbed['scores']['max_drift']:.3f}: it is not stable enough to shrink"
        )
    kept = fewest(len(everything), lambda subsets: [each >= threshold for each in trial.drifts(subsets)])
    return Shrunk(
        before=trial.whole,
        after=trial.edits(kept),
        clean_output=found.clean["output"],
        before_output=trial.outputs[everything],
        after_output=trial.outputs[kept],
        before_drift=trial.drifts([everything])[0],
        after_drift=trial.drifts([kept])[0],
        threshold=threshold,
        asked=len(trial.outputs),
    )


def fewest(count: int, still: Callable[[list[Chosen]], Sequence[bool]]) -> Chosen:
    """Return a subset of `count` items for which `still` holds, and no longer holds without any one of them (ddmin).

    `still` judges many subsets at once; it must hold for all items together.

    >>> fewest(8, lambda subsets: [{2, 5} <= set(subset) for subset in subsets])
    (2, 5)
    """
    kept, parts = tuple(range(count)), 2
    while len(kept) > 1:
        size = -(-len(kept) // parts)
        subsets = [kept[at : at + size] for at in range(0, len(kept), size)]
        rests = [tuple(each for each in kept if each not in subset) for subset in subsets] if parts > 2 else []
        smaller = [subset for subset, true in zip(subsets + rests, still(subsets + rests), strict=True) if true]
        if smaller:
            next_kept = min(smaller, key=len)
            parts = max(2, parts - 1) if next_kept in rests else 2
            kept = next_kept
        elif size == 1:
            break
        else:
            parts = min(len(kept), 2 * parts)
    return kept


def print_shrunk(folder: Path, key: str | None, device: str | None) -> None:
    """Shrink a variant, and print the prompt and the answer before and after."""
    found = shrink(folder, key, device=device)
    print(f"clean answer:   {shown(found.clean_output)}")
    print(f"\n{_edits(found.before)}, drift {found.before_drift:.3f}:")
    print(f"{shown_edits(found.before)}\nanswer:         {shown(found.before_output)}")
    print(
        f"\n{_edits(found.after)} {'suffice' if len(found.after.edits) > 1 else 'suffices'}, "
        f"drift {found.after_drift:.3f}:"
    )
    print(f"{shown_edits(found.after)}\nanswer:         {shown(found.after_output)}")
    print(f"\n{found.asked} prompts generated; an answer counts as drifted from {found.threshold:.3f}")


def _edits(edits: Edits) -> str:
    return f"{len(edits.edits)} edit{'s' if len(edits.edits) > 1 else ''}"


class _Trial:
    """Generates answers for subsets of one variant's edits, each only once."""

    def __init__(self, found: AnswerPair, device: str | None, connect: Build | None) -> None:
        config, line = found.manifest.config, found.perturbed
        self._line, self._clean, self._config = line, found.clean["output"], config
        self._adapter = _adapter(found)
        tasks = with_label_choices(load_tasks(config.tasks, config), config, [self._adapter])
        self._ask = question_maker(config, tasks)
        contents = {(task.name, sample.id): sample.content for task in tasks for sample in task.samples}
        content = contents.get((line["task"], line["sample"]), "")
        self.whole = Edits(content, tuple(Edit(*edit) for edit in line["edits"]))
        if not content or self._request(tuple(range(len(line["edits"])))).prompt != line["prompt"]:
            raise UserError(f"the data of task '{line['task']}' have changed since the run: run it again first")
        options = BackendOptions(
            for_engine(config).model_args,
            None,
            device or config.device,
            clock=datetime.fromisoformat(found.manifest.started),
            chat_template_kwargs=for_engine(config).chat_template_kwargs,
        )
        self._engine: Backend = (connect or backends.get(config.model).build)(options, [self._adapter])
        self._encoding = run_encoding(config, tasks, self._engine)
        self._comparer = comparer_of(config.comparer)
        self.outputs: dict[Chosen, str] = {}
        self._drifts: dict[Chosen, float] = {(): 0.0}

    def edits(self, chosen: Chosen) -> Edits:
        return Edits(self.whole.original, tuple(self.whole.edits[i] for i in chosen))

    def drifts(self, subsets: Sequence[Chosen]) -> list[float]:
        """Return how far each subset's answer drifts from the clean one."""
        missing = [subset for subset in dict.fromkeys(subsets) if subset not in self._drifts]
        if missing:
            requests = {self._request(subset): subset for subset in missing}
            found = (answer for batch in self._engine.generate(list(requests)) for answer in batch)
            kept = (with_reasoning(answer) if self._config.keep_reasoning else answer for answer in found)
            answers = {answer.key: answer.output for answer in kept}
            self.outputs |= {subset: answers[request.key] for request, subset in requests.items()}
            measured = segment_drift(
                [self._clean] * len(missing),
                [self.outputs[subset] for subset in missing],
                encoding=self._encoding,
                granularity=self._config.granularity,
                pipeline=self._config.spacy_pipeline,
                comparer=self._comparer,
            )
            self._drifts |= {subset: each.max_drift for subset, each in zip(missing, measured, strict=True)}
        return [self._drifts[subset] for subset in subsets]

    def _request(self, chosen: Chosen) -> Request:
        line = self._line
        edits = self.edits(chosen)
        variant = Variant(edits.text, line["perturbation"], line["severity"], line["repeat"], edits.edits, 0.0)
        [item] = items_for([self._ask(SampleVariant(line["task"], line["sample"], variant))], [self._adapter])
        [request] = requests_for([item])
        return replace(request, key=f"{item.key}{chosen}")


def _adapter(found: AnswerPair) -> Adapter:
    config, line = found.manifest.config, found.perturbed
    one_is_enough = config.model_copy(update={"skip_bad_adapters": True})
    scaled = scale_adapters(choose_adapters(one_is_enough, find_files).adapters, config.adapter_scales)
    adapters = with_mitigations(scaled, config.mitigations)
    adapter = next((each for each in adapters if each.name == line["adapter"]), None)
    if adapter is None:
        raise UserError(f"the run's configuration has no adapter '{line['adapter']}': run it again first")
    if adapter.digest != line["adapter_digest"]:
        raise UserError(f"the weights of adapter '{adapter.name}' have changed since the run: run it again first")
    return adapter
