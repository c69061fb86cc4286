"""``compagnon gc``."""

from __future__ import annotations

import click

from compagnon.chain.words import bytes_text
from compagnon.cli.command import Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json, table
from compagnon.i18n import N_, _, format_number, ngettext


@make(
    "gc",
    Option(["--dry-run"], is_flag=True, help=N_("Only say what would be removed.")),
    Option(
        ["--keep"],
        type=click.IntRange(min=1),
        default=3,
        show_default=True,
        metavar="N",
        help=N_("How many finished runs of each stage keep their files."),
    ),
    json_option(),
    help=N_(
        "Remove files that are no longer needed: those of runs before the last N, and what stopped runs left behind, "
        "even what they had finished (run first to keep it). Kept: the valid run of each stage, the published tables, "
        "every package that answered somebody, and what corrections refer to. Runs stay in the ledger. This does not "
        "apply privacy.keep: rows that a kept run collected stay, however old."
    ),
    examples=[
        ("compagnon gc --dry-run", N_("what would be removed, by zone")),
        ("compagnon gc --keep 1", N_("keep only the files of the last run of each stage")),
    ],
)
def command(dry_run: bool, keep: int, as_json: bool) -> None:
    from compagnon.chain.garbage import as_dict
    from compagnon.operate.tidy import tidy

    with opened() as solution:
        swept = tidy(solution, keep=keep, dry=dry_run)
    if as_json:
        print_json(as_dict(swept, dry=dry_run, keep=keep))
        return
    places = swept.by_place()
    table(
        [_("Zone"), _("Files"), _("Size")],
        [[name, format_number(found["files"]), bytes_text(found["bytes"])] for name, found in places.items()],
        right=frozenset({1, 2}),
    )
    count, size = len(swept.removed), bytes_text(sum(item.size for item in swept.removed))
    if dry_run:
        text = ngettext("{count} file would be removed: {size}.", "{count} files would be removed: {size}.", count)
    else:
        text = ngettext("{count} file removed: {size}.", "{count} files removed: {size}.", count)
    click.echo(text.format(count=format_number(count), size=size))
    kept = ngettext("{count} file kept: {size}.", "{count} files kept: {size}.", swept.kept)
    click.echo(kept.format(count=format_number(swept.kept), size=bytes_text(swept.kept_bytes)))
    if swept.refused:
        text = ngettext(
            "{count} file is in use by another program; run gc again later.",
            "{count} files are in use by another program; run gc again later.",
            len(swept.refused),
        )
        click.echo(text.format(count=len(swept.refused)))
