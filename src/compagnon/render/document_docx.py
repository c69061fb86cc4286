"""A document as .docx, with real styles, lists, header rows, captions, texts for pictures, and its language.

Source: ISO/IEC 29500 (Office Open XML), and Microsoft's and the AcceDe guides on accessible Word documents.
"""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from compagnon.i18n import _, format_number, use
from compagnon.render.document import (
    Block,
    Cell,
    Code,
    Document,
    Figure,
    Gap,
    Heading,
    Inline,
    Link,
    List,
    Note,
    Paragraph,
    Table,
    Text,
    inlines,
    plain,
)

if TYPE_CHECKING:
    from docx.document import Document as Word

INK = "1B1B1F"
SOFT = "F2F2F5"
EPOCH = datetime(1980, 1, 1, tzinfo=UTC)
"""The first moment that a ZIP file can hold: stands for a moment that is not known."""


def write(document: Document) -> bytes:
    """The file; the same document gives the same bytes."""
    import docx

    with use(document.language):
        word = docx.Document()
        _settle(word, document)
        word.add_heading(plain(document.title), 1)
        if document.subject:
            word.add_paragraph(plain(document.subject))
        for block in document.blocks:
            _block(word, block)
        if document.blocks and isinstance(document.blocks[-1], Table | Figure):
            word.add_paragraph()  # a text does not end with a table
        buffer = io.BytesIO()
        word.save(buffer)
    return _same(buffer.getvalue())


def _same(content: bytes) -> bytes:
    """The same archive without the moment at which it was packed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, EPOCH.timetuple()[:6])
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 0
            if name != "docProps/thumbnail.jpeg":  # a picture of the empty template
                new.writestr(entry, old.read(name))
    return packed.getvalue()


# --- the whole ---------------------------------------------------------------------------------------------------


def _settle(word: Word, document: Document) -> None:
    core = word.core_properties
    moment = (document.at or EPOCH).astimezone(UTC).replace(tzinfo=None, microsecond=0)
    core.title, core.subject, core.language = (
        plain(document.title)[:255],
        plain(document.subject)[:255],
        document.locale,
    )
    core.author = core.last_modified_by = "Compagnon"
    core.comments = core.keywords = core.category = ""
    core.created = core.modified = core.last_printed = moment
    core.revision = 1
    _drop_thumbnail(word)
    _language(word, document.locale)
    _styles(word)


def _drop_thumbnail(word: Word) -> None:
    relations = word.part.package.rels
    for name in [name for name, rel in relations.items() if rel.reltype.endswith("/thumbnail")]:
        del relations[name]


def _language(word: Word, locale: str) -> None:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    styles: Any = word.styles.element
    for properties in styles.iter(qn("w:rPr")):
        for old in properties.findall(qn("w:lang")):
            properties.remove(old)
    default = styles.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
    lang = OxmlElement("w:lang")
    for place in ("val", "eastAsia"):
        lang.set(qn(f"w:{place}"), locale)
    default.append(lang)
    theme = word.settings.element.find(qn("w:themeFontLang"))
    if theme is not None:
        theme.set(qn("w:val"), locale)


def _styles(word: Word) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Pt, RGBColor

    ink = RGBColor.from_string(INK)  # the template's light blue is too pale to read
    styles: Any = word.styles
    styles["Normal"].font.name, styles["Normal"].font.size = "Calibri", Pt(11)
    for name in ("Heading 1", "Heading 2", "Heading 3", "Heading 4", "Caption"):
        styles[name].font.color.rgb = ink
    styles["Caption"].font.size = Pt(11)
    styles["Caption"].paragraph_format.keep_with_next = True
    styles["Caption"].paragraph_format.space_before = Pt(12)
    for name in ("Note", "Gap", "Table Text"):
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = styles["Normal"]
        if name == "Table Text":
            style.font.size = Pt(10)
            style.paragraph_format.space_after = Pt(2)
        else:
            _border(style.element.get_or_add_pPr(), "single" if name == "Note" else "double")
    styles.add_style("Source Code", WD_STYLE_TYPE.CHARACTER).font.name = "Consolas"
    hyperlink = styles.add_style("Hyperlink", WD_STYLE_TYPE.CHARACTER)
    hyperlink.font.underline, hyperlink.font.color.rgb = True, RGBColor.from_string("0B4F9E")


def _border(properties: Any, kind: str) -> None:
    properties.append(_element("w:pBdr", [_element("w:left", val=kind, sz="12", space="8", color=INK)]))


# --- blocks ------------------------------------------------------------------------------------------------------


def _block(word: Word, block: Block) -> None:
    if isinstance(block, Heading):
        word.add_heading(plain(block.text), block.level)
    elif isinstance(block, Paragraph):
        _say(word.add_paragraph(), block.text)
    elif isinstance(block, Note):
        _say(word.add_paragraph(style="Note"), block.text)
    elif isinstance(block, Gap):
        paragraph: Any = word.add_paragraph(style="Gap")
        paragraph.add_run(_("Missing information:")).bold = True
        paragraph.add_run(" " + plain(block.what) + (f" ({plain(block.how)})" if block.how else ""))
    elif isinstance(block, List):
        _list(word, block)
    elif isinstance(block, Table):
        _table(word, block)
    else:
        _figure(word, block)


def _list(word: Word, block: List) -> None:
    number = _numbering(word) if block.ordered else None
    for item in block.items:
        paragraph: Any = word.add_paragraph(style="List Number" if block.ordered else "List Bullet")
        if number is not None:
            marks = paragraph._p.get_or_add_pPr().get_or_add_numPr()
            marks.get_or_add_ilvl().val, marks.get_or_add_numId().val = 0, number
        _say(paragraph, item)


def _numbering(word: Word) -> int:
    """Numbers that begin at 1 again, counted as those of the style are."""
    from docx.oxml.ns import qn

    style: Any = word.styles["List Number"].element
    numbering: Any = word.part.numbering_part.element
    own = numbering.num_having_numId(style.pPr.numPr.numId.val)
    number = numbering.add_num(int(own.find(qn("w:abstractNumId")).get(qn("w:val"))))
    number.add_lvlOverride(ilvl=0).add_startOverride(1)
    return int(number.numId)


def _figure(word: Word, figure: Figure) -> None:
    if figure.png:
        from docx.shared import Cm

        picture: Any = word.add_picture(io.BytesIO(figure.png))
        if picture.width > Cm(15):
            picture.width, picture.height = Cm(15), int(picture.height * Cm(15) / picture.width)
        picture._inline.docPr.set("descr", plain(figure.alt))
        word.add_paragraph(plain(figure.sentence), style="Caption")
    else:
        word.add_paragraph(plain(figure.sentence))
    if figure.table:
        _table(word, figure.table)


def _table(word: Word, table: Table) -> None:
    """Built as elements: python-docx looks through the whole table for each cell."""
    caption: Any = word.add_paragraph(plain(table.caption), style="Caption")
    right = table.right
    grid = _element("w:tblGrid", [_element("w:gridCol") for _name in table.headers])
    body: Any = _element("w:tbl", [_table_properties(word, table), grid])
    marks = _element("w:trPr", [_element("w:cantSplit"), _element("w:tblHeader")])
    cells = [_cell(word, name, header=True, right=place in right) for place, name in enumerate(table.headers)]
    body.append(_element("w:tr", [marks, *cells]))
    for row in table.rows:
        cells = [
            _cell(word, cell, strong=place == 0 and table.row_header, right=place in right)
            for place, cell in enumerate(row)
        ]
        body.append(_element("w:tr", [_element("w:trPr", [_element("w:cantSplit")]), *cells]))
    caption._p.addnext(body)


def _table_properties(word: Word, table: Table) -> Any:
    """Style, full width; which row and column are headers; the caption as the text that is read in its place."""
    return _element(
        "w:tblPr",
        [
            _element("w:tblStyle", val=str(word.styles["Table Grid"].style_id)),
            _element("w:tblW", w="5000", type="pct"),
            _element(
                "w:tblLook",
                val="06A0" if table.row_header else "0620",
                firstRow="1",
                lastRow="0",
                firstColumn="1" if table.row_header else "0",
                lastColumn="0",
                noHBand="1",
                noVBand="1",
            ),
            _element("w:tblCaption", val=plain(table.caption)),
        ],
    )


def _cell(word: Word, value: Cell, *, right: bool, header: bool = False, strong: bool = False) -> Any:
    from docx.text.paragraph import Paragraph as Written

    properties = _element("w:tcPr", [_element("w:shd", val="clear", color="auto", fill=SOFT)] if header else [])
    marks = [_element("w:pStyle", val=str(word.styles["Table Text"].style_id))]
    if right:
        marks.append(_element("w:jc", val="right"))
    paragraph: Any = _element("w:p", [_element("w:pPr", marks)])
    _say(Written(paragraph, word._body), _words(value), bold=header or strong)
    return _element("w:tc", [properties, paragraph])


def _words(value: Cell) -> Text:
    if value is None:
        return "–"
    return format_number(value) if isinstance(value, int | float) else value


# --- words -------------------------------------------------------------------------------------------------------


def _say(paragraph: Any, text: Text, *, bold: bool = False) -> None:
    for part in inlines(text):
        if isinstance(part, Link):
            _link(paragraph, part)
            continue
        run = paragraph.add_run(_spoken(part), style="Source Code" if isinstance(part, Code) else None)
        if bold or isinstance(part, Gap):
            run.bold = True


def _spoken(part: Inline) -> str:
    if isinstance(part, Gap):
        return f"[{_('Missing information:')} {plain(part.what)}{f' ({plain(part.how)})' if part.how else ''}]"
    return plain(part if isinstance(part, str) else part.text)


def _link(paragraph: Any, link: Link) -> None:
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml.ns import qn

    name = paragraph.part.relate_to(plain(link.target), RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    run = paragraph.add_run(plain(link.text), style="Hyperlink")
    around: Any = _element("w:hyperlink")
    around.set(qn("r:id"), name)
    run._r.addprevious(around)
    around.append(run._r)


def _element(name: str, children: list[Any] | None = None, **attributes: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element: Any = OxmlElement(name)
    for key, value in attributes.items():
        element.set(qn(f"w:{key}"), value)
    for child in children or []:
        element.append(child)
    return element
