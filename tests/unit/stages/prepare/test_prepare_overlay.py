"""Corrections and rows put back: an overlay by row id, applied again at each run."""

from __future__ import annotations

from typing import Any

TABLE = {
    "from": {"s": {"k": "K", "n": "N", "d": "D"}},
    "columns": {
        "k": {"type": "text"},
        "n": {"type": "integer", "required": True},
        "d": {"type": "date", "formats": ["%d/%m/%Y"]},
    },
    "reject": [{"when": "n > 10", "because": "trop", "code": "too_much"}],
    "unique": {"by": "k"},
}


def rows() -> list[dict[str, Any]]:
    values = [("a", "1"), ("b", "x"), ("c", "11"), ("a", "2"), ("d", "4")]
    return [{"_row_id": f"s:{k}{i}", "K": k, "N": n, "D": "01/02/2024"} for i, (k, n) in enumerate(values)]


def test_without_overlay(kitchen: Any) -> None:
    done = kitchen.prepare(TABLE, {"s": rows()})
    assert done.codes() == {
        "s:a3": [("duplicate", None)],
        "s:b1": [("not_integer", "n")],
        "s:c2": [("too_much", None)],
    }


def test_rows_put_back_skip_rejects_and_unique(kitchen: Any) -> None:
    for row_id in ("s:a3", "s:b1", "s:c2", "s:gone"):
        kitchen.correct("restore", row_id)
    done = kitchen.prepare(TABLE, {"s": rows()})
    assert done.quarantine == {}
    assert {r["row_id"]: r["n"] for r in done.rows} == {"s:a0": 1, "s:a3": 2, "s:b1": None, "s:c2": 11, "s:d4": 4}
    assert done.facts["rows_restored"] == 3
    assert len(done.context.warnings) == 1
    assert "1 row that was corrected" in done.context.warnings[0]


def test_a_correction_is_a_raw_cell_and_rules_apply(kitchen: Any) -> None:
    kitchen.correct("correct", "s:b1", "n", "99")
    kitchen.correct("correct", "s:b1", "n", " 9 ")
    kitchen.correct("correct", "s:c2", "n", "12")
    kitchen.correct("correct", "s:a0", "k", None)
    done = kitchen.prepare(TABLE, {"s": rows()})
    assert {r["row_id"]: (r["k"], r["n"]) for r in done.rows} == {
        "s:a0": (None, 1),
        "s:a3": ("a", 2),
        "s:b1": ("b", 9),
        "s:d4": ("d", 4),
    }
    assert done.codes() == {"s:c2": [("too_much", None)]}
    assert done.quarantine["s:c2"]["raw"].startswith('{"K":"c","N":"11"')  # the raw row is what the source gave


def test_a_correction_of_a_typed_cell(kitchen: Any) -> None:
    from datetime import date

    table = {"from": {"s": {"d": "D"}}, "columns": {"d": {"type": "date", "formats": ["%d/%m/%Y"]}}}
    typed = [{"_row_id": "s:0", "D": date(2024, 1, 1)}, {"_row_id": "s:1", "D": date(2024, 1, 2)}]
    kitchen.correct("correct", "s:1", "d", "31/12/2023")
    assert kitchen.prepare(table, {"s": typed}).column("d") == [date(2024, 1, 1), date(2023, 12, 31)]
    kitchen.correct("correct", "s:0", "d", "2023-12-30")
    assert kitchen.prepare(table, {"s": typed}).column("d") == [date(2023, 12, 30), date(2023, 12, 31)]


def test_the_overlay_changes_the_digest_and_its_absence_gives_it_back(kitchen: Any) -> None:
    before = kitchen.prepare(TABLE, {"s": rows()}).digest()
    kitchen.correct("restore", "s:c2")
    assert kitchen.prepare(TABLE, {"s": rows()}).digest() != before
    kitchen.overlay.clear()
    assert kitchen.prepare(TABLE, {"s": rows()}).digest() == before
