"""The query of a SQL source: read only, checked before it leaves, and narrowed by a cursor."""

from __future__ import annotations

import re
from pathlib import Path

from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.stages.collect import paths

_READING = re.compile(r"(select|with|values|table)\b", re.IGNORECASE)
_TOKENS = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(\$\w*\$).*?\1|;|[A-Za-z_]\w*", re.DOTALL)
_WRITING = {
    "insert", "update", "delete", "merge", "drop", "alter", "create", "truncate", "grant", "revoke", "attach", "pragma",
    "vacuum", "call", "copy",
}  # fmt: skip


def is_inline(query: str) -> bool:
    """Whether ``query`` is SQL rather than the name of a file."""
    return bool(re.match(r"\s*(select|with)\s", query, re.IGNORECASE))


def load(query: str | None, table: str | None, root: Path) -> str:
    """The SQL text to run: inline, from a file of the solution, or all of a table.

    Raises UserError ``collect.query-missing``, ``collect.query-not-read-only``.
    """
    if table is not None:
        return "SELECT * FROM " + ".".join(quoted(part) for part in table.split("."))
    query = query or ""
    if is_inline(query):
        return checked(query, "query")
    path = paths.locate(query, root)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            "collect.query-missing",
            _("The query file {path} cannot be read: {why}").format(path=query, why=getattr(error, "strerror", error)),
            next=_("Write the query there, or begin an inline query by select or with."),
        ) from error
    return checked(text, query)


def checked(text: str, name: str) -> str:
    """One reading statement, its last semicolon taken off; raises UserError ``collect.query-not-read-only``.

    This refuses mistakes with a clear message; that nothing is written is assured by the connection itself.
    """
    tokens = [(match[0].lower(), match.start()) for match in _TOKENS.finditer(text)]
    words = [token for token, _start in tokens if token[0].isalpha() or token[0] == "_"]
    ends = [start for word, start in tokens if word[0] == ";"]
    after = [token for token, start in tokens if ends and start > ends[0] and not token.startswith(("--", "/*", ";"))]
    writing = sorted({word for word in words if word in _WRITING} & set(_statement_words(tokens)))
    if not words or not _READING.fullmatch(words[0]) or after or writing:
        raise UserError(
            "collect.query-not-read-only",
            _("{name} is not one reading query.").format(name=name),
            next=_("A source runs a single SELECT (or WITH ... SELECT); nothing may write."),
        )
    return text[: ends[0]].rstrip() if ends else text.rstrip()


def _statement_words(tokens: list[tuple[str, int]]) -> list[str]:
    """Words at the place of a statement: the first one, and those after ``)`` or ``as (``, as in WITH x AS (DELETE."""
    return [token for place, (token, _start) in enumerate(tokens) if place == 0 or tokens[place - 1][0] in ("as", ";")]


def quoted(name: str, mark: str = '"') -> str:
    return mark + name.replace(mark, mark * 2) + mark


def since(sql: str, cursor: str, literal: str) -> str:
    """``sql`` narrowed to rows whose ``cursor`` (quoted) is at least ``literal``, or unknown."""
    return f"SELECT * FROM (\n{sql}\n) AS collected WHERE {cursor} >= {literal} OR {cursor} IS NULL"


def literal(value: object) -> str:
    """A number or a text as an SQL literal of the standard."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "'" + str(value).replace("'", "''") + "'"
    return repr(value)
