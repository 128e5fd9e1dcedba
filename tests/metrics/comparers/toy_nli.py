"""A small NLI model, trained in seconds on every pair of sentences about three things."""

from itertools import product
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

LABELS = ("entailment", "neutral", "contradiction")
THINGS = ("door", "shop", "road")
STATES = ("open", "closed")
DAYS = ("", " today")
SENTENCES = [f"The {thing} is {state}{day}." for thing, state, day in product(THINGS, STATES, DAYS)]
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_WORDS = ("the", "is", "today", ".", *THINGS, *STATES)


def label_of(premise: str, hypothesis: str) -> int:
    """What follows: the same thing is in one state; a day may be left out but not added."""
    (_, thing, _, state, *day), (_, other, _, other_state, *other_day) = (
        text.rstrip(".").split() for text in (premise, hypothesis)
    )
    if thing != other:
        return 1
    if state != other_state:
        return 2
    return 0 if day or not other_day else 1


def train_nli(folder: Path, steps: int = 150) -> Path:
    """Train the model and save it with its tokenizer; without steps its weights are random."""
    torch.manual_seed(0)
    tokenizer = toy_tokenizer()
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        initializer_range=0.1,
        max_position_embeddings=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        num_labels=3,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
    model = BertForSequenceClassification(config)
    pairs = list(product(SENTENCES, SENTENCES))
    batch = tokenizer(*map(list, zip(*pairs, strict=True)), padding=True, return_tensors="pt")
    gold = torch.tensor([label_of(*pair) for pair in pairs])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        torch.nn.functional.cross_entropy(model(**batch).logits, gold).backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def toy_tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(models.WordLevel({word: i for i, word in enumerate((*_SPECIAL, *_WORDS))}, unk_token="[UNK]"))
    words.normalizer = normalizers.Lowercase()
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )
