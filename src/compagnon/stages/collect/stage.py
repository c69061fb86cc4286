"""The stage ``collect``: one instance per source, from the source to ``rows/NAME`` and ``unreadable/NAME``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from compagnon.chain import digest as digests
from compagnon.chain import plugins
from compagnon.chain.artifact import ArtifactStore
from compagnon.chain.run import Run
from compagnon.chain.secrets import Secrets
from compagnon.chain.stage import Context, Instance, Probe
from compagnon.chain.workspace import Workspace
from compagnon.errors import UserError
from compagnon.i18n import _, ngettext
from compagnon.spec.model import SourceOptions, Spec
from compagnon.stages.collect.instead import emit_unreadable, use_instead
from compagnon.stages.collect.journal import Journal
from compagnon.stages.collect.pieces import Finished, PieceWriter
from compagnon.stages.collect.port import Collection, Source, SourceDown

if TYPE_CHECKING:
    from compagnon.stages.collect.identity import Part

COMMON = ("duckdb", "pyarrow")
"""Distributions that write raw rows, whatever the source."""


class CollectStage:
    """Brings rows from outside into the raw zone, every source column as it came."""

    name: ClassVar[str] = "collect"
    version: ClassVar[int] = 1

    def instances(self, spec: Spec) -> list[Instance]:
        found = []
        for name, options in spec.sources.items():
            source = adapter(options)
            settings = {**source.settings(options), "key": list(declared_key(spec, name))}
            outputs = (f"rows/{name}", f"unreadable/{name}")
            adapters = tuple(dict.fromkeys((*COMMON, *source.distributions)))
            found.append(
                Instance(self.name, name, self.version, settings, (), outputs, source.files(options), adapters)
            )
        return found

    def probe(self, instance: Instance, workspace: Workspace, spec: Spec, secrets: Secrets) -> Probe | None:
        options = spec.sources[instance.target]
        found = adapter(options).probe(options, workspace.root, secrets)
        return replace(found, fresh_for=options.fresh_for)

    def run(self, instance: Instance, context: Context) -> None:
        name = instance.target
        options = context.spec.sources[name]
        journal = Journal(context.journal, context.artifacts)
        try:
            self._collect(name, options, context, journal)
        except SourceDown as down:
            use_instead(name, options, context, down)
        for fact, output in (("rows_collected", "rows"), ("rows_unreadable", "unreadable")):
            context.fact(fact, context.emitted[f"{output}/{name}"].rows)
        context.fact("segments", len(context.emitted[f"rows/{name}"].segments))

    def after(self, instance: Instance, workspace: Workspace, artifacts: ArtifactStore, run: Run) -> None:
        """What had arrived is now in the rows: the raw copy of it goes."""
        spool_of(workspace, instance.target).unlink(missing_ok=True)

    def _collect(self, name: str, options: SourceOptions, context: Context, journal: Journal) -> None:
        from compagnon.stages.collect import identity

        source = adapter(options)
        rows = context.previous_output(f"rows/{name}")
        bad = context.previous_output(f"unreadable/{name}")
        if rows is not None and rows.meta.get("empty"):
            rows = bad = None
        key = declared_key(context.spec, name)
        collection = Collection(
            name,
            context.workspace.root,
            context.secrets,
            context.scratch,
            key,
            rows,
            lambda: context.artifacts.paths(rows) if rows else [],
            context.progress,
            context.warn,
            spool_of(context.workspace, name),
        )
        finished = Finished(context.artifacts, rows, bad, journal)
        writer = PieceWriter(name, key, context, finished)
        made_with = made_by(source, key)
        for place, piece in enumerate(source.collect(options, collection)):
            writer.add(replace(piece, origin=f"{piece.origin} {made_with}") if piece.origin else piece, place)
        parts, unreadable, details = writer.parts, writer.unreadable, writer.details
        for gone in finished.unused():
            context.warn(_("{piece} is no longer in the source {name}; its rows left.").format(piece=gone, name=name))
        parts, mixed = identity.same_types(parts, context.scratch)
        if mixed:
            names = ", ".join(mixed)
            context.warn(_("Columns whose type varies are kept as text: {names}.").format(names=names))
        check_key(name, options, key, parts)
        if key:
            parts, repeated = identity.unique(parts, context.scratch)
            if repeated:
                text = ngettext(
                    "{count} row of {name} repeats the key of another; both are kept.",
                    "{count} rows of {name} repeat the key of another; all are kept.",
                    repeated,
                )
                context.warn(text.format(count=repeated, name=name))
        meta = {"source": name, "columns": columns(parts), "pieces": details}
        context.emit(f"rows/{name}", "rows", "raw", [part.segment for part in parts], meta)
        emit_unreadable(name, unreadable, context)


def spool_of(workspace: Workspace, name: str) -> Path:
    """Where a source keeps what arrived until its run is done."""
    return workspace.journal / f"{CollectStage.name}-{name}.pages"


def adapter(options: SourceOptions) -> Source:
    """The adapter of a source's kind."""
    source: Source = plugins.load("sources")[options.kind]()
    return source


def made_by(source: Source, key: tuple[str, ...]) -> str:
    """Digest of what rows depend on besides their origin and the options: the key and the versions at work."""
    distributions = dict.fromkeys((*COMMON, *source.distributions))
    versions = {name: plugins.identity(name) for name in distributions}
    return digests.of_value([CollectStage.version, key, versions])[:16]


def declared_key(spec: Spec, name: str) -> tuple[str, ...]:
    """The key of a source: its own, else the key of the tables that use it, in the source's names, if they agree."""
    own = spec.sources[name].key
    if own:
        return own
    keys = set()
    for table in spec.tables.values():
        if name in table.from_:
            mapping = table.from_[name]
            keys.add(tuple(mapping[k].column for k in table.key) if all(k in mapping for k in table.key) else ())
    return keys.pop() if len(keys) == 1 else ()


def check_key(name: str, options: SourceOptions, key: tuple[str, ...], parts: list[Part]) -> None:
    """Raises UserError ``collect.key-missing`` if no segment has a column of the key that the source declares."""
    present = {column["name"] for column in columns(parts)}
    missing = [column for column in options.key if column not in present]
    if parts and missing:
        raise UserError(
            "collect.key-missing",
            _("The source {name} has no column {column}, which its key names.").format(name=name, column=missing[0]),
            next=_("It has: {columns}.").format(columns=", ".join(sorted(present))),
            path=f"sources.{name}.key",
        )


def columns(parts: list[Part]) -> list[dict[str, str]]:
    """Source columns over all segments, in the order in which they first appear, with their Arrow types."""
    import pyarrow.parquet as pq

    from compagnon.stages.collect.rows import RESERVED

    found: dict[str, str] = {}
    for part in parts:
        for field in pq.read_schema(part.path):
            if field.name not in RESERVED:
                found.setdefault(field.name, str(field.type))
    return [{"name": name, "type": kind} for name, kind in found.items()]
