"""The practice web site: the same rows as cards, as a table and one by one, with robots.txt and a forbidden corner."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from compagnon.sandbox.exchange import Reply, Request
from compagnon.sandbox.rows import Row

PAGE = 100
"""Rows of a list."""
ROBOTS = b"""# Practice: everything may be read but the private corner, and one page inside it.
User-agent: *
Disallow: /site/private/
Allow: /site/private/open.html
Disallow: /faults/*/site/private/

User-agent: BadBot
Disallow: /
"""


@dataclass(frozen=True)
class Site:
    """``/site/DATASET/`` with ``cards/N.html``, ``table/N.html`` and ``one/N.html``."""

    datasets: Mapping[str, list[Row]]

    def answer(self, request: Request, prefix: str = "") -> Reply | None:
        """The reply to a request under ``/site`` or for ``/robots.txt``; None for another path."""
        if request.path == "/robots.txt":
            return Reply(body=ROBOTS, kind="text/plain; charset=utf-8")
        parts = request.path.strip("/").split("/")
        if parts[0] != "site":
            return None
        if parts[1:2] == ["private"]:
            return _html("Private", "<p class='id'>secret</p>", request)
        rows = self.datasets.get(parts[1]) if len(parts) > 1 else None
        if rows is None:
            names = "".join(f'<li><a href="{prefix}/site/{name}/">{escape(name)}</a></li>' for name in self.datasets)
            return _html("Practice site", f"<ul>{names}</ul>", request)
        place = f"{prefix}/site/{parts[1]}"
        if len(parts) == 2:
            return _html(parts[1], _index(place), request)
        number = parts[3].removesuffix(".html") if len(parts) == 4 else ""
        if not number.isdigit() or len(number) > 9 or int(number) < 1:
            return Reply(404, b"<!doctype html><title>Not found</title>", "text/html; charset=utf-8")
        return _list(request, parts[2], place, rows, int(number))


def _index(place: str) -> str:
    links = {
        "cards": f"{place}/cards/1.html",
        "table": f"{place}/table/1.html",
        "private": "/site/private/secret.html",
        "away": "http://elsewhere.example.org/",
    }
    return "<nav>" + " ".join(f'<a class="{name}" href="{to}">{name}</a>' for name, to in links.items()) + "</nav>"


def _list(request: Request, layout: str, place: str, rows: list[Row], number: int) -> Reply:
    if layout == "one":
        if number > len(rows):
            return Reply(404, b"<!doctype html><title>Not found</title>", "text/html; charset=utf-8")
        return _html(f"Question {number}", _card(rows[number - 1]), request)
    found = rows[(number - 1) * PAGE : number * PAGE]
    if layout not in ("cards", "table") or (not found and number > 1):
        return Reply(404, b"<!doctype html><title>Not found</title>", "text/html; charset=utf-8")
    if layout == "cards":
        body = "".join(_card(row) for row in found)
    else:
        names = list(rows[0]) if rows else []
        head = "".join(f"<th>{escape(name)}</th>" for name in names)
        lines = ("".join(f"<td>{_text(row[name])}</td>" for name in names) for row in found)
        body = f"<table class='rows'><thead><tr>{head}</tr></thead><tbody>"
        body += "".join(f"<tr>{line}</tr>" for line in lines) + "</tbody></table>"
    if number * PAGE < len(rows):
        body += f'<nav><a class="next" rel="next" href="{place}/{layout}/{number + 1}.html">Next</a></nav>'
    return _html(f"Questions, page {number}", body, request)


def _card(row: Row) -> str:
    lines = "".join(
        f'<p class="{escape(name)}" data-value="{_text(value)}">{_text(value)}</p>' for name, value in row.items()
    )
    return f'<article class="row">{lines}</article>\n'


def _text(value: object) -> str:
    return "" if value is None else escape(str(value))


def _html(title: str, body: str, request: Request) -> Reply:
    page = (
        f'<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="description" content="Practice data"><meta name="author" content="Compagnon"></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>"
    ).encode()
    tag = f'"{hashlib.sha256(page).hexdigest()[:16]}"'
    if request.headers.get("if-none-match") == tag:
        return Reply(304, headers={"ETag": tag})
    return Reply(body=page, kind="text/html; charset=utf-8", headers={"ETag": tag})
