"""HTML of solutions, plans and runs for notebooks: accessible tables in the language in use, values escaped."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from html import escape
from typing import TypeVar

from compagnon.chain.fact import Fact
from compagnon.chain.words import STATE_SIGNS, meaning, state_word, value_text
from compagnon.i18n import _, current, format_datetime, preferred, use

Shown = TypeVar("Shown")


def spoken(method: Callable[[Shown], str]) -> Callable[[Shown], str]:
    """Make ``_repr_html_`` speak the reader's language, which nobody has set in a notebook."""

    @functools.wraps(method)
    def show(shown: Shown) -> str:
        with use(preferred()):
            return method(shown)

    return show


def block(*parts: str) -> str:
    """Parts of HTML in one element that says its language."""
    return f'<div class="compagnon" lang="{current()}">{"".join(parts)}</div>'


def paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>" if text else ""


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with a caption; the first cell of each row is its heading. ``head`` and cells are text."""
    heads = "".join(f'<th scope="col" style="text-align:left">{escape(name)}</th>' for name in head)
    lines = [
        f'<tr><th scope="row" style="text-align:left">{escape(row[0])}</th>'
        + "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in rows
    ]
    return (
        f'<table><caption style="text-align:left">{escape(caption)}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def state(name: str) -> str:
    """The mark and the word of a state."""
    return f"{STATE_SIGNS.get(name, '?')} {state_word(name)}"


def moment(at: datetime | None) -> str:
    return format_datetime(at) if at else ""


def facts(found: Iterable[Fact]) -> str:
    """Facts by their meaning, with value and unit."""
    rows = [(fact.name, value_text(fact.value, fact.unit), meaning(fact.name)) for fact in found]
    return table(_("Facts"), (_("Fact"), _("Value"), _("Meaning")), rows) if rows else ""
