"""Synonyms have the right form and sense, and their source is recorded."""

import itertools
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from holdfast.errors import UserError
from holdfast.language import senses, thesaurus, wordnet
from holdfast.language.thesaurus import synonym_table
from holdfast.perturbations import Edits, perturbations

needs_wordnet = pytest.mark.skipif(wordnet.find_wordnet() is None, reason="WordNet's files are not installed")


def synonyms(text: str, strength: float = 1.0) -> Edits:
    return perturbations.get("synonyms").apply(text, strength, Random(0))


@pytest.mark.parametrize(
    ("text", "synonym"),
    [
        ("two cars", "two automobiles"),
        ("Cars wait", "Automobiles wait"),
        ("the children", "the kids"),
        ("she bought it", "she purchased it"),
        ("it is occurring", "it is happening"),
        ("the bigger one", "the larger one"),
        ("कौन सी किताब", "कौन सी पुस्तक"),
        ("mera dost kaun hai", "mera mitra kaun hai"),
    ],
)
def test_number_tense_and_capitals_are_kept(text: str, synonym: str) -> None:
    assert synonyms(text).text == synonym


@pytest.mark.parametrize(
    "text",
    ["Big Ben", "I met Rich today", '"big cars"', "an easy", "the tallest building", "it is rich in iron", "a {car}"],
)
def test_names_quotations_and_other_senses_are_kept(text: str) -> None:
    assert synonyms(text).text == text


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("They need the answer.", True),
        ("Do not answer the phone.", False),
        ("The reply is late.", True),
        ("we price low", False),
    ],
)
def test_an_ambiguous_word_is_replaced_only_as_the_listed_part(text: str, changed: bool) -> None:
    words = {edit.removed for edit in synonyms(text).edits}
    assert bool(words & {"answer", "reply", "price"}) is changed


def test_the_table_is_large_and_no_word_replaces_itself() -> None:
    table = synonym_table()
    assert len(table) > 2_800
    assert all(form not in others for form, entry in table.items() for others in entry.by_part.values())


def test_replacements_are_common_words() -> None:
    from wordfreq import zipf_frequency

    offered = {
        other
        for form, entry in synonym_table().items()
        for others in entry.by_part.values()
        for other in others
        if form.isascii() and other.isalpha() and other.isascii()
    }
    rare = {word for word in offered if zipf_frequency(word, "en") < 2.5}
    assert len(rare) < len(offered) / 10


def test_the_environment_variable_selects_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    assert thesaurus.source() == "embedded"
    monkeypatch.setenv("HOLDFAST_THESAURUS", "roget")
    with pytest.raises(UserError, match="HOLDFAST_THESAURUS is 'roget'; set it to embedded or wordnet"):
        thesaurus.source()
    monkeypatch.setattr(wordnet, "find_wordnet", lambda: None)
    monkeypatch.setenv("HOLDFAST_THESAURUS", "wordnet")
    with pytest.raises(UserError, match="install Debian's wordnet-base"):
        thesaurus.source()
    monkeypatch.delenv("HOLDFAST_THESAURUS")
    assert thesaurus.source() == "embedded"


# Two nouns in one synset, in WordNet's format; offsets are bytes in data.noun.
DATA = b"  1 WordNet 9.9 Copyright\n"
LINE = b"%08d 06 n 02 gizmo 0 device 0 000 | a thing\n"


@pytest.fixture
def tiny_wordnet(tmp_path: Path) -> Path:
    folder = tmp_path / "corpora" / "wordnet"
    folder.mkdir(parents=True)
    offset = len(DATA)
    (folder / "data.noun").write_bytes(DATA + LINE % offset)
    lines = (f"{word} n 1 0 1 1 {offset:08d}  \n" for word in ("device", "gizmo"))
    (folder / "index.noun").write_text("".join(lines))
    (folder / "cntlist.rev").write_text("device%1:06:00:: 1 9\ngizmo%1:06:00:: 1 9\n")
    (folder / "noun.exc").write_text("")
    return tmp_path


def test_wordnet_supplies_words_missing_from_the_table(tiny_wordnet: Path) -> None:
    code = (
        "from random import Random; from holdfast.language import thesaurus; from holdfast.perturbations import perturbations\n"
        "print(thesaurus.source()); print(perturbations.get('synonyms').apply('two gizmos', 1.0, Random(0)).text)"
    )
    environment = {**os.environ, "NLTK_DATA": str(tiny_wordnet), "HOLDFAST_THESAURUS": "wordnet"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    source, changed = done.stdout.splitlines()
    assert source.startswith("wordnet-9.9 (sha256 ")
    assert changed == "two devices"


@needs_wordnet
def test_synsets_match_those_of_nltk(tmp_path: Path) -> None:
    reader = pytest.importorskip("nltk.corpus.reader.wordnet")
    folder = wordnet.find_wordnet()
    assert folder is not None
    home = tmp_path / "corpora" / "wordnet"
    home.mkdir(parents=True)
    parts = wordnet.PARTS
    for name in (
        *(f"{part}.exc" for part in parts),
        *(f"{kind}.{part}" for kind in ("data", "index") for part in parts),
    ):
        (home / name).write_bytes((folder / name).read_bytes())
    (home / "cntlist.rev").write_bytes((folder / "cntlist.rev").read_bytes())
    (home / "lexnames").write_text("".join(f"{number:02d}\tname{number}\t1\n" for number in range(45)))
    (home / "index.sense").write_text("")
    theirs = _nltk_reader(reader, tmp_path)
    for word, (part, tag) in itertools.product(("car", "begin", "rapid", "well", "set", "idea"), wordnet.PARTS.items()):
        ours = wordnet.synsets(word, part)
        assert list(ours) == [synset.offset() for synset in theirs.synsets(word, tag) if word in _names(synset)]


def _nltk_reader(module: object, folder: Path) -> object:
    import nltk
    from nltk.data import FileSystemPathPointer

    nltk.data.path.append(str(folder))
    home = folder / "corpora" / "wordnet"
    return module.WordNetCorpusReader(FileSystemPathPointer(str(home)), None)  # type: ignore[attr-defined]


def _names(synset: object) -> list[str]:
    return [name.lower() for name in synset.lemma_names()]  # type: ignore[attr-defined]


@needs_wordnet
@pytest.mark.parametrize(
    ("form", "others"),
    [("mathematics", {"math", "maths"}), ("pupils", {"students"}), ("bank", set()), ("crane", set()), ("hot", set())],
)
def test_wordnet_is_used_only_if_one_sense_dominates(form: str, others: set[str]) -> None:
    assert set(senses.replacements(form, "")[1]) == others


@pytest.mark.parametrize(
    "text",
    ["a fake hospital", "The pipe broke", "a short example", "my hotel", "the head of it"],
)
@pytest.mark.parametrize("name", ["synonyms", "code_switch"])
def test_words_with_many_senses_are_kept(name: str, text: str) -> None:
    touched = {edit.removed for edit in perturbations.get(name).apply(text, 1.0, Random(0)).edits}
    assert not touched & {"fake", "pipe", "example", "hotel", "head"}
