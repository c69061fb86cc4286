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
    Argument(["name"], metavar="[TABLE]", required=False, help=N_("Name of the stored table.")),
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
    Option(
        ["--code"],
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help=N_("Write the SQL and Python behind the runs into this folder; they run without Compagnon."),
    ),
    Option(
        ["--stage"],
        metavar="STAGE",
        help=N_("With --code: only this stage (prepare, train/topic) and what it needs."),
    ),
    Option(["--notebook"], is_flag=True, help=N_("With --code: also one Jupyter notebook with the same steps.")),
    json_option(),
    help=N_(
        "Write a stored table to a file for other programs: CSV (UTF-8, commas), Parquet, or JSON with one object a "
        "line. Rows are in the order of row_id; personal data has left as the solution declares. With --code: "
        "write the code behind the runs instead."
    ),
    examples=[
        ("compagnon export questions --to questions.parquet", N_("a Parquet file")),
        ("compagnon export questions --format csv", N_("questions.csv in the current folder")),
        ("compagnon export --code code --notebook", N_("the code behind all stages, and a notebook")),
    ],
)
def command(
    name: str | None,
    form: str | None,
    to: Path | None,
    force: bool,
    code: Path | None,
    stage: str | None,
    notebook: bool,
    as_json: bool,
) -> None:
    if code is not None:
        if name or form or to:
            raise click.UsageError(_("--code writes the code of the stages: say no table, --format or --to with it."))
        _code(code, stage, notebook, force, as_json)
    elif name is None:
        raise click.UsageError(_("Say which table to export, or --code DIR for the code behind the runs."))
    elif stage or notebook:
        raise click.UsageError(_("--stage and --notebook go with --code."))
    else:
        _table(name, form, to, force, as_json)


def _table(name: str, form: str | None, to: Path | None, force: bool, as_json: bool) -> None:
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


def _code(folder: Path, stage: str | None, notebook: bool, force: bool, as_json: bool) -> None:
    from compagnon.evidence.code.write import Source, write

    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise UserError(
            "export.exists",
            _("{path} already exists.").format(path=folder),
            next=_("Give another name, or --force to replace it."),
        )
    with opened() as solution:
        source = Source(solution.spec, solution.root, solution.artifacts, solution.ledger, solution.status())
        made = write(source, folder, stage, notebook)
    if as_json:
        print_json({"folder": str(folder), "files": sorted(made.files), "warnings": made.warnings})
        return
    for warning in made.warnings:
        click.echo(warning, err=True)
    click.echo(_("The code is in {path}: read {file} first.").format(path=folder, file=folder / "README.md"))
