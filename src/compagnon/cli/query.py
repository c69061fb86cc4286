"""``compagnon query run``."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

import click

from compagnon.cli.command import Argument, Group, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import cell, print_json, table
from compagnon.errors import UserError
from compagnon.i18n import N_, _, format_number, ngettext

if TYPE_CHECKING:
    import pyarrow as pa

command = Group(
    "query",
    help=N_("Ask the stored tables. They are read only: no question can change them, nor reach a file or the network."),
    examples=[('compagnon query run "SELECT topic, count(*) FROM questions GROUP BY ALL"', N_("rows by topic"))],
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


command.add_command(run)


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
