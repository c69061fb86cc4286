"""Regular upkeep of access: what has come to its end is deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from compagnon.access import audit, link, session, throttle


def purge(engine: Engine, now: datetime) -> dict[str, int]:
    """Delete traces older than 12 months, sessions and links that are over, counts of a day ago; returns how many."""
    return {
        "access_events": audit.purge(engine, now),
        "sessions": session.purge(engine, now),
        "one_time_links": link.purge(engine, now),
        "throttles": throttle.purge(engine, now),
    }
