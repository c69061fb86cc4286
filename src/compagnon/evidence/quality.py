"""The quality report of a table as a document: what each rule did by source, what each column holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from compagnon.chain.artifact import ArtifactStore
from compagnon.chain.ledger import Ledger
from compagnon.errors import UserError
from compagnon.evidence import words
from compagnon.i18n import _, format_number, use
from compagnon.privacy.patterns import mask_text
from compagnon.render.document import Block, Cell, Code, Document, Heading, Language, Note, Paragraph, Table
from compagnon.spec.model import Spec, text_of
from compagnon.stages.prepare import quality_page

_COUNTS = ("read", "prepared", "rejected", "duplicate", "unreadable")


def quality_report(name: str, language: Language, *, spec: Spec, ledger: Ledger, artifacts: ArtifactStore) -> Document:
    """The report of the table ``name`` as its last finished run made it.

    Raises UserError ``document.unknown-table`` or ``document.no-quality``, ``artifact.altered`` where bytes changed.
    """
    run = ledger.last(f"prepare/{name}")
    made = run.output(f"quality/{name}") if run else None
    artifact = artifacts.get(made.zone, made.digest) if made else None
    if run is None or made is None or artifact is None:
        if name not in spec.tables:
            raise UserError(
                "document.unknown-table",
                _("There is no table {name}.").format(name=name),
                next=_("Tables: {names}.").format(names=", ".join(spec.tables)),
            )
        raise UserError(
            "document.no-quality",
            _("The table {name} has no quality report yet.").format(name=name),
            next=_("Run: compagnon run"),
        )
    report = words.read_json(artifacts, artifact, "quality.json")
    with use(language):
        said = quality_page.words(language)
        labels = said["labels"]
        numbers = {key: format_number(value) for key, value in report["rows"].items()}
        blocks = [
            Paragraph(labels["summary"].format(**numbers) + " " + labels["summary_more"].format(**numbers)),
            *_sources(report, labels),
            *_rejects(report, labels, language),
            *_changes(report, said),
            *_columns(report, said),
            *words.provenance(run, made.digest, spec.timezone),
        ]
        title = labels["title"].format(name=report["table"])
        return Document(title, language, tuple(blocks), run.ended, _subject(spec, language))


def _subject(spec: Spec, language: Language) -> str:
    return _("Solution: {name}").format(name=text_of(spec.title, language) or spec.name)


def _sources(report: Mapping[str, Any], labels: Mapping[str, str]) -> list[Block]:
    headers = (labels["source"], *(labels[key] for key in _COUNTS))
    rows: list[tuple[Cell, ...]] = [(s["source"], *(s[key] for key in _COUNTS)) for s in report["sources"]]
    return [Heading(labels["sources"]), Table(labels["sources"], headers, tuple(rows))]


def _rejects(report: Mapping[str, Any], labels: Mapping[str, str], language: Language) -> list[Block]:
    headers = (labels["reason"], labels["code"], *_source_names(report), labels["total"])
    rows: list[tuple[Cell, ...]] = [
        (mask_text(r[language]), Code(r["code"]), *_by_source(r)) for r in report["rejects"]
    ]
    table = Table(labels["rejects"], headers, tuple(rows))
    return [Heading(labels["rejects"]), Paragraph(labels["rejects_note"]), table]


def _changes(report: Mapping[str, Any], said: Mapping[str, Mapping[str, str]]) -> list[Block]:
    labels, rules = said["labels"], said["rules"]
    if not report["changes"]:
        return []
    headers = (labels["column"], labels["rule"], *_source_names(report), labels["total"])
    rows = tuple((c["column"], rules.get(c["rule"], c["rule"]), *_by_source(c)) for c in report["changes"])
    return [Heading(labels["changes"]), Table(labels["changes"], headers, rows)]


def _columns(report: Mapping[str, Any], said: Mapping[str, Mapping[str, str]]) -> list[Block]:
    labels = said["labels"]
    headers = tuple(labels[key] for key in ("column", "type", "keep", "nulls", "distinct", "range", "top"))
    rows = tuple(_column(column, said) for column in report["columns"])
    table = Table(labels["columns"], headers, rows, numeric=frozenset({3, 4}))
    return [Heading(labels["columns"]), Note(labels["columns_note"]), table]


def _column(column: Mapping[str, Any], said: Mapping[str, Mapping[str, str]]) -> tuple[Cell, ...]:
    kind = said["types"].get(column["type"], column["type"]) + (f" ({column['unit']})" if column["unit"] else "")
    first = (column["name"], kind, said["keeps"][column["keep"]])
    if column["keep"] == "drop":
        return (*first, None, None, None, None)
    between: str | None = None
    if column["min"] is not None:
        between = f"{column['min']} … {column['max']}"
    elif column["shortest"] is not None:
        lengths = {"short": format_number(column["shortest"]), "long": format_number(column["longest"])}
        between = said["labels"]["lengths"].format(**lengths)
    # A text that nobody declared personal may still hold an address or a number: patterns are masked here too.
    top = [f"{mask_text(value['value'])} ({format_number(value['count'])})" for value in column.get("top", ())]
    distinct = ("" if column["exact"] else "≈ ") + format_number(column["distinct"])
    return (*first, cast(int, column["nulls"]), distinct, between, ", ".join(top) or None)


def _source_names(report: Mapping[str, Any]) -> list[str]:
    return [source["source"] for source in report["sources"]]


def _by_source(entry: Mapping[str, Any]) -> list[int]:
    counts = list(entry["by_source"].values())
    return [*counts, sum(counts)]
