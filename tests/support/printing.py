"""PDF files for the tests: text at a place, in a font and a size, written without any library."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

FONTS = {"F1": "Helvetica", "F2": "Courier"}
ROOM = 842
"""Height of a page, in points."""


@dataclass(frozen=True)
class Put:
    """A piece of text ``down`` points from the top of the page."""

    text: str
    across: float
    down: float
    size: float = 11
    font: str = "F1"


def column(
    lines: Sequence[str], *, across: float = 60, down: float = 100, size: float = 11, step: float = 14
) -> list[Put]:
    """Lines one under the other."""
    return [Put(line, across, down + place * step, size) for place, line in enumerate(lines)]


def pdf(pages: Sequence[Sequence[Put]], *, outline: Sequence[tuple[str, int]] = (), protected: bool = False) -> bytes:
    """A PDF of these pages; ``outline``: its bookmarks, each with its page from 0."""
    objects: dict[int, bytes] = {}
    first_page, first_mark = 10, 10 + 2 * len(pages)
    kids = " ".join(f"{first_page + 2 * number} 0 R" for number in range(len(pages)))
    marks = f"/Outlines {first_mark} 0 R" if outline else ""
    objects[1] = f"<< /Type /Catalog /Pages 2 0 R {marks} >>".encode()
    objects[2] = f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode()
    for number, font in enumerate(FONTS.values(), 3):
        named = f"<< /Type /Font /Subtype /Type1 /BaseFont /{font} /Encoding /WinAnsiEncoding >>"
        objects[number] = named.encode()
    fonts = " ".join(f"/{name} {number} 0 R" for number, name in enumerate(FONTS, 3))
    for number, page in enumerate(pages):
        drawn = zlib.compress(b"\n".join(_drawn(put) for put in page))
        here = first_page + 2 * number
        objects[here] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 {ROOM}] /Contents {here + 1} 0 R "
            f"/Resources << /Font << {fonts} >> >> >>"
        ).encode()
        objects[here + 1] = stream(drawn, "/Filter /FlateDecode")
    if outline:
        last = first_mark + len(outline)
        objects[first_mark] = f"<< /First {first_mark + 1} 0 R /Last {last} 0 R /Count {len(outline)} >>".encode()
        for place, (title, page_number) in enumerate(outline, first_mark + 1):
            after = f"/Next {place + 1} 0 R" if place < last else ""
            dest = f"[{first_page + 2 * page_number} 0 R /Fit]"
            objects[place] = (
                b"<< /Title " + _quoted(title) + f" /Parent {first_mark} 0 R /Dest {dest} {after} >>".encode()
            )
    lock = ""
    if protected:
        objects[9] = f"<< /Filter /Standard /V 1 /R 2 /P -4 /O <{'41' * 32}> /U <{'42' * 32}> >>".encode()
        lock = f"/Encrypt 9 0 R /ID [<{'43' * 16}> <{'43' * 16}>]"
    return _file(objects, lock)


def stream(data: bytes, more: str = "") -> bytes:
    """A stream object that holds ``data``."""
    return f"<< /Length {len(data)} {more} >>\nstream\n".encode() + data + b"\nendstream"


def _drawn(put: Put) -> bytes:
    return (
        f"BT /{put.font} {put.size} Tf 1 0 0 1 {put.across} {ROOM - put.down} Tm ".encode()
        + _quoted(put.text)
        + b" Tj ET"
    )


def _quoted(text: str) -> bytes:
    said = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    return b"(" + said + b")"


def _file(objects: dict[int, bytes], lock: str) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places: dict[int, int] = {}
    for number, body in sorted(objects.items()):
        places[number] = len(out)
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start, size = len(out), max(objects) + 1
    out += f"xref\n0 {size}\n0000000000 65535 f \n".encode()
    for number in range(1, size):
        out += f"{places.get(number, 0):010d} {'00000 n' if number in places else '65535 f'} \n".encode()
    out += f"trailer << /Size {size} /Root 1 0 R {lock} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)
