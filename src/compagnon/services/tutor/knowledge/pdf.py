"""A course in a PDF file, where nothing is said to be a heading or a paragraph: told by sizes, places and bookmarks."""

from __future__ import annotations

import io
import itertools
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from compagnon.chain.plugins import missing_extra
from compagnon.errors import UserError
from compagnon.i18n import _, ngettext
from compagnon.services.tutor.knowledge.blocks import Block
from compagnon.services.tutor.knowledge.reading import MOST_TEXT, Reading, damaged, too_large
from compagnon.services.tutor.knowledge.word import MONOSPACED

MOST_PAGES = 2_000
LARGER = 1.12
"""How much larger than the text a heading is."""
LONGEST_HEADING = 160
EDGE = 2
"""Lines at each end of a page among which headers and footers are looked for."""
ROWS = 6
"""Lines that stand in two columns, at least, for a page to be read as such."""
WIDE = 0.5
"""Width of a letter by its size, on average; of a monospaced one, 0.6."""

_NUMBER = re.compile(
    r"[-–—\s]*(?:(?:page|p\.)\s*)?(?:\d{1,4}|[ivxlc]{1,6})(?:\s*(?:/|sur|of|de)\s*\d{1,4})?[-–—\s]*", re.I
)
_BULLET = re.compile(r"^\s*(?:[•‣◦▪■●○∙·–—*-]|\d{1,3}[.)]|[a-z]\))\s+")
_SENTENCE_END = re.compile(r"[.!?…:;»\"”)]\s*$")
_BROKEN = re.compile(r"(\w+)(-|\u00ad|\u2010)$")
_AFTER_HYPHEN = {"il", "ils", "elle", "elles", "on", "je", "nous", "vous", "là", "ci", "lui", "moi", "toi"}
_AFTER_HYPHEN |= {"même", "mêmes", "être"}
"""What French writes after a hyphen and seldom ends a word with: « peut-être », « dit-il », « lui-même »."""
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})

Headings = dict[int, tuple[int, int]]
"""The lines that are headings, by their place: the level, and the number of the bookmark (0: told by its size)."""


@dataclass
class Line:
    """One line of a page; ``y`` grows downward, ``page`` from 1."""

    text: str
    x: float
    y: float
    size: float
    end: float
    page: int
    mono: bool = False
    column: int = 0


@dataclass(frozen=True)
class _Bit:
    text: str
    x: float
    y: float
    size: float
    mono: bool

    @property
    def end(self) -> float:
        return self.x + len(self.text) * self.size * (0.6 if self.mono else WIDE)


def from_pdf(content: bytes, name: str) -> Reading:
    """The text of the PDF ``content`` as headings, paragraphs and code. Raises UserError.

    Headings are the bookmarks where they are found in the text, else the lines that are larger. Running headers and
    footers and numbers of pages are left out, words cut at the end of a line are put together.
    """
    try:
        import pypdf
    except ImportError as error:
        raise missing_extra("pdf", "pypdf") from error
    try:
        with _quiet():
            reader = pypdf.PdfReader(io.BytesIO(content))
            if reader.is_encrypted:
                raise UserError(
                    "knowledge.pdf-encrypted",
                    _("{path} is protected by a password.").format(path=name),
                    next=_("Save it without protection, or print it to a new PDF, then import that file."),
                )
            if len(reader.pages) > MOST_PAGES:
                raise too_large(name)
            pages, doubtful = _pages(reader, name)
            bookmarks = list(_bookmarks(reader, reader.outline))
    except UserError:
        raise
    except Exception as error:  # a file by somebody else may be wrong anywhere; pypdf bounds what it unpacks
        raise damaged(name) from error
    return _read(pages, bookmarks, doubtful, name)


def _read(pages: list[list[Line]], bookmarks: list[tuple[str, int, int]], doubtful: list[int], name: str) -> Reading:
    empty = [number for number, lines in enumerate(pages, 1) if not lines]
    if len(empty) == len(pages):
        raise UserError(
            "knowledge.pdf-scanned",
            _("{path} holds no text: its pages are pictures.").format(path=name),
            next=_("Have its text recognized (ocrmypdf, or the scanner's software), then import that file."),
        )
    body, repeated = without_running(pages)
    lines = [line for page in body for line in page]
    headings, missed = _headings(lines, bookmarks)
    notes = []
    if repeated:
        said = ngettext(
            "{count} line of headers, footers or page numbers was left out.",
            "{count} lines of headers, footers or page numbers were left out.",
            repeated,
        )
        notes.append(said.format(count=repeated))
    if empty:
        notes.append(_("No text on pages {pages}: pictures, perhaps.").format(pages=_numbers(empty)))
    if doubtful:
        notes.append(_("Read as two columns, check the order: pages {pages}.").format(pages=_numbers(doubtful)))
    if missed:
        titles = ", ".join(missed[:5]) + "…" * (len(missed) > 5)
        notes.append(_("Bookmarks that were not found in the text: {titles}.").format(titles=titles))
    notes.append(_("A PDF does not say what its lines are: check headings, lists, tables and formulas."))
    return Reading(tuple(_blocks(lines, headings)), tuple(notes))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what pypdf logs about files that are not quite right."""
    logger = logging.getLogger("pypdf")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _pages(reader: Any, name: str) -> tuple[list[list[Line]], list[int]]:
    pages: list[list[Line]] = []
    doubtful: list[int] = []
    total = 0
    for number, page in enumerate(reader.pages, 1):
        bits = _bits(page)
        total += sum(len(bit.text) for bit in bits)
        if total > MOST_TEXT:
            raise too_large(name)
        lines, columns = lines_of(bits, number)
        pages.append(lines)
        if columns:
            doubtful.append(number)
    return pages, doubtful


def _bits(page: Any) -> list[_Bit]:
    """The pieces of text of a page, each with its place; what is drawn on its side or outside the page is left out."""
    found: list[_Bit] = []
    box = page.cropbox
    left, right, low, high = float(box.left), float(box.right), float(box.bottom), float(box.top)

    def take(text: str, cm: Sequence[float], tm: Sequence[float], font: Any, size: float) -> None:
        words = text.replace("\x00", "").strip("\n").translate(_LIGATURES)
        across, down = _times(tm[0], tm[1], cm), _times(tm[2], tm[3], cm)
        x, y = (value + moved for value, moved in zip(_times(tm[4], tm[5], cm), cm[4:6], strict=True))
        upright = abs(across[1]) < 0.2 * abs(across[0])
        tall = abs(size) * abs(down[1])
        if words.strip() and upright and tall > 1 and left - 1 <= x <= right + 1 and low - 1 <= y <= high + 1:
            named = str((font or {}).get("/BaseFont", ""))
            found.extend(_split(words, x, -y, tall, bool(MONOSPACED.search(named))))

    page.extract_text(visitor_text=take)
    return found


def _split(words: str, x: float, y: float, size: float, mono: bool) -> Iterator[_Bit]:
    for place, line in enumerate(words.split("\n")):
        if line.strip():
            yield _Bit(line, x, y + place * size * 1.2, round(size, 1), mono)


def _times(a: float, b: float, matrix: Sequence[float]) -> tuple[float, float]:
    return a * matrix[0] + b * matrix[2], a * matrix[1] + b * matrix[3]


def lines_of(bits: Sequence[_Bit], page: int) -> tuple[list[Line], bool]:
    """The lines of a page in reading order, and whether they were taken for two columns."""
    rows: list[list[_Bit]] = []
    for bit in sorted(bits, key=lambda each: (each.y, each.x)):
        # What stands at about the height of the row before is on it: bold words, exponents.
        if rows and abs(bit.y - rows[-1][0].y) < 0.45 * max(bit.size, rows[-1][0].size):
            rows[-1].append(bit)
        else:
            rows.append([bit])
    split = _gutter(rows)
    if split is None:
        return [_line(row, page) for row in rows], False
    ordered: list[Line] = []
    left: list[Line] = []
    right: list[Line] = []
    for row in rows:
        here = [bit for bit in row if bit.x < split - 1]
        there = [bit for bit in row if bit.x >= split - 1]
        crosses = bool(here) and not there and _end(here) > split + 4 * here[0].size
        if crosses:  # a title over both columns: what is above it is read before
            ordered += [*left, *right, _line(row, page)]
            left, right = [], []
            continue
        if here:
            left.append(_line(here, page))
        if there:
            right.append(_line(there, page, column=1))
    return [*ordered, *left, *right], True


def _gutter(rows: Sequence[Sequence[_Bit]]) -> float | None:
    """Where a second column begins: a place at which the right part of many rows begins, and no text crosses."""
    starts: Counter[float] = Counter()
    for row in rows:
        ordered = sorted(row, key=lambda bit: bit.x)
        for before, bit in itertools.pairwise(ordered):
            if bit.x - before.end > 0.8 * bit.size:
                starts[round(bit.x)] += 1
    if not starts:
        return None
    place, count = starts.most_common(1)[0]
    edges = [bit.x for row in rows for bit in row]
    middle = min(edges) + 0.3 * (max(bit.end for row in rows for bit in row) - min(edges))
    return float(place) if count >= ROWS and place > middle and 2 * count >= 0.5 * len(rows) else None


def _end(row: Sequence[_Bit]) -> float:
    return max(bit.end for bit in row)


def _line(row: Sequence[_Bit], page: int, column: int = 0) -> Line:
    ordered = sorted(row, key=lambda bit: bit.x)
    text = ordered[0].text
    for before, bit in itertools.pairwise(ordered):
        # Widths are guessed: a blank is added where the gap is plain and none is written.
        apart = bit.x - before.end > 0.6 * bit.size and not text.endswith(" ") and not bit.text.startswith(" ")
        text += (" " if apart else "") + bit.text
    sizes: Counter[float] = Counter()
    for bit in ordered:
        sizes[bit.size] += len(bit.text.strip())
    mono = all(bit.mono for bit in ordered)
    return Line(text, ordered[0].x, ordered[0].y, sizes.most_common(1)[0][0], _end(ordered), page, mono, column)


def without_running(pages: Sequence[Sequence[Line]]) -> tuple[list[list[Line]], int]:
    """The pages without numbers of pages, nor lines that stand at an end of many of them; and how many were left out.

    Digits do not count: « Chapitre 2 » and « Chapitre 3 » are one header.
    """
    seen: dict[tuple[str, bool], set[int]] = defaultdict(set)
    ends = [_ends(page) for page in pages]
    shift, normal = _numbering(ends), _usual_size(line for page in pages for line in page)
    for number, (top, bottom) in enumerate(ends):
        for lines, is_top in ((top, True), (bottom, False)):
            for line in lines:
                seen[_shape(line.text), is_top].add(number)
    filled = sum(1 for page in pages if page)
    many = max(3, 0.3 * filled) if filled > 2 else 2
    kept: list[list[Line]] = []
    dropped = 0
    for number, (page, (top, bottom)) in enumerate(zip(pages, ends, strict=True)):
        out: set[int] = set()
        for lines, is_top in ((top, True), (bottom, False)):
            # From the edge inward: a line beyond which the text began is of the text.
            for line in lines:
                alone = bool(_NUMBER.fullmatch(line.text.strip()))
                small = line.size < LARGER * normal  # « 1 Introduction » on page 1 is a heading
                alone |= small and shift is not None and number + shift in _edge_numbers(line.text)
                if not alone and (filled < 2 or len(seen[_shape(line.text), is_top]) < many):
                    break
                out.add(id(line))
        kept.append([line for line in page if id(line) not in out])
        dropped += len(out)
    return kept, dropped


def _numbering(ends: Sequence[tuple[list[Line], list[Line]]]) -> int | None:
    """What is added to the place of a page to get the number that it bears; None if pages bear none."""
    shifts: Counter[int] = Counter()
    for number, (top, bottom) in enumerate(ends):
        shifts.update({borne - number for line in (*top, *bottom) for borne in _edge_numbers(line.text)})
    shift, count = shifts.most_common(1)[0] if shifts else (0, 0)
    return shift if count >= 4 and count >= 0.5 * len(ends) else None


def _edge_numbers(text: str) -> set[int]:
    """The numbers that a short line begins and ends with."""
    found = (*re.findall(r"^\d{1,4}(?=\s)", text.strip()), *re.findall(r"(?<=\s)\d{1,4}$", text.strip()))
    alone = re.fullmatch(r"\d{1,4}", text.strip())
    return {int(each) for each in (*found, *([alone[0]] if alone else []))} if len(text) < 100 else set()


def _ends(page: Sequence[Line]) -> tuple[list[Line], list[Line]]:
    """The lines at the top of a page, then those at its bottom, from the edge inward; none in both."""
    by_height = sorted(page, key=lambda line: line.y)
    top = by_height[:EDGE] if len(by_height) > EDGE else by_height[: max(0, len(by_height) - 1)]
    bottom = [line for line in reversed(by_height[-EDGE:]) if not any(line is each for each in top)]
    return top, bottom


def _shape(text: str) -> str:
    return re.sub(r"\d+", "#", " ".join(text.lower().split()))


def _bookmarks(reader: Any, outline: Sequence[Any], level: int = 1) -> Iterator[tuple[str, int, int]]:
    """Title, page and level of each bookmark."""
    for each in outline:
        if isinstance(each, list):
            yield from _bookmarks(reader, each, level + 1)
        elif each.title:
            page = reader.get_destination_page_number(each)
            if page is not None and page >= 0:
                yield " ".join(str(each.title).translate(_LIGATURES).split()), page + 1, level


def _headings(lines: Sequence[Line], bookmarks: Sequence[tuple[str, int, int]]) -> tuple[Headings, list[str]]:
    """The lines that are headings, and the bookmarks that are on no line."""
    found, missed = _by_bookmark(lines, bookmarks)
    if bookmarks and len(missed) <= len(bookmarks) / 2:
        return found, missed
    return _by_size(lines), []


def _by_bookmark(lines: Sequence[Line], bookmarks: Sequence[tuple[str, int, int]]) -> tuple[Headings, list[str]]:
    on_page: dict[int, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        on_page[line.page].append(place)
    found: Headings = {}
    missed: list[str] = []
    for number, (title, page, level) in enumerate(bookmarks, 1):
        wanted = _letters(title)
        places = next((run for first in on_page[page] if (run := _spells(lines, first, wanted, found))), ())
        found.update(dict.fromkeys(places, (level, number)))
        if not places:
            missed.append(title)
    return found, missed


def _spells(lines: Sequence[Line], first: int, wanted: str, taken: Headings) -> tuple[int, ...]:
    """The lines from ``first`` that spell ``wanted``, one after the other: a long title takes several."""
    said = ""
    for place in range(first, min(first + 4, len(lines))):
        if place in taken:
            return ()
        said += _letters(lines[place].text)
        # A number in the text may be absent from the bookmark.
        if wanted and said.lstrip("0123456789") == wanted.lstrip("0123456789"):
            return tuple(range(first, place + 1))
        if len(said) > len(wanted) + 8:
            return ()
    return ()


def _letters(text: str) -> str:
    return "".join(letter for letter in text.lower() if letter.isalnum())


def _by_size(lines: Sequence[Line]) -> Headings:
    """Headings by size: larger than most of the text, and short."""
    normal = _usual_size(lines)
    large = {
        place: line.size
        for place, line in enumerate(lines)
        if line.size >= LARGER * normal and not line.mono and len(line.text) <= LONGEST_HEADING and _letters(line.text)
    }
    order = sorted(set(large.values()), reverse=True)
    return {place: (order.index(size) + 1, 0) for place, size in large.items()}


def _usual_size(lines: Iterable[Line]) -> float:
    """Size of most letters, code apart."""
    weights: Counter[float] = Counter()
    for line in lines:
        if not line.mono:
            weights[line.size] += len(line.text)
    return weights.most_common(1)[0][0] if weights else 0.0


def _blocks(lines: Sequence[Line], headings: Headings) -> Iterator[Block]:
    known = compounds(line.text for line in lines)
    waiting: list[Line] = []
    gap = _usual_gap(lines)
    edges: dict[tuple[int, int], float] = {}
    for line in lines:
        edges[line.page, line.column] = max(line.end, edges.get((line.page, line.column), 0.0))

    level, which = 0, 0

    def flush() -> Iterator[Block]:
        group, waiting[:] = list(waiting), []
        if group and group[0].mono and not level:
            yield Block("code", _code(group))
        elif group and (said := joined([line.text for line in group], known)):
            said = said if level else _BULLET.sub("", said).strip()
            if said:
                yield Block("heading" if level else "paragraph", said, level=level)

    for place, line in enumerate(lines):
        here = headings.get(place, (0, 0))
        if waiting:
            same = here == (level, which)
            goes_on = _follows(waiting[-1], line, 1.3 * gap) if here[0] else _goes_on(waiting, line, gap, edges)
            if not (same and (goes_on or which)):
                yield from flush()
        level, which = here
        waiting.append(line)
    yield from flush()


def _usual_gap(lines: Sequence[Line]) -> float:
    """Distance between two lines, by the size of their letters."""
    pairs = itertools.pairwise(lines)
    gaps = [(b.y - a.y) / b.size for a, b in pairs if a.page == b.page and a.size == b.size and b.y > a.y]
    near = [gap for gap in gaps if gap < 3]
    return min(2.0, median(near)) if near else 1.4


def _follows(before: Line, line: Line, gap: float) -> bool:
    """Whether ``line`` stands right under ``before``, in letters of the same size."""
    under = line.y - before.y
    return (
        before.page == line.page
        and before.column == line.column
        and 0 < under <= 1.25 * gap * line.size
        and abs(before.size - line.size) < 0.6
    )


def _goes_on(waiting: Sequence[Line], line: Line, gap: float, edges: dict[tuple[int, int], float]) -> bool:
    """Whether ``line`` is of the same paragraph, or of the same code, as those before it."""
    before = waiting[-1]
    if before.mono != line.mono or abs(before.size - line.size) > 0.6:
        return False
    same_column = before.page == line.page and before.column == line.column
    if line.mono:
        return not same_column or line.y - before.y <= 3.2 * line.size
    if _BULLET.match(line.text):
        return False
    if same_column:
        indented = line.x - before.x > 0.8 * line.size and len(waiting) > 1 and bool(_SENTENCE_END.search(before.text))
        # The last line of a paragraph is short; the items of a list often have no sign that is text.
        room = edges[line.page, line.column] - min(each.x for each in waiting)
        short = edges[line.page, line.column] - before.end > 0.3 * room and bool(_SENTENCE_END.search(before.text))
        return _follows(before, line, gap) and not indented and not short
    # Over the end of a column or a page: a sentence that is not ended goes on.
    return not _SENTENCE_END.search(before.text) and line.text.lstrip()[:1].islower()


def _code(group: Sequence[Line]) -> str:
    """Lines of code, their indentation found again by where they begin."""
    left = min(line.x for line in group)
    rows: list[str] = []
    for before, line in zip([None, *group], group, strict=False):
        if before is not None and before.page == line.page and line.y - before.y > 1.9 * line.size:
            rows.append("")
        rows.append(" " * round((line.x - left) / (0.6 * line.size)) + line.text.rstrip())
    return "\n".join(rows).strip("\n")


def compounds(texts: Iterator[str] | Sequence[str]) -> set[str]:
    """The words that the text writes with a hyphen within a line, such as « sous-apprentissage »."""
    return {word.lower() for text in texts for word in re.findall(r"\w+-\w+", text[:10_000])}


def joined(lines: Sequence[str], known: set[str] | frozenset[str] = frozenset()) -> str:
    """The lines of a paragraph as one; a word cut at the end of a line is whole again.

    A hyphen is kept where the text writes the word with one elsewhere (``known``), before what French writes after
    one, before a capital and after a digit.
    """
    said = ""
    for line in lines:
        words = " ".join(line.split())
        if not words:
            continue
        cut = _BROKEN.search(said[-60:])
        if cut is None:
            said = f"{said} {words}" if said else words
            continue
        after = re.match(r"\w*", words)
        part = after[0] if after else ""
        soft = cut[2] == "\u00ad"
        whole = f"{cut[1]}-{part}".lower()
        kept = whole in known or part.lower() in _AFTER_HYPHEN or not part[:1].islower() or cut[1][-1:].isdigit()
        said = said + words if kept and not soft else said[:-1] + words
    return said.replace("\u00ad", "")


def _numbers(pages: Sequence[int]) -> str:
    return ", ".join(map(str, pages[:10])) + "…" * (len(pages) > 10)
