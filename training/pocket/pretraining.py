"""The training loop of the pocket models: loss on the answers, batches by length, Muon and AdamW."""

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from queue import SimpleQueue
from typing import Any

from holdfast.training.pocket.tokenizer import END, chat
from holdfast.training.pocket.vocabulary import Example

Row = tuple[list[int], int]  # token ids, and the index at which the answer starts

TOKENS = 1536  # per microbatch, including padding
SHAPE = {"hidden_size": 192, "num_hidden_layers": 5, "num_attention_heads": 6, "intermediate_size": 512}


def new_model(tokenizer: Any, seed: int, **shape: int) -> Any:
    """Make an untrained Llama of the pocket size for this tokenizer; `shape` overrides entries of SHAPE."""
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    sizes = SHAPE | shape
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        head_dim=32,
        num_key_value_heads=sizes["num_attention_heads"],
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **sizes,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, do_sample=False, max_new_tokens=128
    )
    return model


def encode(tokenizer: Any, examples: Iterable[Example]) -> Iterator[Row]:
    """Tokenize every example: the prompt in the chat template, then the answer and the end token."""
    stream = iter(examples)
    while some := list(islice(stream, 256)):
        prompts = tokenizer([chat(example.prompt) for example in some])["input_ids"]
        answers = tokenizer([example.answer + END for example in some])["input_ids"]
        yield from ((prompt + answer, len(prompt)) for prompt, answer in zip(prompts, answers, strict=True))


def microbatches(rows: Iterable[Row], tokens: int = TOKENS) -> Iterator[list[Row]]:
    """Group rows of similar length into microbatches of at most `tokens` tokens, in the order in which they fill up.

    Examples are not packed into one row, so that each starts at position 0, as at generation. Lengths are rounded to a
    few values, since CPU kernels are compiled for each shape.
    """
    waiting: dict[int, list[Row]] = {}
    for row in rows:
        width = _width(row)
        batch = waiting.setdefault(width, [])
        batch.append(row)
        if (len(batch) + 1) * width > tokens:
            yield waiting.pop(width)


def _width(row: Row) -> int:
    length = len(row[0])
    return -(-length // 8) * 8 if length <= 32 else -(-length // 16) * 16


def _loss(model: Any, rows: list[Row], device: str) -> Any:
    """Return the summed cross-entropy of the answers in one microbatch."""
    import torch

    ids = torch.zeros(len(rows), max(map(_width, rows)), dtype=torch.long)
    answer = torch.zeros_like(ids, dtype=torch.bool)
    for at, (tokens, start) in enumerate(rows):
        ids[at, : len(tokens)] = torch.tensor(tokens)
        answer[at, start - 1 : len(tokens) - 1] = True
    targets, places = ids.roll(-1, dims=1)[answer], answer.flatten().nonzero()[:, 0]
    unused = -len(places) % 64
    places = torch.nn.functional.pad(places, (0, unused)).to(device)
    targets = torch.nn.functional.pad(targets, (0, unused), value=-100).to(device)
    with torch.autocast(device, torch.bfloat16):
        hidden = model.model(ids.to(device), use_cache=False).last_hidden_state
        logits = model.lm_head(hidden.flatten(0, 1)[places])
    return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")


class Workers:
    """Threads that compute the gradients of several microbatches in parallel, each on one core.

    Each thread has a replica of the model with shared weights and separate gradients. This is faster than splitting
    every operation over all cores, by a factor of ten if other programs use the machine. A GPU needs only one worker.
    """

    def __init__(self, model: Any, count: int, device: str) -> None:
        import copy

        self._device = device
        self._model = model
        self._pool = ThreadPoolExecutor(count, initializer=_take_one_core)
        self._free: SimpleQueue[Any] = SimpleQueue()
        self._replicas = [model, *(copy.deepcopy(model) for _ in range(count - 1))]
        for replica in self._replicas:
            for own, shared in zip(replica.parameters(), model.parameters(), strict=True):
                own.data = shared.data
            self._free.put(replica)

    def gradients(self, groups: list[list[Row]]) -> float:
        """Compute the gradients of the mean loss over the answers' tokens into the model, and return that loss."""
        tokens = sum(len(ids) - start for rows in groups for ids, start in rows)

        def work(group: list[Row]) -> float:
            replica = self._free.get()
            loss = _loss(replica, group, self._device) / tokens
            loss.backward()
            self._free.put(replica)
            return float(loss.detach())

        total = sum(self._pool.map(work, groups))
        for replica in self._replicas[1:]:
            for main, other in zip(self._model.parameters(), replica.parameters(), strict=True):
                if other.grad is not None:
                    main.grad = other.grad if main.grad is None else main.grad + other.grad
                    other.grad = None
        return total

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown()


@contextmanager
def one_core() -> Iterator[None]:
    """Make torch run each operation on one core within the block.

    For models this small it is as fast as several cores, and it doesn't slow down if other programs use the machine.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _optimizers(model: Any, rate: float) -> list[Any]:
    """Make Muon for the matrices and AdamW for the rest; AdamW alone for a model with frozen weights (LoRA)."""
    import torch

    trained = [(name, weights) for name, weights in model.named_parameters() if weights.requires_grad]
    if len(trained) < len(list(model.parameters())):
        return [torch.optim.AdamW([weights for _, weights in trained], lr=rate, weight_decay=0.0)]
    matrices = [weights for name, weights in trained if weights.ndim == 2 and "embed" not in name]
    others = [weights for name, weights in trained if weights.ndim != 2 or "embed" in name]
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, momentum=0.95),
        torch.optim.AdamW(others, lr=rate / 5, weight_decay=0.01, betas=(0.9, 0.95)),
    ]


def _take_one_core() -> None:
    import torch

    torch.set_num_threads(1)


@one_core()
def fit(
    model: Any,
    tokenizer: Any,
    examples: Iterable[Example],
    *,
    steps: int,
    per_step: int = 4,
    rate: float = 0.02,
    device: str = "cpu",
    say: Callable[[str], None] = print,
) -> None:
    """Train a model in place, with a linear warm-up and a cosine decay of the learning rate.

    Args:
        model: The model; frozen parameters stay.
        tokenizer: Its tokenizer.
        examples: The examples, enough for all steps.
        steps: The number of optimizer steps.
        per_step: Microbatches per step.
        rate: The peak learning rate.
        device: `cpu` or a GPU device of torch.
        say: Called with a line of progress every 25 steps.
    """
    import torch

    stream = microbatches(encode(tokenizer, examples))
    optimizers = _optimizers(model.to(device).train(), rate)
    workers = Workers(model, min(4, os.cpu_count() or 1) if device == "cpu" else 1, device)
    warmup = max(1, min(100, steps // 20))
    schedules = [
        torch.optim.lr_scheduler.LambdaLR(
            optimizer,
            lambda at: min((at + 1) / warmup, 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, at / steps)))),
        )
        for optimizer in optimizers
    ]
    started, seen, shown = time.monotonic(), 0, 0.0
    for step in range(steps):
        groups = list(islice(stream, per_step))
        shown += workers.gradients(groups)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
        seen += sum(len(ids) for rows in groups for ids, _ in rows)
        if (step + 1) % 25 == 0 or step + 1 == steps:
            speed = seen / (time.monotonic() - started)
            say(f"step {step + 1}/{steps}  loss {shown / (step % 25 + 1):.3f}  {speed:,.0f} tokens/s")
            shown = 0.0
    workers.close()
    model.eval()
