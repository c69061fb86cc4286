"""CSV: what is detected, what comes back, and what becomes of lines that cannot be read."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collecting import Collecting
from compagnon import i18n
from compagnon.errors import UserError


def put(collecting: Collecting, text: str | bytes, name: str = "a.csv", encoding: str = "utf-8") -> Path:
    path = collecting.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def detail(collecting: Collecting) -> dict[str, Any]:
    assert collecting.context is not None
    return collecting.context.emitted["rows/s"].meta["pieces"][0]


def collect(collecting: Collecting, **options: Any) -> list[tuple[Any, ...]]:
    collecting.run(**{"kind": "file", "path": "a.csv", **options})
    return collecting.cells()


def test_cells_stay_text_and_empty_ones_are_null(collecting: Collecting) -> None:
    put(collecting, 'id,n,t\n01,1.50,"a, ""b"""\n2,,""\n')
    assert collect(collecting) == [("01", "1.50", 'a, "b"'), ("2", None, None)]
    assert collecting.ids() == ["s:a.csv:0", "s:a.csv:1"]
    assert {row["_source"] for row in collecting.rows()} == {"s"}
    assert collecting.facts() == {"rows_collected": 2, "rows_unreadable": 0, "segments": 1}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_delimiter_and_encoding_are_detected_and_stated(collecting: Collecting, delimiter: str, encoding: str) -> None:
    lines = [["numéro", "question", "thème"]] + [[str(i), "Où est l’élève ? « là »", "été, hiver"] for i in range(30)]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(lines)
    put(collecting, out.getvalue(), encoding=encoding)
    assert collect(collecting) == [tuple(line) for line in lines[1:]]
    assert collecting.table().column_names[2:] == lines[0]
    assert (detail(collecting)["delimiter"], detail(collecting)["encoding"]) == (delimiter, encoding)


def test_an_encoding_that_is_declared_is_used(collecting: Collecting) -> None:
    put(collecting, "a;b\nж;1\n", encoding="cp1251")
    assert collect(collecting, encoding="cp1251") == [("ж", "1")]
    assert detail(collecting)["encoding_known"] == "declared"


@pytest.mark.parametrize(
    ("suffix", "pack"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("zst", lambda data: pa.Codec("zstd").compress(data, asbytes=True)),
        ("zip", None),
    ],
)
def test_compressed_files(collecting: Collecting, suffix: str, pack: Any) -> None:
    data = "a,b\n1,é\n".encode()
    if pack is None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("x.csv", data)
        packed = buffer.getvalue()
    elif suffix == "zst":
        stream = pa.BufferOutputStream()
        with pa.CompressedOutputStream(stream, "zstd") as out:
            out.write(data)
        packed = stream.getvalue().to_pybytes()
    else:
        packed = pack(data)
    put(collecting, packed, f"a.csv.{suffix}")
    assert collect(collecting, path=f"a.csv.{suffix}") == [("1", "é")]
    assert detail(collecting)["compression"] == suffix


def test_an_archive_of_two_files_is_refused(collecting: Collecting) -> None:
    with zipfile.ZipFile(collecting.root / "a.zip", "w") as archive:
        archive.writestr("x.csv", "a\n1\n")
        archive.writestr("y.csv", "a\n1\n")
    with pytest.raises(UserError) as caught:
        collect(collecting, path="a.zip")
    assert caught.value.code == "collect.archive-members"


def test_a_damaged_archive_is_named(collecting: Collecting) -> None:
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 9000)
    put(collecting, whole[: len(whole) // 2], "a.csv.gz")
    with pytest.raises(UserError) as caught:
        collect(collecting, path="a.csv.gz")
    assert caught.value.code == "collect.file-unreadable"
    assert "a.csv.gz" in str(caught.value)


def test_broken_lines_are_kept_aside_with_line_text_and_reason(collecting: Collecting) -> None:
    put(collecting, b'a,b,c\n1,"x\ny",3\n\n1,2\n4,5,6\n4,5,6,7\n7,\xff,9\n10,11,12\n')
    assert collect(collecting, encoding="utf-8") == [("1", "x\ny", "3"), ("4", "5", "6"), ("10", "11", "12")]
    found = [(r["line"], r["text"], r["code"], r["_row_id"]) for r in collecting.unreadable()]
    assert found == [
        (5, "1,2", "fields-missing", "s:a.csv:1"),
        (7, "4,5,6,7", "fields-extra", "s:a.csv:3"),
        (8, "7,\\xff,9", "bytes-invalid", "s:a.csv:4"),
    ]
    assert collecting.ids() == ["s:a.csv:0", "s:a.csv:2", "s:a.csv:5"]
    assert collecting.facts()["rows_unreadable"] == 3
    assert "3 rows of a.csv" in collecting.warnings


def test_the_language_of_the_reasons_is_not_in_the_digest(collecting: Collecting) -> None:
    put(collecting, b"a,b\n1,2\n3\n")
    digests = set()
    for language, reason in (("en", "columns"), ("fr", "colonnes")):
        with i18n.use(language):
            collecting.run(refresh=True, kind="file", path="a.csv")
        assert collecting.context is not None
        digests.add(collecting.context.emitted["unreadable/s"].digest)
        assert reason in collecting.unreadable()[0]["reason"]
    assert len(digests) == 1


def test_repairing_a_broken_line_changes_no_other_row_id(collecting: Collecting) -> None:
    put(collecting, "a,b\n1,2\n3\n5,6\n")
    collect(collecting)
    before = dict(zip(collecting.ids(), collecting.cells(), strict=True))
    put(collecting, "a,b\n1,2\n3,4\n5,6\n")
    collect(collecting)
    after = dict(zip(collecting.ids(), collecting.cells(), strict=True))
    assert before.items() <= after.items()
    assert len(after) == 3


@pytest.mark.parametrize("end", ["", '7,"8",9\n10,11,12\n'])
def test_a_quote_that_never_closes_costs_its_own_line_only(collecting: Collecting, end: str) -> None:
    put(collecting, 'a,b,c\n1,2,3\n1,"open,3\n4,5,6\n' + end)
    rows = collect(collecting)
    assert rows[:2] == [("1", "2", "3"), ("4", "5", "6")]
    assert len(rows) == (4 if end else 2)
    assert [(r["line"], r["text"], r["code"]) for r in collecting.unreadable()] == [(3, '1,"open,3', "quote-open")]


def test_open_quotes_in_a_large_file(collecting: Collecting) -> None:
    lines = [f'{i},"open {i}' if i in (40_000, 90_000) else f"{i},plain text of row {i}" for i in range(150_000)]
    put(collecting, "a,b\n" + "\n".join(lines) + "\n")
    assert len(collect(collecting)) == 149_998
    assert [r["line"] for r in collecting.unreadable()] == [40_002, 90_002]


def test_a_header_that_is_one_name_short(collecting: Collecting) -> None:
    put(collecting, "age,job\n0,39,State\n1,50,Private\n2,38,\n")
    assert collect(collecting) == [("0", "39", "State"), ("1", "50", "Private"), ("2", "38", None)]
    assert collecting.table().column_names[2:] == ["_index", "age", "job"]
    assert detail(collecting)["unnamed"] == "_index"


def test_a_trailing_delimiter_is_not_an_index(collecting: Collecting) -> None:
    put(collecting, "a,b\n1,2,\n3,4,\n")
    assert collect(collecting) == [("1", "2", None), ("3", "4", None)]
    assert detail(collecting)["unnamed"] == "_trailing"


def test_real_data_with_an_unnamed_index(collecting: Collecting) -> None:
    shared = Path(__file__).resolve().parents[5] / "shared/data/adult/data/adult.csv"
    if not shared.exists():
        pytest.skip("the shared data is not beside the repository")
    artifact = collecting.run(kind="file", path=str(shared))
    assert artifact.rows == 32_561
    assert collecting.facts()["rows_unreadable"] == 0
    assert [c["name"] for c in artifact.meta["columns"]][:3] == ["_index", "age", "workclass"]


def test_names_that_repeat_are_empty_or_reserved(collecting: Collecting) -> None:
    put(collecting, "a,A,a,,_row_id\n1,2,3,4,5\n")
    assert collect(collecting) == [("1", "2", "3", "4", "5")]
    assert collecting.table().column_names[2:] == ["a", "A", "a_2", "_column4", "_row_id_2"]


def test_declared_nulls_quote_escape_and_no_header(collecting: Collecting) -> None:
    put(collecting, "1;'it\\'s';NA\n2;'x;y';-\n")
    rows = collect(collecting, header=False, delimiter=";", quote="'", escape="\\", null=["NA", "-"])
    assert rows == [("1", "it's", None), ("2", "x;y", None)]
    assert collecting.table().column_names[2:] == ["column1", "column2", "column3"]


def test_a_file_without_rows_or_without_bytes(collecting: Collecting) -> None:
    put(collecting, "a,b\n", "x/1.csv")
    put(collecting, "", "x/2.csv")
    artifact = collecting.run(kind="file", path="x/*.csv")
    assert artifact.rows == 0
    assert [column["name"] for column in artifact.meta["columns"]] == ["a", "b"]


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, b"a,b\n1\n2\n3,4,5\n"])
def test_a_file_of_which_nothing_can_be_read_is_an_error_with_its_name(collecting: Collecting, data: bytes) -> None:
    put(collecting, data)
    with pytest.raises(UserError) as caught:
        collect(collecting)
    assert caught.value.code == "collect.file-unreadable"
    assert "a.csv" in str(caught.value)


def test_old_line_ends(collecting: Collecting) -> None:
    put(collecting, "a,b\r1,2\r3,4\r")
    assert collect(collecting) == [("1", "2"), ("3", "4")]


def test_accents_in_a_file_that_is_mostly_utf_8_with_a_broken_line(collecting: Collecting) -> None:
    put(collecting, b"a,b\n" + "é,ù\n".encode() * 5 + b"\xe9,x\n")
    assert len(collect(collecting)) == 5
    assert collecting.unreadable()[0]["text"] == "\\xe9,x"


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0\ufeff"), max_size=8)
WESTERN = st.text(st.sampled_from("abcéèùçàÉ€œ«»'\",;|\t\n #0-9"), max_size=8)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_table_comes_back_whatever_its_dialect(collecting: Collecting, data: st.DataObject) -> None:
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    cell = WESTERN if encoding == "cp1252" else CELL
    width = data.draw(st.integers(2, 5))
    rows = data.draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=8))
    delimiter = data.draw(st.sampled_from(",;\t|"))
    out = io.StringIO()
    writer = csv.writer(
        out,
        delimiter=delimiter,
        lineterminator=data.draw(st.sampled_from(["\n", "\r\n"])),
        quoting=data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerow([f"c{place}" for place in range(width)])
    writer.writerows(rows)
    put(collecting, out.getvalue(), encoding=encoding)
    declared = {"encoding": encoding, "delimiter": delimiter, "quote": '"'}
    assert collect(collecting, **declared) == [tuple(value or None for value in row) for row in rows]
    assert collecting.unreadable() == []
    assert len(set(collecting.ids())) == len(rows)
