"""The quality report: its numbers, and pages that a screen reader can follow."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

TABLE = {
    "from": {"a": {"x": "X", "level": "L", "mail": "M"}, "b": {"x": "Y"}},
    "columns": {
        "x": {"type": "text", "clean": ["spaces"], "replace": [{"pattern": "z+", "with": "y"}]},
        "level": {"type": "category", "values": ["low", "high"], "map": {"bas": "low"}},
        "mail": {"type": "text", "personal": "email"},
        "name": {"type": "text", "personal": "name", "expr": "x"},
        "n": {"type": "integer", "expr": "length(x)"},
    },
    "reject": [{"when": "n > 5", "because": {"fr": "<b>long</b>", "en": "long"}, "code": "long"}],
}
ROWS = {
    "a": [
        {"X": " one ", "L": "low", "M": "p@example.org"},
        {"X": "zz", "L": "Bas", "M": "p@example.org"},
        {"X": "toolong", "L": "huge", "M": None},
    ],
    "b": [{"Y": "four"}, {"Y": None}],
}


class Outline(HTMLParser):
    """Tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _attrs in self.tags)


def test_numbers_by_rule_and_source(kitchen: Any) -> None:
    report = kitchen.prepare(TABLE, ROWS).report
    assert report["rows"] == {
        "read": 5, "unreadable": 0, "prepared": 4, "rejected": 1, "duplicate": 0, "restored": 0, "masked": 0,
    }  # fmt: skip
    changes = {(c["column"], c["rule"]): c["by_source"] for c in report["changes"]}
    assert changes["x", "given"] == {"a": 3, "b": 1}
    assert changes["x", "clean"] == {"a": 1, "b": 0}
    assert changes["x", "replace"] == {"a": 1, "b": 0}
    assert changes["level", "map"] == {"a": 1, "b": 0}
    assert changes["n", "expr"] == {"a": 3, "b": 1}
    rejects = {(r["code"], r["column"]): r["by_source"] for r in report["rejects"]}
    assert rejects["unknown_value", "level"] == {"a": 1, "b": 0}
    assert rejects["long", None] == {"a": 1, "b": 0}
    columns = {c["name"]: c for c in report["columns"]}
    assert columns["level"]["top"] == [{"value": "low", "count": 2}]
    assert columns["n"] | {"min": "1", "max": "4", "nulls": 1, "distinct": 3, "exact": True} == columns["n"]
    assert columns["mail"]["keep"] == "pseudonym"
    assert "top" not in columns["mail"]
    assert columns["name"]["keep"] == "drop"
    assert "example.org" not in str(report)


def test_a_key_that_is_personal_leaves_as_a_pseudonym_in_row_ids_too(kitchen: Any) -> None:
    table = {
        "key": "mail",
        "from": {"a": {"mail": "Mail", "x": "X"}, "b": {"mail": "M", "x": "X"}},
        "columns": {"mail": {"type": "text", "personal": "email"}, "x": {"type": "text", "required": True}},
    }
    mails = ("ada@example.org", "zoe@example.org")
    rows = {
        "a": [{"_row_id": f"a:{mail}", "Mail": mail, "X": "x"} for mail in mails],
        "b": [{"_row_id": "b:bob@example.org", "M": "bob@example.org", "X": None}],
    }
    done = kitchen.prepare(table, rows)
    again = kitchen.prepare(table, rows)
    assert "example.org" not in str(done.rows)
    assert done.table == again.table
    ids = done.column("row_id")
    assert len(set(ids)) == 2
    assert all(i.startswith("a:p_") for i in ids)
    assert ids == sorted(ids)
    assert list(done.quarantine) == ["b:bob@example.org"]
    table["columns"]["mail"] = {"type": "text", "personal": "email", "keep": "plain"}
    assert kitchen.prepare(table, rows).column("row_id") == [f"a:{mail}" for mail in mails]


def test_pages_are_accessible_and_escape_what_people_wrote(kitchen: Any) -> None:
    done = kitchen.prepare(TABLE, ROWS)
    for language, word in (("fr", "lignes lues"), ("en", "rows read")):
        page = done.page(language)
        outline = Outline(page)
        assert ("html", {"lang": language}) in outline.tags
        assert word in page
        assert outline.count("h1") == outline.count("main") == outline.count("title") == 1
        assert outline.count("table") == outline.count("caption") == 4
        assert all(attrs.get("scope") in ("col", "row") for tag, attrs in outline.tags if tag == "th")
        assert outline.count("script") == outline.count("b") == outline.count("link") == 0
        assert all(attrs.get("aria-label") for tag, attrs in outline.tags if attrs.get("role") == "region")
    assert "&lt;b&gt;long" in done.page("fr")


def test_unreadable_rows_are_counted(kitchen: Any) -> None:
    from compagnon.chain.artifact import Artifact, Segment

    inputs = {f"rows/{s}": kitchen.rows(s, r) for s, r in ROWS.items()}
    context = kitchen.context(TABLE, inputs)
    context.inputs["unreadable/a"] = Artifact("quarantine", "quarantine", (Segment("x", "d", 1, "d", rows=3),))
    from compagnon.stages.prepare import PrepareStage

    stage = PrepareStage(1)
    stage.run(stage.instances(context.spec)[0], context)
    path = context.artifacts.path(context.emitted["quality/t"], "quality.json")
    assert '"unreadable": 3' in path.read_text(encoding="utf-8")
