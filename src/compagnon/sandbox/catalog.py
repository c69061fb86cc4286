"""What there is to practice on: each source with what it teaches and the lines to paste in solution.yaml."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compagnon.i18n import N_, _
from compagnon.sandbox.api import CLIENT
from compagnon.sandbox.faults import FAULTS

FIELDS = "{number: number, id: id, text: question.text, topic: question.topic, level: question.level, " + (
    "asked_at: asked_at, email: author.email}"
)
CELLS = "{number: .number, id: .id, text: .text, topic: .topic, level: .level, asked_at: .asked_at, email: .email}"
CONTACT = "contact: you@example.org"
BEARER = 'auth: {kind: bearer, token: "${secret:SANDBOX_TOKEN}"}'


@dataclass(frozen=True)
class Entry:
    """``lines``: the source's lines in solution.yaml, two spaces in; ``lesson``: what it teaches, to be translated."""

    name: str
    kind: str
    place: str
    lesson: str
    lines: str
    fault: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "place": self.place, "lesson": _(self.lesson), "yaml": f"sources:\n{self.lines}"}


def entries(address: str, folder: Path, database: bool) -> list[Entry]:
    """All practice sources of a sandbox, those with a fault last."""
    found = [*_files(folder, database), *_apis(address), *_sites(address)]
    return found + [_faulty(address, name) for name in FAULTS]


def _files(folder: Path, database: bool) -> Iterator[Entry]:
    path = (folder / "files" / "questions.csv").as_posix()
    yield _entry(
        "practice_csv",
        "file",
        path,
        N_("A spreadsheet's export: encoding and separator are found out."),
        f"path: {quoted(path)}",
        "key: id",
    )
    path = (folder / "files" / "questions.jsonl").as_posix()
    yield _entry("practice_jsonl", "file", path, N_("One record a line, in JSON."), f"path: {quoted(path)}", "key: id")
    url = f"sqlite:///{(folder / 'questions.sqlite').as_posix()}"
    yield _entry(
        "practice_sqlite",
        "sql",
        url,
        N_("A database in one file, read from the last value of a cursor on."),
        f"url: {quoted(url)}",
        "table: questions",
        "key: id",
        "cursor: number",
    )
    if database:
        yield _entry(
            "practice_postgresql",
            "sql",
            "${secret:SANDBOX_DATABASE}",
            N_("A database server: its address holds a password, so it stays in the environment."),
            'url: "${secret:SANDBOX_DATABASE}"',
            "table: questions",
            "key: id",
        )
    path = (folder / "lake").as_posix()
    yield _entry(
        "practice_lake",
        "bigdata",
        path,
        N_("A lake: Parquet files in folders that are named by month (Hive's partitions)."),
        f"path: {quoted(path)}",
        "key: id",
    )


def _apis(address: str) -> Iterator[Entry]:
    more = ("records: data.items", f"fields: {FIELDS}", "key: id")
    yield _api(
        address,
        "page",
        N_("An API with numbered pages and a token."),
        BEARER,
        "pages: {kind: page, size: 200, total: meta.total}",
        *more,
    )
    yield _api(
        address,
        "offset",
        N_("Pages by the place of their first row; the key is in a header."),
        'auth: {kind: key, header: X-Api-Key, value: "${secret:SANDBOX_TOKEN}"}',
        "pages: {kind: offset, size: 200}",
        *more,
    )
    yield _api(
        address,
        "cursor",
        N_("Each page gives the mark of the next one; the token is asked for, and renewed each minute."),
        f"auth: {{kind: oauth2, token_url: {quoted(address + '/oauth/token')}, client: {CLIENT}, "
        'secret: "${secret:SANDBOX_TOKEN}"}',
        "pages: {kind: cursor, next: meta.next_cursor, size: 200, total: meta.total}",
        "cursor: number",
        "cursor_param: since",
        *more,
    )
    yield _api(
        address,
        "link",
        N_("Each page names the next one in the header Link; a name and a password."),
        'auth: {kind: basic, user: sandbox, password: "${secret:SANDBOX_TOKEN}"}',
        "pages: {kind: link, size: 200}",
        *more,
    )
    place = f"{address}/limited/api/page/questions"
    yield _entry(
        "practice_api_limited",
        "rest",
        place,
        N_("Twenty requests a second, no more: the answer 429 says how long to wait."),
        f"url: {quoted(place)}",
        "private: true",
        BEARER,
        "pages: {kind: page, size: 20, total: meta.total}",
        *more,
        CONTACT,
    )


def _api(address: str, style: str, lesson: str, *lines: str) -> Entry:
    place = f"{address}/api/{style}/questions"
    return _entry(
        f"practice_api_{style}", "rest", place, lesson, f"url: {quoted(place)}", "private: true", *lines, CONTACT
    )


def _sites(address: str) -> Iterator[Entry]:
    place = f"{address}/site/questions/cards/1.html"
    yield _entry(
        "practice_site",
        "web",
        place,
        N_("A web site: one card is one row, and each page leads to the next."),
        f"start: {quoted(place)}",
        "follow: a.next",
        "rows: article.row",
        f"fields: {CELLS}",
        "key: id",
        "private: true",
        "delay: 0 s",
        CONTACT,
    )
    place = f"{address}/site/questions/table/1.html"
    yield _entry(
        "practice_table",
        "web",
        place,
        N_("The same as a table: its heads name the columns."),
        f"start: {quoted(place)}",
        "follow: a.next",
        "table: table.rows",
        "key: id",
        "private: true",
        "delay: 0 s",
        CONTACT,
    )


def _faulty(address: str, name: str) -> Entry:
    if name == "layout":
        place = f"{address}/faults/layout/site/questions/cards/1.html"
        more = ("rows: article.row", f"fields: {CELLS}", "key: id", "private: true", CONTACT)
        return _entry(f"fault_{name}", "web", place, FAULTS[name].lesson, f"start: {quoted(place)}", *more, fault=True)
    style = "cursor" if name == "circle" else "page"
    place = f"{address}/faults/{name}/api/{style}/questions"
    pages = {
        "cursor": "pages: {kind: cursor, next: meta.next_cursor, size: 200}",
        "page": "pages: {kind: page, size: 200}",
    }
    return _entry(
        f"fault_{name}",
        "rest",
        place,
        FAULTS[name].lesson,
        f"url: {quoted(place)}",
        "private: true",
        BEARER,
        pages[style],
        "records: data.items",
        f"fields: {FIELDS}",
        "key: id",
        "retry: {times: 3, first: 100 ms}",
        "bounds: {request: 5 s}",
        CONTACT,
        fault=True,
    )


def _entry(name: str, kind: str, place: str, lesson: str, *lines: str, fault: bool = False) -> Entry:
    text = "".join(f"    {line}\n" for line in (f"kind: {kind}", *lines))
    return Entry(name, kind, place, lesson, f"  {name}:\n{text}", fault)


def quoted(text: str) -> str:
    """``text`` as YAML takes it whatever it holds."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "$${") + '"'
