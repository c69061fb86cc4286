"""When somebody is there, by the declared hours, holidays and time zone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from compagnon.i18n import _, current, format_datetime, pick
from compagnon.spec.model import ByLanguage, Handover, Text

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
AHEAD = 400
"""Days in which the next opening is looked for."""


def is_open(handover: Handover, now: datetime, timezone: str) -> bool:
    """Whether somebody is there at ``now``; always, where no hours are declared."""
    if not handover.hours:
        return True
    here = now.astimezone(ZoneInfo(timezone))
    return any(start <= here < end for start, end in _opens(handover, here.date(), ZoneInfo(timezone)))


def next_opening(handover: Handover, now: datetime, timezone: str) -> datetime | None:
    """When somebody is back, in the zone ``timezone``; ``now`` where somebody is there, None where nobody ever is."""
    zone = ZoneInfo(timezone)
    here = now.astimezone(zone)
    if is_open(handover, now, timezone):
        return here
    for ahead in range(AHEAD):
        for start, _end in _opens(handover, here.date() + timedelta(days=ahead), zone):
            if start > here:
                return start
    return None


def _opens(handover: Handover, day: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The moments between which somebody is there on ``day``."""
    if day.isoformat() in handover.holidays or day.isoformat()[5:] in handover.holidays:
        return
    for hours in handover.hours.get(DAYS[day.weekday()], ()):  # type: ignore[call-overload]
        start, end = (part.strip() for part in hours.split("-"))
        stop = datetime.combine(day + timedelta(days=1), time(), zone) if end == "24:00" else _at(day, end, zone)
        yield _at(day, start, zone), stop


def _at(day: date, clock: str, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), zone)


def message(handover: Handover, now: datetime, timezone: str) -> str:
    """What a person reads when their conversation is handed over, in the language in use."""
    contact = said(handover.contact)
    if is_open(handover, now, timezone):
        return _("A person will answer you here. You can also reach us: {contact}.").format(contact=contact)
    out = said(handover.message) if handover.message else _("Nobody is there now; your question is kept.")
    back = next_opening(handover, now, timezone)
    if back is not None:
        when = format_datetime(back, ZoneInfo(timezone))
        out = f"{out} " + _("Somebody is back on {when} ({timezone}).").format(when=when, timezone=timezone)
    return f"{out} " + _("You can also reach us: {contact}.").format(contact=contact)


def said(text: Text) -> str:
    """``text`` in the language in use."""
    return pick(text.model_dump(exclude_none=True) if isinstance(text, ByLanguage) else text, current())
