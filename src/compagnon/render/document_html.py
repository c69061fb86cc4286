"""A document as one accessible HTML page, without script, that opens anywhere and prints."""

from __future__ import annotations

import base64
from typing import Any

from compagnon.i18n import _, format_number, use
from compagnon.render import page
from compagnon.render.document import Cell, Code, Document, Figure, Gap, Heading, Link, Text, inlines, plain

CONTENTS_FROM = 4
"""So many sections, and the page begins with links to them."""


def write(document: Document) -> str:
    """The page; the same document gives the same bytes."""
    with use(document.language):
        sections = [heading.text for heading in document.headings if heading.level == 2]
        return page.render(
            "document.html",
            language=document.locale,
            title=plain(document.title),
            subject=plain(document.subject),
            blocks=_numbered(document),
            contents=_("Contents") if len(sections) >= CONTENTS_FROM else "",
            sections=[(f"s{number}", plain(text)) for number, text in enumerate(sections, 1)],
            missing=_("Missing information:"),
            parts=_parts,
            image=_image,
        )


def _numbered(document: Document) -> list[tuple[str, Any, str]]:
    """Each block with its kind and the name that links lead to."""
    found, number = [], 0
    for block in document.blocks:
        section = isinstance(block, Heading) and block.level == 2
        number += section
        found.append((type(block).__name__.lower(), block, f"s{number}" if section else ""))
    return found


def _parts(text: Text | Cell) -> list[dict[str, str]]:
    """What the template writes, part by part: it escapes everything."""
    if text is None:
        return [{"kind": "text", "text": "–"}]
    if isinstance(text, int | float):
        return [{"kind": "text", "text": format_number(text)}]
    found = []
    for part in inlines(text):
        if isinstance(part, Link):
            found.append({"kind": "link", "text": plain(part.text), "target": plain(part.target)})
        elif isinstance(part, Code):
            found.append({"kind": "code", "text": plain(part.text)})
        elif isinstance(part, Gap):
            found.append({"kind": "gap", "text": plain(part.what), "how": plain(part.how)})
        else:
            found.append({"kind": "text", "text": plain(part)})
    return found


def _image(figure: Figure) -> str:
    return "data:image/png;base64," + base64.b64encode(figure.png or b"").decode()
