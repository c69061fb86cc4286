"""``compagnon export``."""

from __future__ import annotations

from pathlib import Path

import click

from compagnon.cli.command import Argument, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json
from compagnon.errors import UserError
from compagnon.i18n import N_, _, format_number

SUFFIXES = {".csv": "csv", ".parquet": "parquet", ".json": "json", ".jsonl": "json"}


@make(
    "export",
    Argument(["name"], metavar="TABLE", help=N_("Name of the stored table.")),
    Option(
        ["--format", "form"],
        type=click.Choice(["csv", "parquet", "json"]),
        help=N_("Form of the file; by its name if absent."),
    ),
    Option(
        ["--to"],
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=N_("Where to write; TABLE.FORMAT by default."),
    ),
    Option(["--force"], is_flag=True, help=N_("Replace a file that is there.")),
    json_option(),
    help=N_(
        "Write a stored table to a file for other programs: CSV (UTF-8, commas), Parquet, or JSON with one object a "
        "line. Rows are in the order of row_id; personal data has left as the solution declares."
    ),
    examples=[
        ("compagnon export questions --to questions.parquet", N_("a Parquet file")),
        ("compagnon export questions --format csv", N_("questions.csv in the current folder")),
    ],
)
def command(name: str, form: str | None, to: Path | None, force: bool, as_json: bool) -> None:
    from compagnon.stages.store.export import export

    chosen = form or (SUFFIXES.get(to.suffix.lower()) if to else "csv")
    if chosen is None:
        raise UserError(
            "export.unknown-format",
            _("{path} does not say in which form to write.").format(path=to),
            next=_("Add --format csv, parquet or json."),
        )
    path = to or Path(f"{name}.{chosen}")
    if path.exists() and not force:
        raise UserError(
            "export.exists",
            _("{path} already exists.").format(path=path),
            next=_("Give another name, or --force to replace it."),
        )
    with opened() as solution:
        rows = export(solution.workspace, name, chosen, path)  # type: ignore[arg-type]
    if as_json:
        print_json({"table": name, "format": chosen, "path": str(path), "rows": rows})
    else:
        click.echo(_("{rows} rows written to {path}.").format(rows=format_number(rows), path=path))
