"""The quality of a table: what each rule did by source, and what each column holds, as data and as two pages."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from compagnon.chain.artifact import Draft
from compagnon.chain.stage import Context
from compagnon.spec.model import Keep, Table
from compagnon.stages.prepare import quality_page, reasons
from compagnon.stages.prepare.compiler import RowLocal
from compagnon.stages.prepare.expressions import quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FEW = 200
"""A column with at most so many distinct values shows the most frequent ones."""
TOP = 10
EXACT = 100_000
"""Up to so many rows, distinct values are counted one by one; beyond, estimated and marked so."""

Counts = dict[str, dict[str, Any]]
"""By source: ``read``, ``rejected``, ``duplicate``, ``reasons`` and ``effects`` (counts in the order of the rules)."""


def count(compiled: RowLocal, sources: Sequence[str], connection: duckdb.DuckDBPyConnection) -> Counts:
    """What happened to the rows of each source, from the bits they carry."""
    bad = [f'"@bad{word}"' for word in range(reasons.words(len(compiled.reasons)))]
    did = [f'"@did{word}"' for word in range(reasons.words(len(compiled.effects)))]
    rejected = " OR ".join(f"{word} <> 0" for word in bad)
    sums = ["n", f"CASE WHEN {rejected} THEN n ELSE 0 END", "CASE WHEN double THEN n ELSE 0 END"]
    bits = [reasons.bit("@bad", i) for i in range(len(compiled.reasons))]
    bits += [reasons.bit("@did", i) for i in range(len(compiled.effects))]
    sums += [f"CASE WHEN {bit} THEN n ELSE 0 END" for bit in bits]
    # Rows with the same bits are counted once: there are far fewer combinations than rows.
    rows = connection.execute(f"""
        WITH alike AS (
            SELECT "@source", {", ".join([*bad, *did])}, count(*) AS n,
                row_id IN (SELECT row_id FROM duplicates) AS double
            FROM rows GROUP BY ALL)
        SELECT "@source", {", ".join(f"CAST(sum({x}) AS BIGINT)" for x in sums)}
        FROM alike GROUP BY "@source" """).fetchall()
    found = {row[0]: list(row[1:]) for row in rows}
    nothing = [0] * len(sums)
    split = len(compiled.reasons) + 3
    result = {}
    for source in sources:
        numbers = found.get(source, nothing)
        result[source] = {
            "read": numbers[0],
            "rejected": numbers[1] + numbers[2],
            "duplicate": numbers[2],
            "reasons": numbers[3:split],
            "effects": numbers[split:],
        }
    return result


def describe(
    table: Table, keeps: Mapping[str, Keep], ready: pa.Table, connection: duckdb.DuckDBPyConnection
) -> list[dict[str, Any]]:
    """Columns as they leave: empty values, distinct ones, range, most frequent values; of personal ones no value."""
    names = [name for name in table.columns if keeps[name] != "drop"]
    connection.register("ready", ready)
    exact = ready.num_rows <= EXACT
    distinct_of = "count(DISTINCT {})" if exact else "least(approx_count_distinct({0}), count({0}))"
    asked = []
    for name in names:
        x = quoted(name)
        low, high = (f"CAST({f}({x}) AS VARCHAR)" if _ranged(table, keeps, name) else "NULL" for f in ("min", "max"))
        short, long = (f"{f}(length({x}))" if _textual(table, keeps, name) else "NULL" for f in ("min", "max"))
        asked += [f"count({x})", distinct_of.format(x), low, high, short, long]
    answer = connection.execute(f"SELECT count(*), {', '.join(asked)} FROM ready").fetchall()[0]
    described = []
    for place, (name, column) in enumerate(table.columns.items()):
        entry: dict[str, Any] = {"name": name, "type": column.type, "unit": column.unit, "personal": column.personal}
        entry["keep"] = keeps[name]
        described.append(entry)
        if name not in names:
            continue
        place = 1 + 6 * names.index(name)
        given, distinct, low, high, short, long = answer[place : place + 6]
        entry |= {"nulls": answer[0] - given, "distinct": distinct, "exact": exact}
        entry |= {"min": low, "max": high, "shortest": short, "longest": long}
        if distinct <= FEW and keeps[name] == "plain" and _public(table, name):
            entry |= _frequent(name, connection)
    connection.unregister("ready")
    return described


def _frequent(name: str, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    x = quoted(name)
    rows = connection.execute(
        f'SELECT CAST({x} AS VARCHAR), count(*) AS "@count" FROM ready WHERE {x} IS NOT NULL '
        f'GROUP BY {x} ORDER BY "@count" DESC, {x}'
    ).fetchall()
    return {"distinct": len(rows), "exact": True, "top": [{"value": v, "count": n} for v, n in rows[:TOP]]}


def _public(table: Table, name: str) -> bool:
    """Whether values may be shown: a personal class hides them even where they are kept plain."""
    return table.columns[name].personal in (None, "none")


def _ranged(table: Table, keeps: Mapping[str, Keep], name: str) -> bool:
    kinds = ("integer", "decimal", "float", "date", "timestamp")
    return keeps[name] == "plain" and _public(table, name) and table.columns[name].type in kinds


def _textual(table: Table, keeps: Mapping[str, Keep], name: str) -> bool:
    return keeps[name] in ("plain", "mask") and table.columns[name].type == "text"


def assemble(
    name: str,
    compiled: RowLocal,
    counts: Counts,
    columns: list[dict[str, Any]],
    unreadable: Mapping[str, int],
    restored: int,
    masked: int,
) -> dict[str, Any]:
    """The report as JSON values; ``rejected`` counts the duplicates too, so that read = prepared + rejected."""
    sources = [
        {
            "source": source,
            "read": c["read"],
            "unreadable": unreadable.get(source, 0),
            "prepared": c["read"] - c["rejected"],
            "rejected": c["rejected"],
            "duplicate": c["duplicate"],
        }
        for source, c in counts.items()
    ]
    totals = {k: sum(s[k] for s in sources) for k in ("read", "unreadable", "prepared", "rejected", "duplicate")}
    changes = [
        {"rule": e.rule, "column": e.column, "by_source": {s: c["effects"][i] for s, c in counts.items()}}
        for i, e in enumerate(compiled.effects)
    ]
    rejects = [
        {**vars(r), "by_source": {s: c["reasons"][i] for s, c in counts.items()}}
        for i, r in enumerate(compiled.reasons)
    ]
    rejects.append({**vars(reasons.DUPLICATE), "by_source": {s: c["duplicate"] for s, c in counts.items()}})
    return {
        "version": 1,
        "table": name,
        "rows": {**totals, "restored": restored, "masked": masked},
        "sources": sources,
        "changes": changes,
        "rejects": rejects,
        "columns": columns,
    }


def emit(name: str, report: dict[str, Any], context: Context) -> None:
    """``quality/NAME``: ``quality.json``, ``quality.fr.html``, ``quality.en.html``."""
    texts = {"quality.json": json.dumps(report, ensure_ascii=False, indent=1) + "\n"}
    texts |= {f"quality.{language}.html": quality_page.render(report, language) for language in ("fr", "en")}
    drafts = []
    for file, text in texts.items():
        path = context.scratch / file
        path.write_text(text, encoding="utf-8")
        drafts.append(Draft(file, path))
    context.emit(f"quality/{name}", "quality", "clean", drafts, {"table": name})
