"""Turns examples into padded batches, with original or perturbed prompts."""

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

import torch
from torch import Tensor

from holdfast.perturbations import parse
from holdfast.perturbations.variants import make_variant
from holdfast.training.contract import Kind
from holdfast.training.examples import Encoded, Example, encode
from holdfast.training.loop.copied_facts import copied_facts, keeps_all


class Collator:
    """Collates numbered, encoded examples into a batch padded on the right.

    A batch has input_ids, attention_mask, labels (-100 on prompts and padding; class indices for classification) and
    `number`, the examples' indices; for seq2seq also decoder_input_ids, and token_type_ids where a classifier has any.

    Args:
        pad: The padding token's id.
        kind: The kind of training.
        start: The id of the token that a seq2seq decoder starts with.
    """

    def __init__(self, pad: int, kind: Kind, start: int = 0) -> None:
        self._pad, self.kind, self._start = pad, kind, start

    def __call__(self, rows: Sequence[tuple[int, Encoded]]) -> dict[str, Tensor]:
        encoded = [each for _, each in rows]
        if self.kind == "seq2seq":
            batch = self._padded([each.ids[: each.prompt] for each in encoded])
            answers = [each.ids[each.prompt :] for each in encoded]
            labels = self._padded(answers)
            batch["labels"] = labels["input_ids"].masked_fill(labels["attention_mask"] == 0, -100)
            batch["decoder_input_ids"] = self._padded([(self._start, *ids[:-1]) for ids in answers])["input_ids"]
        else:
            batch = self._padded([each.ids for each in encoded])
            if self.kind == "classification":
                batch["labels"] = torch.tensor([each.label for each in encoded])
                if all(each.types for each in encoded):
                    width = batch["input_ids"].shape[1]
                    types = [[*each.types, *[0] * (width - len(each.types))] for each in encoded]
                    batch["token_type_ids"] = torch.tensor(types)
            else:
                prompts = torch.tensor([each.prompt for each in encoded])[:, None]
                is_prompt = torch.arange(batch["input_ids"].shape[1]) < prompts
                batch["labels"] = batch["input_ids"].masked_fill(is_prompt | (batch["attention_mask"] == 0), -100)
        batch["number"] = torch.tensor([number for number, _ in rows])
        return batch

    def collate(self, items: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Collate items of `Rows`."""
        return self([item["row"] for item in items])

    def _padded(self, rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        width = max(map(len, rows))
        ids = torch.tensor([[*row, *[self._pad] * (width - len(row))] for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        return {"input_ids": ids, "attention_mask": mask}


class Rows:
    """Numbered, encoded examples as the data set of a Trainer, whose samplers read the lengths of `input_ids`."""

    def __init__(self, rows: Sequence[tuple[int, Encoded]]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> dict[str, Any]:
        row = self._rows[place]
        return {"input_ids": row[1].ids, "row": row}


class Perturber:
    """Perturbs the prompts of training examples.

    Each example in each step gets one perturbation at one severity, drawn at random from (seed, step, example), so that
    a resumed run draws the same. With `protect_facts`, a prompt keeps the facts that its completion copies
    from it (see `copied_facts`); where a perturbation changes one all the same, the prompt stays as it is.

    Args:
        examples: The training examples.
        specs: Perturbations such as `typos` or `typos@light`; without a severity, light or heavy is drawn.
        seed: The seed of the draws.
        tokenizer: The model's tokenizer.
        collator: Makes the batches.
        longest: The context length in tokens.
        clock: The time that the chat template reads; now, if None.
        protect_facts: Whether the facts that completions copy from prompts are protected.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        specs: Sequence[str],
        seed: int,
        tokenizer: Any,
        collator: Collator,
        longest: int,
        clock: datetime | None = None,
        protect_facts: bool = False,
    ) -> None:
        self._examples, self._seed, self._protects = examples, seed, protect_facts
        self._tokenizer, self._collator, self._longest, self._clock = tokenizer, collator, longest, clock
        self._seen: list[tuple[float, float]] = []
        self._choices = [
            (name, each)
            for name, severity in map(parse, specs)
            for each in ([severity] if severity else ["light", "heavy"])
        ]

    def perturb(self, number: int, step: int) -> str:
        """Return the perturbed prompt of example `number` in optimizer step `step`."""
        name, severity = Random(f"{self._seed}|{step}|{number}").choice(self._choices)
        example = self._examples[number]
        protect = copied_facts(example.prompt, example.completion) if self._protects else ()
        variant = make_variant(
            example.prompt,
            task="train",
            sample_id=str(number),
            perturbation=name,
            severity=severity,
            repeat=step,
            seed=self._seed,
            protect=protect,
        )
        kept = keeps_all(variant.text, protect or copied_facts(example.prompt, example.completion))
        skipped = self._protects and not kept
        self._seen.append((0.0 if skipped else variant.edit_rate, float(not kept and not skipped)))
        return example.prompt if skipped else variant.text

    def take_measures(self) -> dict[str, float]:
        """Return means over the prompts perturbed since the last call: the edit rate, and the share that lost a fact.

        The facts are those that the completion copies (see `copied_facts`). Empty if no prompt was perturbed.
        """
        seen, self._seen = self._seen, []
        if not seen:
            return {}
        rates, lost = (sum(values) / len(seen) for values in zip(*seen, strict=True))
        return {"edit_rate": rates, "facts_lost": lost}

    def perturb_examples(self, numbers: Sequence[int], step: int) -> list[Example]:
        """Return these examples with perturbed prompts."""
        return [self._examples[n].with_prompt(self.perturb(n, step)) for n in numbers]

    def encode(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Return a padded batch of these examples; prompts that are too long are truncated at the start."""
        seq2seq = self._collator.kind == "seq2seq"
        rows = [encode(each, self._tokenizer, seq2seq=seq2seq, clock=self._clock) for each in examples]
        batch = self._collator([(0, each.truncate(self._longest)) for each in rows])
        del batch["number"]
        return batch
