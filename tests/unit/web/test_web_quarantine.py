"""Cells of a row set aside are shown as they would leave the quarantine, never in the clear."""

from __future__ import annotations

from compagnon.spec.model import Table
from compagnon.web.quarantine import as_they_leave

TABLE = Table.model_validate(
    {
        "from": {"shop": {"text": "Message", "mail": "Courriel", "who": "Nom", "theme": "Theme"}},
        "columns": {
            "text": {"type": "text", "personal": "free_text"},
            "mail": {"type": "text", "personal": "email"},
            "who": {"type": "text", "personal": "name"},
            "theme": {"type": "text"},
        },
    }
)


def test_what_the_table_hides_is_hidden_and_what_it_masks_is_masked() -> None:
    raw = {
        "Message": "écrivez à jeanne@example.org",
        "Courriel": "jeanne@example.org",
        "Nom": "Jeanne",
        "Theme": "autre",
        "Remarque": "jamais déclarée : jeanne@example.org",
    }
    shown = as_they_leave(TABLE, "shop", raw)
    assert shown == [("Message", "écrivez à [courriel]"), ("Theme", "autre")]


def test_nothing_is_shown_of_a_source_that_the_table_does_not_read() -> None:
    assert as_they_leave(TABLE, "elsewhere", {"Message": "bonjour"}) == []
