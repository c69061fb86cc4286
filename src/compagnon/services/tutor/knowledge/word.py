"""A course in a Word file (.docx): headings by what their style is, not by how it is called."""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

from compagnon.errors import UserError
from compagnon.i18n import _, ngettext
from compagnon.services.tutor.knowledge.blocks import Block
from compagnon.services.tutor.knowledge.reading import MOST_TEXT, Reading, damaged, too_large

MOST_FILES, MOST_UNPACKED, MOST_XML = 5_000, 300_000_000, 60_000_000
"""Of what is packed in a .docx: how many files, their bytes together, and those of one that is XML."""
TINY = 2
"""Size of letters, in half points, that nobody reads."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
# Word keeps the English names of its own styles in each language; other programs and people write theirs.
_HEADING = re.compile(r"(?:heading|titre|überschrift|título|titolo)\s*([1-9])", re.IGNORECASE)
_CONTENTS = re.compile(r"toc\b|tm\s?\d|table des mati|index \d|table of figures", re.IGNORECASE)
_CODE = re.compile(r"\b(?:source|code|listing|preformatted|préformaté|verbatim|macro text|plain text)\b", re.IGNORECASE)
MONOSPACED = re.compile(
    r"mono|courier|cmtt|sftt|consol|menlo|typewriter|inconsolata|(?:fira|source|sf) ?code|lucida con", re.I
)
"""Names of the fonts in which code is written."""
_INSIDE = {f"{_W}{name}" for name in ("hyperlink", "ins", "moveTo", "smartTag", "fldSimple", "sdt", "sdtContent")}
_INSIDE |= {f"{_W}{name}" for name in ("customXml", "dir", "bdo")}
_CHANGES = {f"{_W}{name}" for name in ("del", "moveFrom")}
_NOTES = {f"{_W}footnoteReference": "footnotes", f"{_W}endnoteReference": "endnotes"}
_DRAWN = {f"{_W}drawing", f"{_W}pict", f"{_W}object"}
_DRAWN |= {"{http://schemas.openxmlformats.org/markup-compatibility/2006}AlternateContent"}
_SIGNS = {f"{_W}tab": "\t", f"{_W}br": "\n", f"{_W}cr": "\n", f"{_W}noBreakHyphen": "-"}


def from_word(content: bytes, name: str) -> Reading:
    """What a reader sees of the Word file ``content``. Raises UserError.

    Headings, paragraphs (each item of a list is one), rows of tables, code by its style or its font, notes after the
    paragraph that calls them. Hidden text, comments, deleted text, text boxes, headers and pictures are left out.
    """
    _check_size(content, name)
    import docx

    try:
        reader = _Reader(docx.Document(io.BytesIO(content)))
        reader.read()
    except UserError:
        raise
    except Exception as error:  # a file by somebody else may be wrong anywhere, and python-docx checks little
        raise damaged(name) from error
    if sum(len(block.text) for block in reader.blocks) > MOST_TEXT:
        raise too_large(name)
    return Reading(tuple(reader.blocks), tuple(reader.told()))


def _check_size(content: bytes, name: str) -> None:
    """Sizes are checked before anything is unpacked; the reader of the archive keeps to the sizes that it declares."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise damaged(name) from error
    if not any(file.filename == "word/document.xml" for file in files):
        raise UserError(
            "knowledge.course-format",
            _("{path} is an archive, but no Word file (.docx).").format(path=name),
            next=_("Save the course as Markdown (.md), HTML (.html), Word (.docx) or PDF (.pdf)."),
        )
    xml = max((file.file_size for file in files if file.filename.endswith((".xml", ".rels"))), default=0)
    if len(files) > MOST_FILES or xml > MOST_XML or sum(file.file_size for file in files) > MOST_UNPACKED:
        raise too_large(name)


class _Reader:
    def __init__(self, document: Any) -> None:
        self._body = document.element.body
        self._styles = {style.get(f"{_W}styleId"): style for style in document.styles.element.findall(f"{_W}style")}
        self._default = next(
            (key for key, style in self._styles.items()
             if style.get(f"{_W}type") == "paragraph" and style.get(f"{_W}default") in ("1", "true")),
            None,
        )  # fmt: skip
        self._notes = _notes(document.part)
        self._left_out: Counter[str] = Counter()
        self._called: list[str] = []
        self._code: list[str] = []
        self._titled = 0
        self.blocks: list[Block] = []

    def read(self) -> None:
        self._read_in(self._body)
        self._end_code()

    def told(self) -> Iterator[str]:
        """What was left out, or is to be looked at."""
        left = self._left_out
        if count := left["hidden"]:
            yield ngettext("{count} hidden text was left out.", "{count} hidden texts were left out.", count).format(
                count=count
            )
        if count := left["changes"]:
            yield ngettext(
                "{count} tracked deletion was left out; what was added is taken.",
                "{count} tracked deletions were left out; what was added is taken.",
                count,
            ).format(count=count)
        if count := left["boxes"]:
            yield ngettext("{count} text box was left out.", "{count} text boxes were left out.", count).format(
                count=count
            )
        if count := left["pictures"]:
            yield ngettext("{count} picture was left out.", "{count} pictures were left out.", count).format(
                count=count
            )
        if count := left["formulas"]:
            yield ngettext(
                "{count} formula was not read; […] stands in its place.",
                "{count} formulas were not read; […] stands in their place.",
                count,
            ).format(count=count)
        if count := left["notes"]:
            yield ngettext(
                "{count} note of the foot of a page was put after the paragraph that calls it.",
                "{count} notes of the foot of a page were put after the paragraphs that call them.",
                count,
            ).format(count=count)
        if count := left["rows"]:
            yield ngettext(
                "{count} row of a table became a line of text.",
                "{count} rows of tables became lines of text.",
                count,
            ).format(count=count)

    def _read_in(self, parent: Any) -> None:
        for child in parent:
            if child.tag == f"{_W}p":
                self._paragraph(child)
            elif child.tag == f"{_W}tbl":
                self._table(child)
            elif child.tag in _INSIDE:
                self._read_in(child)
            elif child.tag in _CHANGES:
                self._left_out["changes"] += 1

    def _paragraph(self, paragraph: Any) -> None:
        style = self._style_of(paragraph)
        names = [_name(each) for each in self._chain(style)]
        text = "".join(self._words(paragraph, style))
        called, self._called = self._called, []
        if any(_CONTENTS.match(name) for name in names[:1]):
            return  # a table of contents says the headings again
        level = self._level(paragraph, style, names)
        if not level and text.strip() and self._is_code(paragraph, style, names):
            self._code += text.split("\n")
            return
        if not level and not text.strip() and self._code:
            self._code.append("")
            return
        self._end_code()
        if said := " ".join(text.split()):
            self._titled |= level == 1 and names[:1] == ["title"]
            self.blocks.append(Block("heading" if level else "paragraph", said, level=level))
        for note in called:
            if note:
                self._left_out["notes"] += 1
                self.blocks.append(Block("paragraph", note))

    def _end_code(self) -> None:
        code, self._code = "\n".join(self._code).strip("\n"), []
        if code.strip():
            self.blocks.append(Block("code", code.expandtabs(4)))

    def _table(self, table: Any) -> None:
        """A cell alone is a frame around what it holds; else each row is a line."""
        rows = [[cell for cell in row.iter(f"{_W}tc") if _own(cell, row)] for row in table.findall(f"{_W}tr")]
        if len(rows) == 1 and len(rows[0]) == 1:
            self._read_in(rows[0][0])
            return
        self._end_code()
        for row in rows:
            said = [" ".join(" ".join(self._cell(cell)).split()) for cell in row]
            notes, self._called = self._called, []
            if line := " | ".join(words for words in said if words):
                self._left_out["rows"] += 1
                self.blocks.append(Block("paragraph", line))
            self.blocks += [Block("paragraph", note) for note in notes if note]

    def _cell(self, cell: Any) -> Iterator[str]:
        for paragraph in cell.iter(f"{_W}p"):
            if not any(parent.tag == f"{_W}txbxContent" for parent in paragraph.iterancestors()):
                yield "".join(self._words(paragraph, self._style_of(paragraph)))

    def _words(self, parent: Any, style: str | None) -> Iterator[str]:
        for child in parent:
            if child.tag == f"{_W}r":
                yield from self._run(child, style)
            elif child.tag in _INSIDE:
                yield from self._words(child, style)
            elif child.tag in _CHANGES:
                self._left_out["changes"] += 1
            elif child.tag in (f"{_M}oMath", f"{_M}oMathPara"):
                yield self._formula(child)

    def _run(self, run: Any, style: str | None) -> Iterator[str]:
        if self._is_hidden(run, style):
            self._left_out["hidden"] += any((text.text or "").strip() for text in run.iter(f"{_W}t"))
            return
        for child in run:
            if child.tag == f"{_W}t":
                yield child.text or ""
            elif child.tag in _SIGNS:
                yield _SIGNS[child.tag]
            elif child.tag in _NOTES:
                self._called.append(self._notes.get((_NOTES[child.tag], child.get(f"{_W}id")), ""))
            elif child.tag in _DRAWN:
                boxed = any(True for _each in child.iter(f"{_W}txbxContent"))
                self._left_out["boxes" if boxed else "pictures"] += 1

    def _formula(self, formula: Any) -> str:
        """A formula on one line is read; a fraction, a root or a power says something else once it is one."""
        plain = all(part.tag in (f"{_M}r", f"{_M}t", f"{_M}oMath") for part in formula.iter(f"{_M}*") if _is_math(part))
        if plain:
            return "".join(text.text or "" for text in formula.iter(f"{_M}t"))
        self._left_out["formulas"] += 1
        return " […] "

    def _style_of(self, paragraph: Any) -> str | None:
        found = paragraph.find(f"{_W}pPr/{_W}pStyle")
        return self._default if found is None else found.get(f"{_W}val")

    def _chain(self, style: str | None) -> Iterator[Any]:
        """A style, then those that it is based on."""
        seen: set[str] = set()
        while style is not None and style in self._styles and style not in seen:
            seen.add(style)
            yield self._styles[style]
            based = self._styles[style].find(f"{_W}basedOn")
            style = None if based is None else based.get(f"{_W}val")

    def _level(self, paragraph: Any, style: str | None, names: list[str]) -> int:
        """Level of a heading from 1, or 0: by the outline, else by the name of the style or of one it is based on."""
        if names[:1] == ["title"]:
            return 1
        found = [paragraph, *self._chain(style)]
        for place, each in enumerate(found):
            outline = each.find(f"{_W}pPr/{_W}outlineLvl")
            if outline is not None and (outline.get(f"{_W}val") or "").isdecimal():
                level = int(outline.get(f"{_W}val")) + 1
                return level + self._titled if level <= 9 else 0
            if place and (named := _HEADING.match(names[place - 1])):
                return int(named[1]) + self._titled
        return 0

    def _is_code(self, paragraph: Any, style: str | None, names: list[str]) -> bool:
        if any(_CODE.search(name) for name in names):
            return True
        own = [_font(run.find(f"{_W}rPr")) for run in paragraph.iter(f"{_W}r") if "".join(run.itertext()).strip()]
        inherited = next((font for each in self._chain(style) if (font := _font(each.find(f"{_W}rPr")))), "")
        return bool(own) and all(MONOSPACED.search(font or inherited) for font in own)

    def _is_hidden(self, run: Any, style: str | None) -> bool:
        """By the run itself, the style of its letters, then that of its paragraph: the first that says it decides."""
        own = run.find(f"{_W}rPr")
        named = None if own is None else own.find(f"{_W}rStyle")
        by_style = [*self._chain(None if named is None else named.get(f"{_W}val")), *self._chain(style)]
        told = [own, *(each.find(f"{_W}rPr") for each in by_style)]
        said = (each.find(f"{_W}vanish") for each in told if each is not None)
        vanish = next(
            (each.get(f"{_W}val", "true") not in ("0", "false", "off") for each in said if each is not None), False
        )
        sizes = (each.find(f"{_W}sz") for each in told if each is not None)
        size = next((each.get(f"{_W}val", "") for each in sizes if each is not None), "")
        return vanish or (size.isdecimal() and int(size) <= TINY)


def _notes(part: Any) -> dict[tuple[str, str | None], str]:
    """The text of each note, by its kind and its number."""
    from docx.oxml import parse_xml

    found: dict[tuple[str, str | None], str] = {}
    for relation in part.rels.values():
        kind = relation.reltype.rpartition("/")[2]
        if kind in ("footnotes", "endnotes") and not relation.is_external:
            for note in parse_xml(relation.target_part.blob):
                shown = (run for run in note.iter(f"{_W}r") if run.find(f"{_W}rPr/{_W}vanish") is None)
                text = "".join(word.text or "" for run in shown for word in run.iter(f"{_W}t"))
                found[kind, note.get(f"{_W}id")] = " ".join(text.split())
    return found


def _name(style: Any) -> str:
    found = style.find(f"{_W}name")
    return "" if found is None else (found.get(f"{_W}val") or "").lower()


def _font(properties: Any) -> str:
    found = None if properties is None else properties.find(f"{_W}rFonts")
    return "" if found is None else found.get(f"{_W}ascii") or ""


def _is_math(part: Any) -> bool:
    """Whether an element of a formula changes how it is read; the ones that end in Pr say how it looks."""
    return not part.tag.endswith("Pr") and not any(up.tag.endswith("Pr") for up in part.iterancestors())


def _own(cell: Any, row: Any) -> bool:
    """Whether ``cell`` is of ``row`` itself, not of a table inside one of its cells."""
    return next(up for up in cell.iterancestors() if up.tag == f"{_W}tr") is row
