"""JSON and JSON Lines: scalars in their type, nested values as JSON text, broken records kept aside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.errors import Location, UserError
from compagnon.i18n import _
from compagnon.stages.collect import encoding as encodings
from compagnon.stages.collect.port import Aside, Bad
from compagnon.stages.collect.rows import unique_names

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_BATCH = 8 << 20
"""Bytes of text handled at once."""
_INTEGERS = {"UBIGINT", "BIGINT"}
_NUMBERS = {*_INTEGERS, "DOUBLE"}


@dataclass
class JsonReader:
    """One file: a record per line (``lines``), or one document whose records stand at the dotted path ``records``."""

    path: Path
    name: str
    lines: bool
    scratch: Path
    encoding: str = "auto"
    compression: str = "auto"
    records: str | None = None
    _detected: dict[str, Any] = field(default_factory=dict)

    def meta(self) -> dict[str, Any]:
        return self._detected

    def read(self, aside: Aside) -> Iterator[pa.RecordBatch]:
        """Batches with the keys of all records as columns, in the order of their first appearance.

        Raises UserError ``collect.file-unreadable``, ``collect.records-missing``.
        """
        import duckdb

        text = self._prepare()
        with duckdb.connect(config={"threads": 1}) as connection:
            kinds: dict[str, set[str]] = {}
            good = 0
            for batch in self._batches(text):
                connection.register("batch", batch)
                good += _look(connection, kinds, aside)
            if good == 0 and aside.rows:
                raise self._unreadable(aside.rows[0].line, aside.rows[0].reason)
            if not kinds:
                return
            query = _query(kinds)
            names = unique_names(kinds)
            for batch in self._batches(text):
                connection.register("batch", batch)
                for found in connection.sql(query).to_arrow_table().to_batches() or []:
                    yield found.rename_columns(names)

    def close(self) -> None:
        self.scratch.unlink(missing_ok=True)

    def _prepare(self) -> Path:
        compression = encodings.compression_of(self.path, self.compression)
        encoding = encodings.detect(self.path, compression, self.encoding)
        self._detected = {"format": "jsonl" if self.lines else "json", "encoding": encoding.name}
        if compression != "none":
            self._detected["compression"] = compression
        if compression == "none" and encoding.name == "utf-8":
            return self.path
        encodings.to_utf8(self.path, compression, encoding.name, self.scratch)
        return self.scratch

    def _batches(self, text: Path) -> Iterator[pa.Table]:
        """Tables of ``ordinal``, ``line`` and ``text`` (null where the bytes are not UTF-8, then ``raw`` has them)."""
        ordinal = 0
        for numbers, values in self._split(text) if self.lines else self._document(text):
            table = _texts(ordinal, numbers, values)
            ordinal += table.num_rows
            yield table

    def _split(self, text: Path) -> Iterator[tuple[list[int | None], list[bytes]]]:
        number, rest = 1, b""
        with text.open("rb") as file:
            while data := file.read(_BATCH):
                lines = (rest + data).split(b"\n")
                rest = lines.pop()
                yield _full(number, lines)
                number += len(lines)
        if rest:
            yield _full(number, [rest])

    def _document(self, text: Path) -> Iterator[tuple[list[int | None], list[bytes]]]:
        import msgspec

        data = text.read_bytes()
        steps = self.records.split(".") if self.records else []
        try:
            node = msgspec.Raw(data)
            for step in steps:
                node = msgspec.json.decode(node, type=dict[str, msgspec.Raw])[step]
            values = [bytes(raw) for raw in msgspec.json.decode(node, type=list[msgspec.Raw])]
        except (KeyError, msgspec.ValidationError) as error:
            raise self._no_records(data) from error
        except msgspec.DecodeError as error:
            raise self._unreadable(_line_of(data, str(error)), str(error)) from error
        for start in range(0, len(values), 50_000):
            part = values[start : start + 50_000]
            yield [None] * len(part), part

    def _no_records(self, data: bytes) -> UserError:
        import msgspec

        lists: list[str] = []
        try:
            document = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
            lists = [key for key, value in document.items() if bytes(value)[:1] == b"["]
        except msgspec.MsgspecError:
            pass
        advice = _("Say where its list of records stands: records: {path}").format(
            path=lists[0] if lists else "data.items"
        )
        what = _("{path} holds no list of records at {place}.").format(
            path=self.name, place=self.records or _("its top level")
        )
        return UserError("collect.records-missing", what, next=advice)

    def _unreadable(self, line: int | None, reason: str) -> UserError:
        return UserError(
            "collect.file-unreadable",
            _("{path} cannot be read as JSON: {why}").format(path=self.name, why=reason),
            where=Location(self.name, line),
            next=_("Have it sent again, or say its format in the options of the source."),
        )


def _full(first: int, lines: list[bytes]) -> tuple[list[int | None], list[bytes]]:
    """Lines that are not blank, with their numbers."""
    pairs = [(number, line) for number, line in enumerate(lines, first) if line.strip()]
    return [number for number, _line in pairs], [line for _number, line in pairs]


def _texts(first: int, numbers: list[int | None], values: list[bytes]) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    raw = pa.array(values, pa.binary())
    try:
        text = raw.cast(pa.string())
    except pa.ArrowInvalid:
        text = pa.array([_decoded(value) for value in values], pa.string())
    ordinals = pa.array(np.arange(first, first + len(values), dtype=np.int64))
    return pa.table({"ordinal": ordinals, "line": pa.array(numbers, pa.int64()), "raw": raw, "text": text})


# CASE, since DuckDB may evaluate both sides of AND, and json_type fails on what is not JSON.
_IS_OBJECT = "CASE WHEN json_valid(text) THEN json_type(text) = 'OBJECT' ELSE false END"


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _look(connection: duckdb.DuckDBPyConnection, kinds: dict[str, set[str]], aside: Aside) -> int:
    """Put broken records of the view ``batch`` aside, and add its keys and types to ``kinds``; returns good records."""
    broken = connection.execute(
        f"SELECT ordinal, line, raw, text IS NULL, coalesce(json_valid(text), false) FROM batch WHERE NOT {_IS_OBJECT}"
    ).fetchall()
    for ordinal, line, raw, undecodable, valid in broken:
        code = "bytes-invalid" if undecodable else "not-an-object" if valid else "json-invalid"
        reason = {
            "bytes-invalid": _("bytes that the encoding does not allow"),
            "not-an-object": _("not an object with named values"),
            "json-invalid": _("not valid JSON"),
        }[code]
        aside.add(Bad(ordinal, line, raw.decode("utf-8", "backslashreplace"), code, reason))
    found = connection.execute(f"""
        SELECT key, list(DISTINCT kind ORDER BY kind) FROM (
            SELECT ordinal, place, keys[place] AS key,
                   json_type(text, '/' || replace(replace(keys[place], '~', '~0'), '/', '~1')) AS kind
            FROM (SELECT ordinal, text, json_keys(text) AS keys, unnest(range(1, len(json_keys(text)) + 1)) AS place
                  FROM batch WHERE {_IS_OBJECT}))
        GROUP BY key ORDER BY min((ordinal, place))""").fetchall()
    for key, types in found:
        kinds.setdefault(key, set()).update(kind for kind in types if kind and kind != "NULL")
    # All rows are fetched: an open result would block the next view.
    [(count,)] = connection.execute(f"SELECT count(*) FROM batch WHERE {_IS_OBJECT}").fetchall()
    return int(count)


def _query(kinds: dict[str, set[str]]) -> str:
    paths = ", ".join(_literal("/" + key.replace("~", "~0").replace("/", "~1")) for key in kinds)
    columns = ", ".join(
        f"CAST(found[{place}] AS {_type(found)}) AS c{place}" for place, found in enumerate(kinds.values(), 1)
    )
    return (
        f"SELECT {columns} FROM (SELECT ordinal, json_extract_string(text, [{paths}]) AS found "
        f"FROM batch WHERE {_IS_OBJECT}) "
        "ORDER BY ordinal"
    )


def _type(kinds: set[str]) -> str:
    """The type that holds all values of a key; text where they differ, and for nested values."""
    if kinds == {"BOOLEAN"}:
        return "BOOLEAN"
    if kinds == {"UBIGINT"} or kinds == {"BIGINT"} or kinds == _INTEGERS:
        return "BIGINT"
    if kinds and kinds <= _NUMBERS:
        return "DOUBLE"
    return "VARCHAR"


def _line_of(data: bytes, message: str) -> int | None:
    """The line of a decoding error that says ``(byte N)``."""
    _text, found, rest = message.rpartition("byte ")
    digits = rest.rstrip(")")
    return data.count(b"\n", 0, int(digits)) + 1 if found and digits.isdigit() else None


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
