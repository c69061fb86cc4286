"""What commands print: JSON for programs; tables and states for people."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click

from compagnon.chain.words import STATE_SIGNS, state_word

COLORS = {"cached": "green", "stale": "yellow", "missing": "yellow", "running": "cyan", "failed": "red"}


def print_json(value: Any) -> None:
    """One indented JSON document on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain, allow_nan=False))


def print_json_line(value: Any) -> None:
    """One JSON document on one line, sent at once."""
    click.echo(json.dumps(value, ensure_ascii=False, default=_plain, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal) and value.is_finite() and Decimal(repr(float(value))) == value:
        return float(value)
    return str(value)


def marked(state: str) -> str:
    """The mark and the word of a state, colored on a terminal."""
    return click.style(f"{STATE_SIGNS.get(state, '?')} {state_word(state)}", fg=COLORS.get(state))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> None:
    """Columns that line up; cells hold text that may be colored."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max([width(name), *(width(row[i]) for row in cells)]) for i, name in enumerate(head)]
    click.echo(
        "  ".join(
            _pad(click.style(n, bold=True), w, i in right) for i, (n, w) in enumerate(zip(head, widths, strict=True))
        ).rstrip()
    )
    for row in cells:
        click.echo("  ".join(_pad(c, w, i in right) for i, (c, w) in enumerate(zip(row, widths, strict=True))).rstrip())


def width(text: str) -> int:
    """Columns that a text takes on a terminal: wide characters two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in click.unstyle(text)
    )


def _pad(text: str, wanted: int, right: bool) -> str:
    space = " " * (wanted - width(text))
    return space + text if right else text + space


def cell(value: Any, longest: int = 60) -> str:
    """A value of a row on one line, cut where it is long; control characters do not reach the terminal."""
    if value is None:
        return ""
    text = "".join(c if c.isprintable() else " " for c in str(value))
    return text if len(text) <= longest else text[: longest - 1] + "…"
