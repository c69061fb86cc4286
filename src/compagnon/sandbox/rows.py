"""What the practice sources hold: the learners' questions of the template ``tutor``, in one shape."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from compagnon.scaffold.template import place

COLUMNS = ("number", "id", "text", "topic", "level", "asked_at", "email")
KINDS = ("file", "sql", "rest", "web", "bigdata")
Row = dict[str, Any]


def questions(folder: Path | None = None) -> list[Row]:
    """The template's questions with COLUMNS, values as they were typed; ``number`` counts from 1, ``id`` is unique."""
    folder = folder or place("tutor")
    found: dict[str, Row] = {}
    for row in (*_export(folder), *forum(folder)[0], *_school(folder)):
        if (row["text"] or "").strip() and row["id"] not in found:
            found[row["id"]] = {"number": len(found) + 1, **row}
    return list(found.values())


def share(rows: Sequence[Row], kind: str, kinds: Sequence[str] = KINDS) -> list[Row]:
    """The part of ``rows`` that the source of ``kind`` holds when the questions are split over all kinds.

    It depends on the id alone: each row is in one part, the same one each time.
    """
    mine = kinds.index(kind)
    return [row for row in rows if hashlib.sha256(row["id"].encode()).digest()[0] % len(kinds) == mine]


def _row(identity: Any, text: Any, topic: Any, level: Any, asked_at: Any, email: Any) -> Row:
    return dict(zip(COLUMNS[1:], (str(identity), text, topic, level, asked_at, email), strict=True))


def _export(folder: Path) -> Iterator[Row]:
    for path in sorted((folder / "data").glob("questions-*.csv")):
        data = path.read_bytes()
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252")
        for cells in list(csv.reader(text.splitlines(), delimiter=";"))[1:]:
            if len(cells) == 6:
                yield _row(*cells)


def forum(folder: Path) -> tuple[list[Row], list[str]]:
    """The messages of the forum that can be read, without a number, and the lines that cannot, as they are."""
    found, broken = list[Row](), list[str]()
    for line in (folder / "data" / "forum.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(line)
            found.append(_row(*(record[key] for key in ("id", "message", "tag", "difficulty", "posted", "author"))))
        except (ValueError, KeyError, TypeError):
            broken.append(line)  # a lesson of its own
    return found, broken


def _school(folder: Path) -> Iterator[Row]:
    query = (folder / "queries" / "questions.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(f"{(folder / 'data' / 'school.sqlite').as_uri()}?mode=ro", uri=True)) as connection:
        for identity, *rest in connection.execute(query).fetchall():
            yield _row(f"s-{identity}", *rest)
