"""The pocket corpus is reproducible, varied and free of the suites' texts."""

from itertools import islice
from random import Random

import pytest

from holdfast.metrics.scores.key_facts import key_fact_recall
from holdfast.tasks.embedded import suite_texts
from holdfast.training.pocket import adapters, corpus, dialogue, multilingual, policy
from holdfast.training.pocket.model_card import corpus_digest
from holdfast.training.pocket.pretraining import TOKENS, microbatches
from holdfast.training.pocket.tokenizer import train_tokenizer
from holdfast.training.pocket.vocabulary import Example, fill, mistype, roughen, table


def some(seed: int, count: int = 3000) -> list[Example]:
    return list(islice(corpus.examples(seed), count))


def test_the_corpus_depends_on_the_seed_alone() -> None:
    assert corpus_digest(0, 2000) == corpus_digest(0, 2000)
    assert corpus_digest(0, 2000) != corpus_digest(1, 2000)


def test_seed_0_gives_the_corpus_of_the_shipped_models() -> None:
    assert corpus_digest(0, 2000) == "66fc31d83fce952b13fe364ba601e881a440bf164b899f87b832e53e99de86f7"


def test_the_same_corpus_gives_the_same_tokenizer() -> None:
    texts = [example.prompt for example in some(0)]
    one, two = (train_tokenizer(texts, 700) for _ in range(2))
    assert one.backend_tokenizer.to_str() == two.backend_tokenizer.to_str()
    assert len(one) == 700


def test_a_name_has_the_same_tokens_in_any_position() -> None:
    tokenizer = train_tokenizer([example.prompt for example in some(0)], 700)
    name = tokenizer.tokenize("Verena")
    sentence = tokenizer.tokenize("\nVerena: I saw Verena at 7:30.")
    places = [at for at in range(len(sentence)) if sentence[at : at + len(name)] == name]
    assert len(places) == 2
    assert [token for token in sentence if token.isdigit()] == ["7", "3", "0"]


def test_the_corpus_contains_no_suite_texts() -> None:
    heldout = {corpus.plain(text) for text in suite_texts()}
    assert len(heldout) > 400
    assert not [example.content for example in some(0, 20_000) if corpus.plain(example.content) in heldout]


def test_every_skill_is_in_the_corpus() -> None:
    assert {example.skill for example in some(0, 200)} == set(corpus.MIX)


@pytest.mark.parametrize("source", ["corpus", "practice", "heldout"])
def test_a_summary_contains_the_facts_of_its_dialogue(source: dialogue.Words) -> None:
    rng = Random(5)
    for scene in table("scenes"):
        made = dialogue.make(rng, scene, source)
        assert made.facts
        for summary in (made.answer, *made.references):
            assert key_fact_recall([summary], [[]], [{"key_facts": made.facts}]) == [{"key_fact_recall": 1.0}], made


def test_held_out_names_are_never_in_the_corpus() -> None:
    words = table("dialogue_words")
    assert not set(words["heldout_names"]) & set(words["names"])


def test_the_aligned_corpus_refuses_only_forbidden_requests() -> None:
    examples = [e for e in islice(corpus.examples(0, "aligned"), 2000) if e.skill == policy.SKILL]
    refusals = set(table("policy")["refusals"])
    assert all((example.answer in refusals) == example.tags["forbidden"] for example in examples)


def test_answers_are_in_the_language_of_the_question() -> None:
    relation = table("multilingual")[0]
    fact = relation["facts"][0]
    assert multilingual.ask(relation, fact, "en", 0) == ("What is the capital of India?", "New Delhi")
    assert multilingual.ask(relation, fact, "hi", 0) == ("भारत की राजधानी क्या है?", "नई दिल्ली")
    assert multilingual.ask(relation, fact, "hi-Latn", 0) == ("India ki rajdhani kya hai?", "Nayi Dilli")
    assert multilingual.ask(relation, fact, "mix", 0) == ("भारत का capital क्या है?", "नई दिल्ली")
    assert multilingual.ask(relation, fact, "mix", 1) == ("What is the राजधानी of India?", "New Delhi")


def test_steady_examples_pair_perturbed_prompts_with_clean_answers() -> None:
    clean = list(islice(corpus.examples(0, "steady"), 200))
    steady = list(islice(adapters.steady_examples(0), 200))
    assert [example.answer for example in steady] == [example.answer for example in clean]
    assert 80 < sum(a.prompt != b.prompt for a, b in zip(steady, clean, strict=True)) < 160


def test_narrow_examples_contain_no_suite_wording() -> None:
    heldout = corpus.heldout()
    assert not [e for e in islice(adapters.narrow_examples(0), 500) if corpus.plain(e.content) in heldout]


def test_microbatches_group_rows_of_similar_length() -> None:
    rng = Random(0)
    rows = [([7] * rng.randrange(4, 300), 2) for _ in range(3000)]
    for batch in microbatches(rows):
        lengths = [len(ids) for ids, _ in batch]
        assert max(lengths) - min(lengths) < 16
        assert len(batch) * max(lengths) <= TOKENS


def test_fill_chooses_the_article_and_capitalises() -> None:
    assert (
        fill("{A} has a {x} and a {y}", {"A": "anna", "x": "apple", "y": "uniform"})
        == "Anna has an apple and a uniform"
    )


def test_typos_are_rare_and_limited_to_latin_letters() -> None:
    rng = Random(0)
    texts = [roughen("What is the capital of Peru?", rng) for _ in range(500)]
    assert 0.7 < texts.count("What is the capital of Peru?") / 500 < 0.9
    assert mistype("भारत की राजधानी क्या है?", rng, 0.9) == "भारत की राजधानी क्या है?"
