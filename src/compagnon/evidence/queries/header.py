"""The header of a query: comments at its beginning that say its goal, selection, filters, joins and optimization.

    -- goal: questions by topic                      (``goal.fr:`` and ``goal.en:`` for one language)
    -- selection: topic and number of questions
    -- filters: questions of this month
    -- joins: none
    -- optimization: the index question_created finds the month
    -- before: without index                         (or the file of the query as it was: before/questions.sql)
    -- on: school                                    (the source whose database is asked, if none names this file)

A line that begins by two spaces or more after ``--`` continues the one above.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from compagnon.errors import UserError
from compagnon.i18n import _

FOLDER = "queries"
PARTS = ("goal", "selection", "filters", "joins", "optimization")
WITHOUT_INDEX = "without index"
_LINE = re.compile(r"--\s?([a-z]+)(?:\.(fr|en))?\s*:\s*(.*)")


@dataclass(frozen=True)
class Query:
    """One documented query: its file, its text, and what its header says by part and language."""

    name: str
    path: Path
    sql: str
    said: Mapping[str, Mapping[str, str]]
    before: str | None
    on: str | None

    def text(self, part: str, language: str) -> str:
        """What the header says of ``part`` in ``language``, else in any; empty if nothing."""
        found = self.said.get(part, {})
        return found.get(language) or found.get("") or next(iter(found.values()), "")

    @property
    def missing(self) -> list[str]:
        """Parts that the header does not say."""
        return [part for part in PARTS if part not in self.said]


def part_word(part: str) -> str:
    """The name of a part of a query's header."""
    return {
        "goal": _("Goal"),
        "selection": _("Selection"),
        "filters": _("Filters"),
        "joins": _("Joins"),
        "optimization": _("Optimization"),
    }[part]


def queries(root: Path) -> list[Query]:
    """The queries of the solution in ``root``, by name."""
    folder = root / FOLDER
    return [read(path) for path in sorted(folder.glob("*.sql"))] if folder.is_dir() else []


def named(name: str, root: Path) -> Query:
    """One query by its name; raises UserError ``query.unknown``."""
    found = {query.name: query for query in queries(root)}
    if name not in found:
        raise UserError(
            "query.unknown",
            _("There is no query {name} in the folder queries.").format(name=name),
            next=_("There are: {names}.").format(names=", ".join(found) or "—"),
        )
    return found[name]


def read(path: Path) -> Query:
    """The query in ``path``; raises UserError ``query.unreadable``."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            "query.unreadable",
            _("The query file {path} cannot be read: {why}").format(
                path=path.name, why=getattr(error, "strerror", None) or _("text that is not UTF-8")
            ),
        ) from error
    said: dict[str, dict[str, str]] = {}
    settings: dict[str, str] = {}
    last: tuple[dict[str, str], str] | None = None
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        match = _LINE.fullmatch(line)
        if match and match[1] in PARTS:
            last = (said.setdefault(match[1], {}), match[2] or "")
            last[0][last[1]] = match[3].strip()
        elif match and match[1] in ("before", "on"):
            settings[match[1]] = match[3].strip()
            last = None
        elif last and re.match(r"--\s{2,}\S", line):
            last[0][last[1]] += " " + line[2:].strip()
        else:
            last = None
    return Query(path.stem, path, text, said, settings.get("before") or None, settings.get("on") or None)
