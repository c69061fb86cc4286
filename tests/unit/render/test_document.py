"""Documents read back: what a screen reader and a word processor find in them."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import docx
import pytest
from docx.oxml.ns import qn
from hypothesis import given, settings
from hypothesis import strategies as st

from compagnon.render import chart, document_file
from compagnon.render.document import (
    Code,
    Document,
    Figure,
    Gap,
    Heading,
    Link,
    List,
    Note,
    Paragraph,
    Table,
)


def png() -> bytes:
    """A picture of one point."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0\0")), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


BARS = chart.bars("F1", [chart.Bar("réseau", 0.5), chart.Bar("texte", 0.75)])
COUNTS = Table("Lignes par source", ("source", "lues", "part"), (("export", 1234567, 0.5), ("école", None, 1.0)))
SAMPLE = Document(
    title="Rapport <qualité> & suites",
    language="fr",
    subject="Ce qu'il dit",
    at=datetime(2026, 3, 1, 8, 30, tzinfo=UTC),
    blocks=(
        Heading("Données"),
        Paragraph(("Voir ", Link("le site", "https://example.org/?a=1&b=2"), " et ", Code("a < b"), ".")),
        List(("un", ("deux ", Gap("le nombre")))),
        Heading("Étapes"),
        List(("d'abord", "ensuite"), ordered=True),
        List(("encore",), ordered=True),
        Heading("Détail", 3),
        COUNTS,
        Heading("Images"),
        Figure("Barres par classe", BARS.sentence, svg=BARS.svg, table=Table("Barres", *BARS.table)),
        Figure("Un point noir", "Un point.", png=png()),
        Heading("Reste"),
        Note("À savoir."),
        Gap("la licence", "sources.export.licence"),
    ),
)


@pytest.fixture(scope="module")
def word() -> Any:
    return docx.Document(io.BytesIO(document_file.write(SAMPLE, "docx")))


@pytest.fixture(scope="module")
def html() -> str:
    return document_file.write(SAMPLE, "html").decode()


def test_headings_are_styles_in_order(word: Any) -> None:
    found = [(p.style.name, p.text) for p in word.paragraphs if p.style.name.startswith("Heading")]
    assert found == [
        ("Heading 1", "Rapport <qualité> & suites"),
        ("Heading 2", "Données"),
        ("Heading 2", "Étapes"),
        ("Heading 3", "Détail"),
        ("Heading 2", "Images"),
        ("Heading 2", "Reste"),
    ]


def test_lists_are_lists_and_numbers_begin_again(word: Any) -> None:
    bullets = [p.text for p in word.paragraphs if p.style.name == "List Bullet"]
    assert bullets[0] == "un"
    assert bullets[1].startswith("deux [")
    assert "le nombre" in bullets[1]
    numbered = [p for p in word.paragraphs if p.style.name == "List Number"]
    assert [p.text for p in numbered] == ["d'abord", "ensuite", "encore"]
    numbers = [p._p.pPr.numPr.numId.val for p in numbered]
    assert numbers[0] == numbers[1] != numbers[2]
    numbering = word.part.numbering_part.element
    for number in set(numbers):
        assert numbering.num_having_numId(number).lvlOverride_lst[0].startOverride.val == 1


def test_tables_have_a_caption_and_a_header_row_that_repeats(word: Any) -> None:
    assert len(word.tables) == 2
    table = word.tables[0]
    element = table._tbl
    (caption,) = [p for p in word.paragraphs if p._p is element.getprevious()]
    assert (caption.text, caption.style.name) == ("Lignes par source", "Caption")
    assert element.tblPr.find(qn("w:tblCaption")).get(qn("w:val")) == "Lignes par source"
    look = element.tblPr.find(qn("w:tblLook"))
    assert look.get(qn("w:firstRow")) == look.get(qn("w:firstColumn")) == "1"
    rows = element.tr_lst
    assert [row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None for row in rows] == [True, False, False]
    assert [c.text for c in table.rows[0].cells] == ["source", "lues", "part"]
    assert [c.text for c in table.rows[1].cells] == ["export", "1\u202f234\u202f567", "0,5"]
    assert table.rows[2].cells[1].text == "–"
    aligned = [cell.paragraphs[0].alignment for cell in table.rows[1].cells]
    assert aligned[0] is None
    assert aligned[1] is aligned[2] is not None
    assert table.style.name == "Table Grid"


def test_pictures_have_their_text_and_drawings_their_sentence_and_table(word: Any) -> None:
    pictures = word.element.body.findall(f".//{qn('wp:docPr')}")
    assert [picture.get("descr") for picture in pictures] == ["Un point noir"]
    assert BARS.sentence in [p.text for p in word.paragraphs]
    assert [c.text for c in word.tables[1].columns[0].cells][1:] == ["réseau", "texte"]


def test_language_and_properties(word: Any) -> None:
    core = word.core_properties
    assert (core.title, core.language, core.subject) == ("Rapport <qualité> & suites", "fr-FR", "Ce qu'il dit")
    assert core.created == core.modified
    assert core.created.replace(tzinfo=UTC) == SAMPLE.at
    assert "python-docx" not in (core.author, core.comments)
    found = {e.get(qn("w:val")) for e in word.styles.element.iter(qn("w:lang"))}
    assert found == {"fr-FR"}


def test_links_notes_and_gaps(word: Any) -> None:
    paragraph = next(p for p in word.paragraphs if p.hyperlinks)
    assert [(link.text, link.url) for link in paragraph.hyperlinks] == [("le site", "https://example.org/?a=1&b=2")]
    assert paragraph.text == "Voir le site et a < b."
    assert [p.text for p in word.paragraphs if p.style.name == "Note"] == ["À savoir."]
    (gap,) = [p for p in word.paragraphs if p.style.name == "Gap"]
    assert gap.text.endswith("la licence (sources.export.licence)")
    assert gap.text.startswith("Information manquante")
    assert gap.runs[0].bold


def test_the_page_is_well_formed_and_says_the_same(html: str) -> None:
    text = re.sub(r"<((?:meta|img) [^>]*)>", r"<\1/>", html.replace("<!doctype html>", ""))
    root = ElementTree.fromstring(text)
    assert root.get("lang") == "fr-FR"
    headings = [("".join(e.itertext()), e.tag) for e in root.iter() if e.tag in ("h1", "h2", "h3")]
    assert headings[0] == ("Rapport <qualité> & suites", "h1")
    assert ("Détail", "h3") in headings
    tables = list(root.iter("table"))
    assert [t.findtext("caption") for t in tables] == ["Lignes par source", "Barres"]
    assert [th.get("scope") for th in tables[0].iter("th")] == ["col", "col", "col", "row", "row"]
    places = {e.get("id") for e in root.iter() if e.get("id")}
    links = [e.get("href", "") for e in root.iter("a")]
    assert links.count("https://example.org/?a=1&b=2") == 1
    assert {link[1:] for link in links if link.startswith("#")} == {"s1", "s2", "s3", "s4"} <= places
    assert [e.get("alt") for e in root.iter("img")] == ["Un point noir"]
    assert "Voir <a" in html
    assert "Sommaire" in html
    assert "<script" not in html


@pytest.mark.parametrize("form", ["html", "docx"])
def test_the_same_document_gives_the_same_bytes(form: Any) -> None:
    assert document_file.write(SAMPLE, form) == document_file.write(SAMPLE, form)


def test_nothing_in_the_archive_tells_when_it_was_packed() -> None:
    with zipfile.ZipFile(io.BytesIO(document_file.write(SAMPLE, "docx"))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_gaps_are_counted_wherever_they_stand() -> None:
    assert [gap.what for gap in SAMPLE.gaps] == ["le nombre", "la licence"]
    table = Table("t", ("a",), ((Gap("x"),), (("y ", Gap("z")),)))
    assert [gap.what for gap in Document("d", "en", (table,)).gaps] == ["x", "z"]


def test_what_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="skips a level"):
        Document("d", "fr", (Heading("a", 3),))
    with pytest.raises(ValueError, match="does not fit"):
        Table("t", ("a", "b"), (("only one",),))
    with pytest.raises(ValueError, match="text in its place"):
        Figure(" ", "sentence")
    with pytest.raises(ValueError, match="address"):
        Link("x", "javascript:alert(1)")


@settings(max_examples=30)
@given(st.text())
def test_any_text_can_be_written(text: str) -> None:
    document = Document(text, "en", (Paragraph(text), Note((Code(text),)), Table(text, (text,), ((text,),))))
    content = docx.Document(io.BytesIO(document_file.write(document, "docx")))
    assert len(content.tables) == 1
    page = document_file.write(document, "html").decode()
    assert page.count("<script") == 0
