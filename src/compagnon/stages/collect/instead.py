"""What is handed over when a source is down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compagnon.chain.artifact import Draft, Segment
from compagnon.chain.stage import Context
from compagnon.errors import UserError
from compagnon.i18n import _
from compagnon.spec.model import SourceOptions, Spec
from compagnon.stages.collect.port import SourceDown


def use_instead(name: str, options: SourceOptions, context: Context, down: SourceDown) -> None:
    """What ``instead:`` says for a source that is down; raises ``down`` where it says nothing or cannot be done."""
    if options.instead is None:
        raise down
    if options.instead == "last":
        last, bad = context.last_output(f"rows/{name}"), context.last_output(f"unreadable/{name}")
        if last is None or bad is None:
            raise down
        for output, artifact in (("rows", last), ("unreadable", bad)):
            label = f"{output}/{name}"
            context.emit(label, artifact.kind, artifact.zone, artifact.segments, artifact.meta)
    else:
        _check_stand_in(name, options.instead, context.spec)
        segment = empty_rows(name, context)
        context.emit(f"rows/{name}", "rows", "raw", [segment], {"source": name, "empty": True})
        emit_unreadable(name, [], context)
    context.warn(
        _("The source {name} is down; {instead} is used instead. {why}").format(
            name=name, instead=options.instead, why=down.problem.what
        )
    )
    context.fact("instead_used", options.instead)


def _check_stand_in(name: str, other: str, spec: Spec) -> None:
    without = [table for table, made in spec.tables.items() if name in made.from_ and other not in made.from_]
    if without:
        raise UserError(
            "collect.instead-unused",
            _("The source {name} is down, and {other} cannot stand in for it in the table {table}.").format(
                name=name, other=other, table=without[0]
            ),
            next=_("Say in tables.{table}.from how {other} names the columns.").format(table=without[0], other=other),
        )


def empty_rows(name: str, context: Context) -> Draft:
    """A segment without rows that has the columns which tables read."""
    import pyarrow as pa

    from compagnon.stages.collect.rows import Identity, write

    used: dict[str, None] = {}
    for table in context.spec.tables.values():
        used.update(dict.fromkeys(column.column for column in table.from_.get(name, {}).values()))
    schema = pa.schema([(column, pa.string()) for column in used])
    draft = write(_nothing(), context.scratch / "empty.parquet", Identity(name, "none"), None, schema)
    assert draft is not None
    return draft


def _nothing() -> Iterator[Any]:
    return iter(())


def emit_unreadable(name: str, segments: list[Segment | Draft], context: Context) -> None:
    from compagnon.stages.collect import unreadable

    if not segments:
        segments = [unreadable.write(name, "none", [], context.scratch / "unreadable.parquet", None)]
    context.emit(f"unreadable/{name}", "quarantine", "quarantine", segments, {"source": name})
