"""Opening hours: by the declared zone, over changes of the clock, holidays and days that are left out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from compagnon import i18n
from compagnon.services.tutor.handover.hours import is_open, message, next_opening
from compagnon.spec.model import Handover

PARIS = "Europe/Paris"
DESK = Handover.model_validate(
    {
        "contact": {"fr": "ici", "en": "here"},
        "hours": {"monday": ["09:00-12:00", "14:00-18:00"], "saturday": "22:00-24:00"},
        "holidays": ["12-25", "2027-01-04"],
        "message": {"fr": "Fermé.", "en": "Closed."},
    }
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23T08:00", True),  # Monday, 9:00 in Paris in winter
        ("2026-11-23T07:59", False),
        ("2026-11-23T11:00", False),  # 12:00: the end is not in
        ("2026-11-23T13:30", True),
        ("2026-07-06T07:00", True),  # summer: one hour earlier in UTC
        ("2026-07-06T06:59", False),
        ("2026-11-24T09:00", False),  # Tuesday is left out
        ("2026-11-28T22:59", True),  # Saturday, 23:59 in Paris
        ("2026-11-28T23:00", False),
        ("2027-01-04T09:00", False),  # a holiday of one year
        ("2028-12-25T09:00", False),  # Monday, a holiday of each year
        ("2029-01-01T09:00", True),
    ],
)
def test_open(moment: str, expected: bool) -> None:
    assert is_open(DESK, at(moment), PARIS) is expected


def test_next_opening_skips_holidays() -> None:
    back = next_opening(DESK, at("2027-01-02T23:30"), PARIS)  # Sunday in Paris; Monday is a holiday
    assert back is not None
    assert back.isoformat() == "2027-01-09T22:00:00+01:00"
    open_now = next_opening(DESK, at("2026-11-23T08:00"), PARIS)
    assert open_now is not None
    assert open_now.astimezone(UTC) == at("2026-11-23T08:00")


def test_always_open_without_hours_and_never_without_a_day_left() -> None:
    always = Handover(contact="x")
    assert is_open(always, at("2026-12-25T03:00"), PARIS)
    never = Handover(contact="x", hours={"monday": ("09:00-10:00",)}, holidays=tuple(
        f"{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 32)))  # fmt: skip
    assert next_opening(never, at("2026-11-23T08:00"), PARIS) is None


def test_what_is_said() -> None:
    with i18n.use("en"):
        assert message(DESK, at("2026-11-23T08:00"), PARIS).endswith("You can also reach us: here.")
        closed = message(DESK, at("2026-11-23T11:30"), PARIS)
    assert closed.startswith("Closed. Somebody is back on ")
    assert "2:00" in closed
    assert "Europe/Paris" in closed
    with i18n.use("fr"):
        assert message(DESK, at("2026-11-23T11:30"), PARIS).startswith("Fermé.")
