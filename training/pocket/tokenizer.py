"""A small byte-level BPE tokenizer, trained on the corpus and saved so that AutoTokenizer loads it."""

from collections.abc import Iterable
from typing import Any

VOCABULARY = 3072
PAD, END, USER, ASSISTANT = "<|pad|>", "<|end|>", "<|user|>", "<|assistant|>"

# Digits stand alone, and a space never joins a capital letter or a digit: a name or an amount is then cut into the
# same pieces wherever it stands, which is what makes copying it easy.
PIECES = r"\p{N}| ?[\p{Ll}\p{Lo}][\p{L}\p{M}]*|\p{L}[\p{L}\p{M}]*|\s*[\r\n]+|[^\s\p{L}\p{M}\p{N}]|\s|\p{M}+"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}<|assistant|>{{ message['content'] }}<|end|>"
    "{% else %}<|user|>{{ message['content'] }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def train_tokenizer(texts: Iterable[str], vocabulary: int = VOCABULARY) -> Any:
    """Train a PreTrainedTokenizerFast on texts; the same texts in the same order give the same tokenizer."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[PAD, END, USER, ASSISTANT],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        additional_special_tokens=[USER, ASSISTANT],
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        model_max_length=1024,
        padding_side="left",
    )


def chat(prompt: str) -> str:
    """The user turn as the chat template writes it, up to where the assistant speaks."""
    return f"{USER}{prompt}{ASSISTANT}"
