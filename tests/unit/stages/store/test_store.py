"""The published file: types, keys, comments; its pointer; questions to it; exports."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compagnon.chain import digest as digests
from compagnon.chain.artifact import Artifact, ArtifactStore, Draft
from compagnon.chain.clock import SystemClock
from compagnon.chain.run import Output, Run
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Context
from compagnon.chain.workspace import Workspace
from compagnon.errors import UserError
from compagnon.spec.model import SourceOptions, Spec, Table
from compagnon.stages.store import StoreStage
from compagnon.stages.store.export import export
from compagnon.stages.store.pointer import pointer_file, published
from compagnon.stages.store.query import query

TABLE: dict[str, Any] = {
    "key": "id",
    "meaning": {"fr": "Questions posées", "en": "Questions asked"},
    "from": {"s": {n: n for n in ("id", "level", "price", "at", "day", "mail")}},
    "columns": {
        "id": {"type": "text", "meaning": "identifiant de l'élève"},
        "level": {"type": "category", "values": ["low", "it's"]},
        "price": {"type": "decimal", "unit": "EUR", "scale": 3},
        "at": {"type": "timestamp"},
        "day": {"type": "date", "required": True},
        "mail": {"type": "category", "values": ["x"], "keep": "pseudonym"},
        "gone": {"type": "text", "personal": "name", "expr": "id"},
    },
}
MOMENT = datetime(2024, 1, 1, 12, tzinfo=UTC)
ROWS = {
    "row_id": ["s:1", "s:2"],
    "source": ["s", "s"],
    "id": ["1", "2"],
    "level": ["low", None],
    "price": pa.array([Decimal("1.250"), None], pa.decimal128(18, 3)),
    "at": pa.array([MOMENT, None], pa.timestamp("us", "UTC")),
    "day": [date(2024, 1, 1), date(2024, 1, 2)],
    "mail": ["p_1", "p_2"],
}


@dataclass
class Shelf:
    root: Path
    runs: int = 0

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.root)

    def store(
        self, rows: dict[str, Any] | None = None, table: dict[str, Any] | None = None, publish: bool = True
    ) -> Artifact:
        artifacts = ArtifactStore(self.workspace)
        spec = Spec(version=1, name="shelf", sources={"s": SourceOptions(kind="file")},
                    tables={"t": Table.model_validate(table or TABLE)})  # fmt: skip
        self.runs += 1
        scratch = self.workspace.scratch / f"run{self.runs}"
        scratch.mkdir()
        given = pa.table(rows or ROWS)
        pq.write_table(given, scratch / "t.parquet")
        keeps = {name: "pseudonym" if name == "mail" else "plain" for name in given.column_names[2:]}
        meta = {"columns": [{"name": n, "type": spec.tables["t"].columns[n].type, "keep": k} for n, k in keeps.items()]}
        draft = Draft("t.parquet", scratch / "t.parquet", given.num_rows, digests.of_table(given))
        prepared = Artifact("table", "clean", (artifacts.put_segment("clean", draft),), meta)
        context = Context(spec, self.workspace, artifacts, scratch, SystemClock(), Secrets(self.workspace, {}), "r")
        context.inputs = {"table/t": prepared}
        stage = StoreStage()
        instance = stage.instances(spec)[0]
        stage.run(instance, context)
        made = context.emitted["store/data"]
        assert {f.name: f.value for f in context.facts} == {"tables_stored": 1, "rows_stored": given.num_rows}
        if publish:
            output = Output("store/data", made.kind, made.zone, made.digest, made.rows)
            run = Run("r", instance.id, "done", {}, MOMENT, MOMENT, "", "", outputs=(output,))
            stage.after(instance, self.workspace, artifacts, run)
        return made


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    made = Shelf(tmp_path)
    made.workspace.prepare()
    return made


def test_types_keys_checks_comments(shelf: Shelf) -> None:
    shelf.store()
    described = (
        "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = 't' ORDER BY column_index"
    )
    columns = query(shelf.workspace, described)
    assert [(r["column_name"], r["data_type"], r["comment"]) for r in columns.to_pylist()] == [
        ("row_id", "VARCHAR", None),
        ("source", "VARCHAR", None),
        ("id", "VARCHAR", "identifiant de l'élève"),
        ("level", "VARCHAR", None),
        ("price", "DECIMAL(18,3)", "[EUR]"),
        ("at", "TIMESTAMP WITH TIME ZONE", None),
        ("day", "DATE", None),
        ("mail", "VARCHAR", None),
    ]
    comment = query(shelf.workspace, "SELECT comment FROM duckdb_tables() WHERE table_name = 't'").to_pylist()
    assert comment == [{"comment": "Questions posées / Questions asked"}]
    rules = query(shelf.workspace, "SELECT constraint_text AS c FROM duckdb_constraints()").column("c").to_pylist()
    assert "PRIMARY KEY(id)" in rules
    assert any("IN ('low', 'it''s')" in rule for rule in rules)
    assert query(shelf.workspace, "FROM t").to_pylist() == pa.table(ROWS).to_pylist()


def test_a_repeated_or_empty_key_leaves_row_id(shelf: Shelf) -> None:
    for ids in (["1", "1"], ["1", None]):
        shelf.store({**ROWS, "id": pa.array(ids, pa.string())})
        rules = query(shelf.workspace, "SELECT constraint_text AS c FROM duckdb_constraints()").column("c").to_pylist()
        assert "PRIMARY KEY(row_id)" in rules


def test_the_digest_is_of_the_content(shelf: Shelf, tmp_path: Path) -> None:
    first, again = shelf.store(), shelf.store()
    assert first.digest == again.digest
    other = Shelf(tmp_path / "other")
    other.workspace.prepare()
    assert other.store().digest == first.digest
    assert shelf.store({**ROWS, "id": ["1", "3"]}).digest != first.digest
    changed = json.loads(json.dumps(TABLE))
    changed["columns"]["id"]["meaning"] = "number"
    assert shelf.store(table=changed).digest != first.digest


def test_the_pointer_moves_when_published_and_readers_stay(shelf: Shelf) -> None:
    shelf.store()
    before = published(shelf.workspace)
    assert (
        json.loads(pointer_file(shelf.workspace).read_text())["path"]
        == before.relative_to(shelf.workspace.home).as_posix()
    )
    with duckdb.connect(str(before), read_only=True) as reader:
        shelf.store({**ROWS, "id": ["1", "3"]}, publish=False)
        assert published(shelf.workspace) == before
        shelf.store({**ROWS, "id": ["1", "3"]})
        assert published(shelf.workspace) != before
        assert reader.execute("SELECT id FROM t ORDER BY row_id").fetchall() == [("1",), ("2",)]
    assert query(shelf.workspace, "SELECT id FROM t ORDER BY row_id").column("id").to_pylist() == ["1", "3"]


def test_nothing_published(shelf: Shelf) -> None:
    with pytest.raises(UserError) as caught:
        query(shelf.workspace, "SELECT 1")
    assert caught.value.code == "store.not-published"


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1 AS x", "WITH a AS (SELECT 1) FROM a", "FROM t", "DESCRIBE t", "SHOW TABLES", "SUMMARIZE t",
    "EXPLAIN SELECT 1", "VALUES (1)", "SELECT 1;"],
)  # fmt: skip
def test_questions(shelf: Shelf, sql: str) -> None:
    shelf.store()
    assert query(shelf.workspace, sql).num_rows >= 1


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DELETE FROM t", "query.not-a-question"),
        ("INSERT INTO t SELECT * FROM t", "query.not-a-question"),
        ("CREATE TABLE x (a INT)", "query.not-a-question"),
        ("DROP TABLE t", "query.not-a-question"),
        ("ATTACH 'x.db'", "query.not-a-question"),
        ("COPY t TO 'x.csv'", "query.not-a-question"),
        ("SET threads = 1", "query.not-a-question"),
        ("PRAGMA database_list", "query.not-a-question"),
        ("INSTALL httpfs", "query.not-a-question"),
        ("LOAD icu", "query.not-a-question"),
        ("SELECT 1; DROP TABLE t", "query.not-a-question"),
        ("", "query.not-a-question"),
        ("SELEC 1", "query.wrong"),
        ("SELECT nothing FROM t", "query.wrong"),
        ("SELECT * FROM read_text('/etc/hostname')", "query.wrong"),
        ("SELECT * FROM '/etc/hostname'", "query.wrong"),
        ("SELECT * FROM glob('/*')", "query.wrong"),
        ("EXPLAIN ANALYZE DELETE FROM t", "query.wrong"),
    ],
)
def test_refused(shelf: Shelf, sql: str, code: str) -> None:
    shelf.store()
    with pytest.raises(UserError) as caught:
        query(shelf.workspace, sql)
    assert caught.value.code == code


def test_limit_time_memory(shelf: Shelf) -> None:
    shelf.store()
    assert query(shelf.workspace, "FROM range(100)", 7).num_rows == 7
    assert query(shelf.workspace, "FROM range(5000)", None).num_rows == 5000
    with pytest.raises(UserError) as caught:
        query(
            shelf.workspace,
            "SELECT count(*) FROM range(10000000000) a, range(1000) b WHERE a.range * b.range = -1",
            seconds=0.3,
        )
    assert caught.value.code == "query.too-long"
    with pytest.raises(UserError) as caught:
        query(
            shelf.workspace, "SELECT array_agg(range::VARCHAR || repeat('x', 200)) FROM range(3000000)", memory="50MB"
        )
    assert caught.value.code == "query.too-large"


READ: dict[str, Callable[[Path], Any]] = {
    "csv": lambda path: path.read_text(encoding="utf-8").splitlines()[1],
    "json": lambda path: json.loads(path.read_text(encoding="utf-8").splitlines()[0])["id"],
    "parquet": lambda path: pq.read_table(path).column("id").to_pylist()[0],
}


@pytest.mark.parametrize("format", list(READ))
def test_exports(shelf: Shelf, tmp_path: Path, format: Any) -> None:
    shelf.store()
    path = tmp_path / "out" / f"l'export.{format}"
    assert export(shelf.workspace, "t", format, path) == 2
    assert export(shelf.workspace, "t", format, path) == 2
    first = READ[format](path)
    assert first == ("s:1,s,1,low,1.250,2024-01-01 12:00:00+00,2024-01-01,p_1" if format == "csv" else "1")
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_exports_refused(shelf: Shelf, tmp_path: Path) -> None:
    shelf.store()
    for arguments, code in [(("x", "csv"), "export.unknown-table"), (("t", "xlsx"), "export.unknown-format")]:
        with pytest.raises(UserError) as caught:
            export(shelf.workspace, *arguments, tmp_path / "x")  # type: ignore[arg-type]
        assert caught.value.code == code
