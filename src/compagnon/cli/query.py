"""``compagnon query run``, ``list``, ``show`` and ``explain``."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import click

from compagnon.cli.command import Argument, Group, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import cell, print_json, table
from compagnon.errors import UserError
from compagnon.i18n import N_, _, current, format_number, ngettext

if TYPE_CHECKING:
    import pyarrow as pa

command = Group(
    "query",
    help=N_(
        "Ask the stored tables, read only, and measure the documented queries of the solution (queries/*.sql): what "
        "they say of themselves, their plan, and what their optimization is worth."
    ),
    examples=[
        ('compagnon query run "SELECT topic, count(*) FROM questions GROUP BY ALL"', N_("rows by topic")),
        ("compagnon query explain questions", N_("plan, rows and time of queries/questions.sql, before and after")),
    ],
)


@make(
    "run",
    Argument(["sql"], help=N_("One SELECT, WITH, FROM, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN; - reads standard input.")),
    Option(
        ["--limit", "-n"],
        type=click.IntRange(min=0),
        default=1000,
        show_default=True,
        help=N_("How many rows at most; 0 for all."),
    ),
    Option(
        ["--seconds"],
        type=click.FloatRange(min=0, min_open=True),
        default=30.0,
        show_default=True,
        help=N_("How long it may take."),
    ),
    Option(["--csv", "as_csv"], is_flag=True, help=N_("Print CSV (UTF-8, commas).")),
    json_option(),
    help=N_("Ask one question in DuckDB's SQL and print the answer as a table, CSV or JSON. Times are in UTC."),
    examples=[
        ('compagnon query run "SHOW TABLES"', N_("the tables there are")),
        ('compagnon query run "SELECT topic, count(*) FROM questions GROUP BY ALL"', N_("rows by topic")),
        ('compagnon query run "FROM questions" --csv --limit 0 > questions.csv', N_("a whole table as CSV")),
    ],
)
def run(sql: str, limit: int, seconds: float, as_csv: bool, as_json: bool) -> None:
    if as_csv and as_json:
        raise click.UsageError(_("--csv and --json exclude each other."))
    from compagnon.stages.store.query import query

    if sql == "-":
        sql = sys.stdin.read()
    with opened() as solution:
        # One row more than asked for tells whether there are others.
        found = query(solution.workspace, sql, limit + 1 if limit else None, seconds=seconds)
    more = bool(limit) and found.num_rows > limit
    found = found.slice(0, limit) if more else found
    if as_csv:
        _print_csv(found)
    elif as_json:
        print_json({"columns": found.column_names, "rows": _finite(found.to_pylist()), "more": more})
    else:
        rows = [[cell(value) for value in row.values()] for row in found.to_pylist()]
        right = frozenset(i for i, field in enumerate(found.schema) if _is_number(field.type))
        table([cell(name) for name in found.column_names], rows, right=right)
        count = ngettext("{count} row", "{count} rows", found.num_rows).format(count=format_number(found.num_rows))
        click.echo("\n" + (_("The first {rows}; there are more (--limit).").format(rows=count) if more else count))


@make(
    "list",
    json_option(),
    help=N_("The queries of the folder queries, with their goal and the time last measured."),
    examples=[("compagnon query list", N_("what is documented, and what is not yet measured"))],
)
def list_(as_json: bool) -> None:
    from compagnon.evidence.queries import explain, header

    with opened() as solution:
        lines = []
        for query in header.queries(solution.workspace.root):
            run = solution.ledger.last(f"query/{query.name}")
            facts = {fact.name: fact.value for fact in run.facts} if run else {}
            lines.append(
                {
                    "name": query.name,
                    "source": explain.source_of(query, solution.spec),
                    "goal": query.text("goal", current()),
                    "missing": query.missing,
                    "current": run is not None and explain.is_current(query, run),
                    "facts": {name: value for name, value in facts.items() if name.startswith("query_")},
                }
            )
    if as_json:
        print_json(lines)
        return
    table(
        [_("Query"), _("Source"), _("Goal"), _("Before"), _("After")],
        [
            [
                str(line["name"]),
                str(line["source"] or _("tables")),
                str(line["goal"] or "–"),
                _time(line["facts"], "query_time_before"),
                _time(line["facts"], "query_time"),
            ]
            for line in lines
        ],
        right=frozenset({3, 4}),
    )


@make(
    "show",
    Argument(["name"], help=N_("A query of the folder queries, without .sql.")),
    json_option(),
    help=N_("What a query says of itself, and its text."),
    examples=[("compagnon query show questions", N_("the header and the SQL of queries/questions.sql"))],
)
def show(name: str, as_json: bool) -> None:
    from compagnon.evidence.queries import header

    with opened() as solution:
        query = header.named(name, solution.workspace.root)
    if as_json:
        print_json({"name": query.name, "said": query.said, "before": query.before, "on": query.on, "sql": query.sql})
        return
    for part in header.PARTS:
        click.echo(_("{title}: {text}").format(title=header.part_word(part), text=query.text(part, current()) or "–"))
    click.echo("\n" + query.sql.strip())


@make(
    "explain",
    Argument(["name"], help=N_("A query of the folder queries, without .sql.")),
    json_option(),
    help=N_(
        "Ask a query of its engine, as it is and as it was before its optimization (the header says how): plan, rows, "
        "median time of several turns. The figures are kept in the ledger and shown on the page of queries."
    ),
    examples=[("compagnon query explain questions", N_("what the optimization of queries/questions.sql is worth"))],
)
def explain_(name: str, as_json: bool) -> None:
    from compagnon.evidence.queries import explain, header

    with opened() as solution:
        query = header.named(name, solution.workspace.root)
        run, plans = explain.explain(query, solution.chain)
    if as_json:
        print_json({"run": run.as_dict(), **plans})
        return
    facts: dict[str, Any] = {fact.name: fact.value for fact in run.facts}
    for form, title, end in (("before", _("Before"), "_before"), ("after", _("After"), "")):
        if plans[form]:
            rows = format_number(facts["query_rows" + end])
            click.echo(f"{title} ({plans['engine']}, {rows}, {_time(facts, 'query_time' + end)})")
            click.echo(plans[form]["plan"] + "\n")
    for warning in run.warnings:
        click.echo(warning, err=True)


def _time(facts: Any, name: str) -> str:
    seconds = facts.get(name)
    return "–" if seconds is None else _("{count} ms").format(count=format_number(round(1000 * seconds, 2)))


for each in (run, list_, show, explain_):
    command.add_command(each)


def _finite(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """JSON has no NaN and no infinity: they are text there."""
    return [
        {name: str(v) if isinstance(v, float) and not math.isfinite(v) else v for name, v in row.items()}
        for row in rows
    ]


def _is_number(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _print_csv(found: pa.Table) -> None:
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    try:
        sink = pa.BufferOutputStream()
        arrow_csv.write_csv(found, sink)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UserError(
            "query.not-csv",
            _("This answer cannot be written as CSV: {reason}").format(reason=error),
            next=_("Cast lists and structures to text, or ask for --json."),
        ) from error
    sys.stdout.flush()
    sys.stdout.buffer.write(sink.getvalue())
    sys.stdout.flush()
