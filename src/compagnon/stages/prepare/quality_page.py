"""The quality report as an accessible page in French or English."""

from __future__ import annotations

from typing import Any

from compagnon.i18n import format_number, use
from compagnon.render import page

_RULES = {
    "given": ("valeurs présentes", "values given"),
    "expr": ("valeurs calculées", "values derived"),
    "clean": ("changées par le nettoyage", "changed by clean-up"),
    "replace": ("changées par un remplacement", "changed by a replacement"),
    "map": ("rapportées à une valeur prévue", "brought to one of the values"),
    "unit": ("converties d'unité", "converted to the unit"),
}
_KEEPS = {
    "plain": ("en clair", "plain"),
    "mask": ("masquée", "masked"),
    "pseudonym": ("pseudonyme", "pseudonym"),
    "drop": ("retirée", "dropped"),
}
_TYPES = {
    "text": ("texte", "text"),
    "integer": ("entier", "integer"),
    "decimal": ("décimal", "decimal"),
    "float": ("réel", "float"),
    "boolean": ("oui/non", "boolean"),
    "date": ("date", "date"),
    "timestamp": ("instant", "timestamp"),
    "category": ("catégorie", "category"),
}
_LABELS = {
    "title": ("Qualité de la table {name}", "Quality of the table {name}"),
    "summary": (
        "{read} lignes lues, {prepared} gardées, {rejected} mises en quarantaine, dont {duplicate} doublons.",
        "{read} rows read, {prepared} kept, {rejected} put in quarantine, {duplicate} of them duplicates.",
    ),
    "summary_more": (
        "{unreadable} lignes illisibles à la collecte ; {restored} remises à la main ; {masked} valeurs masquées.",
        "{unreadable} rows unreadable when collected; {restored} put back by a person; {masked} values masked.",
    ),
    "sources": ("Lignes par source", "Rows by source"),
    "changes": ("Valeurs changées par les règles", "Values changed by the rules"),
    "rejects": ("Lignes mises en quarantaine, par raison", "Rows put in quarantine, by reason"),
    "rejects_note": (
        "Une ligne peut avoir plusieurs raisons : les nombres peuvent dépasser le total.",
        "A row may have several reasons: numbers may add up to more than the total.",
    ),
    "columns": ("Colonnes de la table", "Columns of the table"),
    "columns_note": (
        "« ≈ » : nombre estimé. Les valeurs de colonnes personnelles ne sont pas montrées.",
        "“≈”: estimated number. Values of personal columns are not shown.",
    ),
    "source": ("source", "source"),
    "read": ("lues", "read"),
    "prepared": ("gardées", "kept"),
    "rejected": ("en quarantaine", "in quarantine"),
    "duplicate": ("dont doublons", "of them duplicates"),
    "unreadable": ("illisibles", "unreadable"),
    "column": ("colonne", "column"),
    "rule": ("règle", "rule"),
    "reason": ("raison", "reason"),
    "code": ("code", "code"),
    "total": ("total", "total"),
    "type": ("type", "type"),
    "keep": ("sortie", "exit"),
    "nulls": ("vides", "empty"),
    "distinct": ("distinctes", "distinct"),
    "range": ("de … à", "from … to"),
    "lengths": ("{short} à {long} caractères", "{short} to {long} characters"),
    "top": ("valeurs les plus fréquentes", "most frequent values"),
}


def render(report: dict[str, Any], language: str) -> str:
    """The whole page (HTML) for ``report`` as ``quality.assemble`` makes it."""
    index = 0 if language == "fr" else 1
    words = {key: pair[index] for key, pair in _LABELS.items()}
    with use(language):
        numbers = {key: format_number(value) for key, value in report["rows"].items()}
        return page.render(
            "quality.html",
            language=language,
            title=words["title"].format(name=report["table"]),
            report=report,
            words=words,
            summary=words["summary"].format(**numbers) + " " + words["summary_more"].format(**numbers),
            rules={key: pair[index] for key, pair in _RULES.items()},
            keeps={key: pair[index] for key, pair in _KEEPS.items()},
            types={key: pair[index] for key, pair in _TYPES.items()},
            number=format_number,
        )


def words(language: str) -> dict[str, dict[str, str]]:
    """The words of the page for other forms of the report: ``labels``, ``rules``, ``keeps`` and ``types``."""
    index = 0 if language == "fr" else 1
    tables = {"labels": _LABELS, "rules": _RULES, "keeps": _KEEPS, "types": _TYPES}
    return {name: {key: pair[index] for key, pair in pairs.items()} for name, pairs in tables.items()}
