"""Published data sets in the layouts in which they are distributed."""

from pathlib import Path

import pytest

from holdfast.errors import UserError
from holdfast.tasks import load_task
from holdfast.tasks.published.data_set import data_sets

GLUE = {
    "sst2": ("SST-2/dev.tsv", "sentence\tlabel\nIt \"works\t1\nIt fails\t0\n", ["It \"works", "It fails"], [""] * 2),
    "cola": ("CoLA/dev.tsv", "gj04\t1\t\tShe left.\ngj04\t0\t*\tShe left the.\n", ["She left.", "She left the."], [""] * 2),
    "mrpc": (
        "MRPC/dev.tsv",
        "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\tHe said \"no\tHe said no\n0\t3\t4\tA\tB\n",
        ['He said "no', "A"],
        ["He said no", "B"],
    ),
    "qqp": (
        "QQP/dev.tsv",
        "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n5\t1\t2\tWho?\tWhom?\t1\n6\t3\t4\tA?\tB?\t0\n",
        ["Who?", "A?"],
        ["Whom?", "B?"],
    ),
    "mnli": (
        "MNLI/dev_matched.tsv",
        "index\tsentence1\tsentence2\tlabel1\tgold_label\n0\tA\tB\tneutral\tneutral\n1\tC\tD\tentailment\tentailment\n",
        ["A", "C"],
        ["B", "D"],
    ),
    "qnli": ("QNLI/dev.tsv", "index\tquestion\tsentence\tlabel\n0\tQ?\tS\tentailment\n1\tR?\tT\tnot_entailment\n", ["Q?", "R?"], ["S", "T"]),
    "rte": ("RTE/dev.tsv", "index\tsentence1\tsentence2\tlabel\n0\tA\tB\tnot_entailment\n1\tC\tD\tentailment\n", ["A", "C"], ["B", "D"]),
    "wnli": ("WNLI/dev.tsv", "index\tsentence1\tsentence2\tlabel\n0\tA\tB\t1\n1\tC\tD\t0\n", ["A", "C"], ["B", "D"]),
}  # fmt: skip
LABELS = {
    "sst2": ["positive", "negative"],
    "cola": ["acceptable", "unacceptable"],
    "mrpc": ["equivalent", "not_equivalent"],
    "qqp": ["duplicate", "not_duplicate"],
    "mnli": ["neutral", "entailment"],
    "qnli": ["entailment", "not_entailment"],
    "rte": ["not_entailment", "entailment"],
    "wnli": ["entailment", "not_entailment"],
}


@pytest.mark.parametrize("name", GLUE)
def test_a_task_of_glue_is_read_from_its_folder(name: str, tmp_path: Path) -> None:
    file, text, contents, pairs = GLUE[name]
    (tmp_path / file).parent.mkdir()
    (tmp_path / file).write_text(text, "utf-8")
    task = load_task(f"glue/{name}={tmp_path}")
    assert [sample.content for sample in task.samples] == contents
    assert [sample.pair for sample in task.samples] == pairs
    assert [sample.references for sample in task.samples] == [(label,) for label in LABELS[name]]
    assert task.metrics[0] == "label_accuracy"
    prompt = task.render(task.samples[0], contents[0])
    assert contents[0] in prompt
    assert pairs[0] in prompt


def test_glue_is_read_from_exports_of_the_hub(tmp_path: Path) -> None:
    file = tmp_path / "sst2.jsonl"
    file.write_text('{"idx": 0, "sentence": "It works", "label": 1}\n{"idx": 1, "sentence": "It fails", "label": 0}\n')
    assert [sample.references for sample in load_task(f"glue/sst2={file}").samples] == [("positive",), ("negative",)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "sentence\tlabel\nA\t-1\n",
            r"line 2: the label '-1' is not one of negative, positive \(the labels of test split",
        ),
        ("sentence\tlabel\nA\t7\n", "line 2: the label '7' is not one of negative, positive$"),
        ("index\tsentence\n0\tA\n", "line 2: needs the column 'label'; it has index, sentence"),
        ("sentence\tlabel\nA\n", "line 2: 1 cells, but there are 2 columns"),
        ("sentence\tlabel\n", "contains no samples"),
        ("sentence\tlabel\nA\t7\nB\nC\t1\n", "has 2 mistakes: line 2: the label '7' .*; line 3: 1 cells"),
    ],
)
def test_broken_rows_of_glue_are_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "dev.tsv").write_text(text)
    with pytest.raises(UserError, match=message):
        load_task(f"glue/sst2={tmp_path / 'dev.tsv'}")


BANK = {
    "Sentences_50Agree.txt": "Sales fell in Åbo .@negative\nIt met @ noon .@neutral\nProfit rose .@positive\n",
    "Sentences_75Agree.txt": "It met @ noon .@neutral\nProfit rose .@positive\n",
    "Sentences_AllAgree.txt": "Profit rose .@positive\n",
}


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    for name, text in BANK.items():
        (tmp_path / name).write_bytes(text.encode("latin-1"))
    return tmp_path


def test_phrasebank_is_repaired_and_grouped_by_agreement(bank: Path) -> None:
    with pytest.warns(UserWarning, match=r"Sentences_50Agree.txt: repaired the encoding of 1 of 3 lines"):
        samples = load_task(f"financial_phrasebank/50agree={bank}").samples
    assert [sample.content for sample in samples] == ["Sales fell in Åbo .", "It met @ noon .", "Profit rose ."]
    assert [dict(sample.groups) for sample in samples] == [
        {"label": "negative", "agreement": "50agree"},
        {"label": "neutral", "agreement": "75agree"},
        {"label": "positive", "agreement": "allagree"},
    ]


def test_each_level_of_phrasebank_has_its_file(bank: Path) -> None:
    assert len(load_task(f"financial_phrasebank/75agree={bank}").samples) == 2
    assert len(load_task(f"financial_phrasebank/allagree={bank}/Sentences_AllAgree.txt").samples) == 1
    with pytest.raises(UserError, match="neither a file .* nor a folder that has Sentences_66Agree.txt"):
        load_task(f"financial_phrasebank/66agree={bank}")


def test_phrasebank_is_read_from_exports(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sentence,label\nProfit rose,2\nIt met,neutral\n")
    found = load_task(f"financial_phrasebank/50agree={tmp_path / 'a.csv'}").samples
    assert [sample.references for sample in found] == [("positive",), ("neutral",)]
    (tmp_path / "b.csv").write_text("sentence,mood\nProfit rose,2\n")
    with pytest.raises(UserError, match="row 1: needs a sentence and a label; it has sentence, mood"):
        load_task(f"financial_phrasebank/50agree={tmp_path / 'b.csv'}")


def test_labels_outside_the_classes_are_named(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("Profit rose@good\n")
    with pytest.raises(UserError, match="x.txt, line 1: the label 'good' is not one of negative, neutral, positive"):
        load_task(f"financial_phrasebank/50agree={tmp_path / 'x.txt'}")


def test_an_unknown_data_set_of_a_known_family_is_named() -> None:
    with pytest.raises(UserError, match="unknown dataset 'glue/sst'; did you mean 'glue/sst2'"):
        load_task("glue/sst=x")


def test_every_data_set_says_what_it_is() -> None:
    for name in data_sets.names():
        assert data_sets.get(name).name == name
        assert data_sets.get(name).about
