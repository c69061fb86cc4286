"""The quarantine as people work with it, with the real ledger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from compagnon.chain.run import Output, Run
from compagnon.chain.workspace import Workspace
from compagnon.database.engine import open_database
from compagnon.database.ledger import SqlLedger
from compagnon.errors import UserError
from compagnon.stages.prepare import quarantine

AT = datetime(2026, 1, 1, tzinfo=UTC)
TABLE = {
    "from": {"a": {"n": "N", "k": "K"}, "b": {"n": "n", "k": "k"}},
    "columns": {"n": {"type": "integer"}, "k": {"type": "text", "required": True}},
}


@pytest.fixture
def kept(kitchen: Any) -> Any:
    rows = {
        "a": [{"N": "x", "K": "é"}, {"N": "y", "K": None}, {"N": "1", "K": "ok"}],
        "b": [{"n": "z", "k": "k"}, {"n": "1", "k": ""}],
    }
    return kitchen.prepare(TABLE, rows)


def test_list_filter_show(kept: Any) -> None:
    artifact, store = kept.context.emitted["quarantine/t"], kept.context.artifacts
    rows, count = quarantine.rows(artifact, store, limit=2)
    assert (len(rows), count) == (2, 4)
    assert rows[0].raw == {"N": "x", "K": "é"}
    assert [r.row_id for r in quarantine.rows(artifact, store, source="b")[0]] == ["b:piece:000000", "b:piece:000001"]
    found, count = quarantine.rows(artifact, store, reason="not_integer")
    assert [r.row_id for r in found] == ["a:piece:000000", "a:piece:000001", "b:piece:000000"]
    assert [r.row_id for r in quarantine.rows(artifact, store, reason="missing", source="a")[0]] == ["a:piece:000001"]
    shown = quarantine.row("a:piece:000001", artifact, store)
    assert [(w.code, w.column) for w in shown.reasons] == [("not_integer", "n"), ("missing", "k")]
    for call, code in [
        (lambda: quarantine.row("a:nothing", artifact, store), "quarantine.unknown-row"),
        (lambda: quarantine.rows(artifact, store, reason="nothing"), "quarantine.unknown-reason"),
    ]:
        with pytest.raises(UserError) as caught:
            call()
        assert caught.value.code == code


def test_put_back_and_correct_through_the_ledger(kitchen: Any, kept: Any) -> None:
    artifact, store = kept.context.emitted["quarantine/t"], kept.context.artifacts
    spec = kept.context.spec
    engine = open_database(Workspace(kitchen.root), f"sqlite:///{kitchen.root / 'ledger.sqlite'}")
    try:
        ledger = SqlLedger(engine)
        with pytest.raises(UserError) as caught:
            quarantine.of_table("t", spec, ledger, store)
        assert caught.value.code == "quarantine.none"
        output = Output("quarantine/t", artifact.kind, artifact.zone, artifact.digest, artifact.rows)
        ledger.append(Run("r1", "prepare/t", "done", {}, AT, AT, "", "", outputs=(output,)))
        assert quarantine.of_table("t", spec, ledger, store).digest == artifact.digest
        with pytest.raises(UserError):
            quarantine.restore(["a:piece:000001", "a:no"], artifact, store, ledger, at=AT, author="me")
        assert ledger.corrections("t") == []
        quarantine.restore(["a:piece:000001"], artifact, store, ledger, at=AT, author="me", because="vu")
        row = ("a:piece:000000", "n", "5", artifact, store, spec, ledger)
        quarantine.correct(*row, at=AT, author="me")
        with pytest.raises(UserError) as caught:
            quarantine.correct("a:piece:000000", "q", "5", artifact, store, spec, ledger, at=AT, author="me")
        assert caught.value.code == "quarantine.unknown-column"
        assert [(c.kind, c.row_id, c.column, c.value) for c in ledger.corrections("t")] == [
            ("restore", "a:piece:000001", None, None),
            ("correct", "a:piece:000000", "n", "5"),
        ]
    finally:
        engine.dispose()
