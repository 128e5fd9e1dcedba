"""The S2R2 objective: compares the segments of answers to clean and perturbed prompts in each training step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from holdfast.errors import UserError
from holdfast.metrics.segments import segment
from holdfast.training.contract import Batch, Step, TrainingContext, model_inputs
from holdfast.training.examples import Example, end_tokens
from holdfast.training.objectives.segments.likelihood import likelihood_drifts
from holdfast.training.objectives.segments.losses import (
    Span,
    segment_means,
    semantic_loss,
    stability_loss,
    worst_mean,
)
from holdfast.training.objectives.segments.term_gradients import compare_gradients

if TYPE_CHECKING:
    from holdfast.training.objectives.segments.settings import S2R2

Answers = Sequence[str]


class SegmentDriftObjective:
    """The loss L_task + lambda_sem L_sem + lambda_stab L_stab.

    In `generate` mode the model answers the prompt and its perturbed version greedily, without gradient, every k-th
    step, and the drift is measured between the two answers. In `teacher` mode it is measured between the reference
    answer's hidden states under the two prompts, which is cheap but keeps the alignment close to the identity (watch
    `off_diagonal`).

    With the penalty `cross_entropy` [own], the model's answer to the clean prompt (in `teacher` mode: the reference) is
    read under the perturbed prompt, and a segment drifts by as much as it became less likely. The answer is the same on
    both sides, so nothing has to be aligned, and one generation suffices.

    L_sem is the mean over rows; an answer without segments has no drift. Accumulated micro-batches add up to the joint
    batch, except that `centred` subtracts the mean over each micro-batch.
    """

    def __init__(self, settings: S2R2, context: TrainingContext) -> None:
        self._settings = settings
        self._tokenizer, self._examples, self._encode = context.tokenizer, context.examples, context.encode
        self._differing = 0.0  # the share of the last generated pairs whose answers differ

    def __call__(self, step: Step) -> tuple[Tensor, dict[str, float]]:
        settings = self._settings
        weight = settings.weight(step.progress)
        measures_drift = weight > 0 and step.number % settings.every == 0
        teacher = measures_drift and settings.mode == "teacher"
        states = teacher and settings.penalty == "representation"
        found = step.model(**model_inputs(step.clean), output_hidden_states=states)
        task = step.task_loss(found.logits, step.clean["labels"])
        stability = stability_loss(step.model, settings) if settings.lambda_stab else task.new_tensor(0.0)
        loss = task + settings.lambda_stab * stability
        logs = {
            "task_loss": task.item(),
            "l_stab": stability.item(),
            "generated": float(measures_drift and not teacher),
        }
        if measures_drift and settings.penalty == "cross_entropy":
            semantic = self._likelihood_loss(step, found.logits if teacher else None)
            drift = weight * semantic * step.per_row
            loss = loss + drift
            logs |= {"l_sem": semantic.item(), **self._compared(step, task, drift)}
        elif measures_drift:
            if teacher:
                perturbed = step.perturbed()
                other = step.model(**model_inputs(perturbed), output_hidden_states=True)
                texts = [self._examples[n].completion for n in step.numbers]
                pairs = self._segment_vectors(found, step.clean, texts), self._segment_vectors(other, perturbed, texts)
            else:
                pairs = self._generate_pairs(step)
            semantic, off_diagonal = self._semantic_loss(pairs, task)
            drift = weight * semantic * step.per_row
            loss = loss + drift
            logs |= {"l_sem": semantic.item(), "off_diagonal": off_diagonal, **self._compared(step, task, drift)}
            if not teacher:
                logs["answers_differ"] = self._differing
        return loss, logs

    def _compared(self, step: Step, task: Tensor, drift: Tensor) -> dict[str, float]:
        every = self._settings.gradients_every
        due = every and step.number % every == 0 and drift.requires_grad
        return compare_gradients(step.model, task, drift) if due else {}

    def _likelihood_loss(self, step: Step, clean_logits: Tensor | None) -> Tensor:
        """Return the mean over rows of the worst losses of likelihood; logits of the references for `teacher` mode."""
        clean = [self._examples[n] for n in step.numbers]
        if clean_logits is None:
            texts = self._generate_answers(step.model, clean)
            device = step.clean["labels"].device
            before, after = (
                {name: value.to(device) for name, value in self._encode(_answered(examples, texts)).items()}
                for examples in (clean, step.perturbed_examples())
            )
            with torch.no_grad():
                clean_logits = step.model(**model_inputs(before)).logits
        else:
            texts, before, after = [each.completion for each in clean], step.clean, step.perturbed()
        logits = step.model(**model_inputs(after)).logits
        spans = [self._segment_spans(text) for text in texts]
        drifts = likelihood_drifts((clean_logits.detach(), before), (logits, after), spans)
        worst = [worst_mean(each, self._settings.rho) for each in drifts if len(each)]
        return torch.stack(worst).sum() / len(drifts) if worst else logits.new_tensor(0.0)

    def _semantic_loss(
        self, pairs: tuple[list[Tensor | None], list[Tensor | None]], like: Tensor
    ) -> tuple[Tensor, float]:
        kept = [(u, v) for u, v in zip(*pairs, strict=True) if u is not None and v is not None]
        if not kept:
            return like.new_tensor(0.0), 0.0
        loss, off_diagonal = semantic_loss([u for u, _ in kept], [v for _, v in kept], self._settings)
        return loss * (len(kept) / len(pairs[0])), off_diagonal

    def _generate_pairs(self, step: Step) -> tuple[list[Tensor | None], list[Tensor | None]]:
        """Generate answers to both prompts and compute their segment vectors in a second pass, with gradients."""
        clean = [self._examples[n] for n in step.numbers]
        sides, answers = [], []
        for examples in (clean, step.perturbed_examples()):
            texts = self._generate_answers(step.model, examples)
            answers.append(texts)
            device = step.clean["labels"].device
            batch = {name: value.to(device) for name, value in self._encode(_answered(examples, texts)).items()}
            found = step.model(**model_inputs(batch), output_hidden_states=True)
            sides.append(self._segment_vectors(found, batch, texts))
        self._differing = sum(one != other for one, other in zip(*answers, strict=True)) / len(clean)
        return sides[0], sides[1]

    def _generate_answers(self, model: Any, examples: Sequence[Example]) -> list[str]:
        """Generate answers greedily, without gradient, in evaluation mode."""
        prompts = self._encode([Example(each.messages, " ") for each in examples])
        seq2seq = "decoder_input_ids" in prompts
        labels = prompts["labels"]
        rows = [
            ids[mask.bool()] if seq2seq else ids[mask.bool() & (label == -100)]
            for ids, mask, label in zip(prompts["input_ids"], prompts["attention_mask"], labels, strict=True)
        ]
        width = max(map(len, rows))
        ids = torch.full((len(rows), width), self._tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for i, row in enumerate(rows):
            place = slice(0, len(row)) if seq2seq else slice(width - len(row), width)
            ids[i, place], mask[i, place] = row, 1
        model = getattr(model, "module", model)  # the wrapper of data parallelism can't generate
        device = next(model.parameters()).device
        training = model.training
        model.eval()
        with torch.no_grad():
            produced = model.generate(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                max_new_tokens=self._settings.max_new_tokens,
                do_sample=False,
                eos_token_id=sorted(self._ends(model)) or None,
            )
        model.train(training)
        new = produced[:, 1:] if seq2seq else produced[:, width:]
        return [text.strip() for text in self._tokenizer.batch_decode(new, skip_special_tokens=True)]

    def _ends(self, model: Any) -> set[int]:
        """Return the tokens at which answers end: those of the model, and those that training teaches."""
        own = model.generation_config.eos_token_id
        return {*(own if isinstance(own, list) else [own] if own is not None else []), *end_tokens(self._tokenizer)}

    def _segment_vectors(self, found: Any, batch: Batch, answers: Answers) -> list[Tensor | None]:
        """Return the segment vectors (k, d) of each answer; None for an answer without segments."""
        states = found.decoder_hidden_states if "decoder_input_ids" in batch else found.hidden_states
        layer = self._settings.layer
        place = int(layer) if layer == int(layer) and layer > 1 else round(layer * (len(states) - 1))
        if not 0 <= place < len(states):
            raise UserError(f"s2r2: layer must be a fraction or an index up to {len(states) - 1}, got {layer:g}")
        chosen = states[place]
        vectors: list[Tensor | None] = []
        for row, labels, answer in zip(chosen, batch["labels"], answers, strict=True):
            place = int((labels != -100).nonzero()[0])
            count = int((labels != -100).sum())
            spans = [(a + place, b + place) for a, b in self._segment_spans(answer) if b <= count]
            vectors.append(segment_means(row, spans) if spans else None)
        return vectors

    def _segment_spans(self, answer: str) -> list[Span]:
        """Return the segments of an answer as token spans."""
        offsets = self._tokenizer(answer, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        spans = []
        for part in segment([answer], self._settings.granularity)[0]:
            tokens = [i for i, (start, end) in enumerate(offsets) if start < part.end and end > part.start]
            if tokens:
                spans.append((tokens[0], tokens[-1] + 1))
        return spans


def _answered(examples: Sequence[Example], texts: Answers) -> list[Example]:
    """Return the examples with these answers; an empty one becomes a space, since there must be something to learn."""
    return [Example(each.messages, text or " ") for each, text in zip(examples, texts, strict=True)]
