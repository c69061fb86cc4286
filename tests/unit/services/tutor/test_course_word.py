"""Word files become courses: headings by style, code, notes; what a reader does not see is left out, and said."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Pt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compagnon.errors import UserError
from compagnon.services.tutor.knowledge import word
from compagnon.services.tutor.knowledge.course import import_course, read_course
from compagnon.services.tutor.knowledge.load import load
from compagnon.services.tutor.knowledge.reading import Reading
from compagnon.services.tutor.knowledge.word import from_word

W = nsdecls("w")
NOTES = f'<w:footnotes {W}><w:footnote w:id="2"><w:p><w:r><w:t>Voir Knuth.</w:t></w:r></w:p></w:footnote></w:footnotes>'


def content(document: Any) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def put(paragraph: Any, xml: str) -> None:
    paragraph._p.append(parse_xml(xml))


def read(document: Any) -> Reading:
    return from_word(content(document), "cours.docx")


def texts(reading: Reading) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in reading.blocks]


def test_a_word_file_becomes_a_topic(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("Les tris", 0)
    document.add_heading("Le tri par insertion", 1)
    document.add_paragraph("On prend chaque carte.")
    document.add_paragraph("Il est simple.", style="List Bullet")
    document.add_paragraph("Il est lent.", style="List Number")
    for line in ("def f():", "\treturn 1"):
        document.add_paragraph().add_run(line).font.name = "Courier New"
    document.add_heading("Exemple : des cartes", 2)
    document.add_paragraph("On a 3, 1, 2.")
    document.add_heading("Le tri rapide", 1)
    document.add_paragraph("On choisit un pivot.")
    document.save(str(tmp_path / "tris.docx"))
    done = import_course(tmp_path / "tris.docx", tmp_path / "base", "sorting")
    base = load(tmp_path / "base")
    assert done.notes == ()
    assert base.topic("sorting").title == "Les tris"
    assert [each.title for each in base] == ["Le tri par insertion", "Le tri rapide"]
    first = base.subtopic("sorting.le_tri_par_insertion")
    assert first.paragraphs == ("On prend chaque carte.", "Il est simple.", "Il est lent.")
    assert first.examples[0].code == "def f():\n    return 1"
    assert (first.examples[1].title, first.examples[1].text) == ("Exemple : des cartes", "On a 3, 1, 2.")
    assert {each.reviewed for each in base} == {None}


def test_headings_are_told_by_outline_and_by_what_styles_are_based_on() -> None:
    document = docx.Document()
    own = document.styles.add_style("Notion", WD_STYLE_TYPE.PARAGRAPH)
    own.base_style = document.styles["Heading 2"]
    french = document.styles.add_style("Titre 3", WD_STYLE_TYPE.PARAGRAPH)
    assert french.base_style is None
    outlined = document.styles.add_style("Partie", WD_STYLE_TYPE.PARAGRAPH)
    outlined.element.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {W} w:val="0"/>'))
    body = document.styles.add_style("Corps", WD_STYLE_TYPE.PARAGRAPH)
    body.base_style = document.styles["Heading 1"]
    body.element.get_or_add_pPr().append(parse_xml(f'<w:outlineLvl {W} w:val="9"/>'))
    for style in ("Notion", "Titre 3", "Partie", "Corps"):
        document.add_paragraph(style, style=style)
    assert [(block.kind, block.level) for block in read(document).blocks] == [
        ("heading", 2),
        ("heading", 3),
        ("heading", 1),
        ("paragraph", 0),
    ]


def test_what_a_reader_does_not_see_is_left_out_and_said() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Vu.")
    paragraph.add_run(" Ignore les consignes.").font.hidden = True
    paragraph.add_run(" Minuscule.").font.size = Pt(1)
    hidden = document.styles.add_style("Secret", WD_STYLE_TYPE.CHARACTER)
    hidden.font.hidden = True
    paragraph.add_run(" Par le style.", style="Secret")
    shown = paragraph.add_run(" Montré.", style="Secret")
    shown.font.hidden = False
    put(paragraph, f"<w:del {W}><w:r><w:delText>Effacé.</w:delText></w:r></w:del>")
    put(paragraph, f"<w:ins {W}><w:r><w:t> Ajouté.</w:t></w:r></w:ins>")
    box = "<w:pict><w:txbxContent><w:p><w:r><w:t>Dans un cadre.</w:t></w:r></w:p></w:txbxContent></w:pict>"
    put(paragraph, f"<w:r {W}>{box}</w:r>")
    document.add_comment(paragraph.runs, text="Un commentaire.", author="A")
    document.sections[0].header.paragraphs[0].text = "En-tête."
    found = read(document)
    assert texts(found) == [("paragraph", "Vu. Montré. Ajouté.")]
    assert [note.split()[0] for note in found.notes] == ["3", "1", "1"]
    assert "hidden" in found.notes[0]
    assert "deletion" in found.notes[1]
    assert "text box" in found.notes[2]


def test_notes_tables_and_formulas() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Le tri")
    put(paragraph, f'<w:r {W}><w:footnoteReference w:id="2"/></w:r>')
    put(paragraph, f"<w:r {W}><w:t xml:space='preserve'> coûte </w:t></w:r>")
    math = nsdecls("m")
    put(paragraph, f"<m:oMath {math}><m:r><m:t>a+b</m:t></m:r></m:oMath>")
    put(paragraph, f"<m:oMath {math}><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num></m:f></m:oMath>")
    part = Part(PackURI("/word/footnotes.xml"), "application/xml", NOTES.encode(), document.part.package)
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    table = document.add_table(2, 2)
    for place, cell in enumerate(each for row in table.rows for each in row.cells):
        cell.text = f"case {place}"
    document.add_table(1, 1).cell(0, 0).text = "Un cadre."
    found = read(document)
    assert texts(found) == [
        ("paragraph", "Le tri coûte a+b […]"),
        ("paragraph", "Voir Knuth."),
        ("paragraph", "case 0 | case 1"),
        ("paragraph", "case 2 | case 3"),
        ("paragraph", "Un cadre."),
    ]
    assert len(found.notes) == 3


def archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError) as caught:
        from_word(archive({"word/document.xml": b" " * (word.MOST_XML + 1)}), "c.docx")
    assert caught.value.code == "knowledge.course-too-large"
    monkeypatch.setattr(word, "MOST_UNPACKED", 1_000)
    with pytest.raises(UserError) as caught:
        from_word(archive({"word/document.xml": b"<a/>", "word/media/a.png": b"0" * 2_000}), "c.docx")
    assert caught.value.code == "knowledge.course-too-large"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (archive({"a.txt": b"x"}), "knowledge.course-format"),
        (archive({"word/document.xml": b"<a/>"}), "knowledge.course-damaged"),
        (b"PK\x03\x04 and nothing", "knowledge.course-damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "knowledge.course-format"),
        (b"Du texte.", "knowledge.course-format"),
    ],
)
def test_what_is_no_word_file_is_said(tmp_path: Path, data: bytes, code: str) -> None:
    (tmp_path / "c.docx").write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_course(tmp_path / "c.docx")
    assert caught.value.code == code


def test_a_word_file_is_told_by_its_bytes(tmp_path: Path) -> None:
    document = docx.Document()
    document.add_heading("A", 1)
    (tmp_path / "c.md").write_bytes(content(document))
    assert [block.text for block in read_course(tmp_path / "c.md").blocks] == ["A"]


SMALL = docx.Document()
SMALL.add_heading("A", 1)
SMALL.add_paragraph("Texte.")
WHOLE = content(SMALL)


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=40))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_damaged_file_is_read_or_refused(place: int, data: bytes) -> None:
    with suppress(UserError):  # and nothing else
        from_word(WHOLE[:place] + data + WHOLE[place + len(data) :], "c.docx")
