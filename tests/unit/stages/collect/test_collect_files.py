"""Files beyond CSV, keys and row ids, and what is read again when something changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collecting import Collecting
from compagnon.errors import UserError
from compagnon.stages.collect.file import FileOptions


def put(collecting: Collecting, text: str | bytes, name: str) -> Path:
    path = collecting.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# --- JSON, JSON Lines, Parquet -----------------------------------------------------------------------------------


def test_json_lines_keep_scalar_types_and_nested_values_as_text(collecting: Collecting) -> None:
    lines = [
        {"id": 1, "t": "é", "x": 1, "ok": True, "in": {"a": [1, 2]}, "mix": 1},
        {"id": 2, "x": 1.5, "late": "here", "mix": "one", "t": None},
    ]
    put(collecting, "\n".join(map(json.dumps, lines)) + "\n\n", "a.jsonl")
    collecting.run(kind="file", path="a.jsonl")
    one, two = collecting.rows()
    assert [one[k] for k in ("id", "t", "x", "ok", "mix", "late")] == [1, "é", 1.0, True, "1", None]
    assert json.loads(one["in"]) == {"a": [1, 2]}
    assert [two[k] for k in ("id", "t", "x", "ok", "mix", "late")] == [2, None, 1.5, None, "one", "here"]
    assert collecting.table().column_names[2:] == ["id", "t", "x", "ok", "in", "mix", "late"]


def test_broken_json_lines_are_kept_aside(collecting: Collecting) -> None:
    put(collecting, b'{"a": 1}\n{"a": \n\n[1]\n{"a": "\xff"}\n{"a": 2}\n', "a.jsonl")
    collecting.run(kind="file", path="a.jsonl", encoding="utf-8")
    assert collecting.cells() == [(1,), (2,)]
    assert collecting.ids() == ["s:a.jsonl:0", "s:a.jsonl:4"]
    assert [(r["line"], r["code"], r["text"]) for r in collecting.unreadable()] == [
        (2, "json-invalid", '{"a": '),
        (4, "not-an-object", "[1]"),
        (5, "bytes-invalid", '{"a": "\\xff"}'),
    ]


def test_a_json_document_with_its_records_at_a_path(collecting: Collecting) -> None:
    put(collecting, json.dumps({"data": {"items": [{"a": 1}, {"a": 2}]}}), "a.json")
    collecting.run(kind="file", path="a.json", records="data.items")
    assert collecting.cells() == [(1,), (2,)]
    with pytest.raises(UserError) as caught:
        collecting.run(kind="file", path="a.json")
    assert caught.value.code == "collect.records-missing"


def test_broken_json_says_where(collecting: Collecting) -> None:
    put(collecting, '[\n{"a": 1},\n{"a": }]', "a.json")
    with pytest.raises(UserError) as caught:
        collecting.run(kind="file", path="a.json")
    assert caught.value.code == "collect.file-unreadable"
    assert "a.json:3" in str(caught.value)


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), st.text()
)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.data())
def test_any_json_records_come_back(collecting: Collecting, kind: st.DataObject) -> None:
    keys = kind.draw(st.lists(KEYS, min_size=1, max_size=4, unique=True))
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    makers = {key: kind.draw(st.sampled_from([st.booleans(), st.integers(-(2**53), 2**53), text])) for key in keys}
    records = kind.draw(st.lists(st.fixed_dictionaries(makers), min_size=1, max_size=6))
    put(collecting, "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), "a.jsonl")
    collecting.run(kind="file", path="a.jsonl", encoding="utf-8")
    assert collecting.cells() == [tuple(record[key] for key in records[0]) for record in records]


def test_parquet_keeps_its_types(collecting: Collecting) -> None:
    table = pa.table(
        {
            "i": pa.array([1, None], pa.int32()),
            "d": pa.array(["a", "b"]).dictionary_encode(),
            "n": pa.array([{"x": 1}, None]),
            "t": pa.array([0, 1], pa.timestamp("ns", "UTC")),
        }
    )
    pq.write_table(table, collecting.root / "a.parquet")
    collecting.run(kind="file", path="a.parquet")
    found = collecting.table()
    assert [str(found.schema.field(name).type) for name in table.column_names] == [
        "int32", "string", "string", "timestamp[us, tz=UTC]",
    ]  # fmt: skip
    assert found.column("n").to_pylist() == ['{"x":1}', None]


def test_a_file_that_is_not_parquet(collecting: Collecting) -> None:
    put(collecting, "a,b\n1,2\n", "a.parquet")
    with pytest.raises(UserError) as caught:
        collecting.run(kind="file", path="a.parquet")
    assert caught.value.code == "collect.file-unreadable"


def test_a_column_whose_type_differs_between_files_is_text(collecting: Collecting) -> None:
    put(collecting, '{"a": 1, "b": 1}\n', "x/1.jsonl")
    put(collecting, '{"a": "one", "b": 2}\n', "x/2.jsonl")
    collecting.run(kind="file", path="x/*.jsonl")
    assert collecting.cells() == [("1", 1), ("one", 2)]
    assert "kept as text: a" in collecting.warnings


# --- row ids -----------------------------------------------------------------------------------------------------


def test_row_ids_come_from_the_key(collecting: Collecting) -> None:
    put(collecting, "id,k,v\n7,a,x\n8,b|c,y\n,d,z\n", "a.csv")
    collecting.run(kind="file", path="a.csv", key="id")
    assert collecting.ids() == ["s:7", "s:8", "s:a.csv:2"]
    collecting.run(kind="file", path="a.csv", key=["id", "k"])
    assert collecting.ids() == ["s:7|a", "s:8|b\\|c", "s:a.csv:2"]


def test_repeated_keys_stay_unique_and_are_told(collecting: Collecting) -> None:
    put(collecting, "id,v\na,1\na,2\na#2,3\nb,4\n", "x/1.csv")
    put(collecting, "id,v\na,5\n", "x/2.csv")
    collecting.run(kind="file", path="x/*.csv", key="id")
    assert collecting.ids() == ["s:a", "s:a#2", "s:a#2#1", "s:b", "s:a#3"]
    assert "repeat the key of another" in collecting.warnings


def test_ids_of_kept_files_follow_when_an_earlier_duplicate_goes(collecting: Collecting) -> None:
    put(collecting, "id,v\na,1\n", "x/1.csv")
    put(collecting, "id,v\na,2\n", "x/2.csv")
    collecting.run(kind="file", path="x/*.csv", key="id")
    assert collecting.ids() == ["s:a", "s:a#2"]
    put(collecting, "id,v\nb,1\n", "x/1.csv")
    collecting.run(kind="file", path="x/*.csv", key="id")
    assert collecting.ids() == ["s:b", "s:a"]


def test_a_key_that_is_not_there(collecting: Collecting) -> None:
    put(collecting, "id,v\na,1\n", "a.csv")
    with pytest.raises(UserError) as caught:
        collecting.run(kind="file", path="a.csv", key="nope")
    assert caught.value.code == "collect.key-missing"


def test_the_key_of_the_table_serves_where_the_source_has_none(collecting: Collecting) -> None:
    put(collecting, "Numero,v\n7,x\n", "a.csv")
    table = {"key": "id", "from": {"s": {"id": "Numero"}}, "columns": {"id": {"type": "text"}}}
    collecting.run(kind="file", path="a.csv", tables={"t": table})
    assert collecting.ids() == ["s:7"]


# --- what changed ------------------------------------------------------------------------------------------------


def test_only_changed_files_are_read_again(collecting: Collecting, monkeypatch: pytest.MonkeyPatch) -> None:
    from compagnon.stages.collect.csv_reader import CsvReader

    read: list[str] = []
    real = CsvReader.read
    monkeypatch.setattr(CsvReader, "read", lambda self, aside: (read.append(self.name), real(self, aside))[1])
    put(collecting, "a\n1\n", "x/1.csv")
    put(collecting, "a,b\n2,3\nbroken\n4,5\n", "x/2.csv")
    first = collecting.run(kind="file", path="x/*.csv")
    put(collecting, "a\n9\n", "x/1.csv")
    put(collecting, "a\n7\n", "x/3.csv")
    second = collecting.run(kind="file", path="x/*.csv")
    assert read == ["x/1.csv", "x/2.csv", "x/1.csv", "x/3.csv"]
    assert second.segment("x/2.csv.parquet") == first.segment("x/2.csv.parquet")
    assert [r["text"] for r in collecting.unreadable()] == ["broken"]
    collecting.run(kind="file", path="x/*.csv", delimiter=",")
    assert len(read) == 7
    collecting.run(kind="file", path="x/*.csv", delimiter=",", licence="CC-BY-4.0")
    assert len(read) == 7
    collecting.run(kind="file", path="x/*.csv", delimiter=",", refresh=True)
    assert len(read) == 10


def test_files_that_are_gone_are_told(collecting: Collecting) -> None:
    put(collecting, "a\n1\n", "x/1.csv")
    gone = put(collecting, "a\n2\n", "x/2.csv")
    collecting.run(kind="file", path="x/*.csv")
    gone.unlink()
    collecting.run(kind="file", path="x/*.csv")
    assert collecting.cells() == [("1",)]
    assert "x/2.csv is no longer" in collecting.warnings


def test_what_a_killed_run_had_finished_is_not_read_again(
    collecting: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    from compagnon.stages.collect.csv_reader import CsvReader

    put(collecting, "id\na\na\n", "x/1.csv")
    put(collecting, "id\na\n", "x/2.csv")
    real, read = CsvReader.read, []

    def failing(self: Any, aside: Any) -> Any:
        read.append(self.name)
        if len(read) == 2:
            raise KeyboardInterrupt
        return real(self, aside)

    monkeypatch.setattr(CsvReader, "read", failing)
    with pytest.raises(KeyboardInterrupt):
        collecting.run(kind="file", path="x/*.csv", key="id")
    collecting.run(kind="file", path="x/*.csv", key="id")
    assert read == ["x/1.csv", "x/2.csv", "x/2.csv"]
    assert collecting.ids() == ["s:a", "s:a#2", "s:a#3"]


def test_evidence_options_stay_out_of_the_settings(collecting: Collecting) -> None:
    spec = collecting.spec(kind="file", path="a.csv", licence="MIT", contact="x", access="y", confidential="z")
    settings_of_run = collecting.instance(spec).settings
    assert not {"licence", "contact", "access", "confidential"} & set(settings_of_run)
    assert settings_of_run["path"] == ["a.csv"]
    json.dumps(settings_of_run)


# --- when the source is down -------------------------------------------------------------------------------------


def test_no_file_at_all(collecting: Collecting) -> None:
    with pytest.raises(UserError) as caught:
        collecting.run(kind="file", path="none/*.csv")
    assert caught.value.code == "collect.file-not-found"
    assert collecting.probe(kind="file", path="none/*.csv").error


def test_another_source_stands_in(collecting: Collecting) -> None:
    columns = {"id": {"type": "text"}}
    both = {"t": {"from": {"s": {"id": "Numero"}, "other": {"id": "id"}}, "columns": columns}}
    alone = {"t": {"from": {"s": {"id": "Numero"}}, "columns": columns}}
    others = {"other": {"kind": "file", "path": "b.csv"}}
    options = {"kind": "file", "path": "a.csv", "instead": "other", "others": others}
    artifact = collecting.run(**options, tables=both)
    assert artifact.rows == 0
    assert collecting.table().column_names == ["_row_id", "_source", "Numero"]
    assert collecting.facts()["instead_used"] == "other"
    with pytest.raises(UserError) as caught:
        collecting.run(**options, tables=alone)
    assert caught.value.code == "collect.instead-unused"
    put(collecting, "Numero\n1\n", "a.csv")
    collecting.run(**options, tables=both)
    assert collecting.cells() == [("1",)]
    assert "instead_used" not in collecting.facts()


# --- paths -------------------------------------------------------------------------------------------------------


def test_paths_do_not_leave_the_folder_by_dots() -> None:
    with pytest.raises(ValidationError, match=r"'\.\.'"):
        FileOptions(kind="file", path="../other/a.csv")


def test_a_full_path_has_names_that_are_the_same_on_each_machine(
    collecting: Collecting, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "in").mkdir()
    (elsewhere / "in/a.csv").write_text("x\n1\n")
    collecting.run(kind="file", path=f"{elsewhere}/**/*.csv")
    assert collecting.ids() == ["s:in/a.csv:0"]


def test_many_rows_make_blocks_and_one_digest(collecting: Collecting) -> None:
    put(collecting, "a,b\n" + "".join(f"{i},x\n" for i in range(140_000)), "a.csv")
    artifact = collecting.run(kind="file", path="a.csv")
    file = pq.ParquetFile(collecting.store.paths(artifact)[0])
    assert [file.metadata.row_group(g).num_rows for g in range(3)] == [65_536, 65_536, 8_928]
    file.close()
    assert collecting.ids()[-1] == "s:a.csv:139999"
    assert collecting.run(refresh=True, kind="file", path="a.csv").digest == artifact.digest


def test_what_stood_in_for_a_source_is_never_fresh(collecting: Collecting) -> None:
    from datetime import UTC, datetime, timedelta

    from compagnon.chain import plan
    from compagnon.chain.stage import Probe

    path = put(collecting, "a\n1\n", "a.csv")
    options = {"kind": "file", "path": "a.csv", "instead": "last", "fresh_for": timedelta(days=1)}
    probe = Probe("token", timedelta(days=1))
    states = []
    for _time in range(2):
        collecting.run(**options)
        run = collecting.previous
        assert run is not None
        instance = collecting.instance(collecting.spec(**options))
        outside = plan.Outside(
            now=datetime.now(UTC),
            last=lambda _id, run=run: run,
            find=lambda _id, _key: None,
            failed=lambda _id: None,
            available=lambda _run: True,
            probes={instance.id: probe},
        )
        run.key.update(plan.decide(instance, outside, {}).key or {}, probe="before")
        states.append(plan.decide(instance, outside, {}).state)
        path.unlink(missing_ok=True)
    assert states == ["cached", "stale"]
