"""``compagnon document``."""

from __future__ import annotations

from pathlib import Path

import click

from compagnon.cli.command import Argument, Option, json_option, opened
from compagnon.cli.command import command as make
from compagnon.cli.output import print_json
from compagnon.errors import UserError
from compagnon.i18n import N_, _, current

SUFFIXES = {".html": "html", ".htm": "html", ".docx": "docx"}


@make(
    "document",
    Argument(
        ["kind"],
        type=click.Choice(["quality", "card", "logbook"]),
        help=N_("The quality report of a table, the card of a model, or the logbook of the solution."),
    ),
    Argument(["name"], required=False, metavar="[TABLE|MODEL]", help=N_("The table or the model that it tells of.")),
    Option(
        ["--format", "form"],
        type=click.Choice(["html", "docx"]),
        help=N_("Form of the file; by its name if absent."),
    ),
    Option(["--to"], required=True, type=click.Path(path_type=Path), metavar="FILE", help=N_("Where to write.")),
    Option(["--force"], is_flag=True, help=N_("Replace a file that is there.")),
    json_option(),
    help=N_(
        "Write a document to take away, readable by everybody: a web page or a Word file with real headings, lists, "
        "table headers and language. Missing information is marked; --lang chooses the language of the document."
    ),
    examples=[
        ("compagnon document quality questions --to quality.docx", N_("the quality report of a table, for Word")),
        ("compagnon document card topic --lang fr --to card.html", N_("the card of a model, in French")),
        ("compagnon document logbook --to logbook.docx", N_("what was done, found and decided, by date")),
    ],
)
def command(kind: str, name: str | None, form: str | None, to: Path, force: bool, as_json: bool) -> None:
    if (name is None) != (kind == "logbook"):
        what = _("The logbook is that of the whole solution.") if name else _("Which one? A name is missing.")
        usage = "compagnon document logbook --to FILE" if name else f"compagnon document {kind} NAME --to FILE"
        raise UserError("document.name", what, next=_("Write: {usage}").format(usage=usage))
    chosen = form or SUFFIXES.get(to.suffix.lower())
    if chosen is None:
        raise UserError(
            "document.unknown-format",
            _("{path} does not say in which form to write.").format(path=to),
            next=_("Add --format html or docx."),
        )
    if to.exists() and not force:
        raise UserError(
            "document.exists",
            _("{path} already exists.").format(path=to),
            next=_("Give another name, or --force to replace it."),
        )
    from compagnon.access.account import author_names
    from compagnon.chain.workspace import write_atomically
    from compagnon.evidence.documents import document_of
    from compagnon.render.document_file import write

    with opened() as solution:
        document = document_of(
            kind,  # type: ignore[arg-type]
            name,
            current(),  # type: ignore[arg-type]
            spec=solution.spec,
            ledger=solution.ledger,
            artifacts=solution.artifacts,
            named=lambda author: author_names(solution.engine, [author])[author],
        )
        content = write(document, chosen)  # type: ignore[arg-type]
    write_atomically(to.absolute(), content)
    if as_json:
        gaps = [{"what": gap.what, "how": gap.how} for gap in document.gaps]
        print_json({"document": kind, "name": name, "format": chosen, "path": str(to), "gaps": gaps})
        return
    click.echo(_("{title}: written to {path}.").format(title=document.title, path=to))
    if document.gaps:
        click.echo(_("Missing information, marked in the document: {count}.").format(count=len(document.gaps)))
