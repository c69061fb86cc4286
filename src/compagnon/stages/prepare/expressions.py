"""Expressions of the file (``when``, ``expr``): SQL that looks at one row and nothing else.

An expression is parsed by DuckDB, never run, and its tree is compared with what a row-local expression may hold:
columns known there, constants, operators, and functions that give the same answer each time. Everything else is named
and refused: subqueries, windows, aggregates, files, the clock, chance, settings.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from compagnon.i18n import _
from compagnon.spec.finding import Finding
from compagnon.spec.locator import Path
from compagnon.spec.model import Column, Spec, Table
from compagnon.stages.prepare import engine

if TYPE_CHECKING:
    import duckdb

SQL_TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL(18,2)",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "category": "VARCHAR",
}
RESERVED = ("row_id",)

_CLASSES = {
    "COLUMN_REF", "CONSTANT", "FUNCTION", "CAST", "TYPE", "CASE", "COMPARISON", "CONJUNCTION", "OPERATOR", "BETWEEN",
    "LAMBDA",
}  # fmt: skip
_MACROS = re.compile(
    r"array_.*|list_.*|date_add|days_in_month|fdiv|fmod|if|json|md5_number_(lower|upper)|nullif|split_part|map_contains_.*"
)
_HIDDEN = re.compile(
    r"__.*|current_.*|json_(de)?serialize_.*|json_execute_.*|create_sort_key|finalize|version|getenv|getvariable|unnest"
)
_CLOCK = {
    "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "now", "today", "ago",
    "get_current_time", "get_current_timestamp", "transaction_timestamp", "current_localtime", "current_localtimestamp",
}  # fmt: skip
_CLOCK_BY_DEFAULT = {"age"}
"""Read the clock where an argument is left out."""
_CHANCE = {"random", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "setseed", "nextval", "currval"}


def sql_type(column: Column) -> str:
    """The DuckDB type of a column."""
    return f"DECIMAL(18,{column.scale})" if column.type == "decimal" else SQL_TYPES[column.type]


def quoted(name: str) -> str:
    """``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def check_expressions(spec: Spec) -> list[tuple[Path, str]]:
    """What is wrong with the SQL and the regular expressions of the tables: path in the file, and reason."""
    if not any(_has_rules(table) for table in spec.tables.values()):
        return []
    with engine.connect(threads=1) as connection:
        return [(f.path, f.what) for name, table in spec.tables.items() for f in check_table(name, table, connection)]


def check_table(name: str, table: Table, connection: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """The same for one table; the connection is only asked to parse and to bind."""
    above: dict[str, str] = {}
    for column_name, column in table.columns.items():
        here: Path = ("tables", name, "columns", column_name)
        if column_name in RESERVED:
            yield Finding(
                "prepare.reserved-name",
                _("{name} is a name that Compagnon uses itself.").format(name=column_name),
                here,
                at="key",
            )
        if column.expr is not None:
            for what in check(column.expr, above, connection, later=set(table.columns) - set(above)):
                yield Finding("prepare.expression", what, (*here, "expr"))
        patterns = [((*here, "pattern"), column.pattern)] if column.pattern is not None else []
        patterns += [((*here, "replace", i, "pattern"), r.pattern) for i, r in enumerate(column.replace)]
        for path, pattern in patterns:
            if (fault := regex_fault(pattern, connection)) is not None:
                what = _("this is not a regular expression (RE2): {why}").format(why=fault)
                yield Finding("prepare.regex", what, path)
        if column.keep == "mask" and column.type != "text":
            what = _("only texts are masked; for the type {type} say pseudonym or drop").format(type=column.type)
            yield Finding("prepare.mask", what, (*here, "keep"))
        above[column_name] = sql_type(column)
    for index, reject in enumerate(table.reject):
        for what in check(reject.when, above, connection, boolean=True):
            yield Finding("prepare.expression", what, ("tables", name, "reject", index, "when"))


def regex_fault(pattern: str, connection: duckdb.DuckDBPyConnection) -> str | None:
    """Why RE2 does not take ``pattern``; None if it does."""
    import duckdb

    try:
        connection.execute("SELECT regexp_matches('', ?)", [pattern]).fetchall()
    except duckdb.Error as error:
        return _short(error)
    return None


_PREFERENCE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)(?:\s+(asc|desc))?\s*", re.IGNORECASE)


def preferences(table: Table) -> list[tuple[str, str]]:
    """``prefer`` as (column, asc or desc)."""
    found = []
    for text in table.unique.prefer if table.unique else ():
        match = _PREFERENCE.fullmatch(text)
        if match:
            found.append((match[1], (match[2] or "asc").lower()))
    return found


def check(
    expression: str,
    columns: Mapping[str, str],
    connection: duckdb.DuckDBPyConnection,
    *,
    later: Iterable[str] = (),
    boolean: bool = False,
) -> list[str]:
    """What keeps ``expression`` from being row-local SQL over ``columns`` (name to SQL type); empty if nothing does."""
    import duckdb

    try:
        tree = parse(expression, connection)
    except ValueError as error:
        return [_("this is not an SQL expression: {why}").format(why=error)]
    known = {name.lower() for name in columns}
    problems = list(dict.fromkeys(_refused(tree, known, {n.lower() for n in later}, frozenset(), connection)))
    if problems:
        return problems
    try:
        found = result_type(expression, columns, connection)
    except duckdb.Error as error:
        return [_("it cannot be worked out: {why}").format(why=_short(error))]
    if boolean and found not in ("BOOLEAN", '"NULL"'):
        return [_("it gives {type}, a condition is true or false").format(type=found)]
    return []


def result_type(expression: str, columns: Mapping[str, str], connection: duckdb.DuckDBPyConnection) -> str:
    """The SQL type of ``expression`` over an empty row of ``columns``. Raises duckdb.Error when it does not bind."""
    row = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in columns.items()) or "NULL AS row_id"
    rows = connection.execute(f"DESCRIBE SELECT (\n{expression}\n) AS x FROM (SELECT {row})").fetchall()
    return str(rows[0][1])


def reads(expression: str, connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Names of the columns that an expression reads."""
    try:
        tree = parse(expression, connection)
    except ValueError:
        return set()
    return {node["column_names"][-1].lower() for node in _nodes(tree) if node.get("class") == "COLUMN_REF"}


def parse(expression: str, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """DuckDB's tree of one expression. Raises ValueError with DuckDB's reason."""
    if not expression.strip():
        raise ValueError(_("an expression is expected"))
    text = f"SELECT (\n{expression}\n) FROM t"
    answer = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()
    document = json.loads(answer[0][0])
    if document.get("error"):
        raise ValueError(_first_line(document.get("error_message", "")))
    statements = document["statements"]
    node = statements[0]["node"]
    # A text that closes the bracket early would become a query of its own.
    plain = node.get("type") == "SELECT_NODE" and len(node["select_list"]) == 1 and not node["modifiers"]
    table = node.get("from_table", {})
    if len(statements) != 1 or not plain or table.get("type") != "BASE_TABLE" or table.get("table_name") != "t":
        raise ValueError(_("one expression is expected, without query words"))
    if any(node.get(part) for part in ("where_clause", "having", "qualify", "sample", "group_expressions")):
        raise ValueError(_("one expression is expected, without query words"))
    result: dict[str, Any] = node["select_list"][0]
    if result.get("alias"):
        raise ValueError(_("one expression is expected, without a name"))
    return result


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        for value in tree.values():
            yield from _nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from _nodes(value)


def _refused(
    tree: Any, known: set[str], later: set[str], bound: frozenset[str], connection: duckdb.DuckDBPyConnection
) -> Iterator[str]:
    """Reasons to refuse, in the order of the text."""
    if isinstance(tree, list):
        for value in tree:
            yield from _refused(value, known, later, bound, connection)
        return
    if not isinstance(tree, dict):
        return
    kind = tree.get("class")
    if kind == "LAMBDA":
        names = {n["column_names"][0].lower() for n in _nodes(tree["lhs"]) if n.get("class") == "COLUMN_REF"}
        yield from _refused(tree["expr"], known, later, bound | names, connection)
        return
    if kind == "COLUMN_REF":
        yield from _column(tree["column_names"], known, later, bound)
    elif kind == "FUNCTION":
        yield from _function(tree["function_name"].lower(), connection)
    elif kind == "WINDOW":
        yield _("window functions look at other rows: {name}").format(name=tree.get("function_name") or "over")
        return
    elif kind == "SUBQUERY":
        yield _("a subquery looks beyond the row")
        return
    elif kind is not None and (kind not in _CLASSES or tree.get("type") == "GROUPING_FUNCTION"):
        yield _("{thing} has no place in an expression over one row").format(
            thing=str(tree.get("type", kind)).lower().replace("_", " ")
        )
        return
    for value in tree.values():
        yield from _refused(value, known, later, bound, connection)


def _column(path: list[str], known: set[str], later: set[str], bound: frozenset[str]) -> Iterator[str]:
    name = path[0].lower()
    if name in known or name in bound:
        return
    if name in _CLOCK:
        yield _("{name} reads the clock: the same rows would give another result tomorrow").format(name=path[0])
    elif name in later:
        yield _("column {name} is declared below; an expression uses the columns above it").format(name=path[0])
    elif name.startswith(("current_", "session_")) or name == "user":
        yield _("{name} depends on the session, not on the row").format(name=path[0])
    else:
        yield _unknown(path[0], known)


def _unknown(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name.lower(), list(known), n=1)
    if near:
        return _("there is no column {name}; did you mean {near}?").format(name=name, near=near[0])
    return _("there is no column {name}; columns: {names}").format(name=name, names=", ".join(known) or "—")


def _function(name: str, connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    kinds = _functions(connection)
    if name in _CLOCK:
        yield _("{name} reads the clock: the same rows would give another result tomorrow").format(name=name)
    elif name in _CHANCE:
        yield _("{name} gives another result each time").format(name=name)
    elif name in kinds["allowed"]:
        return
    elif name in kinds["aggregate"]:
        yield _("{name} looks at several rows; an expression sees one").format(name=name)
    elif name in kinds["table"]:
        yield _("{name} reads files or tables; an expression sees one row").format(name=name)
    elif name in kinds["known"]:
        yield _("{name} depends on the session, not on the row").format(name=name)
    else:
        near = difflib.get_close_matches(name, sorted(kinds["allowed"]), n=1)
        hint = _("; did you mean {near}?").format(near=near[0]) if near else ""
        yield _("there is no function {name}").format(name=name) + hint


_KINDS: dict[str, dict[str, frozenset[str]]] = {}


def _functions(connection: duckdb.DuckDBPyConnection) -> dict[str, frozenset[str]]:
    """The functions of this DuckDB; asked for once, they do not change while the process lives."""
    import duckdb

    if duckdb.__version__ not in _KINDS:
        _KINDS[duckdb.__version__] = _classify(connection)
    return _KINDS[duckdb.__version__]


def _classify(connection: duckdb.DuckDBPyConnection) -> dict[str, frozenset[str]]:
    """DuckDB's functions sorted into what an expression may call and why not."""
    rows = connection.execute(
        "SELECT DISTINCT lower(function_name), function_type, stability FROM duckdb_functions()"
    ).fetchall()
    # Sums and parts of dates have forms over moments with a zone, which depend on the session's zone: ours is UTC.
    steady = {n for n, _kind, stability in rows if stability == "CONSISTENT"}
    volatile = {n for n, _kind, stability in rows if stability == "VOLATILE"} | _CLOCK_BY_DEFAULT
    unstable = {n for n, _kind, stability in rows if stability == "CONSISTENT_WITHIN_QUERY"} - steady | volatile
    by_kind: dict[str, set[str]] = {}
    for name, kind, _stability in rows:
        by_kind.setdefault(kind, set()).add(name)
    scalar = by_kind.get("scalar", set()) - unstable
    macros = {n for n in by_kind.get("macro", set()) if _MACROS.fullmatch(n)}
    allowed = {n for n in scalar | macros if not _HIDDEN.fullmatch(n)}
    tables = by_kind.get("table", set()) | by_kind.get("table_macro", set()) | by_kind.get("pragma", set()) | {"unnest"}
    return {
        "allowed": frozenset(allowed),
        "aggregate": frozenset(by_kind.get("aggregate", set()) | by_kind.get("window", set())) - allowed,
        "table": frozenset(tables | {"getenv"}) - allowed,
        "known": frozenset(n for n, _kind, _stability in rows),
    }


def _has_rules(table: Table) -> bool:
    def asks(column: Column) -> bool:
        return column.expr is not None or column.pattern is not None or bool(column.replace) or column.keep == "mask"

    return bool(table.reject) or any(name in RESERVED or asks(column) for name, column in table.columns.items())


def _short(error: Exception) -> str:
    return _first_line(str(error))


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
