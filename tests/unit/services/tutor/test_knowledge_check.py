"""What the check sees in a base that can be read: links, length, readability, examples, drawings, prose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from knowledge_base import PARAGRAPH, SUBTOPIC, TOPIC, subtopic, topic, write

from compagnon.errors import UserError
from compagnon.services.tutor.knowledge.check import check
from compagnon.services.tutor.knowledge.drawing import content_fault
from compagnon.services.tutor.knowledge.links import cycles
from compagnon.services.tutor.knowledge.model import Subtopic
from compagnon.services.tutor.knowledge.prose import defects
from compagnon.services.tutor.knowledge.readability import reading_ease, sentences, syllables, words

EXAMPLE = {"title": "Un exemple", "text": "On essaie."}
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{}</svg>'


def test_a_right_base_has_nothing_wrong(tmp_path: Path) -> None:
    report = check(write(tmp_path, TOPIC))
    assert report.problems == ()
    assert report.warnings == ()
    assert report.words == len(words(SUBTOPIC["content"]))


@pytest.mark.parametrize(
    ("change", "code", "words_"),
    [
        ({"content": "Trop court."}, "knowledge.length", "2 words"),
        ({"content": PARAGRAPH * 7}, "knowledge.length", "between 120 and 300"),
        ({"examples": []}, "knowledge.no-example", "no example"),
        ({"examples": [{**EXAMPLE, "code": "x = (", "language": "python"}]}, "knowledge.code", "python"),
        ({"examples": [{**EXAMPLE, "code": "{'a'}", "language": "json"}]}, "knowledge.code", "json"),
        ({"examples": [{**EXAMPLE, "code": "x"}]}, "knowledge.code-language", "not stated"),
        ({"prerequisites": ["cnn.convolutio"]}, "knowledge.unknown-subtopic", "cnn.convolutio"),
        ({"prerequisites": ["cnn.convolution"] * 2}, "knowledge.prerequisite-twice", "twice"),
        ({"prerequisites": ["cnn.wrong"]}, "knowledge.circle", "cnn.wrong → cnn.wrong"),
        ({"diagram": {"file": "diagrams/no.svg", "alt": "rien"}}, "knowledge.drawing", "no such file"),
        ({"diagram": {"file": "../secret.svg", "alt": "rien"}}, "knowledge.drawing", "outside"),
        ({"title": "La  convolution"}, "knowledge.prose", "two blanks"),
    ],
)  # fmt: skip
def test_each_defect_is_named(tmp_path: Path, change: dict[str, Any], code: str, words_: str) -> None:
    report = check(write(tmp_path, topic("cnn", SUBTOPIC, subtopic("cnn.wrong", **change))))
    found = [p for p in report.problems if p.code == code]
    assert len(found) >= 1
    assert words_ in found[0].what
    assert found[0].what.startswith("cnn.wrong, ")
    assert {p.code for p in report.problems} <= {code, "knowledge.prose"}


def test_hard_texts_are_seen_by_level(tmp_path: Path) -> None:
    hard = (
        "L'implémentation institutionnelle d'une régularisation multidimensionnelle hétéroscédastique nécessite une "
        "considération approfondie des caractéristiques intrinsèques des distributions paramétriques conditionnelles. "
    ) * 8
    for level in ("beginner", "advanced"):
        report = check(write(tmp_path, topic("cnn", subtopic("cnn.hard", content=hard.strip(), difficulty=level))))
        assert [p.code for p in report.problems] == ["knowledge.hard-to-read"]


def test_what_may_be_right_is_a_warning(tmp_path: Path) -> None:
    long = "Il y a " + "un mot et " * 20 + "une fin. "
    doubtful = subtopic(
        "cnn.easy",
        content=(long + PARAGRAPH * 3).strip(),
        prerequisites=["cnn.hard"],
        sources=[],
        reviewed=None,
    )
    write(tmp_path, topic("cnn", doubtful, subtopic("cnn.hard", difficulty="advanced")))
    (tmp_path / "diagrams").mkdir()
    (tmp_path / "diagrams" / "lost.svg").write_text(SVG.format(""), encoding="utf-8")
    report = check(tmp_path)
    assert report.problems == ()
    assert sorted(w.code for w in report.warnings) == [
        "knowledge.drawing-unused",
        "knowledge.harder",
        "knowledge.long-sentence",
        "knowledge.no-source",
        "knowledge.not-reviewed",
    ]


def test_a_link_to_a_subtopic_of_wrong_shape_is_not_a_second_mistake(tmp_path: Path) -> None:
    report = check(
        write(tmp_path, topic("cnn", subtopic("cnn.a", title=None), subtopic("cnn.b", prerequisites=["cnn.a"])))
    )
    assert [p.code for p in report.problems] == ["spec.missing-key"]


def test_a_report_on_some_topics_follows_links_to_others(tmp_path: Path) -> None:
    rnn = topic("rnn", subtopic("rnn.gru", prerequisites=["cnn.convolution"], examples=[]))
    write(tmp_path, topic("cnn", subtopic("cnn.convolution", examples=[])), rnn)
    report = check(tmp_path, topics=("rnn",))
    assert [p.what for p in report.problems] == ["rnn.gru, examples: There is no example."]
    with pytest.raises(UserError, match="There is no topic"):
        check(tmp_path, topics=("rn",))


def test_circles_are_found_once_each() -> None:
    links = {"t.a": ["t.b"], "t.b": ["t.c"], "t.c": ["t.a", "t.d"], "t.d": ["t.e"], "t.e": ["t.d"], "t.f": ["t.a"]}
    by_id = {name: Subtopic.model_validate(subtopic(name, prerequisites=needs)) for name, needs in links.items()}
    assert cycles(by_id) == [("t.a", "t.b", "t.c", "t.a"), ("t.d", "t.e", "t.d")]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Un mot  deux.", "two blanks in a row"),
        ("Le le réseau.", "a word twice in a row"),
        ("Un mot , un autre.", "a blank before a comma or a full stop"),
        ("Un mot,un autre.", "no blank after a comma or a semicolon"),
        ("Un mot ( entre parenthèses).", "a blank inside brackets"),
        ("Un mot (entre parenthèses.", "a bracket without the other"),
        ("Pourquoi?", "no blank before a double sign"),
        ("Le mot «réseau ».", "no blank inside « »"),
        ("Une phrase", "a paragraph without its full stop"),
        (" Une phrase.", "a blank at the beginning or the end"),
        ("Une phrase &eacute;crite.", "a character that was not decoded"),
        ("Une\n\n\nphrase.", "more than one blank line"),
        ("TODO : à écrire.", "something left to write"),
        ("Un mot..", "two signs in a row"),
        ("Un\u200bmot.", "an invisible character"),
    ],
)
def test_defects_of_prose(text: str, what: str) -> None:
    assert what in [defect.what for defect in defects(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Nous nous servons de `f(a,b)  # deux` : voyez https://example.org/a?b=c;d.",
        "Pourquoi ? Parce que 3,14 et 0 0 1 vont bien ; le mot « réseau » aussi (1 000 fois).",
        "Les points de suspension… ou bien... sont permis.",
        "Première ligne.\nDeuxième ligne.\n\nFin !",
        "La ligne « data: [DONE] » finit le flux, et « log log range( » aussi.",
        "torch.nn et l'API 2.0 à 10:30.",
    ],
)
def test_right_prose_has_no_defect(text: str) -> None:
    assert list(defects(text)) == []


def test_english_prose_has_its_own_rules() -> None:
    assert list(defects("Why? Because: so.", "en")) == []


@pytest.mark.parametrize(
    ("word", "count"),
    [
        *[("chat", 1), ("le", 1), ("parlent", 1)],
        *[("image", 2), ("images", 2), ("réseau", 2), ("créer", 2), ("l'idée", 2), ("naïf", 2), ("convolution", 4)],
    ],
)
def test_syllables(word: str, count: int) -> None:
    assert syllables(word) == count


def test_reading_ease_follows_the_formula() -> None:
    text = "Le chat dort. La nuit est calme."
    assert len(sentences(text)) == 2
    assert len(words(text)) == 7
    assert reading_ease(text) == pytest.approx(207 - 1.015 * 3.5 - 73.6 * 7 / 7)
    assert reading_ease("") == 0


@pytest.mark.parametrize(
    ("inside", "reason"),
    [
        ("<script>1</script>", "<script>"),
        ('<rect onclick="f()"/>', "onclick="),
        ('<a href="https://example.org"/>', "outside"),
        ("<foreignObject/>", "<foreignobject>"),
        ('<rect style="fill:url(https://example.org/x)"/>', "outside"),
        ("<style>@import 'x.css';</style>", "outside"),
        ("<rect", "not XML"),
    ],
)
def test_drawings_that_run_or_fetch_are_refused(inside: str, reason: str) -> None:
    found = content_fault(SVG.format(inside).encode())
    assert found is not None
    assert reason in found


def test_drawings_that_stand_alone_are_shown() -> None:
    assert content_fault(SVG.format('<defs><path id="p"/></defs><use href="#p" fill="url(#p)"/>').encode()) is None
    assert content_fault(b"<!DOCTYPE svg><svg/>") is not None
    assert content_fault(b"<html/>") is not None
    assert content_fault(b"<svg/>") is not None
