"""``compagnon restore``."""

from __future__ import annotations

from pathlib import Path

import click

from compagnon.cli.command import Argument, json_option
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json
from compagnon.i18n import N_, _, format_number, ngettext


@make(
    "restore",
    Argument(
        ["file"],
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help=N_("A file that `compagnon backup` wrote."),
    ),
    Argument(
        ["folder"],
        type=click.Path(path_type=Path),
        metavar="DIR",
        help=N_("The folder to restore to: empty, or not there yet."),
    ),
    json_option(),
    help=N_(
        "Make the solution of a backup again. Every file is compared with its digest before anything appears in DIR; "
        "a damaged or forged archive is refused and leaves nothing. Restore only files whose origin you trust."
    ),
    examples=[
        ("compagnon restore tutor.tar.gz work/tutor", N_("the solution as it was, in work/tutor")),
    ],
    solution=False,
)
def command(file: Path, folder: Path, as_json: bool) -> None:
    from compagnon.operate.backup.restore import restore

    restored = restore(file, folder)
    manifest = restored.manifest
    if as_json:
        print_json(
            {
                "solution": manifest.solution,
                "path": str(restored.path),
                "made": manifest.at,
                "files": len(manifest.files),
                "bytes": manifest.size,
                "database": "sqlite" if manifest.schema else "postgresql",
                "secrets": manifest.secrets,
            }
        )
        return
    text = ngettext(
        "{count} file of {solution} restored to {path}.",
        "{count} files of {solution} restored to {path}.",
        len(manifest.files),
    )
    click.echo(text.format(count=format_number(len(manifest.files)), solution=manifest.solution, path=folder))
    if not manifest.secrets:
        click.echo(
            _(
                "Secrets were not in the backup. Put yours in .compagnon/secrets before the next run: with new ones, "
                "the same person would get another pseudonym."
            )
        )
    if manifest.schema is None:
        click.echo(_("The database was in PostgreSQL: restore it with pg_restore, and set COMPAGNON_DATABASE."))
    click.echo(_("Next: {command}").format(command=f"compagnon -C {folder} status"))
