"""``compagnon new``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from compagnon.cli.command import Argument, Command, Option, json_option
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json
from compagnon.errors import UserError
from compagnon.i18n import N_, _, format_number

DEFAULT = "tutor"


@make(
    "new",
    Argument(["folder"], metavar="DIR", type=click.Path(path_type=Path), help=N_("Where to make it: absent or empty.")),
    Option(["--from", "template"], metavar="TEMPLATE", help=N_("Copy this template (tutor by default).")),
    Option(
        ["--from-data", "data"],
        metavar="FILE|URL",
        multiple=True,
        help=N_("Draft it from a CSV, JSON, JSON Lines or Parquet file, or from a database; may be repeated."),
    ),
    Option(["--table"], metavar="NAME", help=N_("With a database: the table to read.")),
    Option(["--query"], metavar="FILE", help=N_("With a database: the file that holds the query.")),
    Option(["--in-place"], is_flag=True, help=N_("Leave data files where they are instead of copying them.")),
    Option(
        ["--list", "listing"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=lambda c, p, v: _list(c, v),
        help=N_("List the templates."),
    ),
    json_option(),
    help=N_(
        "Make a solution in DIR, from a template or from data. From data, sources, tables, types, key, personal data, "
        "target and task are guessed, and each guess is explained in the solution.yaml. Files that follow --from-data "
        "may be given one after the other. Nothing half-made is left behind."
    ),
    examples=[
        ("compagnon new work/tutor --from tutor", N_("the flagship solution")),
        ("compagnon new work/bank --from-data train.csv test.csv", N_("one file to learn from, one for the test")),
        ("compagnon new work/shop --from-data sqlite:///shop.db --table orders", N_("from a database")),
    ],
    solution=False,
)
def command(
    folder: Path,
    template: str | None,
    data: tuple[str, ...],
    table: str | None,
    query: str | None,
    in_place: bool,
    as_json: bool,
) -> None:
    if template and data:
        raise click.UsageError(_("--from and --from-data exclude each other."))
    if data:
        about = _from_data(folder, data, table, query, in_place)
    else:
        if table or query or in_place:
            raise click.UsageError(_("--table, --query and --in-place go with --from-data."))
        from compagnon.scaffold.template import copy

        copy(template or DEFAULT, folder)
        about = {"folder": str(folder), "template": template or DEFAULT}
    if as_json:
        print_json(about)
        return
    click.echo(_("{folder} is made.").format(folder=folder))
    for line in about.get("guesses", ()):
        click.echo(f"  {line}")
    if data:
        click.echo(
            _("Each guess is explained in {file}: read it, and correct what is wrong.").format(
                file=folder / "solution.yaml"
            )
        )
    if any("://" in place and "@" in place for place in data):
        click.echo(_("Then give the address of the database: export SOURCE_URL=..."))
    click.echo(_("Next:"))
    for step in ("check", "run", "serve"):
        click.echo(f"  compagnon -C {folder} {step}")


def _from_data(
    folder: Path, data: tuple[str, ...], table: str | None, query: str | None, in_place: bool
) -> dict[str, Any]:
    from compagnon.scaffold.data import Wanted, draft

    shapes = draft(folder, Wanted(data, table, query, in_place))
    guesses: list[str] = []
    for shape in shapes:
        for name, sources in shape.tables.items():
            rows = sum(source.look.table.num_rows for source in sources)
            guesses.append(
                _("table {name}: {rows} rows, {columns} columns").format(
                    name=name, rows=format_number(rows), columns=len(shape.guesses)
                )
            )
        if shape.personal:
            names = ", ".join(shape.names[source] for source in shape.personal)
            guesses.append(_("personal data, probably: {columns}").format(columns=names))
    goal = next((shape for shape in shapes if shape.goal), None)
    if goal is not None and goal.goal is not None:
        guesses.append(
            _("to predict, probably: {target} ({task})").format(
                target=goal.names[goal.goal.target], task=goal.goal.task
            )
        )
    return {"folder": str(folder), "from_data": list(data), "guesses": guesses}


def _list(ctx: click.Context, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from compagnon.scaffold.template import names

        for name in names():
            click.echo(name)
        ctx.exit()


class _SeveralFiles(Command):
    """Lets several files follow one ``--from-data``, as a shell pattern gives them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, spread(args))


def spread(arguments: list[str]) -> list[str]:
    """``--from-data a b`` as ``--from-data a --from-data b``."""
    result: list[str] = []
    files = 0
    reading = False
    for argument in arguments:
        if argument.startswith("-"):
            reading = argument == "--from-data"
            files = 0
        elif reading:
            files += 1
            if files > 1:
                result.append("--from-data")
        result.append(argument)
    return result


command.__class__ = _SeveralFiles

__all__ = ["UserError", "command", "spread"]
