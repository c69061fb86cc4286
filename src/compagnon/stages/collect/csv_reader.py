"""CSV: cells as text by DuckDB, broken lines kept aside with their line number, text and reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.errors import Location, UserError
from compagnon.i18n import _
from compagnon.stages.collect import dialect as dialects
from compagnon.stages.collect import encoding as encodings
from compagnon.stages.collect.port import Aside, Bad, ReadAgain
from compagnon.stages.collect.rows import BLOCK

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_ATTEMPTS = 8
_BLANK = re.compile(rb"\n(?=\r?\n)")
_BROKEN = b"\xff"
_REASONS = {
    "MISSING COLUMNS": "fields-missing",
    "TOO MANY COLUMNS": "fields-extra",
    "UNQUOTED VALUE": "quote-open",
    "LINE SIZE OVER MAXIMUM": "line-too-long",
    "INVALID ENCODING": "bytes-invalid",
    "INVALID STATE": "quote-open",
}


@dataclass(frozen=True)
class CsvOptions:
    """What the user declared; None where it is to be detected."""

    encoding: str = "auto"
    compression: str = "auto"
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    header: bool = True
    null: tuple[str, ...] = ()


@dataclass
class CsvReader:
    """One CSV file. ``name`` stands in messages; ``scratch`` is a free name for a copy in UTF-8 when one is needed."""

    path: Path
    name: str
    options: CsvOptions
    scratch: Path
    _detected: dict[str, Any] = field(default_factory=dict)
    _dialect: dialects.Dialect | None = None
    _text: Path | None = None
    _broken: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Lines in which a quote opens and never closes, by line: they are taken out before reading again."""
    _attempts: int = 0

    def meta(self) -> dict[str, Any]:
        """Encoding and dialect, as detected or declared."""
        return self._detected

    def read(self, aside: Aside) -> Iterator[pa.RecordBatch]:
        """Batches of text columns. Raises UserError ``collect.file-unreadable`` if no line can be read."""
        import duckdb

        text = self._prepare()
        if self._dialect is None:
            return
        skip = _header_lines(text, self._dialect)
        good = 0
        with duckdb.connect(config={"threads": 1}) as connection:
            yield _empty(self._dialect.names)
            try:
                for batch in connection.sql(self._query(text, skip)).to_arrow_reader(BLOCK):
                    good += batch.num_rows
                    yield batch.rename_columns(list(self._dialect.names))
            except duckdb.Error as error:
                raise self._unreadable(skip + 1, _short(error)) from error
            bad = self._rejected(connection, text, skip)
        if good == 0 and bad:
            raise self._unreadable(bad[0].line, bad[0].reason)
        for row in bad:
            aside.add(row)

    def close(self) -> None:
        self.scratch.unlink(missing_ok=True)

    def _prepare(self) -> Path:
        if self._text is not None:
            return self._text
        options = self.options
        compression = encodings.compression_of(self.path, options.compression)
        encoding = encodings.detect(self.path, compression, options.encoding)
        self._text = self.path
        with encodings.opened(self.path, compression) as file:
            start = file.read(encodings.SAMPLE)
        old_mac = b"\r" in start and b"\n" not in start
        if compression != "none" or encoding.name != "utf-8" or old_mac:
            encodings.to_utf8(self.path, compression, encoding.name, self.scratch)
            self._text = self.scratch
        sample = _sample(self._text)
        self._dialect = dialects.detect(sample, options.delimiter, options.quote, options.escape, options.header)
        self._detected = {"format": "csv", "encoding": encoding.name, "encoding_known": encoding.known}
        if compression != "none":
            self._detected["compression"] = compression
        if self._dialect is not None:
            self._detected |= self._dialect.as_dict()
        return self._text

    def _query(self, text: Path, skip: int) -> str:
        dialect = self._dialect
        assert dialect is not None
        # Given names could differ by case only, which DuckDB does not allow: the columns are renamed afterwards.
        columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(dialect.names)))
        nulls = ", ".join(_literal(value) for value in dict.fromkeys(("", *self.options.null)))
        return (
            f"SELECT * FROM read_csv({_literal(str(text))}, auto_detect = false, header = false, skip = {skip}, "
            f"columns = {{{columns}}}, delim = {_literal(dialect.delimiter)}, quote = {_literal(dialect.quote)}, "
            f"escape = {_literal(dialect.escape)}, nullstr = [{nulls}], allow_quoted_nulls = true, "
            f"store_rejects = true, compression = 'none', strict_mode = true)"
        )

    def _rejected(self, connection: duckdb.DuckDBPyConnection, text: Path, skip: int) -> list[Bad]:
        """The broken lines; raises ReadAgain where one of them swallowed others by an open quote."""
        assert self._dialect is not None
        rejects = connection.execute(
            "SELECT line_byte_position, min(line), first(error_type ORDER BY column_idx), any_value(csv_line) "
            "FROM reject_errors GROUP BY 1 ORDER BY 1"
        ).fetchall()
        if not rejects:
            return []
        found = _Located(text, [int(position) - 1 for position, *_ in rejects])
        swallowing = {}
        bad = []
        for place, (position, record, kind, line_text) in enumerate(rejects):
            raw = found.raw(int(position) - 1, len(line_text.encode()))
            line, blanks = found.lines[place], found.blanks[place]
            reason = _REASONS.get(kind, "line-invalid")
            if reason in ("quote-open", "line-too-long") and b"\n" in raw.strip(b"\r\n"):
                first = raw.lstrip(b"\r\n").split(b"\n")[0].rstrip(b"\r")
                if self._dialect.quote and self._dialect.quote.encode() in first:
                    swallowing[line] = (_shown(first), "quote-open")
            if raw.strip() == _BROKEN and line in self._broken:
                shown, reason = self._broken[line]
            else:
                shown = _shown(raw.strip(b"\r\n"))
            bad.append(
                Bad(int(record) - 1 - skip - blanks, line, shown, reason, explain(reason, len(self._dialect.names)))
            )
        if swallowing and self._attempts < _ATTEMPTS:
            self._attempts += 1
            self._broken |= swallowing
            self._take_out(text, set(swallowing))
            raise ReadAgain
        return bad

    def _take_out(self, text: Path, lines: set[int]) -> None:
        """Copy the text with the given lines made one invalid byte each: their neighbors are read on their own."""
        target = self.scratch.with_name(self.scratch.name + ".next")
        with text.open("rb") as source, target.open("wb") as out:
            for number, line in enumerate(source, 1):
                out.write(_BROKEN + b"\n" if number in lines else line)
        target.replace(self.scratch)
        self._text = self.scratch

    def _unreadable(self, line: int | None, reason: str) -> UserError:
        return UserError(
            "collect.file-unreadable",
            _("No line of {path} can be read: {why}").format(path=self.name, why=reason),
            where=Location(self.name, line),
            next=_("Check its delimiter, quote and encoding, or state them in the options of the source."),
        )


class _Located:
    """Lines and blank lines before given positions of a file, found in one pass."""

    def __init__(self, path: Path, positions: list[int]) -> None:
        self.lines: list[int] = []
        self.blanks: list[int] = []
        self._path = path
        line, blanks, at, before = 1, 0, 0, b"\n"
        with path.open("rb") as file:
            for position in positions:
                while at < position:
                    data = file.read(min(encodings.CHUNK * 8, position - at))
                    if not data:
                        break
                    line += data.count(b"\n")
                    blanks += len(_BLANK.findall(before + data))
                    before = data[-1:]
                    at += len(data)
                file.seek(at)
                self.lines.append(line)
                self.blanks.append(blanks)
        for place, position in enumerate(positions):
            leading = _leading_newlines(path, position)
            self.lines[place] += leading
            self.blanks[place] += leading

    def raw(self, position: int, size: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(position)
            return file.read(size)


def _leading_newlines(path: Path, position: int) -> int:
    """A broken line is reported from the end of the one before when blank lines stand between."""
    with path.open("rb") as file:
        file.seek(position)
        start = file.read(4096)
    return start[: len(start) - len(start.lstrip(b"\r\n"))].count(b"\n")


def explain(code: str, fields: int) -> str:
    """The reason of an unreadable line, in words."""
    return {
        "fields-missing": _("fewer fields than the {count} columns").format(count=fields),
        "fields-extra": _("more fields than the {count} columns").format(count=fields),
        "quote-open": _("a quote is not closed, or text follows it"),
        "line-too-long": _("longer than 2 MB"),
        "bytes-invalid": _("bytes that the encoding does not allow"),
    }.get(code, _("not a line of this file's form"))


def _sample(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(encodings.SAMPLE)
        if len(data) == encodings.SAMPLE and b"\n" in data:
            data = data[: data.rfind(b"\n") + 1]
    return data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\0", "")


def _header_lines(path: Path, dialect: dialects.Dialect) -> int:
    """Lines of the file before the first row: the header, with the blank lines before it and the breaks in it."""
    import csv
    import io

    if not dialect.header:
        return 0
    reader = csv.reader(
        io.StringIO(_sample(path), newline=""),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
    )
    for record in reader:
        if record:
            break
    return reader.line_num


def _empty(names: tuple[str, ...]) -> pa.RecordBatch:
    import pyarrow as pa

    return pa.RecordBatch.from_pylist([], schema=pa.schema([(name, pa.string()) for name in names]))


def _shown(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200]


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
