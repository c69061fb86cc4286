"""Preparing on Spark gives what DuckDB alone gives, for every kind of rule: the same rows, quarantine and digests."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from kitchen import Kitchen, Prepared
from test_rule_kinds import KINDS, NASTY

from compagnon.chain.artifact import Artifact
from compagnon.errors import UserError
from compagnon.stages.prepare import distributed

pytestmark = pytest.mark.spark

HARD = [
    *NASTY, "01/02/2026", "13/02/2026", "29/02/2024", "29/02/2025", "2026-03-29 02:30", "29/03/2026 02:30",
    "2026-10-25T02:30:00+02:00", "25/10/2026", "1/1/1", "1582-10-10", "0001-01-01", "1e308", "-1e308", "1e-320",
    "9223372036854775807", "9223372036854775808", "99999999999999.995", "1 234,56 €", "NaN", "-Infinity", "+inf",
    "café", "cafe\u0301", "CAFÉ", "İ", "ß", "👩‍💻", "\u200b", "&eacute;&amp;", "vrai", "non", "x|y", "x\\y",
]  # fmt: skip
REALS = [None, 0.0, -0.0, 1.5, float("nan"), float("inf"), float("-inf"), 1e300, 5e-324, 2.675]


def adversarial(count: int = 300) -> pa.Table:
    """Rows whose ``x`` is any text, beside columns that have types of their own."""
    rows = []
    for i in range(count):
        rows.append(
            {
                "x": HARD[i % len(HARD)],
                "other": HARD[(i * 7) % len(HARD)],
                "real": REALS[i % len(REALS)],
                "whole": None if i % 9 == 0 else (2**62 - i) * (-1) ** i,
                "small": i % 200,
                "money": None if i % 4 == 0 else Decimal(i - 150) / 8,
                "day": None if i % 6 == 0 else dt.date(1 + 33 * i % 9999, 1 + i % 12, 1 + i % 28),
                "at": dt.datetime(2026, 3, 28, 23, tzinfo=dt.UTC) + dt.timedelta(minutes=7 * i, microseconds=i),
                "naive": dt.datetime(2026, 10, 24, 23) + dt.timedelta(minutes=7 * i),
                "yes": [True, False, None][i % 3],
            }
        )
    types = {"small": pa.uint8(), "money": pa.decimal128(12, 3), "day": pa.date32(), "naive": pa.timestamp("us")}
    types |= {"at": pa.timestamp("us", "UTC"), "whole": pa.int64(), "real": pa.float64(), "yes": pa.bool_()}
    fields = [(n, types.get(n, pa.string())) for n in rows[0]]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def same(one: Prepared, other: Prepared) -> None:
    assert other.table.schema == one.table.schema
    for name in one.table.column_names:
        assert repr(other.column(name)) == repr(one.column(name)), name
    assert other.quarantine == one.quarantine
    assert other.report == one.report
    assert other.facts == one.facts
    for output in ("table/t", "quarantine/t", "quality/t"):
        assert other.digest(output) == one.digest(output), output
    assert other.context.warnings == one.context.warnings


@pytest.fixture
def both(tmp_path: Path, spark: dict[str, Any]) -> Any:
    turn = itertools.count()

    def run(table: dict[str, Any], rows: dict[str, Any], overlay: Any = (), pieces: int = 3) -> Prepared:
        found = []
        for name, engine in (("duckdb", None), ("spark", spark)):
            kitchen = Kitchen(tmp_path / f"{name}-{next(turn)}")
            kitchen.workspace.prepare()
            for entry in overlay:
                kitchen.correct(*entry)
            given = {source: made(kitchen) if callable(made) else made for source, made in rows.items()}
            found.append(kitchen.prepare(table, given, pieces=pieces, engine=engine))
        same(*found)
        return found[1]

    return run


@pytest.mark.parametrize("start", range(0, len(KINDS), 8))
def test_every_kind_of_rule_over_texts(both: Any, start: int) -> None:
    """Each kind is a column of its own, over the same texts; eight kinds go into one job."""
    kinds = dict(list(KINDS.items())[start : start + 8])
    columns = {f"c{place}": column for place, column in enumerate(kinds.values())}
    entries: dict[str, Any] = {
        name: {"column": "x", "unit": "degF"} if column.get("unit") else "x" for name, column in columns.items()
    }
    found = both({"from": {"s": entries}, "columns": columns}, {"s": adversarial()})
    assert found.facts["rows_read"] == 300
    # A rule that reads nothing or rejects nothing would prove little.
    assert found.rows or found.quarantine


def test_every_type_of_source_to_every_type_of_column(both: Any) -> None:
    kinds = ("text", "integer", "decimal", "float", "boolean", "date", "timestamp")
    given = ("real", "whole", "small", "money", "day", "at", "naive", "yes")
    columns = {f"{source}_{kind}": {"type": kind} for source in given for kind in kinds}
    entries = {f"{source}_{kind}": source for source in given for kind in kinds}
    both({"from": {"s": entries}, "columns": columns}, {"s": adversarial()})


def test_derived_columns_rejects_and_duplicates(both: Any) -> None:
    table = {
        "from": {"s": {"text": "x", "other": "other", "real": "real", "at": "at"}, "b": {"text": "x", "real": "y"}},
        "columns": {
            "text": {"type": "text", "clean": ["nfc", "spaces", "html"], "personal": "free_text"},
            "other": {"type": "text", "clean": ["fold"], "personal": "email", "keep": "pseudonym"},
            "real": {"type": "float"},
            "at": {"type": "timestamp"},
            "length": {"type": "integer", "expr": "length(text)"},
            "root": {"type": "float", "expr": "case when real >= 0 then sqrt(real) end"},
            "word": {"type": "text", "expr": "upper(regexp_extract(text, '([a-z]+)', 1))"},
        },
        "reject": [
            {"when": "text is null", "because": {"fr": "vide", "en": "empty"}},
            {"when": "isnan(real) or length > 100", "because": "odd", "code": "odd"},
        ],
        "unique": {"by": ["text", "real"], "prefer": ["at desc", "other asc"]},
    }
    second = pa.table({"x": ["café", None, "é", "1"], "y": [1.5, 2.0, 0.0, -0.0]})
    found = both(table, {"s": adversarial(), "b": second})
    assert found.facts["rows_duplicate"] > 0
    assert {code for codes in found.codes().values() for code, _column in codes} >= {"odd", "reject_1", "duplicate"}


@pytest.mark.parametrize("by", ["real", "whole", "money", "day", "at", "yes", "x"])
def test_duplicates_by_any_type(both: Any, by: str) -> None:
    kinds = {"real": "float", "whole": "integer", "money": "decimal", "day": "date", "at": "timestamp"}
    columns = {by: {"type": {**kinds, "yes": "boolean", "x": "text"}[by]}, "small": {"type": "integer"}}
    unique = {"by": [by], "prefer": ["small desc"]}
    table = pa.concat_tables([adversarial(), adversarial(40)])
    both({"from": {"s": {by: by, "small": "small"}}, "columns": columns, "unique": unique}, {"s": table})


def test_corrections_and_rows_put_back(both: Any) -> None:
    table = {
        "from": {"s": {"n": "x", "day": "day"}},
        "columns": {"n": {"type": "integer", "required": True}, "day": {"type": "date", "formats": ["%d/%m/%Y"]}},
        "unique": {"by": ["n"]},
    }
    overlay = [
        ("correct", "s:piece:000001", "n", "41"),
        ("correct", "s:piece:000002", "day", "01/02/2026"),
        ("correct", "s:piece:000299", "n", "not a number"),
        ("restore", "s:piece:000003", None, None),
        ("restore", "s:piece:999999", None, None),
    ]
    found = both(table, {"s": adversarial()}, overlay)
    assert found.facts["rows_restored"] == 1
    assert found.context.warnings


def test_files_that_lack_columns_and_rows(both: Any) -> None:
    table = {"from": {"s": {"x": "x", "real": "real"}}, "columns": {"x": {"type": "text"}, "real": {"type": "float"}}}
    named = adversarial().add_column(0, "_row_id", pa.array(["s:x"] * 300))
    assert both(table, {"s": named.slice(0, 0)}, pieces=1).rows == []

    def two_files(kitchen: Kitchen) -> Artifact:
        first = kitchen.rows("s", adversarial(3).drop_columns(["real"])).segments[0]
        ids = pa.array([f"s:later:{i}" for i in range(3)])
        later = kitchen.rows("s", adversarial(3).select(["x", "real"]).add_column(0, "_row_id", ids)).segments[0]
        return Artifact("rows", "raw", (first, replace(later, name="1.parquet")), {"source": "s"})

    assert both(table, {"s": two_files}).column("real") == [None, 0.0, -0.0, None, None, None]


def test_an_expression_that_fails_is_named_without_the_value(tmp_path: Path, spark: dict[str, Any]) -> None:
    kitchen = Kitchen(tmp_path)
    kitchen.workspace.prepare()
    table = {
        "from": {"s": {"x": "x"}},
        "columns": {"x": {"type": "text"}, "n": {"type": "integer", "expr": "cast(x as integer)"}},
    }
    with pytest.raises(UserError, match=r"columns\.n\.expr") as caught:
        kitchen.prepare(table, {"s": pa.table({"x": ["1", "camille@example.org"]})}, engine=spark)
    assert caught.value.code == "prepare.expression-failed"
    assert "camille" not in str(caught.value)


def test_the_engine_enters_the_key_and_its_place_does_not(tmp_path: Path) -> None:
    from compagnon.spec.model import Engine
    from compagnon.stages.prepare import PrepareStage

    kitchen = Kitchen(tmp_path)
    kitchen.workspace.prepare()
    spec = kitchen.context({"from": {"s": {"x": "x"}}, "columns": {"x": {"type": "text"}}}, {}).spec

    def settings(**engine: Any) -> Any:
        given = spec.model_copy(update={"engine": Engine(**engine)})
        return PrepareStage().instances(given)[0].settings

    assert settings(kind="duckdb") == PrepareStage().instances(spec)[0].settings
    assert settings(kind="spark") == settings(kind="spark", master="spark://h:7077", memory="4g")
    assert settings(kind="spark") != settings(kind="duckdb")


def test_a_cancelled_run_stops_its_job(tmp_path: Path, spark: dict[str, Any]) -> None:
    from compagnon.chain.stage import Cancelled
    from compagnon.engines import spark as engines
    from compagnon.spec.model import Engine

    session = engines.session(engines.Settings.of(Engine.model_validate(spark)))

    def slow(batches: Any) -> Any:
        import time

        for batch in batches:
            time.sleep(600)
            yield batch

    def cancel(done: int, total: int) -> None:
        raise Cancelled

    frame = session.range(2).mapInArrow(slow, "id long")
    with pytest.raises(Cancelled):
        engines.follow(session, frame.collect, cancel)
    assert session.range(5).count() == 5


def test_every_word_of_the_worker_is_text() -> None:
    """What goes to workers is pickled: texts and numbers alone."""
    import pickle

    mapper = distributed.Mapper((distributed.Work("select 1", (("a", "VARCHAR"),), ("s:1",)),), (("a", "BIGINT"),))
    assert pickle.loads(pickle.dumps(mapper)) == mapper
