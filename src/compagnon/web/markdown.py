"""The small part of Markdown that our own cards and guides use, as escaped HTML: nothing else gets through."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape, unescape
from itertools import count

from markupsafe import Markup

from compagnon.i18n import _

_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_ITALIC = re.compile(r"(?<![\w*])\*([^*\s][^*]*?)\*(?![\w*])")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_ESCAPED = re.compile(r"\\([\\`*_\[\]<>|#])")
_ITEM = re.compile(r"^\s*(?:[-*]|\d+\.) (.*)$")
_RULE = re.compile(r"^\|?[\s:|-]+\|?$")


def render(text: str, *, down: int = 0) -> Markup:
    """``text`` as HTML; titles are moved ``down`` levels, a front matter is left out."""
    blocks = re.split(r"\n{2,}(?![^`]*\n```\n)", _fences(_FRONT.sub("", text.replace("\x03", "")).strip()))
    html = "\n".join(_block(block.strip("\n"), down) for block in blocks if block.strip())
    numbers = count(1)
    # Every piece of text went through html.escape.
    return Markup(re.sub("\x03", lambda _found: str(next(numbers)), html))  # noqa: S704


def _fences(text: str) -> str:
    """Empty lines inside fenced code are kept from parting blocks."""

    def hold(found: re.Match[str]) -> str:
        return "\n\n" + found[0].replace("\n\n", "\n\x00\n") + "\n\n"

    return re.sub(r"^```.*?^```$", hold, text, flags=re.DOTALL | re.MULTILINE)


def _block(block: str, down: int) -> str:
    lines = block.split("\n")
    if lines[0].startswith("```"):
        code = "\n".join(line for line in lines[1:-1]).replace("\x00", "")
        label = escape(_("Example {number}").format(number="\x03"), quote=True)
        return f'<pre tabindex="0" role="region" aria-label="{label}">{escape(code)}</pre>'
    title = re.match(r"^(#{1,6}) (.*)$", lines[0])
    if title:
        level = min(6, len(title[1]) + down)
        rest = _block("\n".join(lines[1:]), down) if len(lines) > 1 else ""
        return f"<h{level}>{inline(title[2])}</h{level}>{rest}"
    if lines[0].startswith("|") and len(lines) > 1 and _RULE.match(lines[1]):
        return _table(lines)
    if _ITEM.match(lines[0]):
        return _items(lines)
    if block.strip("-* \n") == "":
        return ""
    start = next((place for place, line in enumerate(lines) if _ITEM.match(line)), None)
    if start:
        return f"<p>{inline(' '.join(lines[:start]))}</p>{_items(lines[start:])}"
    return f"<p>{inline(' '.join(lines))}</p>"


def _items(lines: list[str]) -> str:
    kind = "ol" if re.match(r"^\s*\d", lines[0]) else "ul"
    items: list[str] = []
    for line in lines:
        found = _ITEM.match(line)
        if found:
            items.append(found[1])
        else:
            items[-1] += " " + line.strip()
    return f"<{kind}>{''.join(f'<li>{inline(item)}</li>' for item in items)}</{kind}>"


def _table(lines: list[str]) -> str:
    head, *rows = [_cells(line) for place, line in enumerate(lines) if place != 1 and line.startswith("|")]
    top = "".join(f'<th scope="col">{inline(cell)}</th>' for cell in head)
    body = "".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{inline(cell)}</th>' if place == 0 else f"<td>{inline(cell)}</td>"
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    label = escape(_("Table {number}").format(number="\x03") + ": " + _plain(", ".join(head)), quote=True)
    return (
        f'<div class="wide" role="region" aria-label="{label}" tabindex="0">'
        f'<table><caption class="hidden">{label}</caption><thead><tr>{top}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _plain(text: str) -> str:
    return re.sub(r"[`*\\]", "", unescape(text))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def inline(text: str) -> str:
    """One line: code, bold, italic, and links to the web or to an address of ours."""
    kept: list[str] = []

    def keep(html: str) -> str:
        kept.append(html)
        return f"\x01{len(kept) - 1}\x02"

    text = text.replace("\x01", "").replace("\x02", "")
    text = _CODE.sub(lambda found: keep(f"<code>{escape(found[1])}</code>"), text)
    text = _ESCAPED.sub(lambda found: keep(escape(found[1])), text)
    text = _LINK.sub(lambda found: _link(found, keep), text)
    text = escape(text)
    text = _ITALIC.sub(r"<em>\1</em>", _BOLD.sub(r"<strong>\1</strong>", text))
    while "\x01" in text:
        text = re.sub("\x01(\\d+)\x02", lambda found: kept[int(found[1])], text)
    return text


def _link(found: re.Match[str], keep: Callable[[str], str]) -> str:
    """A link to the web or to a page of ours; of others (files beside ours) only the words stay."""
    target = found[2]
    if not target.startswith(("https://", "http://", "/")) or target.startswith("//"):
        return found[1]
    return keep(f'<a href="{escape(target, quote=True)}">{escape(found[1])}</a>')
