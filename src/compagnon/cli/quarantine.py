"""``compagnon quarantine``: rows set aside, and what people decide of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from compagnon.cli.command import Argument, Group, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import cell, print_json, table
from compagnon.i18n import N_, _, format_number, ngettext

if TYPE_CHECKING:
    from compagnon.solution import Solution

command = Group(
    "quarantine",
    help=N_(
        "See the rows that were set aside, each with all its reasons, and decide of them. The quarantine holds raw "
        "rows, personal data included: it is for the owner of the solution and never served."
    ),
    examples=[
        ("compagnon quarantine list questions", N_("rows set aside of a table, with their reasons")),
        ('compagnon quarantine restore questions export:17 --because "bonne question"', N_("put one back")),
    ],
)

_TABLE = N_("Name of the table.")
_ROW = N_("The row's name, as `quarantine list` shows it.")


def _because() -> Option:
    return Option(["--because"], default="", metavar="TEXT", help=N_("Why; it is kept with your name."))


@make(
    "list",
    Argument(["name"], metavar="[TABLE]", required=False, help=N_("Name of the table; all tables if absent.")),
    Option(["--reason"], metavar="CODE", help=N_("Only rows with this reason.")),
    Option(["--source"], metavar="NAME", help=N_("Only rows of this source.")),
    Option(
        ["--limit", "-n"],
        type=click.IntRange(min=1),
        default=20,
        show_default=True,
        help=N_("How many rows of a table at most."),
    ),
    json_option(N_("Print JSON, for programs; it holds the raw rows.")),
    help=N_("List the rows set aside with their reasons, without their content."),
    examples=[
        ("compagnon quarantine list", N_("every table")),
        ("compagnon quarantine list questions --reason duplicate", N_("the duplicates of one table")),
    ],
)
def list_(name: str | None, reason: str | None, source: str | None, limit: int, as_json: bool) -> None:
    from compagnon.stages.prepare import quarantine

    with opened() as solution:
        documents = []
        for table_name in [name] if name else list(solution.spec.tables):
            artifact = quarantine.of_table(table_name, solution.spec, solution.ledger, solution.artifacts)
            rows, count = quarantine.rows(artifact, solution.artifacts, reason=reason, source=source, limit=limit)
            documents.append({"table": table_name, "count": count, "rows": [row.as_dict() for row in rows]})
            if as_json:
                continue
            click.echo(
                ngettext("{table}: {count} row set aside", "{table}: {count} rows set aside", count).format(
                    table=click.style(table_name, bold=True), count=format_number(count)
                )
            )
            if rows:
                table(
                    [_("Row"), _("Source"), _("Reasons")],
                    [
                        [row.row_id, row.source, cell(_("; ").join(why.text for why in row.reasons), 100)]
                        for row in rows
                    ],
                )
            if count > len(rows):
                click.echo(_("The first {count} are shown (--limit).").format(count=len(rows)))
        if as_json:
            print_json({"tables": documents})


@make(
    "show",
    Argument(["name"], metavar="TABLE", help=_TABLE),
    Argument(["row_id"], metavar="ROW", help=_ROW),
    json_option(),
    help=N_("Show one row as its source gave it, personal data included, and why it was set aside."),
    examples=[("compagnon quarantine show questions export:17", N_("that row"))],
)
def show(name: str, row_id: str, as_json: bool) -> None:
    from compagnon.stages.prepare import quarantine

    with opened() as solution:
        artifact = quarantine.of_table(name, solution.spec, solution.ledger, solution.artifacts)
        row = quarantine.row(row_id, artifact, solution.artifacts)
        if as_json:
            print_json(row.as_dict())
            return
        click.secho(row.row_id, bold=True)
        for why in row.reasons:
            click.echo(f"  ✗ {why.text} ({why.code})")
        click.echo()
        for column, value in row.raw.items():
            click.echo("  " + _("{name}: {value}").format(name=column, value=cell(value, 2000)))


@make(
    "restore",
    Argument(["name"], metavar="TABLE", help=_TABLE),
    Argument(["row_ids"], metavar="ROW...", nargs=-1, required=True, help=_ROW),
    _because(),
    json_option(),
    help=N_(
        "Put rows back: at the next run they skip the rules that rejected them. The decision is kept with your name, "
        "and applies again at each run."
    ),
    examples=[('compagnon quarantine restore questions export:17 --because "bonne question"', N_("one row"))],
)
def restore(name: str, row_ids: tuple[str, ...], because: str, as_json: bool) -> None:
    from compagnon.solution import author
    from compagnon.stages.prepare import quarantine

    with opened() as solution:
        artifact = quarantine.of_table(name, solution.spec, solution.ledger, solution.artifacts)
        made = quarantine.restore(
            list(dict.fromkeys(row_ids)),
            artifact,
            solution.artifacts,
            solution.ledger,
            at=solution.clock.now(),
            author=author(),
            because=because,
        )
        _say(solution, name, [vars(correction) for correction in made], as_json)


@make(
    "correct",
    Argument(["name"], metavar="TABLE", help=_TABLE),
    Argument(["row_id"], metavar="ROW", help=_ROW),
    Argument(["column"], metavar="COLUMN", help=N_("The column of the table.")),
    Argument(["value"], metavar="VALUE", help=N_("What the source should have given; empty for no value.")),
    _because(),
    json_option(),
    help=N_("Correct what the source gave for one cell: at the next run, all rules apply to the corrected row."),
    examples=[("compagnon quarantine correct questions export:17 level beginner", N_("another level"))],
)
def correct(name: str, row_id: str, column: str, value: str, because: str, as_json: bool) -> None:
    from compagnon.solution import author
    from compagnon.stages.prepare import quarantine

    with opened() as solution:
        artifact = quarantine.of_table(name, solution.spec, solution.ledger, solution.artifacts)
        made = quarantine.correct(
            row_id,
            column,
            value or None,
            artifact,
            solution.artifacts,
            solution.spec,
            solution.ledger,
            at=solution.clock.now(),
            author=author(),
            because=because,
        )
        _say(solution, name, [vars(made)], as_json)


def _say(solution: Solution, name: str, made: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print_json({"table": name, "corrections": made})
        return
    count = ngettext("{count} row noted.", "{count} rows noted.", len(made)).format(count=len(made))
    click.echo(count + " " + _("Apply it with: {command}").format(command="compagnon run"))


for _each in (list_, show, restore, correct):
    command.add_command(_each)
