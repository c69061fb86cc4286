"""``compagnon backup``."""

from __future__ import annotations

from pathlib import Path

import click

from compagnon.chain.words import bytes_text
from compagnon.cli.command import Argument, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json
from compagnon.i18n import N_, _, format_number, ngettext


@make(
    "backup",
    Argument(
        ["file"],
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help=N_("Where to write; its name ends in .tar.gz."),
    ),
    Option(
        ["--with-secrets"], is_flag=True, help=N_("Put .compagnon/secrets in it too: whoever has the file has all.")
    ),
    Option(["--force"], is_flag=True, help=N_("Replace a file that is there.")),
    json_option(),
    help=N_(
        "Write one archive with solution.yaml, the files that it names, those of its sources inside the folder, the "
        "database (a consistent copy, even while it is served), and all artifacts and predictions. It holds personal "
        "data: only its owner may read it. Secrets are left out unless asked for: keep them apart. A database in "
        "PostgreSQL is not in it: use pg_dump."
    ),
    examples=[
        ("compagnon backup ../tutor.tar.gz", N_("an archive beside the solution's folder")),
        ("compagnon backup ../tutor.tar.gz --force", N_("replace the archive of yesterday")),
    ],
)
def command(file: Path, with_secrets: bool, force: bool, as_json: bool) -> None:
    from compagnon.operate.backup.write import write

    with opened() as solution:
        written = write(solution, file, with_secrets=with_secrets, replace=force)
        secrets_left = not with_secrets and solution.workspace.secrets_file.exists()
    manifest = written.manifest
    if as_json:
        print_json(
            {
                "path": str(file),
                "bytes": written.size,
                "files": len(manifest.files),
                "content": manifest.size,
                "database": "sqlite" if manifest.schema else "postgresql",
                "secrets": manifest.secrets,
                "outside": list(written.outside),
                "altered": list(written.altered),
            }
        )
        return
    text = ngettext("{count} file in {path}: {size}.", "{count} files in {path}: {size}.", len(manifest.files))
    click.echo(text.format(count=format_number(len(manifest.files)), path=file, size=bytes_text(written.size)))
    if secrets_left:
        click.echo(_("Secrets are not in it: keep a copy of .compagnon/secrets elsewhere."))
    if manifest.schema is None:
        click.echo(_("The database is in PostgreSQL, so it is not in it: back it up with pg_dump at the same time."))
    for name in written.outside:
        click.echo(_("Not in it, since it is outside the folder: {name}").format(name=name))
    for name in written.altered:
        click.echo(_("Not in it, since it is not what was written: {name}").format(name=name), err=True)
