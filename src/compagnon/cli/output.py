"""What commands print: JSON for programs; tables, states and facts for people."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import click

from compagnon.i18n import _, current, format_duration, format_number

MARKS = {"cached": "✓", "stale": "↻", "missing": "·", "running": "▶", "failed": "✗"}
MEASURED = ("ms", "kB", "MB", "%")
"""Units that are written after a value; those of counts (row, class) go without saying."""
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


def state_word(state: str) -> str:
    """A state in the reader's language."""
    return {
        "cached": _("valid"),
        "stale": _("out of date"),
        "missing": _("not done"),
        "running": _("running"),
        "failed": _("failed"),
    }.get(state, state)


def marked(state: str) -> str:
    """The mark and the word of a state, colored on a terminal."""
    return click.style(f"{MARKS.get(state, '?')} {state_word(state)}", fg=COLORS.get(state))


def fact_text(name: str, value: Any, unit: str) -> str:
    """A fact in words: ``912 rows prepared``, ``macro-F1 on the test part 0.871``."""
    from compagnon.chain.fact import FACTS

    definition = FACTS.get(name)
    meaning = (definition.fr if current() == "fr" else definition.en) if definition else name
    counted = isinstance(value, int) and not isinstance(value, bool) and unit not in ("", "1", "byte")
    if counted and value != 1:  # after one, the words of the list would be in the wrong number
        return f"{format_number(value)} {meaning}"
    return _("{meaning}: {value}").format(meaning=meaning, value=value_text(value, unit))


def value_text(value: Any, unit: str) -> str:
    """A value with its unit, as the language writes it."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int | float):
        if unit == "second":
            return format_duration(float(value))
        if unit == "byte":
            return bytes_text(value)
        number = format_number(value, 3) if isinstance(value, float) else format_number(value)
        return f"{number} {unit}" if unit in MEASURED else number
    return str(value)


def bytes_text(value: float) -> str:
    """A size in the largest fitting power of 1000."""
    units = ("o", "ko", "Mo", "Go", "To") if current() == "fr" else ("B", "kB", "MB", "GB", "TB")
    step = 0
    while value >= 1000 and step < len(units) - 1:
        value, step = value / 1000, step + 1
    return f"{format_number(value, 1 if step and value < 100 else 0)} {units[step]}"


def key_facts(facts: Iterable[Any], limit: int = 3) -> str:
    """The few facts that a person wants to see of a stage, on one line."""
    shown = [f for f in facts if f.name in KEY_FACTS and (f.value or f.name in EVEN_ZERO)]
    shown.sort(key=lambda f: KEY_FACTS.index(f.name))
    return " · ".join(fact_text(f.name, f.value, f.unit) for f in shown[:limit])


EVEN_ZERO = ("macro_f1", "rows_collected", "rows_prepared")
KEY_FACTS = (
    "instead_used",
    "macro_f1",
    "macro_f1_dummy",
    "chosen",
    "accuracy",
    "rows_collected",
    "rows_unreadable",
    "rows_prepared",
    "rows_rejected",
    "rows_duplicate",
    "rows_stored",
    "latency_p95",
    "package_size",
)


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
