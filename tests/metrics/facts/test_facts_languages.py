"""Facts in languages defined by a language file: contradictions and paraphrases."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.language.detection import language_of, languages_of
from holdfast.language.language_files import SETTING
from holdfast.metrics.encoders.encoder import encoding_of
from holdfast.metrics.facts import facts_of
from tests.metrics.facts.verdict import LITTLE, SERIOUS, Verdict, between, conflict


def found(clean: str, perturbed: str) -> Verdict:
    return between(clean, perturbed)


@pytest.mark.parametrize(
    ("kind", "clean", "perturbed"),
    [
        ("number", "Er hat drei Kinder.", "Er hat vier Kinder."),
        ("number", "Es kostet 1.200 Euro.", "Es kostet 1.300 Euro."),
        ("negation", "Er kommt morgen.", "Er kommt morgen nicht."),
        ("quantifier", "Alle Schüler haben bestanden.", "Einige Schüler haben bestanden."),
        ("antonym", "Die Tür ist offen.", "Die Tür ist geschlossen."),
        ("name", "Er wohnt in Berlin.", "Er wohnt in Hamburg."),
        ("roles", "Anna ruft Ben an.", "Ben ruft Anna an."),
        ("modality", "Sie müssen zahlen.", "Sie dürfen zahlen."),
        ("date", "Es beginnt am Montag.", "Es beginnt am Dienstag."),
        ("number", "Il a deux chats.", "Il a trois chats."),
        ("negation", "Il n'est pas venu.", "Il est venu."),
        ("time", "Le train part à 9h30.", "Le train part à 10h30."),
        ("time", "Le train part à 9 h 30.", "Le train part à 10 h 30."),
        ("antonym", "La porte est ouverte.", "La porte est fermée."),
        ("number", "Tiene dos gatos.", "Tiene doce gatos."),
        ("negation", "No quiere ir.", "Quiere ir."),
        ("quantifier", "Todos aprobaron.", "Algunos aprobaron."),
        ("number", "У неё три кошки.", "У неё пять кошек."),
        ("negation", "Он не придёт.", "Он придёт."),
        ("name", "Он живёт в Москве.", "Он живёт в Париже."),
        ("number", "لديه ثلاثة كتب.", "لديه خمسة كتب."),
        ("negation", "لا أريد الذهاب.", "أريد الذهاب."),
        ("quantifier", "كل الطلاب نجحوا.", "بعض الطلاب نجحوا."),
        ("number", "我有三只狗。", "我有五只狗。"),
        ("negation", "他会来。", "他不会来。"),
        ("date", "会议在星期一举行。", "会议在星期五举行。"),
        ("name", "他住在北京。", "他住在上海。"),
        ("roles", "小明打了小红。", "小红打了小明。"),
        ("roles", "去年中国从法国进口葡萄酒。", "去年法国从中国进口葡萄酒。"),
        (
            "roles",
            "El vecino demandó al casero por no arreglar el techo.",
            "El casero demandó al vecino por no arreglar el techo.",
        ),
        ("comparison", "Le prix a augmenté.", "Le prix a baissé."),
        ("comparison", "价格上升了。", "价格下降了。"),
    ],
)
def test_contradictions_are_found_in_each_language(kind: str, clean: str, perturbed: str) -> None:
    for one, other in ((clean, perturbed), (perturbed, clean)):
        assert found(one, other).reason.split()[0] == kind
        assert found(one, other).cost >= SERIOUS


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Die Fahrt dauert 90 Minuten.", "Die Fahrt dauert anderthalb Stunden."),
        ("Es kostet 1.200,50 Euro.", "Es kostet 1200.50 Euro."),
        ("Es kostet 1.200,50 €.", "Es kostet 1200,50 Euro."),
        ("Es kommen fünfundzwanzig Gäste.", "Es kommen 25 Gäste."),
        ("Am 12. Mai 2024 beginnt der Kurs.", "Der Kurs beginnt am 12.05.2024."),
        ("Das Auto ist schnell.", "Der Wagen ist schnell."),
        ("Elle a quatre-vingt-dix euros.", "Elle a 90 euros."),
        ("La réunion dure une heure et demie.", "La réunion dure 90 minutes."),
        ("Le trajet prend 2 h 30 min.", "Le trajet prend 150 minutes."),
        ("Elle ne mange jamais rien de sucré.", "Elle ne mange rien de sucré."),
        ("Tiene treinta y cinco años.", "Tiene 35 años."),
        ("No viene nadie.", "Nadie viene."),
        ("У него двадцать пять книг.", "У него 25 книг."),
        ("لديه ٣ كتب.", "لديه ثلاثة كتب."),
        ("السعر ١٬٢٠٠٫٥٠ دولار.", "السعر 1200.50 دولار."),
        ("他今年三十岁。", "他今年30岁。"),
        ("百分之三十的学生通过了考试。", "30%的学生通过了考试。"),
        ("人口有三百万。", "人口有300万。"),
        ("会议在2024年5月12日下午三点举行。", "会议在二〇二四年五月十二日15:00举行。"),
    ],
)
def test_paraphrases_agree_in_each_language(clean: str, perturbed: str) -> None:
    for one, other in ((clean, perturbed), (perturbed, clean)):
        assert found(one, other).cost <= LITTLE, found(one, other)


@pytest.mark.parametrize(
    ("clean", "perturbed"),
    [
        ("Anna sah gestern den Mann.", "Das ist der Mann, den Anna gestern sah."),
        ("Den, sagte Anna, sah der Mann.", "Der Mann sah den, sagte Anna."),
    ],
)
def test_a_relative_pronoun_is_not_read_as_an_article(clean: str, perturbed: str) -> None:
    for one, other in ((clean, perturbed), (perturbed, clean)):
        assert found(one, other).cost <= LITTLE, found(one, other)
    assert not facts_of("Das ist der Mann, auf den Anna gestern wartete.", "de").cases


def test_a_repeated_noun_is_not_swapped_with_itself() -> None:
    assert found("Der Hund kam und der Hund schlief.", "Den Hund kam und den Hund schlief.").cost == 0


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Zwei Hunde bellen.", "de"),
        ("Nein.", "de"),
        ("Il pleut.", "fr"),
        ("Tengo dos gatos.", "es"),
        ("Да.", "ru"),
        ("三只狗", "zh"),
        ("これは本です。", "ja"),
        ("Sales rose sharply.", "en"),
        ("Vincent van Gogh", "en"),
        ("They met Ben.", "en"),
        ("Ben was late. So Anna left.", "en"),
        ("Die Hard is great", "en"),
        ("Ben ist da.", "de"),
        ("agle mahine ki meeting cancel karo", "hi-Latn"),
        ("kal ke weather ke baare me batao", "hi-Latn"),
        ("Alexa ko message bhejo ki I am late", "hi-Latn"),
        ("The doctor bought a big car.", "en"),
    ],
)
def test_the_language_of_short_texts_is_detected(text: str, language: str) -> None:
    assert language_of(text) == language


def test_an_ambiguous_text_takes_the_language_of_its_pair() -> None:
    assert languages_of("Der Zug fährt um neun Uhr ab.", "Hotel Adlon") == {"de"}
    assert languages_of("It rains today.", "Hotel Adlon") == {"en"}


def test_an_encoder_named_for_a_language_is_chosen_for_it() -> None:
    encoding = encoding_of("minilm,zh=chinese,de=german", lambda name: lambda texts: NotImplemented)
    assert encoding.choose("我有三只狗。", "我有五只狗。") == "chinese"
    assert encoding.choose("Zwei Hunde.", "Drei Hunde.") == "german"
    assert encoding.choose("У неё три кошки.", "Да.") == "lexical"


PIECES = st.lists(
    st.sampled_from(
        "三 十 百 千 万 亿 点 半 两 个 年 月 日 百分之 小时 不 没有 所有 下午 有.百. ` ``` 3 1,200 1.2.3 2024 % 元 "
        "нет двадцать пять لا عشرون وخمسة ٣ ne pas quatre vingt dix l' d' et demie fünfundzwanzig nicht 1.200,50 € "
        "an hour and a half couple of quarter II X < `x` /a -f 😀 :) must only . ,".split()
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(PIECES, PIECES, st.sampled_from(["", "zh", "ru", "ar", "fr", "de", "es", "en"]), st.sampled_from([" ", ""]))
def test_any_mixture_has_a_bounded_symmetric_cost(
    one: list[str], other: list[str], language: str, between: str
) -> None:
    ours, theirs = (facts_of(between.join(pieces), language) for pieces in (one, other))
    found, back = conflict(ours, theirs), conflict(theirs, ours)
    assert 0 <= found.cost <= 1
    assert found.cost == back.cost
    assert conflict(ours, ours).cost == 0


DANISH = """
[settings]
decimal: ,
[words]
small: han har en et og er i det som til på at de
not: ikke ingen aldrig
[numbers]
2: to
3: tre
"""


def test_a_file_alone_adds_a_language(tmp_path: Path) -> None:
    (tmp_path / "da.txt").write_text(DANISH, "utf-8")
    script = (
        "from holdfast.metrics.facts import facts_of, findings\n"
        "print(findings(facts_of('Han har to hunde.'), facts_of('Han har tre hunde.'))[0].reason)\n"
        "print(findings(facts_of('Han er ikke her i dag.'), facts_of('Han er her i dag.'))[0].reason)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {SETTING: str(tmp_path)}, capture_output=True, text=True
    )
    assert shown.stdout.splitlines() == ["number to -> tre", "negation lost"], shown.stderr


def test_an_ambiguous_article_shows_no_case(tmp_path: Path) -> None:
    words = "[words]\nsmall: der den die sieht\nnominative: der die\naccusative: den die\n[settings]\ncapitals: nouns\n"
    (tmp_path / "nds.txt").write_text(words, "utf-8")
    script = (
        "from holdfast.metrics.facts import facts_of\n"
        "print(facts_of('Die Katze sieht den Hund.', 'nds').cases)\n"
        "print(facts_of('Den die Katze sieht.', 'nds').cases)"
    )
    environment = os.environ | {SETTING: str(tmp_path)}
    shown = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert shown.stdout.splitlines() == ["{'hund': 'accusative'}", "{}"], shown.stderr


def test_a_script_in_a_language_file_identifies_the_language(tmp_path: Path) -> None:
    (tmp_path / "am.txt").write_text("[settings]\nscript: Ethiopic\n", "utf-8")
    script = "from holdfast.language.detection import language_of\nprint(language_of('ሰላም ነው'), language_of('ᱥᱟᱱᱛᱟᱲᱤ'))"
    environment = os.environ | {SETTING: str(tmp_path)}
    shown = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert shown.stdout.split() == ["am", "zz"], shown.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[wrods]\nnot: ikke", "da.txt, line 1: unknown section 'wrods'"),
        ("not: ikke", "line 1: not in a section"),
        ("[settings]\ndecmal: ,", "line 2: unknown setting 'decmal'"),
        ("[settings]\nscript: Danish", "line 2: unknown Unicode script 'Danish'"),
        ("[words]\nikke", "line 2: expected 'head: words' in .words."),
        ("[units]\nmin: time", "line 2: 'min': expected a base unit and a factor"),
        ("[numbers]\nscale: hundrede", "line 2: 'scale': expected a number"),
        ("[calendar]\n1: januar", "line 2: '1': expected a kind and a value"),
        ("[phrases]\nslet = ikke", "line 2: expected a phrase of two or more words"),
        ("[antonym]\nvarm kold", "line 2: expected words | words"),
    ],
)
def test_an_invalid_language_file_is_reported_in_one_line(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "da.txt").write_text(text, "utf-8")
    assert re.search(message, error_message(tmp_path, monkeypatch))


def test_a_language_file_must_be_utf_8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "da.txt").write_bytes("[words]\nnot: ikke på".encode("latin-1"))
    assert "da.txt, line 2: not UTF-8" in error_message(tmp_path, monkeypatch)


def error_message(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the error for the language files of a folder, raised when the first text is read."""
    monkeypatch.setenv(SETTING, str(folder))
    shown = subprocess.run(
        [sys.executable, "-c", "from holdfast.metrics.facts import facts_of\nfacts_of('Han er her.')"],
        capture_output=True,
        text=True,
    )
    *_, last = shown.stderr.splitlines()
    assert last.startswith("holdfast.errors.UserError: ")
    return last


@pytest.mark.parametrize(
    ("clean", "perturbed", "language"),
    [
        ("Er kommt nicht, d. h. er bleibt.", "Er kommt nicht, das heißt, er bleibt.", "de"),
        ("Man braucht Obst, z. B. Äpfel.", "Man braucht Obst, zum Beispiel Äpfel.", "de"),
        ("Man braucht u.a. Äpfel.", "Man braucht unter anderem Äpfel.", "de"),
        ("会议推迟了。", "会议延期了。", "zh"),
    ],
)
def test_abbreviations_and_full_forms_agree(clean: str, perturbed: str, language: str) -> None:
    assert conflict(facts_of(clean, language), facts_of(perturbed, language)).cost == 0


@pytest.mark.parametrize(
    ("language", "bounded", "negative"),
    [
        ("fr", "La visite dure au moins une heure.", "Il fait moins 5 degrés."),
        ("es", "La visita dura al menos una hora.", "Hace menos 5 grados."),
    ],
)
def test_a_word_of_a_bound_is_no_sign(language: str, bounded: str, negative: str) -> None:
    assert facts_of(bounded, language).numbers == {"60 min"}
    assert facts_of(negative, language).quantities[0].value == -5
