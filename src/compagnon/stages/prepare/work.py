"""Preparing one table: compile the rules, run them, part the rows, let out what may leave, say what happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compagnon.chain import digest as digests
from compagnon.chain.artifact import Draft
from compagnon.chain.stage import Context
from compagnon.errors import Problem, UserError, UserErrors
from compagnon.i18n import _
from compagnon.spec.model import Keep, Table
from compagnon.spec.values import category_values
from compagnon.stages.prepare import distributed, engine, exits, expressions, overlay, quality, reasons, text
from compagnon.stages.prepare.compiler import ROW_ID, SOURCE, RowLocal, Scene, compile_source
from compagnon.stages.prepare.expressions import literal, quoted
from compagnon.stages.prepare.overlay import Input

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def prepare(name: str, context: Context, threads: int | None = None) -> None:
    """Run ``prepare/NAME``: emits ``table/NAME``, ``quarantine/NAME``, ``quality/NAME`` and the facts."""
    table = context.spec.tables[name]
    paths = {s: context.artifacts.paths(a) if (a := context.inputs.get(f"rows/{s}")) else [] for s in table.from_}
    spill = context.scratch / "spill"
    spill.mkdir(mode=0o700, parents=True, exist_ok=True)
    readable = [path for found in paths.values() for path in found]
    on_spark = context.spec.engine.kind == "spark"
    with engine.connect(threads=threads, readable=readable, scratch=spill, **distributed.where(context)) as connection:
        check(name, table, connection)
        context.progress(_("Applying the rules"))
        inputs = [view(s, table, found, connection) for s, found in paths.items()]
        scene = make_scene(table, context.spec.timezone, context.workspace.root, connection)
        corrected = overlay.load(context.overlay, table, connection)
        parts = [part for found in inputs for part in overlay.split(found, table, corrected, connection)]
        if on_spark:
            try:
                compiled = distributed.apply(table, parts, paths, scene, context, connection)
            except distributed.RulesFail:
                raise _failing(name, table, parts, scene, connection) from None
            restored = distributed.restored(connection)
        else:
            compiled = apply(name, table, parts, scene, connection)
            restored = overlay.restore(reasons.words(len(compiled.reasons)), connection)
        context.progress(_("Looking for duplicates"))
        find_duplicates(table, compiled, connection, context if on_spark else None)
        counts = quality.count(compiled, list(table.from_), connection)
        context.progress(_("Writing"))
        keeps = exits.of_table(table, connection)
        ready, masked = exits.let_out(fetch(table, keeps, compiled, connection), keeps, context.secrets)
        ready = exits.hide_ids(ready, exits.named_by_persons(context.spec), context.secrets)
        _emit_table(name, table, keeps, ready, context)
        _emit_quarantine(name, compiled, inputs, context, connection)
        columns = quality.describe(table, keeps, ready, connection)
        for warning in overlay.lost(connection):
            context.warn(warning)
    unreadable = {s: a.rows if (a := context.inputs.get(f"unreadable/{s}")) else 0 for s in table.from_}
    report = quality.assemble(name, compiled, counts, columns, unreadable, restored, masked)
    quality.emit(name, report, context)
    rows = report["rows"]
    for fact in ("read", "prepared", "rejected", "duplicate", "restored"):
        context.fact(f"rows_{fact}", rows[fact])
    context.fact("values_masked", masked)


def check(name: str, table: Table, connection: duckdb.DuckDBPyConnection) -> None:
    """Raises UserErrors for expressions that are not row-local; the checker of the file says the same, with lines."""
    problems = [
        Problem(finding.code, finding.what, next=finding.next, path=".".join(map(str, finding.path)))
        for finding in expressions.check_table(name, table, connection)
        if finding.severity == "error"
    ]
    if problems:
        raise UserErrors(problems)


def view(source: str, table: Table, paths: Sequence[Path], connection: duckdb.DuckDBPyConnection) -> Input:
    """The raw rows of a source as a view; a source that gave no file has no row, only columns."""
    relation = quoted(f"from.{source}")
    if paths:
        files = ", ".join(literal(str(path)) for path in paths)
        body = f"SELECT * FROM read_parquet([{files}], union_by_name = true)"
    else:
        names = dict.fromkeys([ROW_ID, SOURCE, *(entry.column for entry in table.from_[source].values())])
        body = "SELECT " + ", ".join(f"CAST(NULL AS VARCHAR) AS {quoted(n)}" for n in names) + " WHERE false"
    connection.execute(f"CREATE TEMP VIEW {relation} AS {body}")
    described = connection.execute(f"DESCRIBE {relation}").fetchall()
    return Input(source, relation, {row[0]: row[1] for row in described})


def make_scene(table: Table, timezone: str, root: Path, connection: duckdb.DuckDBPyConnection) -> Scene:
    """What the compiler asks: values of categories from the solution's folder, texts and types from DuckDB."""

    def folded(texts: Sequence[str]) -> list[str]:
        if not texts:
            return []
        sql = f"SELECT {text.fold('x')} FROM (SELECT unnest(?::VARCHAR[]) AS x)"
        return [row[0] for row in connection.execute(sql, [list(texts)]).fetchall()]

    def type_of(expression: str, columns: Mapping[str, str]) -> str:
        return expressions.result_type(expression, columns, connection)

    values = {name: category_values(root, column) for name, column in table.columns.items() if column.values}
    return Scene(timezone, values, folded, type_of)


def apply(
    name: str, table: Table, inputs: Sequence[Input], scene: Scene, connection: duckdb.DuckDBPyConnection
) -> RowLocal:
    """Run the row-local rules into the temporary table ``rows``."""
    import duckdb

    compiled = _compiled(table, inputs, scene)
    try:
        connection.execute(f"CREATE TEMP TABLE rows AS {_union(compiled)}")
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        # DuckDB's message quotes the value, which may be personal: it goes nowhere.
        raise _failing(name, table, inputs, scene, connection) from error.with_traceback(None)
    return compiled[0]


def _compiled(table: Table, inputs: Sequence[Input], scene: Scene) -> list[RowLocal]:
    return [compile_source(table, i.source, i.relation, i.types, scene, i.written) for i in inputs]


def _union(compiled: Sequence[RowLocal]) -> str:
    return " UNION ALL ".join(f"({part.sql})" for part in compiled)


def _failing(
    name: str, table: Table, inputs: Sequence[Input], scene: Scene, connection: duckdb.DuckDBPyConnection
) -> UserError:
    """Which expression fails on some row: each is tried with the others guarded."""
    import duckdb

    places: list[tuple[str, str | int]] = [("expr", n) for n, c in table.columns.items() if c.expr is not None]
    places += [("when", index) for index in range(len(table.reject))]
    for place in places:
        guarded = replace(scene, guarded=frozenset(places) - {place})
        try:
            connection.execute(f"CREATE TEMP TABLE attempt AS {_union(_compiled(table, inputs, guarded))}")
            connection.execute("DROP TABLE attempt")
        except (duckdb.DataError, duckdb.InvalidInputException):
            kind, which = place
            path = f"columns.{which}.expr" if kind == "expr" else f"reject.{which}.when"
            return UserError(
                "prepare.expression-failed",
                _("An expression of the table {table} fails on some rows: {path}.").format(table=name, path=path),
                next=_("Use try_cast instead of cast, or TRY(...) around it, and say what to do with NULL."),
                path=f"tables.{name}.{path}",
            )
    return UserError("prepare.rules-failed", _("The rules of the table {table} fail on some rows.").format(table=name))


def good(words: int) -> str:
    """SQL: no rule rejects the row by itself."""
    return " AND ".join(f'"@bad{word}" = 0' for word in range(words))


def find_duplicates(
    table: Table, compiled: RowLocal, connection: duckdb.DuckDBPyConnection, on_spark: Context | None = None
) -> None:
    """Fill ``duplicates`` (row_id, kept): rows that ``unique`` sets aside, with the one that is kept instead."""
    sql = duplicates_sql(table, compiled)
    if sql is None:
        connection.execute("CREATE TEMP TABLE duplicates (row_id VARCHAR, kept VARCHAR)")
    elif on_spark is not None:
        distributed.find_duplicates(sql, on_spark, connection)
    else:
        connection.execute(f"CREATE TEMP TABLE duplicates AS {sql}")


def duplicates_sql(table: Table, compiled: RowLocal) -> str | None:
    """SQL for the duplicates in ``rows``, in words that DuckDB and Spark read alike; None if all rows may stay.

    A row whose key is empty in some part is like no other. Hashes find the few keys that occur twice, so that only
    their rows are sorted.
    """
    if table.unique is None:
        return None
    by = [quoted(name) for name in table.unique.by]
    prefer = expressions.preferences(table)
    columns = ", ".join(dict.fromkeys(["row_id", *by, *(quoted(name) for name, _order in prefer)]))
    order = ", ".join([*(f"{quoted(name)} {direction} NULLS LAST" for name, direction in prefer), "row_id"])
    given = " AND ".join(f"{name} IS NOT NULL" for name in by)
    candidates = (
        f'SELECT {columns}, hash({", ".join(by)}) AS "@key" FROM rows WHERE {given} '
        f"AND {good(reasons.words(len(compiled.reasons)))} AND row_id NOT IN (SELECT row_id FROM restored)"
    )
    return f"""
        WITH candidates AS ({candidates}),
        repeated AS (SELECT "@key" FROM candidates GROUP BY "@key" HAVING count(*) > 1)
        SELECT row_id, kept FROM (
            SELECT row_id, first_value(row_id) OVER w AS kept, row_number() OVER w AS place
            FROM candidates WHERE "@key" IN (SELECT "@key" FROM repeated)
            WINDOW w AS (PARTITION BY {", ".join(by)} ORDER BY {order})
        ) WHERE place > 1"""


def fetch(
    table: Table, keeps: Mapping[str, Keep], compiled: RowLocal, connection: duckdb.DuckDBPyConnection
) -> pa.Table:
    """The rows that are kept, in the order of ``row_id``, with the columns that leave."""
    names = [name for name in table.columns if keeps[name] != "drop"]
    source = [] if "source" in table.columns else ['"@source" AS source']
    columns = ", ".join(["row_id", *source, *(quoted(name) for name in names)])
    return connection.sql(
        f"SELECT {columns} FROM rows WHERE {good(reasons.words(len(compiled.reasons)))} "
        "AND row_id NOT IN (SELECT row_id FROM duplicates) ORDER BY row_id"
    ).to_arrow_table()


def _emit_table(name: str, table: Table, keeps: Mapping[str, Keep], ready: pa.Table, context: Context) -> None:
    path = context.scratch / "table.parquet"
    content = together(lambda: digests.of_table(ready), lambda: write_parquet(ready, path))
    columns = []
    for column_name in table.columns:
        if keeps[column_name] == "drop":
            continue
        column = table.columns[column_name]
        described: dict[str, Any] = {"name": column_name, "type": column.type, "keep": keeps[column_name]}
        described |= {"unit": column.unit} if column.unit else {}
        described |= {"personal": column.personal} if column.personal else {}
        columns.append(described)
    meta = {"table": name, "columns": columns}
    context.emit(f"table/{name}", "table", "clean", [Draft(f"{name}.parquet", path, ready.num_rows, content)], meta)


def _emit_quarantine(
    name: str,
    compiled: RowLocal,
    inputs: Sequence[Input],
    context: Context,
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Rows set aside: ``row_id``, ``source``, ``raw`` (the source's row as JSON), ``reasons``.

    The digest is made of bits instead of texts: the texts stand in the manifest.
    """
    words = reasons.words(len(compiled.reasons))
    bits = [f'"@bad{word}"' for word in range(words)]
    raws = " UNION ALL ".join(
        f"SELECT {quoted(ROW_ID)} AS row_id, {_as_json(i)} AS raw FROM {i.relation}" for i in inputs
    )
    connection.execute(f"""
        CREATE TEMP TABLE aside AS
        SELECT r.row_id, r."@source" AS source, {", ".join("r." + b for b in bits)}, d.kept
        FROM rows AS r LEFT JOIN duplicates AS d USING (row_id)
        WHERE NOT ({good(words)}) OR d.kept IS NOT NULL""")
    found = connection.sql(f"""
        SELECT a.row_id, a.source, w.raw, {_reason_list(compiled)} AS reasons,
            {", ".join("a." + b for b in bits)}, a.kept
        FROM aside AS a JOIN ({raws}) AS w USING (row_id) ORDER BY a.row_id""").to_arrow_table()
    content = digests.of_table(found.drop_columns(["reasons"]))
    path = context.scratch / "quarantine.parquet"
    write_parquet(found.select(["row_id", "source", "raw", "reasons"]), path)
    meta = {"table": name, "reasons": [vars(reason) for reason in (*compiled.reasons, reasons.DUPLICATE)]}
    draft = Draft(f"{name}.parquet", path, found.num_rows, content)
    context.emit(f"quarantine/{name}", "quarantine", "quarantine", [draft], meta)


def _as_json(found: Input) -> str:
    names = [name for name in found.types if name not in (ROW_ID, SOURCE)]
    packed = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in names)
    return f"CAST(to_json(struct_pack({packed})) AS VARCHAR)" if names else "'{}'"


def _reason_list(compiled: RowLocal) -> str:
    def struct(code: str, column: str | None, fr: str, en: str) -> str:
        place = literal(column) if column else "NULL"
        return f"{{'code': {literal(code)}, 'column': CAST({place} AS VARCHAR), 'fr': {fr}, 'en': {en}}}"

    found = [
        f"CASE WHEN {reasons.bit('@bad', i)} THEN {struct(r.code, r.column, literal(r.fr), literal(r.en))} END"
        for i, r in enumerate(compiled.reasons)
    ]
    double = reasons.DUPLICATE
    fr, en = (
        f"{literal(text_ + ' : ' if text_ == double.fr else text_ + ': ')} || kept" for text_ in (double.fr, double.en)
    )
    found.append(f"CASE WHEN kept IS NOT NULL THEN {struct(double.code, None, fr, en)} END")
    return f"list_filter([{', '.join(found)}], lambda r: r IS NOT NULL)"


def write_parquet(table: pa.Table, path: Path) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path, compression="zstd", compression_level=1)


def together(first: Callable[[], str], second: Callable[[], None]) -> str:
    """Both at once (each spends its time outside the interpreter); what the first gives."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second)
        result = first()
        waiting.result()
    return result
