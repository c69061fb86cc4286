"""Facts and jobs in words: the number of a count, in both languages; where a job stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from compagnon.chain.fact import FACTS, fact
from compagnon.chain.job import Job
from compagnon.chain.words import doing_text, fact_text, key_facts_text, meaning, place_text, value_text
from compagnon.i18n import use

COUNTED = [d for d in FACTS.values() if d.unit not in ("", "1", "byte", "ms", "second")]


@pytest.mark.parametrize("definition", COUNTED, ids=lambda definition: definition.name)
def test_every_count_has_words_for_one(definition: object) -> None:
    name, fr, en = (getattr(definition, part) for part in ("name", "fr_one", "en_one"))
    assert fr
    assert en
    with use("fr"):
        assert [meaning(name, count) == fr for count in (0, 1, 2, None)] == [True, True, False, False]
    with use("en"):
        assert [meaning(name, count) == en for count in (0, 1, 2, None)] == [False, True, False, False]


def test_one_unreadable_row_is_one_row() -> None:
    with use("fr"):
        assert fact_text("rows_unreadable", 1, "row") == "1 ligne illisible, mise en quarantaine"
        assert fact_text("rows_unreadable", 2, "row") == "2 lignes illisibles, mises en quarantaine"
    with use("en"):
        assert fact_text("rows_prepared", 1, "row") == "1 row prepared"


def test_values_that_are_none_small_or_yes() -> None:
    with use("en"):
        assert [value_text(value) for value in (None, "", True, 0.0000123)] == ["–", "–", "yes", "0.000012"]


def test_key_facts_leave_out_what_says_nothing() -> None:
    found = [fact("rows_rejected", 0), fact("rows_prepared", 0), fact("duration", 1.0)]
    with use("en"):
        assert key_facts_text(found) == "0 rows prepared"


def test_where_a_job_stands() -> None:
    asked = datetime(2026, 1, 1, tzinfo=UTC)
    progress = {"position": 2, "count": 5, "message": "fold", "done": 3, "total": 10}
    with use("en"):
        job = Job(1, "run", {}, "running", asked, progress=progress)
        assert (place_text(job), doing_text(job)) == ("2 of 5", "fold 3/10")
        job = Job(1, "run", {}, "running", asked, progress={"done": 7})
        assert (place_text(job), doing_text(job)) == ("", "7")
        assert doing_text(Job(1, "run", {}, "queued", asked)) == ""
