"""``1_collect.py``: each source of the solution read again, piece by piece, as the run read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.chain.artifact import Artifact
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.spec.model import Spec
from compagnon.stages.collect import paths, query
from compagnon.stages.collect.stage import declared_key

if TYPE_CHECKING:
    import pyarrow as pa

HEAD = '''"""Étape 1 : collecter. Lit chaque source et écrit ses lignes, telles quelles, dans raw/SOURCE.parquet."""

import os
from pathlib import Path

import pyarrow as pa

from helpers import reading

HERE = Path(__file__).resolve().parent
# Le dossier de la solution : les chemins des sources en partent. SOLUTION=... pour un autre endroit.
SOLUTION = Path(os.environ.get("SOLUTION", {root!r}))
SOLUTION = SOLUTION if SOLUTION.is_absolute() else (HERE / SOLUTION).resolve()
'''
_SAFE_URL = "sqlite:///"


@dataclass(frozen=True)
class Source:
    """One source: the code that reads it, and what that code needs."""

    code: str
    libraries: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def source(
    name: str,
    spec: Spec,
    root: Path,
    rows: Artifact,
    schemas: Sequence[pa.Schema],
    whole: pa.Schema,
    unreadable: Mapping[str, Sequence[tuple[int, int | None, str]]],
) -> Source:
    """The code for one source. ``unreadable``: place, line and code of what could not be read, by piece.

    Raises UserError ``export.source-kind`` for a source of another package.
    """
    options: Any = spec.sources[name]
    key = declared_key(spec, name)
    lines = [f"# --- {name}", f"key = {key!r}", f"schema = {_schema(whole)}", "pieces = []"]
    if options.kind not in ("file", "sql"):
        raise UserError(
            "export.source-kind",
            _("The source {name} is of the kind {kind}, which is not written as code.").format(
                name=name, kind=options.kind
            ),
            next=_("Sources of the kinds file and sql are."),
            path=f"sources.{name}",
        )
    libraries: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    if options.kind == "file":
        details = {detail["name"]: detail for detail in rows.meta.get("pieces", ())}
        places = {found.name: found.path for found in paths.expand(options.path, root)}
        for segment, schema in zip(rows.segments, schemas, strict=True):
            piece = segment.name.removesuffix(".parquet")
            where = _where(places.get(piece, root / piece), root)
            lines += _piece(where, details.get(piece, {}), options, schema, unreadable.get(piece, ()))
            skipped = [place for place, _line, _code in unreadable.get(piece, ())]
            ids = f"reading.row_ids(table, {name!r}, {piece!r}, key" + (f", skipped={skipped}" if skipped else "")
            lines.append(f"pieces.append((table, {ids})))")
    else:
        code, libraries, variables = _sql(name, options, root)
        lines += code
    lines.append(f'count = reading.save(pieces, {name!r}, bool(key), HERE / "raw" / {name + ".parquet"!r}, schema)')
    lines.append(f'print({name!r}, ":", count, "lignes collectées")')
    return Source("\n".join(lines), libraries, variables)


def _where(path: Path, root: Path) -> str:
    """The code of a path: from the solution's folder where the file is inside it."""
    return f"SOLUTION / {path.relative_to(root).as_posix()!r}" if path.is_relative_to(root) else f"Path({str(path)!r})"


def _piece(
    path: str,
    detail: Mapping[str, Any],
    options: Any,
    schema: pa.Schema,
    bad: Sequence[tuple[int, int | None, str]],
) -> list[str]:
    form = detail.get("format", "parquet")
    packed = {"compression": detail["compression"]} if "compression" in detail else {}
    if form == "csv":
        swallowing = [line for _place, line, code in bad if code in ("quote-open", "line-too-long")]
        settings: dict[str, Any] = {
            "names": schema.names,
            "encoding": detail["encoding"],
            "delimiter": detail["delimiter"],
            "quote": detail["quote"],
            "escape": detail.get("escape", detail["quote"]),
            "header": detail["header"],
            "nulls": list(dict.fromkeys(("", *options.null))),
            **packed,
        }
        if swallowing:
            settings["without_lines"] = swallowing
        return [_call("reading.read_csv", path, settings)]
    if form in ("json", "jsonl"):
        settings = {
            "types": {field.name: _duckdb(field.type) for field in schema},
            "encoding": detail["encoding"],
            "lines": form == "jsonl",
            **({"records": options.records} if options.records else {}),
            **packed,
        }
        return [_call("reading.read_json", path, settings)]
    return [f"table = reading.read_parquet({path}, {_schema(schema)})"]


def _call(function: str, path: str, settings: Mapping[str, Any]) -> str:
    body = "".join(f"    {name}={value!r},\n" for name, value in settings.items())
    return f"table = {function}(\n    {path},\n{body})"


def _sql(name: str, options: Any, root: Path) -> tuple[list[str], tuple[str, ...], tuple[str, ...]]:
    sql = query.load(options.query, options.table, root)
    lines = [f'query = """\n{_in_quotes(sql)}\n"""']
    libraries: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    if options.url.startswith(_SAFE_URL) and "${" not in options.url:
        path = options.url.removeprefix(_SAFE_URL).partition("?")[0]
        lines.append(f"table = reading.read_sqlite(SOLUTION / {path!r}, query, schema)")
    else:
        # An address may hold a password: it comes from the environment, whatever it is.
        variable = f"{''.join(c if c.isascii() and c.isalnum() else '_' for c in name).upper()}_URL"
        libraries, variables = _drivers(options.url), (variable,)
        lines.append(f"# L'adresse de la base peut porter un mot de passe : elle n'est pas écrite ici ({variable}).")
        lines.append(f"table = reading.read_database(os.environ[{variable!r}], query, schema)")
    lines.append(f"for number, start in enumerate(range(0, table.num_rows, {options.batch})):")
    lines.append(f"    batch = table.slice(start, {options.batch})")
    lines.append(f"    pieces.append((batch, reading.row_ids(batch, {name!r}, str(number), key)))")
    return lines, libraries, variables


def _drivers(url: str) -> tuple[str, ...]:
    return (
        ("sqlalchemy", "psycopg")
        if url.partition(":")[0].partition("+")[0] in ("postgresql", "postgres")
        else ("sqlalchemy",)
    )


def _in_quotes(sql: str) -> str:
    return sql.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def _schema(schema: pa.Schema) -> str:
    fields = ", ".join(f"({field.name!r}, {_arrow(field.type)})" for field in schema)
    return f"pa.schema([{fields}])"


def _arrow(kind: pa.DataType) -> str:
    import pyarrow as pa

    if pa.types.is_timestamp(kind):
        return f"pa.timestamp({kind.unit!r}, {kind.tz!r})"
    if pa.types.is_decimal(kind):
        return f"pa.decimal{kind.bit_width}({kind.precision}, {kind.scale})"
    return {"double": "pa.float64()", "float": "pa.float32()", "bool": "pa.bool_()"}.get(
        str(kind), f"pa.{str(kind).partition('[')[0]}()"
    )


def _duckdb(kind: pa.DataType) -> str:
    return {"bool": "BOOLEAN", "int64": "BIGINT", "double": "DOUBLE"}.get(str(kind), "VARCHAR")
